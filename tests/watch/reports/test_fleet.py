"""All models at a glance: which is worst, and what is said of one that few have judged."""

from __future__ import annotations

from dataclasses import replace

from unrot.core.records import (
    CHAMPION,
    Finding,
    Gravity,
    Hour,
    Model,
    ModelKey,
    Schema,
)
from unrot.hear.judges import Whose
from unrot.serve.shelf import ShelvedModel
from unrot.watch.reports.fleet import Glance, hours_of, state_of
from unrot.watch.reports.signs import Signs

GOOD = Signs(
    "v1", predictions=900, right=47, judged=50, whose=Whose(50, 30, 4, 8),
    expected=0.93, expected_rows=4_000,
)  # fmt: skip
MODEL = Model("zombies", 1, "Zombies", "", Schema((), "hostile", ("no", "yes")), 0.0)
SHELVED = ShelvedModel(MODEL, {CHAMPION: "v1"}, {})


def rot(gravity: Gravity) -> Finding:
    return Finding("id", ModelKey("zombies"), "rot", "rot", gravity, 0.0, 0.0, 0.0, "It fell.", "")


def test_model_is_as_its_findings_and_verdicts_say() -> None:
    wrong = replace(GOOD, right=25)

    assert state_of(GOOD) == "well"
    assert state_of(wrong) == "look"
    assert state_of(replace(wrong, findings=(rot("grave"),))) == "ill"
    assert state_of(replace(GOOD, has_champion=False)) == "ill"


def test_model_that_few_have_judged_is_neither_well_nor_ill() -> None:
    assert state_of(replace(GOOD, right=0, judged=1, whose=Whose(1, 0, 1, 1))) == "unknown"
    assert state_of(replace(GOOD, predictions=0, right=0, judged=0)) == "unknown"


def test_one_visitor_alone_makes_no_model_ill() -> None:
    alone = replace(GOOD, right=0, whose=Whose(50, 0, 1, 50))

    assert state_of(alone) == "unknown"
    assert state_of(replace(alone, findings=(rot("grave"),))) == "look"


def test_hours_are_counted_from_the_first_one_on() -> None:
    counted = [
        Hour(3_600.0 * hour, MODEL.key, version, count)
        for hour, version, count in ((9, "v1", 5), (10, "v1", 2), (10, "v2", 3), (33, "v2", 1))
    ]

    assert hours_of(counted, 10) == [5, *[0] * 22, 1]


def test_fewer_verdicts_than_ten_are_no_figure_and_no_line() -> None:
    few = Glance(SHELVED, None, last_verdicts=[0.0] * 9)
    ten = Glance(SHELVED, None, last_verdicts=[0.0] * 10)
    more = Glance(SHELVED, None, last_verdicts=[0.0] * 5 + [1.0] * 6)

    assert (few.mean, few.curve) == (None, [])
    assert (ten.mean, ten.curve) == (0.0, [0.0])
    assert (more.mean, more.curve) == (6 / 11, [0.5, 0.6])
