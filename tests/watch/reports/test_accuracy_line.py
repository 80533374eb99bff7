"""The line of accuracy: no point mixes versions, or a fall with what was before and after it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from unrot.core.records import Outcome, Window
from unrot.watch.reports.accuracy import Point
from unrot.watch.reports.accuracy_line import Stint, stints
from unrot.watch.statistics.accuracy import Scored, Share, share

NOON = 1_800_014_400.0
MINUTE = 60.0


def told(version: str, starts_at: float, *shares: tuple[int, float], every: float) -> list[Outcome]:
    """Return so many verdicts after each other, of each part so large a share right."""
    right = [number % 100 < 100 * of for count, of in shares for number in range(count)]
    return [
        Outcome(f"p{number}", version, at := starts_at + number * every, at + 1, was_correct=one)
        for number, one in enumerate(right)
    ]


def by_second(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Forget parts of seconds, as ids do."""
    return [one._replace(predicted_at=float(int(one.predicted_at))) for one in outcomes]


def by_minute(outcomes: Sequence[Outcome]) -> list[Point]:
    """Count verdicts in the minute of their predictions, as windows do."""
    points = []
    for minute, of in groupby(outcomes, lambda one: one.predicted_at // MINUTE):
        every = list(of)
        right = sum(one.was_correct is True for one in every)
        window = Window(int(minute), "elves", "", "", judged=len(every), correct=right)
        points.append(
            Point(
                minute * MINUTE, MINUTE, window, share(right, len(every)), Scored(0),
                Share(0, 0, None),
            )
        )  # fmt: skip
    return points


def shares(line: Sequence[Stint]) -> list[tuple[str, int, float]]:
    return [
        (stint.version, point.accuracy.count, point.accuracy.value or 0.0)
        for stint in line
        for point in stint.points
    ]


def test_fall_within_a_minute_is_drawn_as_deep_as_it_was() -> None:
    outcomes = told("v1", NOON, (90, 1.0), (60, 0.0), (90, 1.0), every=0.2)
    [minute] = by_minute(outcomes)

    coarse, fine = stints({"v1": [minute]}), stints({"v1": [minute]}, outcomes)

    assert shares(coarse) == [("v1", 240, 0.75)]
    assert [value for _, _, value in shares(fine)] == [1, 1, 1, 0, 0, 1, 1, 1]
    assert {count for _, count, _ in shares(fine)} == {30}


def test_what_was_found_to_begin_and_end_parts_the_line() -> None:
    outcomes = told("v1", NOON, (40, 1.0), (40, 0.0), (40, 1.0), every=0.2)
    began, ended = outcomes[40].predicted_at, outcomes[80].predicted_at

    line = stints({"v1": by_minute(outcomes)}, outcomes, [ended, began])

    values = [value for _, _, value in shares(line)]
    assert values == [1, 1, 0, 0, 1, 1]
    assert sum(count for _, count, _ in shares(line)) == 120


def test_versions_that_answered_in_one_minute_are_drawn_apart() -> None:
    fallen = told("v1", NOON, (35, 0.3), every=0.5)
    cured = told("v2", NOON + 20, (39, 0.9), every=0.5)

    line = stints({"v1": by_minute(fallen), "v2": by_minute(cured)})

    assert [(name, count) for name, count, _ in shares(line)] == [("v1", 35), ("v2", 39)]


def test_version_that_comes_back_begins_a_stint_of_its_own() -> None:
    first, second, third = (
        by_minute(told(name, NOON + 120 * number, (10, 1.0), every=1.0))
        for number, name in enumerate(("v1", "v2", "v1"))
    )

    line = stints({"v1": [*first, *third], "v2": second})

    assert [(name, count) for name, count, _ in shares(line)] == [
        ("v1", 10),
        ("v2", 10),
        ("v1", 10),
    ]


def test_versions_that_answer_side_by_side_are_each_taken_together() -> None:
    one, other = (
        by_minute(
            [*told(name, NOON, (20, 1.0), every=1), *told(name, NOON + 60, (20, 0.5), every=1)]
        )
        for name in ("v1", "v2")
    )

    line = stints({"v1": one, "v2": other})

    assert shares(line) == [("v1", 40, 1.0), ("v2", 40, 1.0)]


def test_stretch_whose_verdicts_are_not_all_known_stays_whole() -> None:
    outcomes = told("v1", NOON, (120, 0.5), every=0.2)

    line = stints({"v1": by_minute(outcomes)}, outcomes[50:])

    assert [count for _, count, _ in shares(line)] == [120]


def test_predictions_of_one_moment_stay_together() -> None:
    outcomes = told("v1", NOON, (120, 0.5), every=0.0)

    line = stints({"v1": by_minute(outcomes)}, outcomes)

    assert [count for _, count, _ in shares(line)] == [120]


def test_few_verdicts_are_taken_together() -> None:
    outcomes = [
        one
        for minute in range(6)
        for one in told("v1", NOON + minute * MINUTE, (10, 1.0), every=1.0)
    ]

    line = stints({"v1": by_minute(outcomes)}, outcomes)

    assert [count for _, count, _ in shares(line)] == [30, 30]


def test_champion_that_was_taken_back_within_a_minute_ends_and_begins_again() -> None:
    first = by_second(told("v1", NOON, (40, 1.0), every=0.2))
    cured = by_second(told("v2", NOON + 8.4, (40, 0.0), every=0.2))
    again = by_second(told("v1", NOON + 16.4, (40, 0.5), every=0.2))
    ours, moves = [*first, *again], [(NOON + 8.4, "v2"), (NOON + 16.4, "v1")]

    line = stints({"v1": by_minute(ours), "v2": by_minute(cured)}, [*ours, *cured], (), moves)

    assert [(stint.version, sum(point.accuracy.count for point in stint.points))
            for stint in line] == [("v1", 40), ("v2", 40), ("v1", 40)]  # fmt: skip
    assert [point.accuracy.value for point in line[1].points] == [0.0, 0.0]
