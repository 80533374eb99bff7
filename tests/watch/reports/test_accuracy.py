"""How right a model is, read back from real predictions and verdicts."""

from __future__ import annotations

import pytest

from tests.clock import NOON, Clock
from tests.learning_model import School
from unrot.core.errors import Invalid
from unrot.watch.reports import accuracy

HOUR = 3_600.0


def counted(school: School) -> None:
    """Let the verdicts be counted."""
    while school.service.store.verdicts.count_new(1_000):
        pass


def test_rolling_includes_the_newest_verdict_and_says_how_many_it_is_of(
    school: School, clock: Clock
) -> None:
    school.taught(40, mutated=False)
    clock.now += 60
    made = school.predicted([{"hunger": 0.0, "shamble": 0.0, "groan_pitch": 0.0, "decay": 0.0}])
    other = "friendly" if made[0].label == "hostile" else "hostile"
    school.judged(made, [other])

    found = accuracy.rolling(school.service, "zombies", last=10)

    outcomes = school.service.store.traffic.outcomes("zombies", limit=100)
    right = [one.was_correct for one in outcomes]
    assert len(found.points) == 41 and found.newest is not None
    assert (found.newest.at, found.newest.version) == (clock.now, "v1")
    assert right[-1] is False
    assert found.newest.accuracy.right == sum(map(bool, right[-10:]))
    assert [point.accuracy.count for point in found.points[:11]] == [*range(1, 11), 10]
    truths = [one.truth for one in outcomes[-10:]]
    assert found.constant.right == max(truths.count("hostile"), truths.count("friendly"))


def test_rolling_of_a_model_without_verdicts_is_empty(school: School) -> None:
    found = accuracy.rolling(school.service, "zombies")

    assert (found.points, found.newest, found.last, found.constant.count) == ([], None, 50, 0)


def test_accuracy_over_time_falls_into_steps_and_is_estimated_beside(
    school: School, clock: Clock
) -> None:
    school.taught(200, seed=1)
    clock.now = NOON + HOUR
    school.taught(200, seed=2, mutated=True)
    clock.now = NOON + 3 * HOUR
    counted(school)

    found = accuracy.over_time(
        school.service, "zombies", since=NOON, until=NOON + 4 * HOUR, step=HOUR
    )

    first, second = found.points
    assert (first.starts_at, second.starts_at) == (NOON, NOON + HOUR)
    assert (first.predictions, first.verdicts, first.accuracy.count) == (200, 200, 200)
    assert first.accuracy.value and second.accuracy.value
    assert first.accuracy.value - second.accuracy.value > 0.3
    assert first.estimated and first.estimated.rows == 200
    assert abs(first.estimated.value - first.accuracy.value) < 3 * first.estimated.error + 0.05
    assert list(found.versions) == ["v1"] and found.versions["v1"] == found.points
    assert found.estimate_stretches == 2 and found.estimate_error is not None
    assert found.no_estimate == ""


def test_classes_and_versions_are_summed_from_the_same_windows(school: School) -> None:
    school.taught(100, seed=1)
    counted(school)
    span = {"since": NOON - HOUR, "until": NOON + HOUR}

    found = accuracy.classes(school.service, "zombies", **span)
    [(version, point)] = accuracy.versions(school.service, "zombies", **span).items()

    cells = [count for row in found.confusion.values() for count in row.values()]
    assert sum(cells) == 100 and found.unlabelled == 0
    assert [one.label for one in found.scores] == ["hostile", "friendly"]
    assert sum(one.support for one in found.scores) == 100
    hits = sum(found.confusion[label].get(label, 0) for label in found.labels)
    assert found.accuracy.right == hits == point.accuracy.right
    assert found.constant.right == max(one.support for one in found.scores)
    assert (version, point.predictions) == ("v1", 100)
    assert accuracy.classes(school.service, "zombies", **span, version="v9").scores[0].support == 0


def test_slices_part_the_judged_rows_by_a_feature(school: School) -> None:
    school.taught(200, seed=1)

    found = accuracy.slices(school.service, "zombies", "decay")

    assert (found.rows, [one.count for one in found.slices]) == (200, [40] * 5)
    assert found.slices[0].label.startswith("up to -") and not found.slices[0].is_few
    outcomes = school.service.store.traffic.outcomes("zombies", limit=500)
    right = sum(one.was_correct is True for one in outcomes)
    assert sum(one.accuracy.right for one in found.slices) == right
    with pytest.raises(Invalid, match="expected one of hunger, shamble"):
        accuracy.slices(school.service, "zombies", "brains")


def test_marks_tell_what_was_done_to_the_model(school: School, clock: Clock) -> None:
    school.service.store.registry.move_alias(
        "zombies", "challenger", to="v1", expected=None, at=NOON + 5, by="ann"
    )

    found = accuracy.marks(school.service, "zombies", since=NOON, until=NOON + 60)

    assert [(one.at, one.kind, one.sentence) for one in found] == [
        (NOON + 5, "challenger", "v1 became challenger.")
    ]
    assert accuracy.marks(school.service, "zombies", since=NOON + 6, until=NOON + 60) == []


@pytest.mark.parametrize(
    ("since", "until", "step", "said"),
    [
        (NOON, NOON, 60, "a time after `from`"),
        (NOON, NOON + 86_400, 60, "at least 87 seconds"),
        (NOON, NOON + 600, 1, "at least 60 seconds"),
    ],
)
def test_stretch_without_a_point_or_with_too_many_is_refused(
    school: School, since: float, until: float, step: float, said: str
) -> None:
    with pytest.raises(Invalid, match=said):
        accuracy.over_time(school.service, "zombies", since=since, until=until, step=step)


def test_it_is_said_why_nothing_is_estimated(school: School) -> None:
    champion = school.service.catalogue().model("iris").version()
    span = {"since": NOON, "until": NOON + HOUR, "step": 60}

    found = accuracy.over_time(school.service, "iris", **span)

    assert champion.metrics["rows_held_out"] == 30
    assert found.no_estimate == (
        "v1 has a test set of 30 rows, and 50 are needed to learn how often it is right when it "
        "is so sure."
    )
