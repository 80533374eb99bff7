"""One version, one named set of rows, one figure: in every place that gives a score."""

from __future__ import annotations

from dataclasses import replace

from tests.store.test_contract import a_version
from unrot.core.records import Version
from unrot.core.test_sets import measured_on, score


def a_scored(name: str, on: str, rows: int, right: float, **artefacts: str) -> Version:
    return replace(
        a_version("elves"),
        name=name,
        anchor=on,
        artefacts=artefacts,
        metrics={"accuracy": right, "rows_held_out": float(rows)},
    )


FIRST = a_scored("v1", "aa" * 32, 4_000, 0.92, holdout="aa" * 32)
SECOND = a_scored("v2", "aa" * 32, 4_000, 0.91, holdout="aa" * 32)
CURED = a_scored("v3", "bb" * 32, 400, 0.957, holdout="aa" * 32, anchor="bb" * 32)


def test_versions_scored_on_the_same_rows_share_a_set_and_others_have_their_own() -> None:
    found = measured_on([FIRST, SECOND, CURED])

    assert {name: on.name for name, on in found.items()} == {"v1": "A", "v2": "A", "v3": "B"}
    assert found["v1"] == found["v2"]
    assert found["v1"].sentence == "4,000 rows held out when v1 was trained"
    assert found["v3"].sentence == "400 recent rows that judges went through"
    assert (found["v3"].kind, found["v3"].short) == ("judged", "bb" * 6)


def test_set_keeps_its_name_when_versions_come_or_an_old_one_is_promoted() -> None:
    fourth = replace(FIRST, name="v4")

    found = measured_on([FIRST, CURED, fourth])

    assert [found[name].name for name in ("v1", "v3", "v4")] == ["A", "B", "A"]


def test_part_of_the_rows_is_another_set() -> None:
    part = replace(SECOND, metrics={"accuracy": 0.9, "rows_held_out": 1_000.0})

    found = measured_on([FIRST, part])

    assert [found[name].name for name in ("v1", "v2")] == ["A", "B"]


def test_one_row_is_a_row_and_what_was_not_measured_has_no_set() -> None:
    one = a_scored("v1", "aa" * 32, 1, 1.0, anchor="aa" * 32)
    none = replace(SECOND, metrics={})

    found = measured_on([one])

    assert found["v1"].sentence == "1 recent row that judges went through"
    assert measured_on([none]) == {}
    assert (score(one), score(none)) == (1.0, None)
