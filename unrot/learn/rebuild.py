"""`rebuild`: the same version again, from its lessons, perhaps without some verdicts.

A verdict that was changed after it was learnt is learnt as it is now; one that was taken back is
left out. With nothing left out and nothing changed the parameters are equal to the original's, as
long as the libraries are.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version as installed_version

from unrot.core import lineage
from unrot.core.ports import Progress, Trainable
from unrot.core.records import Fate, Version
from unrot.learn.learn import learnt_fates
from unrot.learn.material import Material, part_of
from unrot.learn.publish import Draft
from unrot.learn.rebuild_plan import BEGIN_ANEW, Rebuild
from unrot.learn.stream import rows_seen

STRUCK_OUT = "was struck out"
THAT_COUNT = ("scikit-learn", "numpy", "scipy")


def rebuild_version(material: Material, trainable: Trainable, tell: Progress) -> Draft:
    """Take what the plan starts from through the lessons that are left."""
    plan = material.plan
    assert plan is not None, "a rebuild is read with its plan"
    target = lineage.named(material.versions, plan.version)
    return Draft(
        trainable=_teach_again(trainable, plan, rows_seen(material.parent), tell),
        lessons=plan.lessons,
        fates=_fates(plan, material.decided),
        is_fresh=bool(plan.lessons) and plan.lessons[0].kind in BEGIN_ANEW,
        facts={
            "rebuilt": target.name,
            "left_out": len(plan.left_out),
            "corrected": len(plan.corrected),
            "note": _note(target),
        },
    )


def _teach_again(
    trainable: Trainable, plan: Rebuild, rows_before: int, tell: Progress
) -> Trainable:
    """Take an estimator through the lessons; `rows_before` of its stream it has seen."""
    count, seen = len(plan.lessons), rows_before
    for number, lesson in enumerate(plan.lessons):
        told = part_of(tell, number / count, (number + 1) / count)
        if lesson.kind == "refit":
            trainable = trainable.refit(lesson, told)
        elif lesson.kind == "reset":
            trainable = trainable.untrained()
        elif lesson.kind == "train_batch":
            trainable = trainable.feed(seen, lesson.rows_seen, told)
        else:
            trainable = trainable.learn(lesson, told)
        seen = lesson.rows_seen or seen
    return trainable


def _fates(plan: Rebuild, decided: Sequence[Fate]) -> list[Fate]:
    """Return the fates of the versions that it stands for, without what was struck out."""
    examples = [example for lesson in plan.lessons for example in lesson.examples]
    fates = {fate.prediction: fate for fate in learnt_fates(examples)}
    for fate in decided:
        if fate.prediction in plan.left_out:
            fate = Fate(fate.prediction, "set aside", fate.given_at, STRUCK_OUT)
        fates.setdefault(fate.prediction, fate)
    return list(fates.values())


def _note(target: Version) -> str:
    """Say when other libraries than the original's made it again."""
    other = [
        f"{name} {target.libraries[name]} (now {installed_version(name)})"
        for name in THAT_COUNT
        if name in target.libraries and target.libraries[name] != installed_version(name)
    ]
    if not other:
        return ""
    return f"{target.name} was made with {', '.join(other)}: the parameters may differ a little."
