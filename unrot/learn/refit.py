"""`refit`: fit the model afresh, by the recipe that does best on verdicts set apart for that.

Where its probabilities are off, what won is tried recalibrated as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unrot.core.errors import Conflict
from unrot.core.ports import Progress, Trainable
from unrot.core.records import Example, Fate, Lesson, Outputs
from unrot.hear.truth import parse_weights
from unrot.learn.learn import clean_verdicts, learnt_fates
from unrot.learn.material import Material, part_of
from unrot.learn.publish import Draft
from unrot.learn.recalibration import (
    IMPOSSIBLE,
    recalibrating,
    stay_recalibrated,
    weigh_recalibration,
)
from unrot.learn.recipes import (
    Choice,
    Fold,
    choose_recipe,
    draft_recipes,
    leave_out,
    part_into_folds,
    run_race,
    scored_verdicts,
)

OF_THE_OLD_WORLD = "from before the world moved"


def refit_model(material: Material, trainable: Trainable, tell: Progress) -> Draft:
    """Fit the model afresh on all verdicts that may be learnt, by the recipe that won."""
    weights = parse_weights(material.job.asked.get("weights", {}))
    cleaned = clean_verdicts(material, trainable)
    racing, fitting = part_of(tell, 0.0, 2 / 3), part_of(tell, 2 / 3, 1.0)
    choice = _choose(material, trainable, cleaned.examples, weights["training"], racing)
    if material.is_off or trainable.is_recalibrated:
        fitted, choice = _fit_recalibrated(material, trainable, choice, cleaned.examples, fitting)
    else:
        fitted = trainable.refit(choice.lesson, fitting)
    learnt, unused = learnt_fates(choice.lesson.examples), _unused(cleaned.examples, choice)
    return Draft(
        trainable=fitted,
        lessons=[choice.lesson],
        fates=[*cleaned.fates, *learnt, *unused],
        is_fresh=True,
        facts={
            "recipe": choice.lesson.recipe,
            "recipes": list(choice.table),
            "chosen": choice.sentence,
            "weights": weights,
        },
    )


def _choose(
    material: Material,
    trainable: Trainable,
    examples: Sequence[Example],
    training_weight: float,
    tell: Progress,
) -> Choice:
    """Let the recipes race: after each fold those drop out that are surely behind."""
    schema, seed, since = material.schema, material.policy.seed, material.since
    drafts = draft_recipes(
        examples, schema, seed=seed, training_weight=training_weight, since=since
    )
    race = run_race(
        schema,
        drafts,
        part_into_folds(examples, schema, seed=seed, since=since),
        lambda draft, fold: _answers(trainable, draft, fold),
        tell,
    )
    return choose_recipe(
        schema,
        drafts,
        race.scores,
        training_rows=trainable.training_rows,
        dropped=race.dropped,
        has_moved=since > 0,
    )


def _fit_recalibrated(
    material: Material,
    trainable: Trainable,
    choice: Choice,
    examples: Sequence[Example],
    tell: Progress,
) -> tuple[Trainable, Choice]:
    """Fit what won, followed by a calibration where verdicts say that this is better."""
    stays = trainable.is_recalibrated
    scored = {one.prediction for one in scored_verdicts(examples, material.since)}
    if not scored:
        choice = stay_recalibrated(choice) if stays else choice
        return trainable.refit(choice.lesson, tell), choice
    try:
        fitted, crossed = trainable.refit_recalibrated(recalibrating(choice.lesson), tell)
    except Conflict:
        choice = replace(choice, sentence=f"{choice.sentence} {IMPOSSIBLE}")
        return trainable.refit(choice.lesson, tell), choice
    choice = weigh_recalibration(material.schema, choice, crossed, scored, stays=stays)
    return fitted if choice.lesson.recalibrates else fitted.uncalibrated(), choice


def _answers(trainable: Trainable, draft: Lesson, fold: Fold) -> Outputs | None:
    """Fit a recipe without a fold and answer it; None when it cannot be fitted so."""
    try:
        fitted = trainable.refit(leave_out(draft, fold), lambda *_: None)
    except Conflict:
        return None
    return fitted.predict([one.row for one in fold.scored])


def _unused(examples: Sequence[Example], choice: Choice) -> list[Fate]:
    """Return the fates of verdicts that the chosen recipe leaves out."""
    used = {one.prediction for one in choice.lesson.examples}
    return [
        Fate(one.prediction, "set aside", one.given_at, OF_THE_OLD_WORLD)
        for one in examples
        if one.prediction not in used
    ]
