"""Whether a model is well: one sentence for each case."""

from __future__ import annotations

from dataclasses import replace

import pytest

from unrot.monitors.health import Health, Signs, health
from unrot.symptoms import Finding, FindingKind, Gravity

GOOD = Signs(
    "Zombies", predictions=900, right=47, judged=50, constant=0.5, expected=0.93, estimated=0.921
)


def finding(
    kind: FindingKind, gravity: Gravity = "warning", sentence: str = "It is so."
) -> Finding:
    return Finding("id", "zombies", kind, kind, gravity, 0.0, 0.0, 0.0, sentence, "Do this.")


def test_model_that_is_right_as_often_as_it_was_is_well() -> None:
    assert health(GOOD) == Health(
        "well",
        "Zombies is well.",
        (
            "94% of its last 50 verdicts are right; 93% when it was made.",
            "By its own confidence it is right 92% of the time.",
            "900 predictions in the last 24 hours.",
        ),
    )


@pytest.mark.parametrize(
    ("signs", "state", "headline"),
    [
        (Signs("Zombies"), "unknown", "Nobody has asked Zombies yet."),
        (
            Signs("Zombies", last_predicted="on 3 Nov 2026 at 12:00 UTC"),
            "unknown",
            "Nobody has asked Zombies in the last 24 hours.",
        ),
        (
            replace(GOOD, right=0, judged=0),
            "unknown",
            "Nobody has said whether Zombies is right; nothing else looks wrong.",
        ),
        (
            replace(GOOD, right=3, judged=4),
            "unknown",
            "Too few people have said whether Zombies is right; nothing else looks wrong.",
        ),
        (replace(GOOD, predictions=0), "well", "Zombies is well."),
        (
            replace(GOOD, right=35),
            "look",
            "Zombies seems less right than it was; it may be chance.",
        ),
        (
            replace(GOOD, right=25),
            "look",
            "Zombies is right no more often than a constant guess.",
        ),
        (
            replace(GOOD, is_store_away=True),
            "unknown",
            "Nobody can say how Zombies is: the store does not answer.",
        ),
        (
            replace(GOOD, has_champion=False),
            "ill",
            "Zombies cannot be asked: it has no champion.",
        ),
        (
            replace(GOOD, findings=[finding("rot", "grave")]),
            "ill",
            "Zombies is rotting.",
        ),
        (
            replace(GOOD, findings=[finding("drift")]),
            "look",
            "What Zombies is asked has changed. Its answers are as right as before.",
        ),
        (
            replace(GOOD, right=20, findings=[finding("drift")]),
            "look",
            "What Zombies is asked has changed. Its answers are less right than they were.",
        ),
        (
            replace(GOOD, right=2, judged=2, findings=[finding("drift")]),
            "look",
            "What Zombies is asked has changed. Nobody can say yet whether its answers suffer: "
            "there are too few verdicts.",
        ),
        (
            replace(GOOD, findings=[finding("drift"), finding("rot", "grave")]),
            "ill",
            "Zombies is rotting.",
        ),
        (replace(GOOD, findings=[finding("quality")]), "look", "Zombies gets bad data."),
        (
            replace(GOOD, findings=[finding("outliers")]),
            "look",
            "Zombies is asked about rows that look like nothing it was trained on.",
        ),
        (
            replace(GOOD, findings=[finding("slice")]),
            "look",
            "Zombies goes wrong in a part of what it is asked.",
        ),
        (
            replace(GOOD, findings=[finding("estimate")]),
            "look",
            "Zombies is probably less right than it was.",
        ),
        (
            replace(GOOD, findings=[finding("operations", "grave")]),
            "ill",
            "Something around Zombies does not work.",
        ),
        (
            Signs("Prices", predictions=5, error=2.0, judged=30, expected_error=1.9),
            "well",
            "Prices is well.",
        ),
        (
            Signs("Prices", predictions=5, error=3.0, judged=30, expected_error=1.9),
            "look",
            "Prices is further off than it was.",
        ),
        (
            Signs("Prices", predictions=5, expected_error=1.9),
            "unknown",
            "Nobody has said what Prices should have answered; nothing else looks wrong.",
        ),
    ],
)
def test_headline_says_how_it_is(signs: Signs, state: str, headline: str) -> None:
    found = health(signs)

    assert (found.state, found.headline) == (state, headline)
    assert all(reason.endswith(".") for reason in found.reasons)


def test_rot_is_told_before_drift_that_is_as_grave() -> None:
    found = health(replace(GOOD, findings=[finding("drift", "grave"), finding("rot", "grave")]))

    assert found.headline == "Zombies is rotting."
    assert found.reasons[1] == "Also found: data drift."


@pytest.mark.parametrize(("rows", "state"), [(0, "look"), (4_000, "look"), (60, "well")])
def test_what_was_measured_on_few_rows_is_no_promise(rows: int, state: str) -> None:
    found = health(replace(GOOD, right=46, expected=1.0, expected_rows=rows))

    assert found.state == state


def test_gravest_finding_is_told_first_and_the_others_are_named() -> None:
    found = health(
        replace(
            GOOD,
            findings=[finding("drift"), finding("rot", "grave", "42% are right."), finding("rot")],
        )
    )

    assert found.reasons[:2] == ("42% are right.", "Also found: rot, data drift.")
