"""Finding a fall in a stream of verdicts, and following it until it is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from bench.verdicts import CALM, alarms, outcomes_of
from unrot.core.records import IMPORTED, Outcome
from unrot.core.time import DAY, HOUR
from unrot.hear.judges import Whose
from unrot.watch.eras import key_of
from unrot.watch.monitors.rot import words
from unrot.watch.monitors.rot.new_hours import is_no_turn
from unrot.watch.monitors.rot.note import Fallen, StreamState, from_note, to_note
from unrot.watch.monitors.rot.promise import is_above, is_below, is_under
from unrot.watch.monitors.rot.rule import LEVELS, Fall, _bets, find_fall
from unrot.watch.monitors.rot.state import Course, Expected, Step
from unrot.watch.monitors.rot.sums import Behind, Tape
from unrot.watch.monitors.rot.usual_hours import KINDS, PROMISE, Numbers
from unrot.watch.monitors.rot.words import Reached
from unrot.watch.worth.verdicts import of_inputs, of_left

MONDAY = 1_767_571_200.0
A_FALL = Fallen(0.0, (0.0, 0.0, ""), "v1", 0.9, 300, 0.4, False, 20.0, 12.0, 0.1, 0.6)


def stream(*parts: tuple[float, int], seed: int = 0) -> list[float]:
    """Draw rights and wrongs: (share of rights, how many), one part after the other."""
    chance = np.random.default_rng(seed)
    return [float(one) for share, count in parts for one in chance.random(count) < share]


def tape(rights: Sequence[float], seconds: float = 1.0) -> Tape:
    return Tape.of(1 - np.asarray(rights), MONDAY + np.arange(len(rights)) * seconds)


def falls(
    rights: Sequence[float], seconds: float = 1.0, *, start: int = 0, step: int = 4
) -> list[Fall]:
    whole, first = tape(rights, seconds), start // step + 1
    found = [find_fall(whole, end) for end in range(first * step, len(rights) + 1, step)]
    return [one for one in found if one is not None]


def outcomes(rights: Sequence[float], *, start: float = 0.0, seconds: float = 1.0) -> list[Outcome]:
    return [
        Outcome(f"p{at:05}", "v1", moment, moment + 0.5, bool(right), truth="ab"[at % 2 == 0])
        for at, right in enumerate(rights)
        for moment in [start + at * seconds]
    ]


def followed(told: Sequence[Outcome], expected: Expected = Expected()) -> list[Step]:  # noqa: B008
    return begun(expected).follow(told)


def begun(expected: Expected = Expected(), standing: StreamState = StreamState(("v1",))) -> Course:  # noqa: B008
    return Course(standing, champion="v1", expected=expected, last=50)


def steps(told: Sequence[Outcome]) -> list[str]:
    return [one.what for one in followed(told)]


def told_of(wrong: float, count: int, *, error: float = 0.0, spread: float = 0.0) -> Behind:
    rows, wrongs = np.zeros(KINDS), np.zeros(KINDS)
    rows[0], wrongs[0] = count, wrong
    return Behind(rows, wrongs, error * count, (error**2 + spread**2) * count)


# ── a fall ───────────────────────────────────────────────────────────────────────────────────


def test_rise_is_no_fall() -> None:
    assert falls(stream((0.3, 200), (0.95, 200))) == []


@pytest.mark.parametrize("values", [[], [1.0], [1.0] * 5 + [0.0] * 5, [0.0] * 500, [1.0] * 500])
def test_too_little_or_too_even_is_no_fall(values: list[float]) -> None:
    assert falls(values) == []


@pytest.mark.parametrize("seconds", [1.0, 60.0, 3_600.0])
@pytest.mark.parametrize("before", [200, 1_500])
def test_fall_from_nine_tenths_to_four_is_found_in_time(before: int, seconds: float) -> None:
    streams = [stream((0.9, before), (0.4, 60), seed=seed) for seed in range(5)]

    found = [falls(one, seconds, start=before - 40) for one in streams]

    assert sum(bool(one) for one in found) >= 4
    assert np.median([abs(fall.place - before) for one in found for fall in one[-1:]]) <= 10


def test_one_solid_run_takes_fifty_five_verdicts_and_a_total_failure_sixty() -> None:
    steady = stream((0.9, 400), seed=1)

    assert falls([*steady, *[0.0] * 48]) == []
    assert falls([*steady, *[0.0] * 60]) != []


def test_two_bursts_among_few_verdicts_are_no_fall() -> None:
    told = outcomes([*[1.0] * 43, *[0.0] * 9, *[1.0] * 9, *[0.0] * 12, 1.0], seconds=3_600.0)

    assert followed(told, Expected(0.935, rows=1_000)) == []


def test_steady_streams_raise_nothing_at_any_moment() -> None:
    for seed in range(2):
        assert falls(stream((0.8, 1_500), seed=seed), 120.0) == []


@pytest.mark.parametrize("seconds", [60.0, 180.0, 3_600.0])
def test_seven_points_are_found_within_fifteen_hundred_verdicts(seconds: float) -> None:
    for seed in range(10):
        told = stream((0.89, 3_500), (0.82, 1_500), seed=seed)
        assert falls(told, seconds, start=3_500, step=64)


@pytest.mark.parametrize("kind", CALM)
def test_real_life_is_calm(kind: str) -> None:
    chance = np.random.default_rng(3)
    at, right, rows = CALM[kind](chance)

    assert list(alarms(outcomes_of((at[:1_500], right[:1_500], rows[:1_500])), Expected())) == []


def test_harder_night_is_none_until_it_is_harder_than_the_nights_before() -> None:
    chance, a_day = np.random.default_rng(1), 480
    at = MONDAY + np.arange(5 * a_day) * DAY / a_day
    share = np.where(at % DAY < 8 * HOUR, 0.75, 0.92)
    worse = np.where((at % DAY < 8 * HOUR) & (at >= MONDAY + 4 * DAY), 0.35, share)

    found = [
        find_fall(Tape.of(chance.random(len(at)) > shares, at), len(at) - 320)
        for shares in (share, worse)
    ]

    assert found[0] is None and found[1] is not None
    assert abs(found[1].place - 4 * a_day) <= 8


def test_small_fall_on_a_first_saturday_is_told_from_a_harder_weekend() -> None:
    found = {}
    for turns_at in (5 * DAY, 5 * DAY + 8 * HOUR):
        at = MONDAY + 3 * DAY + np.arange(4_320) * 60.0
        share = np.where(at < MONDAY + turns_at, 0.89, 0.8)
        told = Tape.of(np.random.default_rng(3).random(len(at)) > share, at)
        ends = range(2_880, 4_320, 64)
        found[turns_at] = [fall.place for end in ends if (fall := find_fall(told, end))]

    assert found[5 * DAY] == []
    assert abs(found[5 * DAY + 8 * HOUR][-1] - 3_360) < 60


def test_step_on_a_first_day_is_told_from_a_wave_of_the_day() -> None:
    at = MONDAY + np.arange(6_000) * DAY / 20_000
    wave = 0.15 - 0.075 * np.cos(np.arange(6_000) / 20_000 * 2 * np.pi)
    step = np.where(np.arange(6_000) < 4_500, 0.11, 0.22)
    drawn = np.random.default_rng(1).random(6_000)

    found = [
        [
            one
            for end in range(3_200, 6_001, 64)
            if (one := find_fall(Tape.of(drawn < wrong, at), end))
        ]
        for wrong in (wave, step)
    ]

    assert found[0] == [] and abs(found[1][-1].place - 4_500) < 150


def test_promise_that_was_kept_tells_a_small_step_on_a_first_day_from_a_wave() -> None:
    at = MONDAY + np.arange(6_000) * DAY / 20_000
    wave = 0.11 + 0.06 * np.sin(np.arange(6_000) / 20_000 * 2 * np.pi - 0.6)
    step = np.where(np.arange(6_000) < 4_500, 0.11, 0.18)
    promise, drawn = Behind.nothing(), np.random.default_rng(1).random((4, 6_000))
    promise.rows[PROMISE], promise.wrong[PROMISE] = 1_000, 110

    def found(wrong: Numbers, behind: Behind) -> int:
        told = [Tape.of(one < wrong, at, behind=behind) for one in drawn]
        ends = range(4_864, 6_001, 256)
        return sum(any(find_fall(one, end) for end in ends) for one in told)

    assert (found(step, promise), found(wave, promise)) == (4, 0)
    assert found(step, Behind.nothing()) < 4


def test_places_beside_each_other_prove_a_fall_together() -> None:
    together = 0
    for seed in range(6):
        told = tape(stream((0.89, 3_500), (0.82, 1_500), seed=seed), 60.0)
        first = next(end for end in range(3_520, 5_001, 32) if find_fall(told, end))
        won = [bet.won for level in LEVELS for bet in _bets(told, first, level, 1.0)]
        together += max(won) < 0 <= np.logaddexp.reduce(won)

    assert together >= 3


def test_fall_begins_after_the_pause_and_not_with_a_mistake_before_it() -> None:
    wrong = np.array([*[0.0] * 9, 1.0] * 30 + [0.0, 0.0, 1.0, 1.0, 1.0] * 8)
    by_minute = np.arange(len(wrong)) * 60.0
    after_a_night = by_minute + np.where(by_minute >= 300 * 60.0, 0.8 * DAY, 0.0)

    found = [find_fall(Tape.of(wrong, at), 340) for at in (by_minute, after_a_night)]

    assert [one and one.place for one in found] == [299, 300]


def test_errors_are_held_against_each_other_by_rank_whatever_their_scale() -> None:
    chance = np.random.default_rng(1)
    errors = [*chance.exponential(1.0, 300).tolist(), *chance.exponential(6.0, 60).tolist()]

    steps = [followed(numbers(how)) for how in (errors, [4 * one for one in errors], errors[::-1])]

    assert [[one.what for one in some] for some in steps] == [["fallen"], ["fallen"], []]
    assert steps[0][0].fallen.since == steps[1][0].fallen.since
    assert 290 <= steps[0][0].fallen.since <= 310


def test_steady_errors_raise_nothing_at_any_moment() -> None:
    for seed in range(2):
        errors = np.random.default_rng(seed).standard_cauchy(1_000)
        assert followed(numbers(errors.tolist())) == []


def numbers(errors: Sequence[float]) -> list[Outcome]:
    return [
        Outcome(f"p{at:05}", "v1", at, at, error=float(error), truth=float(at))
        for at, error in enumerate(errors, start=1)
    ]


# ── what was promised ────────────────────────────────────────────────────────────────────────


def test_model_rotten_from_the_start_is_below_its_test_set() -> None:
    assert is_below(told_of(20, 40), 0.1, 4_000) is not None
    assert is_below(told_of(12, 40), 0.1, 20) is None
    assert is_below(told_of(7, 40), 0.1, 4_000) is None
    assert is_below(told_of(29, 29), 0.1, 4_000) is None
    assert is_above(told_of(0, 50, error=3.0, spread=1.0), 1.0, 1.4, 1_000) is not None
    assert is_above(told_of(0, 50, error=1.05, spread=0.5), 1.0, 1.4, 1_000) is None


def test_part_of_a_day_is_below_its_test_set_only_where_no_hour_explains_it() -> None:
    small, deep = told_of(300, 1_500), told_of(750, 1_500)

    assert [is_below(one, 0.1, 4_000, seconds=HOUR) is None for one in (small, deep)] == [
        True,
        False,
    ]
    assert is_below(small, 0.1, 4_000, seconds=DAY) is not None


def test_floor_counts_verdicts_for_what_they_are_worth() -> None:
    wrong = np.array(stream((0.7, 128)))

    assert is_under(wrong, 0.6, offset=0) is not None
    assert is_under(wrong, 0.6, offset=0, worth=20.0) is None


# ── what verdicts are worth ──────────────────────────────────────────────────────────────────


def test_independent_verdicts_are_worth_themselves_and_slow_inputs_less() -> None:
    chance = np.random.default_rng(5)
    level = np.cumsum(chance.normal(size=1_000))

    assert [of_left(chance.random(2_000)) > 1.6 for _ in range(200)].count(True) <= 2
    assert of_inputs([(float(one), "a") for one in level]) > 50


# ── its course ───────────────────────────────────────────────────────────────────────────────


def test_fall_is_told_once_and_over_when_all_verdicts_since_say_so() -> None:
    told = outcomes(stream((0.92, 300), (0.4, 120), (0.92, 200)))

    course = begun()
    fallen, back = course.follow(told)

    assert [fallen.what, back.what] == ["fallen", "back"]
    assert 295 <= fallen.fallen.since <= 305 and 305 <= fallen.at <= 360
    assert abs(fallen.fallen.before - 0.92) < 0.05
    assert 465 <= back.at <= 500 and len(back.after) >= 50
    assert course.standing.fallen is None


def test_fall_goes_on_while_nothing_is_mended() -> None:
    assert steps(outcomes(stream((0.92, 300), (0.4, 1_500)))) == ["fallen"]


def test_second_fall_after_a_recovery_is_another_one() -> None:
    told = stream((0.92, 300), (0.4, 100), (0.92, 300), (0.4, 100))

    assert steps(outcomes(told)) == ["fallen", "back", "fallen"]


def test_good_day_ends_no_bad_nights() -> None:
    chance, a_day = np.random.default_rng(1), 240
    at = MONDAY + np.arange(8 * a_day) * DAY / a_day
    is_bad = (at % DAY < 8 * HOUR) & (at >= MONDAY + 3 * DAY)
    right = chance.random(len(at)) < np.where(is_bad, 0.3, 0.92)
    told = outcomes(right.astype(float).tolist(), start=MONDAY, seconds=DAY / a_day)
    mended = [*told[: 6 * a_day], *(one._replace(was_correct=True) for one in told[6 * a_day :])]

    assert steps(told) == ["fallen"]
    assert steps(mended) == ["fallen", "back"]


def test_it_says_the_same_however_often_somebody_looks() -> None:
    told = outcomes(stream((0.92, 120), (0.4, 60), (0.92, 80)))
    at_once = begun()
    said = at_once.follow(told)

    standing, found = StreamState(("v1",)), []
    for end in range(1, len(told) + 1):
        course = begun(standing=from_note(to_note(standing)))
        found += course.follow([one for one in told[:end] if key_of(one) > standing.read_from])
        standing = course.standing

    assert found == said
    assert (standing.count, standing.seen) == (at_once.standing.count, at_once.standing.seen)
    assert standing.looked == at_once.standing.looked == len(told)


def test_what_lies_behind_counts_as_if_it_were_read() -> None:
    told = outcomes(stream((0.92, 900), (0.4, 100)))
    course = begun()
    course.follow(told[:800])
    course.forget(key_of(told[699]))

    [fallen] = begun(standing=from_note(to_note(course.standing))).follow(told[700:])

    assert fallen.fallen.before_verdicts >= 890
    assert abs(fallen.fallen.since - 900) < 5


def test_small_fall_needs_more_verdicts_to_be_over() -> None:
    told = outcomes(stream((0.95, 1_000), (0.82, 600), seed=3))

    assert "back" not in steps(told)


def test_other_fresh_version_that_is_well_ends_a_fall_and_one_that_is_not_does_not() -> None:
    course = begun()
    course.follow(outcomes(stream((0.92, 300), (0.4, 60))))
    fallen = course.standing.fallen
    cured = [one._replace(version="v2") for one in outcomes(stream((0.93, 80)), start=1e3)]
    still = [one._replace(version="v2") for one in outcomes(stream((0.5, 80)), start=1e3)]

    def ends(told: Sequence[Outcome]) -> list[str]:
        other = Course(
            StreamState(("v2",), other=fallen),
            champion="v2",
            expected=Expected(0.94, rows=200),
            last=50,
        )
        return [one.what for one in other.follow(told)]

    assert ends(cured)[:1] == ["over"]
    assert "over" not in ends(still)
    assert ends(cured[:29]) == []


def test_verdicts_that_arrive_before_one_that_was_looked_at_are_looked_at_as_well() -> None:
    """Those of one second come in any order, from several workers or in two transactions."""
    right = stream((0.96, 100))
    told = [Outcome(f"p{at:03}", "v2", 8.0, 9.0, bool(one)) for at, one in enumerate(right)]
    early = Course(StreamState(("v2",), other=A_FALL), champion="v2", expected=Expected(), last=50)
    early.follow([*told[::10], told[-1]])

    steps = Course(early.standing, champion="v2", expected=Expected(), last=50).follow(told)

    assert [one.what for one in steps] == ["over"]


def test_verdict_that_is_withdrawn_hides_none_that_arrives_late() -> None:
    right = [True] * 40 + [False] * 60
    told = [Outcome(f"p{at:03}", "v2", 8.0, 9.0, one) for at, one in enumerate(right)]
    course = Course(StreamState(("v2",)), champion="v2", expected=Expected(), last=50)
    course.follow([*told[:40], told[-1]])
    fewer = Course(course.standing, champion="v2", expected=Expected(), last=50)
    fewer.follow([*told[:20], told[-1]])

    steps = Course(fewer.standing, champion="v2", expected=Expected(), last=50).follow(told)

    assert (fewer.standing.looked, [one.what for one in steps]) == (21, ["fallen"])


def test_another_version_is_not_held_against_three_verdicts_that_were_all_right() -> None:
    few = replace(A_FALL, before=1.0, before_verdicts=3, usual=0.11, after=0.55)
    told = [one._replace(version="v2") for one in outcomes(stream((0.87, 100), seed=1), start=1e3)]
    course = Course(StreamState(("v2",), other=few), champion="v2", expected=Expected(), last=50)

    assert [one.what for one in course.follow(told)] == ["over"]
    assert words.before_words(few, is_of_numbers=False) == (
        "before it was right in 100 % of 3, and 89 % was to be expected at these hours"
    )


def test_deep_fall_and_one_surely_below_the_constant_guess_are_grave() -> None:
    judges, fallen = Whose(100, 100, 0, 0), replace(A_FALL, before=0.85)

    def gravity(right: int, by: Whose = judges, constant: float = 0.5) -> str:
        return words.gravity_of(Reached("v1", 100, by, right, constant=constant), fallen)

    assert [gravity(60), gravity(78), gravity(78, constant=0.95)] == ["grave", "warning", "grave"]
    assert gravity(10, Whose(100, 0, 1, 100)) == "note"
    fallen = replace(A_FALL, before=1.0, before_verdicts=3, usual=0.15)
    assert gravity(78) == "warning"


def test_numbers_that_are_farther_off_are_a_fall() -> None:
    chance = np.random.default_rng(1)
    errors = [*chance.normal(0, 1, 300), *chance.normal(0, 8, 60), *chance.normal(0, 1, 150)]

    assert [one.what for one in followed(numbers(errors))] == ["fallen", "back"]


# ── its words ────────────────────────────────────────────────────────────────────────────────


def test_answers_of_a_log_that_was_imported_are_not_said_to_be_the_champions() -> None:
    told = [Outcome(f"p{at}", IMPORTED, at, at, at % 2 == 0, is_trusted=True) for at in range(40)]

    now = words.reached("v1", told)
    mixed = words.reached("v1", [*told, told[0]._replace(version="v1")])

    assert words.fallen_words(now, "before it was right in 90 % of 300").startswith(
        "The answers of the imported log are wrong more often: right in 50 % of 40 verdicts by"
    )
    assert words.over_words(mixed, A_FALL).startswith(
        "It is over: the answers of the imported log and v1 are as before, right in 51 % of 41"
    )


def test_one_visitors_word_is_told_as_such_and_without_an_interval() -> None:
    now = Reached("v1", 40, Whose(40, 0, 1, 40), 0)

    said = words.fallen_words(now, words.before_words(A_FALL, is_of_numbers=False))

    assert said == (
        "One visitor says that v1 is wrong more often; no judge has confirmed it: right "
        "in 0 % of 40 verdicts by one visitor; before it was right in 90 % of 300."
    )


def test_recovery_says_on_how_many_verdicts_and_whose_version_answers() -> None:
    judges = Whose(60, 60, 0, 0)

    assert words.over_words(Reached("v1", 60, judges, 55), A_FALL) == (
        "It is over: v1 is healthy again, right in 92 % of 60 verdicts by judges (surely between "
        "82 % and 96 %)."
    )
    assert words.over_words(Reached("v2", 60, judges, 55), A_FALL).startswith(
        "The fall of v1 is over: v2 answers now, right in 92 % of 60 verdicts"
    )


def test_fall_that_is_not_believed_yet_makes_the_verdicts_behind_worth_no_less() -> None:
    told = outcomes(stream((0.9, 2_500), (0.78, 1_600)), seconds=40.0)
    course = begun()
    course._take(told)

    course.forget(key_of(told[999]))

    assert course.standing.worth == 1.0


def test_hours_known_by_few_verdicts_are_no_sign_of_a_fall_on_a_friday() -> None:
    chance, draws = np.random.default_rng(5), 2_000
    few, many, unseen = 10, 40, 40
    rows_before, rows_after, seen = (np.zeros((draws, KINDS)) for _ in range(3))
    rows_before[:, :24], rows_after[:, :24], rows_after[:, 24:48] = few, many, unseen
    seen[:, :24] = 1
    wrong_before = chance.binomial(few, 0.2, (draws, KINDS)) * seen
    wrong_after = chance.binomial(rows_after.astype(int), 0.2)
    share = wrong_before.sum(axis=1, keepdims=True) / rows_before.sum(axis=1, keepdims=True)
    each = np.repeat(share, KINDS, axis=1)
    # The weekend itself is left no harder than the Friday that it is held against.
    wrong_after[:, 24:48] = 0

    sure = is_no_turn(
        (rows_before, wrong_before),
        (rows_after, wrong_after),
        seen.astype(bool),
        each,
        np.full(draws, 0.16),
    )

    assert sure.any(axis=1).mean() <= 0.003


def test_few_errors_say_of_no_version_that_it_is_farther_off() -> None:
    """Once 21 verdicts, off by 42.6 in the mean, made worse what keeps its promise of 36."""
    judges = Whose(21, 21, 0, 0)

    few = Reached("v2", 21, judges, mae=42.6, rmse=54.0)
    many = Reached("v2", 400, Whose(400, 400, 0, 0), mae=42.6, rmse=54.0)

    assert few.least_mae < 33.6 < many.least_mae
    assert replace(many, worth=40.0).least_mae < 33.6
    assert Reached("v2", 1, judges, mae=900.0, rmse=900.0).least_mae == 0.0
    assert words.over_words(many, A_FALL).startswith(
        "The fall of v1 is over: v2 answers now, off by 42.6 on average in 400 verdicts"
    )
