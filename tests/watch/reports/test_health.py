"""Whether a model is well: one sentence for each case."""

from __future__ import annotations

from dataclasses import replace

import pytest

from unrot.core.records import Finding, FindingKind, Gravity
from unrot.hear.judges import Whose
from unrot.watch.reports.health import Health, health
from unrot.watch.reports.signs import Others, Signs

GOOD = Signs(
    "v1", predictions=900, right=47, judged=50, whose=Whose(50, 30, 4, 8),
    constant=0.5, expected=0.93, expected_rows=4_000, estimated=0.921,
)  # fmt: skip


def finding(
    kind: FindingKind, gravity: Gravity = "warning", sentence: str = "It is so."
) -> Finding:
    return Finding("id", "zombies", kind, kind, gravity, 0.0, 0.0, 0.0, sentence, "Do this.")


def by(found: Finding, verdicts: int, trusted: int, subjects: int, largest: int) -> Finding:
    names = ("verdicts", "trusted", "subjects", "largest")
    whose = dict(zip(names, (verdicts, trusted, subjects, largest), strict=True))
    return replace(found, evidence={"whose": whose})


def test_model_that_is_right_as_often_as_it_was_is_well() -> None:
    assert health(GOOD) == Health(
        "well",
        "This model is healthy.",
        (
            "94 % of the last 50 verdicts on v1 are right (30 by judges, 20 by 4 visitors); "
            "93 % of 4,000 test rows when it was made.",
            "By its own confidence it is right 92 % of the time.",
            "900 predictions in the last 24 hours.",
        ),
    )


def test_version_that_nobody_has_judged_is_introduced_by_what_is_known_of_it() -> None:
    signs = replace(
        GOOD, version="v4", right=3, judged=4, new=4, whose=Whose(4, 4, 0, 0),
        line=Others("v2–v4", 45, 50), rival=Others("v3", 47, 50),
        reigns_since=1_767_312_000.0,
    )  # fmt: skip

    found = health(signs)

    assert found.headline == (
        "Too few verdicts on v4 yet to say whether this model is right; nothing else looks wrong."
    )
    assert found.reasons[:4] == (
        "3 of 4 verdicts on v4 so far are right (by judges).",
        "On 4,000 rows of its test set v4 was right 93 % of the time.",
        "Its line (v2–v4): 90 % of its last 50 verdicts are right, its own included.",
        "v3 before it, until 2026-01-02 00:00 UTC: 94 % of its last 50 verdicts are right.",
    )


def test_one_verdict_is_one() -> None:
    signs = replace(GOOD, right=0, judged=1, new=1, whose=Whose(1, 1, 0, 0))

    assert health(signs).reasons[0] == "0 of 1 verdict on v1 so far is right (by judges)."


def test_version_that_came_back_is_told_by_its_own_verdicts_of_before() -> None:
    bad = health(replace(GOOD, right=20, new=0))
    good = health(replace(GOOD, new=0))

    before = "All of them are on what it answered before it became champion again."
    assert bad.headline == (
        "This model is less right than when it was made: 40 % of the last 50 verdicts on "
        "v1 are right."
    )
    assert (good.state, good.headline) == (
        "unknown",
        "Too few verdicts on v1 yet since it is champion again; nothing looks wrong.",
    )
    assert before in bad.reasons and before in good.reasons


NUMBERS = Signs(
    "v1", predictions=5, error=2.0, spread=1.5, judged=30,
    expected_error=1.9, expected_spread=1.5, expected_rows=400,
)  # fmt: skip
ONE = Whose(50, 0, 1, 50)
CROWD = Whose(50, 0, 30, 4)


@pytest.mark.parametrize(
    ("signs", "state", "headline"),
    [
        (Signs(), "unknown", "Nobody has asked this model yet."),
        (
            Signs(last_predicted="2026-11-03 12:00 UTC"),
            "unknown",
            "Nobody has asked this model in the last 24 hours.",
        ),
        (
            replace(GOOD, right=0, judged=0),
            "unknown",
            "Too few verdicts on v1 yet to say whether this model is right; nothing else "
            "looks wrong.",
        ),
        (replace(GOOD, predictions=0), "well", "This model is healthy."),
        (
            replace(GOOD, right=18, judged=20),
            "unknown",
            "Nothing looks wrong with this model so far.",
        ),
        (replace(GOOD, expected=None), "unknown", "Nothing looks wrong with this model so far."),
        (
            replace(GOOD, expected=None, right=5),
            "look",
            "This model is wrong more often than right: 10 % of the last 50 verdicts on v1 "
            "are right.",
        ),
        (
            replace(GOOD, right=40),
            "look",
            "This model seems less right than when it was made; it may be chance.",
        ),
        (
            replace(GOOD, right=20),
            "look",
            "This model is less right than when it was made: "
            "40 % of the last 50 verdicts on v1 are right.",
        ),
        (
            replace(GOOD, right=20, worth=10.0),
            "look",
            "This model seems less right than when it was made; it may be chance.",
        ),
        (
            replace(GOOD, expected=0.1, right=5, rival=Others("v2", 47, 50)),
            "look",
            "This model is less right than v2 was: 10 % of the last 50 verdicts on v1 are right.",
        ),
        (
            replace(GOOD, right=5, guess_alone=40, right_alone=2),
            "look",
            "This model is right less often than a constant guess.",
        ),
        (replace(GOOD, guess_alone=8, right_alone=2), "well", "This model is healthy."),
        (
            replace(GOOD, is_store_away=True),
            "unknown",
            "Nobody can say how this model is: the store does not answer.",
        ),
        (
            replace(GOOD, has_champion=False),
            "ill",
            "This model cannot be asked: it has no champion.",
        ),
        (
            replace(GOOD, right=0, whose=ONE),
            "look",
            "One visitor says that this model is wrong; nobody confirms it yet.",
        ),
        (
            replace(GOOD, whose=ONE),
            "unknown",
            "All 50 verdicts on v1 are from one anonymous visitor; nothing looks wrong.",
        ),
        (
            replace(GOOD, right=0, whose=CROWD, judged_then=66, predicted_then=600),
            "look",
            "Some who chose what to judge say that this model is wrong; no judge confirms it yet.",
        ),
        (
            replace(GOOD, right=20, whose=CROWD, judged_then=500, predicted_then=600),
            "look",
            "This model is less right than when it was made: "
            "40 % of the last 50 verdicts on v1 are right.",
        ),
        (
            replace(GOOD, findings=[finding("rot", "grave")]),
            "ill",
            "This model is rotting.",
        ),
        (
            replace(GOOD, right=0, whose=ONE, findings=[finding("rot", "grave")]),
            "look",
            "One visitor says that this model is wrong; nobody confirms it yet.",
        ),
        (
            replace(GOOD, right=20, findings=[by(finding("rot", "note"), 50, 0, 1, 50)]),
            "look",
            "One visitor says that this model is wrong; nobody confirms it yet.",
        ),
        (
            replace(GOOD, right=20, findings=[finding("rot", "note")]),
            "look",
            "Some say that this model is wrong more often; nobody confirms it yet.",
        ),
        (
            replace(GOOD, right=20, findings=[by(finding("rot", "grave"), 50, 20, 2, 29)]),
            "ill",
            "This model is rotting.",
        ),
        (
            replace(GOOD, judged=0, reigns_since=9.0, findings=[finding("rot", "grave")]),
            "look",
            "This model was rotting; too few verdicts on v1 yet.",
        ),
        (
            replace(GOOD, findings=[finding("drift")]),
            "look",
            "What this model is asked has changed. "
            "50 verdicts show no fall; one of 10 points or more would have shown.",
        ),
        (
            replace(
                GOOD,
                since_drift=replace(GOOD, right=920, judged=1_000),
                findings=[finding("drift")],
            ),
            "look",
            "What this model is asked has changed. "
            "1,000 verdicts show no fall; one of 3 points or more would have shown.",
        ),
        (
            replace(GOOD, right=20, findings=[finding("drift")]),
            "look",
            "What this model is asked has changed. Its answers are less right than when "
            "it was made.",
        ),
        (
            replace(GOOD, right=2, judged=2, findings=[finding("drift")]),
            "look",
            "What this model is asked has changed. Nobody can say yet whether its answers suffer: "
            "there are too few verdicts.",
        ),
        (
            replace(GOOD, findings=[finding("drift"), finding("rot", "grave")]),
            "ill",
            "This model is rotting.",
        ),
        (replace(GOOD, findings=[finding("quality")]), "look", "This model gets bad data."),
        (
            replace(GOOD, findings=[finding("outliers")]),
            "look",
            "This model is asked about rows that look like nothing it was trained on.",
        ),
        (
            replace(GOOD, findings=[finding("slice")]),
            "look",
            "This model goes wrong in a part of what it is asked.",
        ),
        (
            replace(GOOD, findings=[finding("estimate")]),
            "look",
            "This model is probably less right than it was.",
        ),
        (
            replace(GOOD, findings=[finding("operations", "grave")]),
            "ill",
            "Something around this model does not work.",
        ),
        (NUMBERS, "well", "This model is healthy."),
        (
            replace(NUMBERS, error=2.6),
            "look",
            "This model seems farther off than when it was made; it may be chance.",
        ),
        (
            replace(NUMBERS, error=4.0),
            "look",
            "This model is farther off than when it was made: by 4 on average.",
        ),
        (
            replace(NUMBERS, findings=[finding("drift")]),
            "look",
            "What this model is asked has changed. 30 verdicts show no larger errors; "
            "errors 1.4 times as large would have shown.",
        ),
        (
            Signs("v1", predictions=5, expected_error=1.9),
            "unknown",
            "Too few verdicts on v1 yet to say whether this model is right; nothing else "
            "looks wrong.",
        ),
    ],
)
def test_headline_says_how_it_is(signs: Signs, state: str, headline: str) -> None:
    found = health(signs)

    assert (found.state, found.headline) == (state, headline)
    assert all(reason.endswith(".") for reason in found.reasons)


def test_numbers_are_off_and_never_right_whatever_else_is_found() -> None:
    told = health(replace(NUMBERS, findings=[finding("rot", "grave")])).reasons

    assert told[1] == (
        "In the last 30 verdicts on v1 it was off by 2 on average; "
        "by 1.9 over 400 test rows when it was made."
    )
    assert not any("right" in reason for reason in told)


def test_few_who_chose_what_to_judge_are_told_of_before_what_they_say() -> None:
    signs = replace(GOOD, right=0, whose=CROWD, judged_then=66, predicted_then=600)

    told = health(signs).reasons

    assert told[0] == (
        "Only 66 of 600 predictions of that time were judged, by people who chose which: "
        "they may see more faults than there are."
    )
    assert told[1].startswith("0 % of the last 50 verdicts on v1 are right (by 30 visitors)")
    assert not replace(signs, is_drawn=True).is_chosen


def test_rot_is_told_before_drift_that_is_as_grave() -> None:
    found = health(replace(GOOD, findings=[finding("drift", "grave"), finding("rot", "grave")]))

    assert found.headline == "This model is rotting."
    assert found.reasons[1] == "Also found: data drift."


@pytest.mark.parametrize(("rows", "state"), [(0, "look"), (4_000, "look"), (60, "well")])
def test_what_was_measured_on_few_rows_is_no_promise(rows: int, state: str) -> None:
    found = health(replace(GOOD, right=46, expected=1.0, expected_rows=rows))

    assert found.state == state


def test_gravest_finding_is_told_first_and_the_others_are_named() -> None:
    found = health(
        replace(
            GOOD,
            findings=[finding("drift"), finding("rot", "grave", "42 % are right."), finding("rot")],
        )
    )

    assert found.reasons[:2] == ("42 % are right.", "Also found: rot, data drift.")


def test_what_is_snoozed_is_never_hidden() -> None:
    few = replace(GOOD, judged=0, right=0, whose=None)

    said = [health(replace(one, snoozed=2)).headline for one in (GOOD, few)]

    assert said == [
        "Apart from what is snoozed this model is healthy. 2 findings are snoozed.",
        "Too few verdicts on v1 yet to say whether this model is right; nothing else looks wrong. "
        "2 findings are snoozed.",
    ]
    awake = health(replace(GOOD, findings=(finding("drift"),), snoozed=1))
    assert "1 finding is snoozed." in awake.reasons


def test_verdicts_that_follow_from_each_other_call_nothing_healthy() -> None:
    """One burst of wrong ones and one of right ones: half are right, and nobody knows how many."""
    bursts = replace(GOOD, right=25, judged=50, worth=12.5, expected=0.86, expected_rows=120)

    assert health(bursts).state == "unknown"
    assert health(bursts).headline == (
        "The last 50 verdicts on v1 say as much as 4 independent ones: too few to say whether this "
        "model is right."
    )


def test_verdicts_of_long_ago_call_nothing_healthy() -> None:
    old = health(replace(GOOD, silent_for=60.0 * 86_400))

    assert (old.state, old.headline) == (
        "unknown",
        "No answer that v1 gave in the last 60 days was judged; nothing looks wrong.",
    )
    assert old.reasons[1] == "The newest of these answers is 60 days old."
    assert health(replace(GOOD, silent_for=7.0 * 86_400)).state == "well"


def test_one_verdict_and_one_of_them_are_one() -> None:
    numbers = Signs("v2", judged=1, error=14.0, expected_error=36.0, predictions=9)
    again = replace(GOOD, judged=50, new=49)

    assert "In the only verdict on v2 it was off by 14 on average" in health(numbers).reasons[0]
    assert "1 of them is on what it answered before it became champion again." in (
        health(again).reasons
    )


def test_rot_that_names_the_version_that_answers_is_its_own() -> None:
    rot = finding("rot", "grave", "v2 is wrong more often.")
    lately = replace(GOOD, version="v2", right=48, reigns_since=9.0)

    def said(version: str) -> str:
        found = replace(rot, evidence={"version": version})
        return health(replace(lately, findings=[found])).headline

    assert said("v1") == "This model was rotting; verdicts on v2 show nothing of it."
    assert said("v2") == "This model is rotting."
