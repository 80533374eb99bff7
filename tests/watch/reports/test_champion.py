"""What is said of a champion is counted from its own answers: through rollbacks and small steps."""

from __future__ import annotations

from dataclasses import replace

from tests.clock import Clock
from tests.learning_model import CROWD, JUDGE, School, zombies_of
from unrot.core.percent import roughly
from unrot.core.records import CHAMPION, Caller, Finding, ModelKey, Outcome
from unrot.core.rules import Rules
from unrot.learn import promote
from unrot.watch.reports import accuracy, champion, overview
from unrot.watch.reports.accuracy import Rolling
from unrot.watch.reports.overview import Condition, Span
from unrot.watch.reports.signs import Signs

HOUR = 3_600.0


def told(school: School) -> Condition:
    while school.service.store.verdicts.count_new(1_000):
        pass
    now = school.service.clock()
    span = Span(now - HOUR, now + 60, 60, "the last hour")
    return overview.condition(school.service, "zombies", span)


def made(school: School, clock: Clock) -> str:
    """Publish a child of the champion that answers as its parent does, and promote it."""
    store = school.service.store
    parent = school.service.version("zombies", store.registry.aliases("zombies")[CHAMPION])
    child = replace(parent, name="", parent=parent.name, origin="learnt", created_at=clock.now)
    published = store.lessons.publish(
        child, {}, fates=[], gate=None, job=None, result={}, champion=parent.name, promote=True
    )
    assert published is not None
    school.caretaker.go_round()
    school.service.shelf._looked_at = 0.0
    return published.name


def test_version_that_nobody_has_judged_has_none_of_its_predecessors_figures(
    school: School, clock: Clock
) -> None:
    school.taught(60)
    clock.now += 60
    name = made(school, clock)

    found, tally = told(school), school.service.today("zombies")

    rolled = accuracy.rolling(school.service, "zombies")
    assert name == "v2" and rolled.version == "v2" and rolled.newest is None
    assert {one.version for one in rolled.points} == {"v1"}
    assert (tally.predictions, tally.last_accuracy) == (60, None)
    assert found.health.state == "unknown"
    assert found.health.headline.startswith("Too few verdicts on v2 yet")
    assert found.health.reasons[0].startswith("On 4,000 rows of its test set v2 was right 9")
    assert found.health.reasons[1].startswith("Its line (v1–v2): ")
    assert found.lately.right.value is None and found.lately.signs.version == "v2"


def test_champion_that_came_back_is_told_by_its_own_verdicts(school: School, clock: Clock) -> None:
    calm = Rules(drift=False, rot=False, outliers=False, quality=False, estimate=False)
    school.service.store.findings.set_rules("zombies", calm)
    wrong = school.taught(60, mutated=True)
    clock.now += 60
    made(school, clock)
    school.taught(60, seed=2)
    clock.now += 60
    promote.rollback(school.service, "zombies", by="operator")
    school.caretaker.go_round()
    school.service.shelf._looked_at = 0.0

    found = told(school)

    own = school.service.store.traffic.outcomes("zombies", limit=50, versions=("v1",))
    share = sum(one.was_correct is True for one in own) / 50
    assert {one.prediction for one in own} <= {one.id for one in wrong}
    assert share < 0.65 and found.lately.right.value == share
    assert found.health.headline == (
        "This model is less right than when it was made: "
        f"{roughly(share)} of the last 50 verdicts on v1 are right."
    )
    assert school.service.today("zombies").last_accuracy == share
    newest = accuracy.rolling(school.service, "zombies").newest
    assert newest is not None and (newest.version, newest.accuracy.value) == ("v1", share)
    chosen = accuracy.rolling(school.service, "zombies", version="v2").newest
    assert chosen is not None and chosen.accuracy.value is not None and chosen.accuracy.value > 0.8


def test_thumbs_are_not_among_the_true_values_of_numbers(school: School, clock: Clock) -> None:
    """Forty values from before it came back, and ten thumbs since: all forty are from before."""
    made(school, clock)
    promote.rollback(school.service, "zombies", by="operator")
    values = [Outcome(f"p{n}", "v1", 10.0, 10.0, error=1.0) for n in range(40)]
    thumbs = [Outcome(f"q{n}", "v1", clock.now + 9, clock.now) for n in range(10)]
    rolled = Rolling("zombies", "v1", 50, (), [*values, *thumbs])
    signs = Signs("v1", judged=40, expected_error=1.0)

    found = champion._reigning(school.service, ModelKey("zombies"), signs, rolled)

    assert found.new == 0


def test_points_roll_over_verdicts_on_their_own_version(school: School, clock: Clock) -> None:
    school.taught(40, mutated=True)
    clock.now += 60
    made(school, clock)
    school.taught(20, seed=2)

    points = accuracy.rolling(school.service, "zombies", last=10).points

    assert [one.version for one in points] == ["v1"] * 40 + ["v2"] * 20
    assert [one.accuracy.count for one in points[40:]] == [*range(1, 11), *[10] * 10]


def test_one_visitor_makes_no_model_rot(school: School) -> None:
    school.taught(60, wrong=True, caller=CROWD)

    found = told(school)

    assert found.health.headline == (
        "One visitor says that this model is wrong; nobody confirms it yet."
    )
    assert "(by one visitor)" in found.health.reasons[0]


def test_few_who_chose_themselves_are_no_sample_until_an_audit_draws_one(
    school: School, clock: Clock
) -> None:
    drawn = zombies_of(600, seed=4)
    answered = school.predicted([row for row, _ in drawn])
    wrong = [
        (one, truth) for one, (_, truth) in zip(answered, drawn, strict=True) if one.label != truth
    ]
    for number, (one, truth) in enumerate(wrong[:40]):
        school.judged([one], [truth], Caller("anyone", None, f"visitor {number}"))

    found = told(school)

    signs = found.lately.signs
    assert (signs.judged, signs.right, signs.predicted_then) == (40, 0, 600)
    assert found.health.reasons[0].startswith("Only 40 of 600 predictions of that time were judged")
    assert found.health.headline.startswith("Some who chose what to judge say")


def test_drift_is_told_with_the_fall_that_verdicts_since_would_have_shown(
    school: School, clock: Clock
) -> None:
    school.taught(60, mutated=True)
    clock.now += 60
    since = clock.now
    school.service.store.findings.put(
        Finding("d", "zombies", "drift", "drift", "warning", since, since, since, "Moved.", "")
    )
    early = told(school).health.headline
    school.taught(200, seed=3, caller=JUDGE)
    clock.now += 60

    later = told(school).health.headline

    assert early.endswith("whether its answers suffer: there are too few verdicts.")
    assert "200 verdicts show no fall; one of " in later
    assert school.service.catalogue().model("zombies").aliases[CHAMPION] == "v1"
