"""Versions are not held against each other by rows that were judged for what one of them said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.alarms import Alarms, Prices, opened
from tests.clock import Clock
from unrot.core.policy import Policy
from unrot.learn import compare, jobs, promote
from unrot.learn.promote import last_gate
from unrot.learn.rollback import roll_back_by_itself
from unrot.learn.scoreboard import read_scoreboard
from unrot.learn.worker import Learner


@pytest.fixture
def alarms(tmp_path: Path, clock: Clock) -> Iterator[Alarms]:
    with opened(tmp_path / "home", clock) as made:
        yield made


def refitted(alarms: Alarms) -> str:
    job = jobs.ask(alarms.service, "alarms", "refit", {}, by="ada")
    assert Learner(alarms.service, holder="tests").do_next()
    result = jobs.job(alarms.service, job.id).result
    assert result is not None
    return str(result["version"])


def test_gate_weighs_a_refit_by_the_test_set_where_alarms_alone_are_judged(alarms: Alarms) -> None:
    alarms.go_by(2_500, alone=True)

    gate = last_gate(alarms.service, "alarms", refitted(alarms))

    assert gate is not None
    assert (gate.ground, gate.moved_at, gate.recent_rows) == ("anchor", None, 0)
    assert gate.voters.startswith("Only the answer yes was judged (")
    assert gate.voters.endswith("Such verdicts weigh no candidate; those of audits do.")


def test_last_verdicts_score_nobody_where_alarms_alone_are_judged(alarms: Alarms) -> None:
    alarms.go_by(2_500, alone=True)
    name = refitted(alarms)

    found = read_scoreboard(alarms.service, "alarms", alarms.service.versions("alarms"))
    grounds = dict(compare.compare(alarms.service, "alarms", "v1", name).grounds)

    assert found.verdicts.one_sided is not None and found.verdicts.one_sided.answer == "yes"
    assert found.entry(name).on_test_set is not None
    assert found.entry(name).on_verdicts is None
    assert list(grounds) == ["anchor"]


def test_gate_weighs_a_refit_by_the_test_set_where_high_prices_alone_are_judged(
    tmp_path: Path, clock: Clock
) -> None:
    with opened(tmp_path / "home", clock, Prices) as prices:
        prices.go_by(2_500, alone=True)
        gate = last_gate(prices.service, "alarms", refitted(prices))

    assert gate is not None
    assert (gate.ground, gate.moved_at, gate.recent_rows) == ("anchor", None, 0)
    assert gate.voters.startswith("Only answers over ")


def test_nobody_goes_back_by_alarms_alone(alarms: Alarms) -> None:
    alarms.go_by(1_500, alone=False)
    promote.promote(alarms.service, "alarms", refitted(alarms), force=True, reason="to be tried")
    alarms.service.store.registry.set_policy("alarms", Policy(rollback="auto"))
    alarms.go_by(1_500, alone=True)

    assert roll_back_by_itself(alarms.service, "alarms") is None
