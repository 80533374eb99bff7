"""Two features change places only where both orders are sure."""

from __future__ import annotations

import numpy as np
import pytest

from unrot.watch.monitors.reasons.rule import Change, changed_places


def drawn(seed: int, *means: float, rows: int = 90) -> np.ndarray:
    return np.random.default_rng(seed).gamma(2.0, 0.5, (rows, len(means))) * means


def pairs(found: list[Change]) -> list[tuple[int, int]]:
    return [(one.down, one.up) for one in found]


def test_clear_change_of_places_is_found() -> None:
    found = changed_places(drawn(1, 3.0, 1.0, 0.1), drawn(2, 1.0, 3.0, 0.1), chance=0.01)

    assert pairs(found) == [(0, 1)]


def test_same_world_raises_less_than_was_spent() -> None:
    raised = sum(
        bool(changed_places(drawn(2 * one, 1.0, 1.0, 0.9), drawn(2 * one + 1, 1.0, 1.0, 0.9),
                            chance=0.05))
        for one in range(400)
    )  # fmt: skip

    assert raised <= 20


@pytest.mark.parametrize(
    ("more", "is_found"), [({}, True), ({"worth": 10.0}, False), ({"least_share": 0.9}, False)]
)
def test_rows_that_are_worth_less_and_features_that_hardly_count_tell_less(
    more: dict[str, float], is_found: bool
) -> None:
    found = changed_places(drawn(1, 3.0, 1.0), drawn(2, 1.0, 3.0), chance=0.01, **more)

    assert bool(found) is is_found


def test_feature_that_leads_by_little_has_not_overtaken() -> None:
    now = drawn(3, 1.0, 1.1, rows=20_000)

    assert changed_places(drawn(1, 3.0, 1.0), now, chance=0.01) == []


def test_features_that_move_nothing_are_left_alone() -> None:
    still = np.zeros((90, 3))

    assert changed_places(still, still, chance=0.01) == []
