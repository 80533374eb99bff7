"""What every store promises about the reasons that were seen before a verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.store.test_contract import NOON, a_model, a_prediction, a_verdict, shipped
from unrot.core.ports import Store
from unrot.core.records import ModelKey
from unrot.core.windows import total

ELVES = ModelKey("elves")


@pytest.fixture
def elves(store: Store) -> Store:
    store.registry.add_model(a_model())
    return store


def counted(store: Store) -> dict[str, dict[str, int]]:
    store.verdicts.count_new(100)
    windows = store.traffic.windows(ELVES, since=0, until=NOON + 86_400)
    found = total(windows).reasons
    return {
        name: {word: count for word, count in row.items() if count} for name, row in found.items()
    }


@pytest.mark.every_store
@pytest.mark.parametrize("comes_first", ["prediction", "verdict"])
def test_reasons_are_kept_with_a_verdict_and_counted(elves: Store, comes_first: str) -> None:
    verdict = a_verdict("elves-1", was_correct=False, reasons=("height", "ears, long"))

    if comes_first == "prediction":
        shipped(elves, a_prediction("elves-1"), a_prediction("elves-2"))
    elves.verdicts.put([verdict, a_verdict("elves-2", was_correct=True)])
    if comes_first == "verdict":
        shipped(elves, a_prediction("elves-1"), a_prediction("elves-2"))

    assert counted(elves) == {
        "": {"wrong": 1},
        "height": {"wrong": 1},
        "ears, long": {"wrong": 1},
    }
    kept = elves.verdicts.of("elves-1")
    assert kept is not None
    assert tuple(kept.reasons) == ("height", "ears, long")
    [seen] = [one for one in elves.traffic.recent(ELVES, limit=9) if one.prediction.id == "elves-1"]
    assert seen.feedback is not None
    assert tuple(seen.feedback.reasons) == ("height", "ears, long")


@pytest.mark.every_store
def test_changed_mind_moves_what_its_reasons_count(elves: Store) -> None:
    shipped(elves, a_prediction("elves-1"))
    first = a_verdict("elves-1", was_correct=False, reasons=("height",))
    elves.verdicts.put([first])
    assert counted(elves)["height"] == {"wrong": 1}

    now = replace(first, was_correct=True, reasons=("ears",), given_at=first.given_at + 1)
    assert elves.verdicts.put([now]) == ["revised"]

    assert counted(elves) == {"": {"right": 1}, "ears": {"right": 1}}


@pytest.mark.every_store
def test_verdict_that_is_taken_back_takes_its_reasons_along(elves: Store) -> None:
    shipped(elves, a_prediction("elves-1"))
    first = a_verdict("elves-1", was_correct=False, reasons=("height",))
    elves.verdicts.put([first])
    counted(elves)

    back = replace(first, was_correct=None, withdrawn=True, reasons=(), given_at=first.given_at + 1)
    elves.verdicts.put([back])

    assert counted(elves) == {}


@pytest.mark.every_store
def test_same_verdict_after_the_reasons_were_seen_adds_them(elves: Store) -> None:
    shipped(elves, a_prediction("elves-1"))
    first = a_verdict("elves-1", was_correct=False)
    again = replace(first, reasons=("height",), given_at=first.given_at + 1)

    assert elves.verdicts.put([first, again, again]) == ["created", "revised", "duplicate"]
    assert elves.verdicts.put([replace(first, given_at=first.given_at + 2)]) == ["duplicate"]

    assert counted(elves) == {"": {"wrong": 1}, "height": {"wrong": 1}}
