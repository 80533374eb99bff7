"""Which verdicts are of one stream, after promotions and rollbacks."""

from __future__ import annotations

from unrot.core import lineage
from unrot.core.records import AliasMove, Outcome, Serving, Version
from unrot.watch.eras import era_of


def a_version(name: str, parent: str | None, *, is_fresh: bool = False) -> Version:
    made = {lineage.FRESH: True} if is_fresh else {}
    serving = Serving("onnx", "d")
    return Version("zombies", name, parent, "x", "tree", 0.0, {}, {}, "h", {}, serving, made)


VERSIONS = [
    a_version("v1", None),
    a_version("v2", "v1"),
    a_version("v3", "v2", is_fresh=True),
]


def moved(to: str, at: float, reason: str = "") -> AliasMove:
    return AliasMove("champion", None, to, at, reason=reason)


def of(version: str, at: float) -> Outcome:
    return Outcome("p", version, at, at + 1, True)


def test_small_steps_go_on_with_the_stream_of_their_fresh_ancestor() -> None:
    era = era_of(VERSIONS, [moved("v1", 10), moved("v2", 20)], "v2")

    assert (era.line, era.champion, era.since) == (("v1", "v2"), "v2", 0.0)
    assert [era.holds(of(name, 5)) for name in ("v1", "v2", "v3", "imported")] == [
        True,
        True,
        False,
        True,
    ]


def test_fresh_version_begins_a_stream_of_its_own() -> None:
    era = era_of(VERSIONS, [moved("v1", 10), moved("v2", 20), moved("v3", 30)], "v3")

    assert (era.line, era.since) == (("v3",), 30)
    assert era.holds(of("v3", 25)) and not era.holds(of("v2", 35))
    assert era.holds(of("imported", 31)) and not era.holds(of("imported", 29))


def test_version_that_was_rolled_back_to_has_its_own_verdicts_of_before_and_no_others() -> None:
    way = [moved("v1", 10), moved("v3", 20), moved("v1", 30, lineage.as_rollback("worse"))]

    era = era_of(VERSIONS, way, "v1")

    assert (era.line, era.since, era.reigns) == (("v1",), 30, ((0, 20), (30, float("inf"))))
    assert [era.holds(of("v1", at)) for at in (15, 25, 31)] == [True, True, True]
    assert [era.holds(of("imported", at)) for at in (15, 25, 31)] == [True, False, True]
    assert not era.holds(of("v3", 31))


def test_small_step_that_was_taken_back_is_not_of_the_stream() -> None:
    way = [moved("v1", 10), moved("v2", 20), moved("v1", 30, lineage.as_rollback("worse"))]

    era = era_of(VERSIONS, way, "v1")

    assert era.line == ("v1",)
    assert not era.holds(of("v2", 25))


def test_prediction_of_the_second_of_a_promotion_is_one_after_it() -> None:
    era = era_of(VERSIONS, [moved("v1", 10), moved("v3", 30.27)], "v3")

    assert era.since <= of("v3", 30.0).predicted_at
