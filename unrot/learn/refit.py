"""`refit`: fit the model afresh, by the recipe that does best on verdicts set apart for that."""

from __future__ import annotations

from collections.abc import Sequence

from unrot.core.errors import Conflict
from unrot.core.ports import Apprentice
from unrot.core.records import Example, Fate, Lesson, Outputs
from unrot.hear.truth import parse_weights
from unrot.learn.learn import cleaned_of, learnt
from unrot.learn.material import Desk
from unrot.learn.publish import Work, publish
from unrot.learn.race import Race
from unrot.learn.recipes import (
    FOLDS,
    Choice,
    Fold,
    choose_recipe,
    draft_recipes,
    leave_out,
    part_into_folds,
)

OF_THE_OLD_WORLD = "from before the world moved"


def refit(desk: Desk) -> None:
    """Do a job of the kind "refit"."""
    weights = parse_weights(desk.job.asked.get("weights", {}))
    apprentice = desk.opened(desk.champion)
    desk.tell(0.05, "reading all verdicts")
    cleaned = cleaned_of(desk, apprentice, desk.waiting([]), weights)
    if not cleaned.examples:
        raise Conflict(
            "No verdict may be learnt from: all only judge, or were set aside.",
            reason="nothing_to_learn",
        )
    choice = _choose(desk, apprentice, cleaned.examples, weights)
    fitted = apprentice.refit(choice.lesson, desk.part(0.6, 0.7))
    work = Work(
        apprentice=fitted,
        lessons=[choice.lesson],
        parent=desk.champion,
        fates=[*cleaned.fates, *learnt(choice.lesson.examples), *_unused(cleaned.examples, choice)],
        is_fresh=True,
        facts={
            "recipe": choice.lesson.recipe,
            "recipes": list(choice.table),
            "chosen": choice.sentence,
            "weights": weights,
        },
    )
    publish(desk, work)


def _choose(
    desk: Desk, apprentice: Apprentice, examples: Sequence[Example], weights: dict[str, float]
) -> Choice:
    """Let the recipes race: after each fold those drop out that are surely behind."""
    schema, seed = desk.schema, desk.policy.seed
    drafts = draft_recipes(
        examples, schema, seed=seed, training_weight=weights["training"], since=desk.since
    )
    race = Race(schema, len(drafts))
    told = desk.part(0.1, 0.6)
    for number, fold in enumerate(part_into_folds(examples, schema, seed=seed, since=desk.since)):
        for place in race.running if fold.scored else ():
            told(number / FOLDS, f"trying {drafts[place].recipe}, fold {number + 1} of {FOLDS}")
            race.note(place, fold.scored, _answers(apprentice, drafts[place], fold))
        race.drop_those_behind()
        if len(race.running) == 1:
            break
    race.drop_those_behind(at_the_end=True)
    return choose_recipe(
        schema,
        drafts,
        race.scores,
        training_rows=apprentice.training_rows,
        dropped=race.dropped,
        has_moved=desk.since > 0,
    )


def _answers(apprentice: Apprentice, draft: Lesson, fold: Fold) -> Outputs | None:
    """Fit a recipe without a fold and answer it; None when it cannot be fitted so."""
    try:
        fitted = apprentice.refit(leave_out(draft, fold), lambda *_: None)
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
