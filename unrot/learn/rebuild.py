"""`rebuild`: the same version again, from its lessons, perhaps without some verdicts.

A verdict that was changed after it was learnt is learnt as it is now; one that was taken back is
left out. With nothing left out and nothing changed the parameters are equal to the original's, as
long as the libraries are.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from unrot.core import lineage
from unrot.core.artefacts import LESSONS
from unrot.core.ports import Apprentice
from unrot.core.records import Example, Fate, Lesson, Version
from unrot.hear.truth import example_of
from unrot.learn.learn import learnt
from unrot.learn.material import Desk
from unrot.learn.publish import Work, publish
from unrot.learn.rebuild_plan import BEGIN_ANEW, Rebuild, Taught, plan_rebuild
from unrot.learn.stream import rows_seen

STRUCK_OUT = "was struck out"
FATES_AT_ONCE = 1_000
THAT_COUNT = ("scikit-learn", "numpy", "scipy")


def rebuild(desk: Desk) -> None:
    """Do a job of the kind "rebuild"."""
    target = lineage.named(desk.versions, str(desk.job.asked["version"]))
    line = lineage.line(desk.versions, target.name)[::-1]
    desk.tell(0.02, f"reading what {target.name} learnt")
    taught = [_taught(desk, one) for one in line]
    withdrawn, corrected = _changed(desk, taught)
    without = {*desk.job.asked.get("without", []), *withdrawn}
    plan = plan_rebuild(taught, without=without, corrected=corrected)
    apprentice = _led(desk, plan)
    start = lineage.named(desk.versions, plan.start)
    work = Work(
        apprentice=apprentice,
        lessons=plan.lessons,
        parent=start,
        fates=_fates(desk, plan, line),
        is_fresh=bool(plan.lessons) and plan.lessons[0].kind in BEGIN_ANEW,
        facts={
            "rebuilt": target.name,
            "left_out": len(plan.left_out),
            "corrected": len(plan.corrected),
            "note": _note(target),
        },
    )
    publish(desk, work)


def _taught(desk: Desk, made: Version) -> Taught:
    lessons: Sequence[Lesson] = ()
    if LESSONS in made.artefacts:
        packed = desk.artefact(made.artefacts[LESSONS])
        lessons = desk.service.workshop.unpack_lessons(packed)
    return Taught(made.name, lessons, has_files=not made.is_pruned)


def _changed(desk: Desk, taught: Sequence[Taught]) -> tuple[set[str], dict[str, Example]]:
    """Return the verdicts that were taken back since they were learnt, and those changed since."""
    withdrawn: set[str] = set()
    corrected: dict[str, Example] = {}
    for old in {
        one.prediction: one for each in taught for lesson in each.lessons for one in lesson.examples
    }.values():
        now = desk.service.store.verdicts.of(old.prediction)
        if now is not None and now.withdrawn:
            withdrawn.add(old.prediction)
        elif now is not None and now.given_at > old.given_at:
            judged = desk.service.store.traffic.prediction(old.prediction)
            example = None if judged is None else example_of(judged, desk.schema)
            if isinstance(example, Example) and example.label != old.label:
                corrected[old.prediction] = example
    return withdrawn, corrected


def _led(desk: Desk, plan: Rebuild) -> Apprentice:
    """Open the start and take it through the lessons."""
    apprentice = desk.opened(lineage.named(desk.versions, plan.start))
    seen = 0
    for number, lesson in enumerate(plan.lessons):
        share = 0.6 / len(plan.lessons)
        told = desk.part(0.1 + number * share, 0.1 + (number + 1) * share)
        if lesson.kind == "refit":
            apprentice = apprentice.refit(lesson, told)
        elif lesson.kind == "reset":
            apprentice = apprentice.untrained()
        elif lesson.kind == "train_batch":
            apprentice = apprentice.feed(_seen_before(desk, plan, seen), lesson.rows_seen, told)
        else:
            apprentice = apprentice.learn(lesson, told)
        seen = lesson.rows_seen or seen
    return apprentice


def _seen_before(desk: Desk, plan: Rebuild, seen: int) -> int:
    return seen or rows_seen(lineage.named(desk.versions, plan.start))


def _fates(desk: Desk, plan: Rebuild, line: Sequence[Version]) -> list[Fate]:
    """Return the fates of the versions that it stands for, without what was struck out."""
    examples = [one for lesson in plan.lessons for one in lesson.examples]
    decided = {fate.prediction: fate for fate in learnt(examples)}
    names = [version.name for version in line]
    for name in names[names.index(plan.start) + 1 :]:
        for fate in _decided_by(desk, name):
            if fate.prediction in plan.left_out:
                fate = Fate(fate.prediction, "set aside", fate.given_at, STRUCK_OUT)
            decided.setdefault(fate.prediction, fate)
    return list(decided.values())


def _decided_by(desk: Desk, name: str) -> list[Fate]:
    found: list[Fate] = []
    after = ""
    while page := desk.service.store.lessons.fates_of(
        desk.model.name, name, limit=FATES_AT_ONCE, after=after
    ):
        found += [fate for fate, _ in page]
        after = page[-1][0].prediction
    return found


def _note(target: Version) -> str:
    """Say when other libraries than the original's made it again."""
    other = [
        f"{name} {target.libraries[name]} (now {version(name)})"
        for name in THAT_COUNT
        if name in target.libraries and target.libraries[name] != version(name)
    ]
    if not other:
        return ""
    return f"{target.name} was made with {', '.join(other)}: the parameters may differ a little."
