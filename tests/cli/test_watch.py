"""The command that says and changes what counts as a symptom."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from unrot.core.rules import FeatureRule, Rules
from unrot.serve.service import Service
from unrot.watch import findings

HOOK = "https://hooks.slack.com/services/secret?a=b"


def test_rules_are_shown_and_changed(
    service: Service, at_home: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    shown = at_home("rules", "iris")
    first = capsys.readouterr().out
    changed = at_home(
        "rules", "iris", "--set", "distance=0.2", "rot=off", f"webhook={HOOK}",
        "features.sepal_width_cm.watched=off", "features.petal_width_cm.missing=0.5",
    )  # fmt: skip
    second = capsys.readouterr().out

    assert (shown, changed) == (0, 0)
    assert "distance        0.15\n" in first
    assert "Drift: the shortest period that has enough rows" in first
    assert findings.rules(service, "iris") == Rules(
        distance=0.2,
        rot=False,
        webhook=HOOK,
        features={
            "sepal_width_cm": FeatureRule(False), "petal_width_cm": FeatureRule(missing=0.5),
        },
    )  # fmt: skip
    assert "features.petal_width_cm.missing  0.5\n" in second
    assert "Not watched: sepal_width_cm." in second
    assert "secret" not in second


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("distanse=1", "distanse 1.0: expected no such key; the nearest known one is distance."),
        ("rot=maybe", 'rot "maybe": expected on or off.'),
        ("rot", 'argument "rot": expected NAME=VALUE.'),
        ("features.sepal.watched=off", "features.sepal"),
    ],
)
def test_what_is_wrong_is_said_and_changes_nothing(
    service: Service,
    at_home: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    given: str,
    said: str,
) -> None:
    code = at_home("rules", "iris", "--set", "drift=off", given)

    assert code == 1
    assert capsys.readouterr().err.startswith(said)
    assert findings.rules(service, "iris") == Rules()
