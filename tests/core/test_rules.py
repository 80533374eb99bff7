"""Rules as people write them: some keys change, the rest stays, what is wrong is named."""

from __future__ import annotations

from typing import Any

import pytest

from unrot.core.errors import Invalid
from unrot.core.rules import FeatureRule, Rules, describe, parse_rules, parse_texts, sentences

NAMES = ("height", "weight", "eye.colour")
HOOK = "https://hooks.slack.com/services/T0/secret"


def parsed(given: Any, rules: Rules | None = None) -> Rules:
    return parse_rules(given, rules or Rules(), NAMES)


def wrong(given: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        parsed(given)
    return [(detail.field, detail.expected) for detail in caught.value.details]


def test_given_keys_change_and_the_rest_stays() -> None:
    before = Rules(chance=0.01, features={"height": FeatureRule(distance=0.4)})

    found = parsed({"distance": 0.3, "rot": "off", "least_accuracy": 0.8, "period": "day"}, before)

    assert found == Rules(
        chance=0.01, features={"height": FeatureRule(distance=0.4)}, distance=0.3, rot=False,
        least_accuracy=0.8, period="day",
    )  # fmt: skip


@pytest.mark.parametrize(
    "rules",
    [
        Rules(),
        Rules(
            period="hour", least_rows=5, against="previous", drift=False, least_accuracy=0.5,
            features={"weight": FeatureRule(False), "height": FeatureRule(True, 0.1, 0.2, 0.3)},
            webhook=HOOK,
        ),
    ],
)  # fmt: skip
def test_what_is_written_can_be_sent_back(rules: Rules) -> None:
    assert parse_rules(describe(rules), rules, NAMES) == rules


def test_feature_is_watched_by_thresholds_of_its_own_until_they_are_taken_away() -> None:
    found = parsed({"features": {"weight": {"watched": "off"}, "height": {"distance": 0.4}}})
    more = parsed({"features": {"height": {"missing": 0.2}, "weight": None}}, found)
    less = parsed({"features": {"height": {"distance": None, "missing": None}}}, more)

    assert found.features == {"height": FeatureRule(distance=0.4), "weight": FeatureRule(False)}
    assert more.features == {"height": FeatureRule(distance=0.4, missing=0.2)}
    assert less.features == {}


def test_address_of_a_webhook_is_not_told_and_stays_when_it_is_sent_back() -> None:
    rules = parsed({"webhook": HOOK})

    assert rules.webhook == HOOK
    assert describe(rules)["webhook"] == "https://hooks.slack.com/…"
    assert parsed({"webhook": "https://hooks.slack.com/…"}, rules).webhook == HOOK
    assert parsed({"webhook": ""}, rules).webhook == ""
    assert parsed({"webhook": None}, rules).webhook == ""


def test_wrong_address_is_not_repeated() -> None:
    with pytest.raises(Invalid) as caught:
        parsed({"webhook": "hooks.slack.com/services/T0/secret"})

    assert "secret" not in caught.value.message + str(caught.value.details)
    assert caught.value.message == (
        'webhook "…": expected an address such as https://example.org/hook, or slack+https://… '
        "for Slack's shape, or nothing for that of the settings."
    )


SHARE = "a share from 0 to 1"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"distanse": 1}, ("distanse", "no such key; the nearest known one is distance")),
        ({"distance": "far"}, ("distance", "a distance from 0 to 1")),
        ({"distance": True}, ("distance", "a distance from 0 to 1")),
        ({"missing": 1.5}, ("missing", SHARE)),
        ({"missing": float("nan")}, ("missing", SHARE)),
        ({"rot": "maybe"}, ("rot", "on or off")),
        ({"period": "year"}, ("period", "one of auto, rotation, hour, day, week")),
        ({"against": None}, ("against", "training or previous")),
        ({"least_rows": 0}, ("least_rows", "a whole number from 1 to 1,000,000")),
        ({"last_verdicts": 2.5}, ("last_verdicts", "a whole number from 1 to 10,000")),
        (
            {"least_accuracy": 80},
            ("least_accuracy", "a share from 0 to 1, or nothing for no floor"),
        ),
        (
            {"features": {"heigth": {}}},
            ("features.heigth", "no such key; the nearest known one is features.height"),
        ),
        (
            {"features": {"height": {"distnce": 1}}},
            (
                "features.height.distnce",
                "no such key; the nearest known one is features.height.distance",
            ),
        ),
        (
            {"features": {"height": {"unseen": -1}}},
            ("features.height.unseen", f"{SHARE}, or nothing for what holds for all"),
        ),
        ({"features": {"height": {"watched": 3}}}, ("features.height.watched", "on or off")),
        (
            {"features": {"height": 3}},
            ("features.height", 'an object such as {"distance": 0.3, "watched": "off"}, or null'),
        ),
        ({"features": []}, ("features", 'an object such as {"age": {"distance": 0.3}}')),
        ([], ("rules", 'an object such as {"distance": 0.2, "rot": "off"}')),
    ],
)
def test_what_is_wrong_is_named(given: Any, said: tuple[str, str]) -> None:
    assert wrong(given) == [said]


def test_all_that_is_wrong_is_named_at_once() -> None:
    assert [field for field, _ in wrong({"rot": 1, "distance": 2, "features": {"x": {}}})] == [
        "rot", "distance", "features.x",
    ]  # fmt: skip


def test_texts_of_a_form_are_read() -> None:
    before = Rules(least_accuracy=0.5, features={"weight": FeatureRule(distance=0.9)})
    given = {
        "distance": " 0.3 ", "drift": "off", "least_accuracy": "", "webhook": f" {HOOK} ",
        "features.eye.colour.unseen": "0.5", "features.height.watched": "off",
        "features.weight.distance": "",
    }  # fmt: skip

    assert parse_texts(given, before, NAMES) == Rules(
        distance=0.3, drift=False, webhook=HOOK,
        features={"height": FeatureRule(False), "eye.colour": FeatureRule(unseen=0.5)},
    )  # fmt: skip


def test_rules_are_said_in_sentences() -> None:
    assert sentences(Rules()) == [
        "Drift: the shortest period that has enough rows, at least 100, is compared with training; "
        "a feature has moved from a distance of 0.15 on.",
        "Rot: found when verdicts fall by more than chance. Accuracy is that of the last 50 "
        "verdicts.",
        "Parts: found when verdicts on one part of the traffic fall, and those on the rest do not.",
        "Estimated accuracy: found when it is more than 10 points below that on the test set.",
        "Outliers: found when more than 5 % of a period are odd.",
        "Data quality: found when surely more is wrong than usual: 0.5 points more of a feature is "
        "missing, 0.5 points more was never seen in training, or 0.5 points more of the rows are "
        "refused.",
        "Reasons: found when features that have 10 % of all that moves answers have surely changed "
        "places since training.",
        "How sure: found when 5 points more truths than promised are surely missed, or it is "
        "surely not sure 10 points more often than usual.",
    ]


def test_what_is_off_or_different_is_said_too() -> None:
    off = Rules(
        drift=False, rot=False, slices=False, outliers=False, quality=False, estimate=False,
        reasons=False, coverage=False, abstentions=False,
        features={"height": FeatureRule(False), "weight": FeatureRule(distance=0.4)},
    )  # fmt: skip

    assert sentences(off) == [
        "Drift is not watched.",
        "Rot is not watched.",
        "Parts of the traffic are not watched.",
        "Estimated accuracy raises nothing.",
        "Outliers raise nothing.",
        "Data quality is not watched.",
        "Reasons raise nothing.",
        "How sure raises nothing.",
        "Not watched: height.",
        "1 feature has its own thresholds.",
    ]
    assert "when their accuracy is below 80 %" in sentences(Rules(least_accuracy=0.8))[1]
