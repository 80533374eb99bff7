"""What every store promises of the rows that are explored: those of a period, with verdicts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.store.test_contract import NOON, a_model, a_prediction, a_verdict, shipped
from unrot.core.ports import Store


def five_of(store: Store, model: str = "elves") -> list[str]:
    """Keep five predictions a minute apart, the second and the fourth with a verdict."""
    ids = [f"{model}-{number}" for number in range(5)]
    moments = [NOON + 60 * number for number in range(5)]
    store.registry.add_model(a_model(model))
    rows = [a_prediction(id, at=at, model=model) for id, at in zip(ids, moments, strict=True)]
    shipped(store, *rows, segment=f"of {model}")
    store.verdicts.put(
        [
            replace(a_verdict(ids[number]), model=model, predicted_at=moments[number])
            for number in (1, 3)
        ]
    )
    return ids


def listed(store: Store, since: float, until: float, **more: object) -> list[str | None]:
    asked = {"judged_only": False, "limit": 10, **more}
    rows = store.traffic.of_period("elves", since=since, until=until, **asked)  # type: ignore[arg-type]
    return [row.prediction.id for row in rows]


def test_rows_of_a_period_come_newest_first_and_no_more_than_asked_for(store: Store) -> None:
    ids = five_of(store)

    assert listed(store, NOON + 60, NOON + 240) == [ids[3], ids[2], ids[1]]
    assert listed(store, 0, 1e12, limit=2) == [ids[4], ids[3]]
    assert listed(store, NOON + 241, 1e12) == []


def test_rows_with_a_verdict_are_found_without_the_others(store: Store) -> None:
    ids = five_of(store)
    five_of(store, "orcs")

    assert listed(store, 0, 1e12, judged_only=True) == [ids[3], ids[1]]
    assert listed(store, NOON + 60, NOON + 180, judged_only=True) == [ids[1]]
    kept = store.traffic.of_period("elves", since=0, until=1e12, judged_only=True, limit=1)
    assert [row.feedback and row.feedback.prediction for row in kept] == [ids[3]]


def test_verdict_knows_the_second_and_the_row_its_moment(store: Store) -> None:
    store.registry.add_model(a_model())
    shipped(store, a_prediction("early", at=NOON + 0.25), a_prediction("late", at=NOON + 0.75))
    store.verdicts.put([a_verdict("late"), a_verdict("early")])

    assert listed(store, NOON + 0.5, NOON + 9, judged_only=True) == ["late"]
    assert listed(store, NOON, NOON + 0.5, judged_only=True) == ["early"]
    assert listed(store, 0, 1e12, judged_only=True) == ["late", "early"]


def test_verdict_that_was_taken_back_counts_for_nothing(store: Store) -> None:
    ids = five_of(store)
    store.verdicts.put(
        [a_verdict(ids[3], predicted_at=NOON + 180, given_at=NOON + 500, withdrawn=True)]
    )

    assert listed(store, 0, 1e12, judged_only=True) == [ids[1]]
    assert store.traffic.judged_span("elves") == (NOON + 60, NOON + 60)


def test_span_of_verdicts_is_from_the_first_prediction_to_the_last(store: Store) -> None:
    five_of(store)

    assert store.traffic.judged_span("elves") == (NOON + 60, NOON + 180)
    assert store.traffic.judged_span("nobody") is None


@pytest.mark.every_store
def test_rows_stay_under_the_key_of_a_renamed_model(store: Store) -> None:
    ids = five_of(store)
    store.registry.rename_model("elves", "tall")

    found = store.traffic.of_period("elves", since=0, until=1e12, judged_only=True, limit=9)
    assert [row.prediction.id for row in found] == [ids[3], ids[1]]
    assert store.traffic.judged_span("elves") == (NOON + 60, NOON + 180)


def test_judged_ones_come_newest_first_from_a_moment_on_and_before_a_place(store: Store) -> None:
    ids = five_of(store)
    five_of(store, "orcs")

    def judged(since: float, before: tuple[float, str]) -> list[str | None]:
        found = store.traffic.judged("elves", since=since, before=before)
        return [row.prediction.id for row in found]

    assert judged(0.0, (1e11, "")) == [ids[3], ids[1]]
    assert judged(NOON + 61, (1e11, "")) == [ids[3]]
    assert judged(0.0, (NOON + 180, ids[3])) == [ids[1]]
    assert judged(0.0, (NOON + 180, f"{ids[3]}-")) == [ids[3], ids[1]]


def test_predictions_come_without_their_verdicts_and_verdicts_stand_beside(store: Store) -> None:
    ids = five_of(store)

    made = list(store.traffic.made("elves", (NOON + 240, ids[4])))

    assert [one.id for one in made] == [ids[3], ids[2], ids[1], ids[0]]
    assert [row.feedback is not None for row in store.traffic.beside(made)] == [
        *(True, False, True, False)
    ]
