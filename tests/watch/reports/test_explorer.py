"""Rows of two periods on the same axes: which rows, right or wrong, and what a range picks."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from tests.large_store import ADA, judged, predicted, ship
from tests.learning_model import zombies_of
from unrot.core.errors import Invalid, NotFound
from unrot.core.records import Finding
from unrot.serve.service import Service
from unrot.watch.reports import explorer
from unrot.watch.reports.explorer import ExplorerQuery, Span

HOUR = 3_600.0


def at(service: Service, moment: float) -> Service:
    """Return the service at some moment."""
    return replace(service, clock=lambda: moment)


def told(service: Service, count: int, *, seed: int, mutated: bool = False) -> None:
    """Let zombies be predicted, and judged by a judge."""
    drawn = zombies_of(count, seed=seed, mutated=mutated)
    made = service.predict("zombies", [row for row, _ in drawn]).predictions
    service.judge_many(
        [{"id": one.id, "label": truth} for one, (_, truth) in zip(made, drawn, strict=True)], ADA
    )
    ship(service)


@pytest.fixture
def rotten(service: Service) -> Service:
    """Zombies that were well told two hours ago, and have mutated since."""
    now = service.clock()
    told(at(service, now - 2 * HOUR), 60, seed=1)
    told(at(service, now - 60), 50, seed=2, mutated=True)
    return at(service, now)


def a_finding(since: float, **more: object) -> Finding:
    found = Finding(
        "f1", "zombies", "rot", "rot", "grave", since, since + 9, since + 9, "It rots.", "Refit.",
        ("decay", "hunger"),
    )  # fmt: skip
    return replace(found, **more)


def test_good_rows_stand_beside_bad_ones_on_the_same_axes(rotten: Service) -> None:
    asked = ExplorerQuery(left=Span("first"), right=Span("last"))

    found = explorer.explore(rotten, "zombies", asked)

    assert (len(found.left.rows), len(found.right.rows)) == (60, 50)
    assert found.left.right > 0.8 * 60 and found.right.right < 0.6 * 50
    assert found.left.right + found.left.wrong == 60
    values = [row.row[0] for side in (found.left, found.right) for row in side.rows]
    assert (found.x.column, found.y.column) == ("hunger", "shamble")
    assert (found.x.low, found.x.high) == (min(values), max(values))


def test_finding_parts_the_rows_into_before_and_since(rotten: Service) -> None:
    rotten.store.findings.put(a_finding(rotten.clock() - HOUR))

    found = explorer.explore(rotten, "zombies", ExplorerQuery())

    assert (found.left.span.preset, found.right.span.preset) == ("before", "since")
    assert (len(found.left.rows), len(found.right.rows)) == (60, 50)
    assert (found.x.column, found.y.column) == ("decay", "hunger")
    assert found.finding is not None and found.finding.id == "f1"


def test_closed_finding_is_looked_at_when_it_is_named(rotten: Service) -> None:
    since, closed = rotten.clock() - 3 * HOUR, rotten.clock() - HOUR
    rotten.store.findings.put(a_finding(since, closed_at=closed))

    named = explorer.explore(rotten, "zombies", ExplorerQuery(finding="f1"))
    unnamed = explorer.explore(rotten, "zombies", ExplorerQuery())

    assert named.right.span == Span("since", since, closed)
    assert (len(named.left.rows), len(named.right.rows)) == (0, 60)
    assert "since" not in unnamed.spans
    with pytest.raises(NotFound, match="no finding"):
        explorer.explore(rotten, "zombies", ExplorerQuery(finding="f9"))


def test_without_a_finding_the_holdout_stands_beside_the_newest_rows(rotten: Service) -> None:
    found = explorer.explore(rotten, "zombies", ExplorerQuery())

    assert (found.left.span.preset, found.right.span.preset) == ("holdout", "newest")
    assert (len(found.left.rows), found.left.read) == (1_000, 4_000)
    assert len(found.right.rows) == 110
    share = found.left.right / 1_000
    assert share == pytest.approx(rotten.versions("zombies")[0].metrics["accuracy"], abs=0.002)


def test_range_picks_the_same_corner_of_both_sides(rotten: Service) -> None:
    limits = {"x_from": "0", "x_to": "1", "y_from": "-0.5", "y_to": ""}
    asked = ExplorerQuery(left=Span("first"), right=Span("last"), limits=limits)

    found = explorer.explore(rotten, "zombies", asked)

    for side in (found.left, found.right):
        expected = [one for one in side.rows if 0 <= one.row[0] <= 1 and one.row[1] >= -0.5]  # type: ignore[operator]
        assert len(side.chosen) == len(expected) > 0
        assert {one.id for one in side.chosen} == {one.id for one in expected}
        verdicts = [one.is_right for one in side.chosen]
        assert verdicts == sorted(verdicts, key=bool)


def test_rows_without_a_verdict_come_when_they_are_asked_for(service: Service) -> None:
    rows = predicted(service, 5)
    judged(service, rows[:2])

    only = explorer.explore(service, "zombies", ExplorerQuery(right=Span("newest")))
    every = explorer.explore(
        service, "zombies", ExplorerQuery(right=Span("newest"), with_unjudged=True)
    )

    assert [one.is_right for one in only.right.rows] == [True, True]
    assert (
        sorted(map(str, (one.is_right for one in every.right.rows))) == ["None"] * 3 + ["True"] * 2
    )


def test_thumb_down_between_two_classes_tells_the_truth(service: Service) -> None:
    rows = predicted(service, 1)
    judged(service, rows, was_correct=False)

    [seen] = explorer.explore(service, "zombies", ExplorerQuery()).right.rows

    other = {"hostile": "friendly", "friendly": "hostile"}[str(seen.answer)]
    assert (seen.is_right, seen.truth) == (False, other)
    assert seen.confidence == max(rows[0].prediction.probabilities or [])


def test_rows_of_one_version_alone(rotten: Service) -> None:
    found = explorer.explore(rotten, "zombies", ExplorerQuery(right=Span("newest"), version="v1"))
    none = explorer.explore(
        rotten, "zombies", ExplorerQuery(left=Span("newest"), right=Span("newest"), version="v7")
    )

    assert len(found.right.rows) == 110
    assert (len(none.left.rows), len(none.right.rows)) == (0, 0)


def test_times_are_taken_as_given(rotten: Service) -> None:
    now = rotten.clock()
    asked = ExplorerQuery(
        left=Span("times", now - 3 * HOUR, now - HOUR), right=Span("times", now - HOUR, inf)
    )

    found = explorer.explore(rotten, "zombies", asked)

    assert (len(found.left.rows), len(found.right.rows)) == (60, 50)


def test_many_rows_are_drawn_evenly(rotten: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explorer, "MOST_POINTS", 10)
    monkeypatch.setattr(explorer, "MOST_READ", 90)

    right = explorer.explore(rotten, "zombies", ExplorerQuery()).right

    assert (len(right.rows), right.read, right.is_newest_only) == (10, 90, True)
    moments = [one.at or 0.0 for one in right.rows]
    assert moments == sorted(moments, reverse=True)
    assert 4 <= sum(moment > rotten.clock() - HOUR for moment in moments) <= 6


def test_answers_are_columns_as_well(rotten: Service) -> None:
    asked = ExplorerQuery(x="output.probability", y="output.class", right=Span("last"))

    found = explorer.explore(rotten, "zombies", asked)

    assert found.y.choices == ("hostile", "friendly")
    assert 0.5 <= found.x.low < found.x.high <= 1


def test_feature_that_is_not_there_names_the_nearest(service: Service) -> None:
    with pytest.raises(Invalid, match="the nearest one is decay"):
        explorer.explore(service, "zombies", ExplorerQuery(x="dekay"))


def test_period_that_has_no_verdict_is_empty_and_not_an_error(service: Service) -> None:
    found = explorer.explore(
        service, "zombies", ExplorerQuery(left=Span("first"), right=Span("since"))
    )

    assert (found.left.rows, found.right.rows) == ([], [])
    assert set(found.spans) == {"holdout", "newest"}


def test_one_feature_alone_is_drawn_against_itself_or_the_answer(service: Service) -> None:
    schema = service.catalogue().model("zombies").model.schema
    narrow = replace(schema, features=schema.features[:1])

    x, y = explorer._columns(narrow, ExplorerQuery(), None)

    assert (x, y) == ("hunger", "output.class")
