"""What every store promises about predictions that are to be forgotten."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

import pytest

from tests.store.test_contract import NOON, a_prediction, a_verdict, in_use, shipped
from unrot.core.errors import Conflict
from unrot.core.ports import Store
from unrot.core.records import Fate, ModelKey, Oddity, Prediction, Shipment, Version
from unrot.run.erasing_store import TOGETHER
from unrot.run.forgetting import MOST_AT_ONCE

ALL = ["prediction", "verdict", "overruled verdict", "mark as an outlier", "place in an audit"]
ALL += ["answer of a challenger"]


def odd(store: Store, made: Prediction) -> None:
    """Ship a prediction that is marked as an outlier."""
    oddity = Oddity(made.id or "", made.model, "v1", made.predicted_at, 2.0, ())
    store.traffic.ship(Shipment("s9", 0, 100, "me", (made,), oddities=[oddity]))


@pytest.mark.every_store
def test_prediction_is_erased_from_all_that_is_kept_and_its_neighbours_are_not(
    store: Store,
) -> None:
    in_use(store)
    odd(store, a_prediction("elves-9"))

    store.erasing.note({"elves-1": "elves", "elves-9": "elves"}, NOON)
    erased = store.erasing.erase(["elves-1"], "elves", NOON)["elves-1"]
    outlier = store.erasing.erase(["elves-9"], "elves", NOON)["elves-9"]
    again = store.erasing.erase(["elves-1"], "elves", NOON)["elves-1"]

    assert erased == [name for name in ALL if name != "mark as an outlier"]
    assert outlier == ["prediction", "mark as an outlier"]
    assert again == []
    assert store.traffic.prediction("elves-1") is None
    assert store.verdicts.of("elves-1") is None
    assert [one.prediction.id for one in store.traffic.recent("elves", limit=9)] == ["elves-2"]
    assert store.traffic.prediction("elves-2").prediction == a_prediction("elves-2")  # type: ignore[union-attr]
    assert [one.predictions for one in store.trials.audits("elves")] == [()]
    assert store.trials.shadows("elves", "v1", 9) == []
    assert store.oddities.of("elves-9") is None
    assert store.tidying.stock("elves").kept == 1


@pytest.mark.every_store
def test_forgotten_prediction_is_judged_by_nobody_and_waits_until_it_is_settled(
    store: Store,
) -> None:
    in_use(store)
    words = [store.erasing.news()]
    store.erasing.note({"elves-1": "elves", "elves-2": "elves"}, NOON)
    words.append(store.erasing.news())
    store.erasing.note({"elves-1": "elves"}, NOON + 5)
    again = store.erasing.news()
    store.erasing.note({"elves-3": "elves"}, NOON - 5)
    words.append(store.erasing.news())
    store.erasing.end(store.erasing.waiting(1)[0])
    store.erasing.erase(["elves-1"], "elves", NOON)["elves-1"]

    statuses = store.verdicts.put([a_verdict("elves-1"), a_verdict("elves-1", judge="ada")])
    first, second = store.erasing.waiting(9)
    behind = store.erasing.waiting(9, first)
    store.erasing.end(first)

    assert (words[0], again, len({*words})) == ("", words[1], 3)
    assert statuses == ["forgotten", "forgotten"]
    assert (first.id, first.noted_at, first.was_found) == ("elves-1", NOON, True)
    assert (second.id, second.was_found) == ("elves-2", False)
    assert behind == store.erasing.waiting(9) == [second]
    assert store.verdicts.put([a_verdict("elves-1")]) == ["forgotten"]


@pytest.mark.every_store
def test_predictions_of_several_batches_are_erased_together(store: Store) -> None:
    in_use(store)
    made = [a_prediction(f"elf-{number}") for number in range(3 * TOGETHER)]
    for number, start in enumerate(range(0, len(made), len(made) // 2)):
        shipped(store, *made[start : start + len(made) // 2], segment=f"b{number}")
    store.verdicts.put([a_verdict("elf-1"), a_verdict("elf-2")])
    gone = [f"elf-{number}" for number in range(1, 3 * TOGETHER) if number % 10]
    store.erasing.note(dict.fromkeys(["elf-1", "elf-11"], ModelKey("elves")), NOON)

    erased = store.erasing.erase([*gone, "elves-1", "nobody"], ModelKey("elves"), NOON)

    assert erased["elf-1"] == ["prediction", "verdict"]
    assert erased["elves-1"] == [name for name in ALL if name != "mark as an outlier"]
    assert erased["nobody"] == []
    assert [names for id, names in erased.items() if id in gone[2:]] == [["prediction"]] * (
        len(gone) - 2
    )
    left = {one.prediction.id for one in store.traffic.recent(ModelKey("elves"), limit=500)}
    assert left == {"elves-2", *(one.id for one in made)} - {*gone}
    assert store.tidying.stock(ModelKey("elves")).kept == len(left)
    assert [one.was_found for one in store.erasing.waiting(9)] == [True, True]


@pytest.mark.every_store
def test_as_many_are_noted_at_once_as_may_be_asked_for(store: Store) -> None:
    in_use(store)
    ids = [f"elves-{number}" for number in range(MOST_AT_ONCE)]

    store.erasing.note(dict.fromkeys(ids, ModelKey("elves")), NOON)

    assert {one.id for one in store.erasing.waiting(MOST_AT_ONCE + 1)} == {*ids}


@pytest.mark.every_store
def test_version_that_learnt_what_is_to_be_forgotten_is_not_kept(store: Store) -> None:
    class NotedMeanwhile(list[str]):
        """What a version learnt, of which something is noted just before it is kept."""

        def __iter__(self) -> Iterator[str]:
            store.erasing.note({"elves-1": ModelKey("elves")}, time.time())
            return super().__iter__()

    in_use(store)
    fates = [Fate("elves-1", "set aside", NOON, "too far: height 9.25")]
    before = store.registry.versions(ModelKey("elves"))

    with pytest.raises(Conflict, match="1 prediction that it had learnt from") as refused:
        published(store, NotedMeanwhile(["elves-1", "elves-2"]), fates)
    made = published(store, ["elves-2"], fates)
    [[kept, _]] = store.lessons.fates_of(ModelKey("elves"), made.name, limit=9)

    assert refused.value.reason == "forgotten_meanwhile"
    assert store.registry.versions(ModelKey("elves")) == [*before, made]
    assert kept.reason == "too far"


def published(store: Store, examples: Collection[str], fates: Sequence[Fate]) -> Version:
    version = replace(store.registry.versions(ModelKey("elves"))[-1], created_at=NOON)
    made = store.lessons.publish(
        version,
        {},
        examples=examples,
        fates=fates,
        gate=None,
        job=None,
        result={},
        champion=store.registry.aliases(ModelKey("elves")).get("champion"),
        promote=False,
    )
    assert made is not None
    return made


def test_acknowledged_verdict_on_a_forgotten_prediction_is_kept_nowhere(
    store: Store, open_store: Callable[[], Store]
) -> None:
    in_use(store)
    store.erasing.note({"elves-1": "elves"}, NOON)
    store.erasing.erase(["elves-1"], "elves", NOON)["elves-1"]

    store.traffic.ship(Shipment("s3", 0, 9, "me", feedback=[a_verdict("elves-1", comment="A.")]))

    assert open_store().erasing.erase(["elves-1"], "elves", NOON)["elves-1"] == []


def test_prediction_that_arrives_late_can_be_erased_then(store: Store) -> None:
    in_use(store)
    store.erasing.note({"late": "elves"}, NOON)
    before = store.erasing.erase(["late"], "elves", NOON)["late"]
    shipped(store, a_prediction("late"), segment="s4")

    assert (before, store.erasing.erase(["late"], "elves", NOON)["late"]) == ([], ["prediction"])


@pytest.mark.every_store
def test_reason_of_a_fate_loses_its_value_and_keeps_its_kind(store: Store) -> None:
    in_use(store)
    fates = [
        Fate("elves-1", "set aside", NOON, "too far: height 9.25"),
        Fate("elves-2", "set aside", NOON, "too far: height 8.5"),
    ]
    store.lessons.decide("elves", "v1", fates)

    gone = store.lessons.erase_reasons("elves", "v1", ["elves-1"])
    again = store.lessons.erase_reasons("elves", "v1", ["elves-1"])

    told = {
        fate.prediction: fate.reason for fate, _ in store.lessons.fates_of("elves", "v1", limit=9)
    }
    assert told == {"elves-1": "too far", "elves-2": "too far: height 8.5"}
    assert (len(gone), again) == (1, [])
    assert store.lessons.erase_reasons("elves", "v7", ["elves-1"]) == []
