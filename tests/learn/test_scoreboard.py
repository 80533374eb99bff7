"""Versions on the same rows: what each reaches, and how sure its gain over the champion is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.large_store import ANYONE, ZOMBIES, copy_of, judged, predicted, second
from tests.learn.gate.answers import NUMBERS, TWO
from unrot.core.newest import Newest
from unrot.core.records import Fate
from unrot.learn import compare, scoreboard
from unrot.learn.consequences import describe_change
from unrot.learn.scoreboard import Entry, Scoreboard, Scored, compare_gain, read_scoreboard
from unrot.serve.service import Service


def look(service: Service, **more: float) -> Scoreboard:
    """Score all versions."""
    return read_scoreboard(service, ZOMBIES, service.versions(ZOMBIES), **more)  # type: ignore[arg-type]


def test_gain_of_classes_has_the_interval_of_agresti_and_min() -> None:
    champion = np.array([1.0] * 12 + [0.0] * 88)
    version = np.array([0.0] * 10 + [1.0] * 2 + [1.0] * 3 + [0.0] * 85)

    gain = compare_gain(TWO, champion, version)

    # 10 won, 3 lost of 100: (10.5 - 3.5) / 102 ± 1.96 √(14 - 49 / 102) / 102
    assert gain.value == pytest.approx(0.07)
    assert (gain.low, gain.high) == pytest.approx((-0.002027, 0.139282), abs=1e-6)
    assert not gain.is_surely_better


def test_gain_of_numbers_is_in_units_of_the_error_of_the_champion() -> None:
    champion, version = (
        np.array([4.0, 2.0, 6.0, 4.0, 4.0] * 8),
        np.array([1.0, 2.0, 3.0] * 13 + [1]),
    )

    gain = compare_gain(NUMBERS, champion, version)

    better = (champion - version) / 4.0
    told = stats.t.interval(0.95, 39, better.mean(), stats.sem(better))
    assert gain.value == pytest.approx(better.mean())
    assert (gain.low, gain.high) == pytest.approx(told, abs=1e-3)
    assert gain.is_surely_better


def test_all_versions_answer_the_rows_of_the_champion(service: Service) -> None:
    second(service)
    pair = dict(compare.compare(service, ZOMBIES, "v1", "v2").grounds)["anchor"].judged

    found = look(service)

    first, other = found.entry("v1").on_test_set, found.entry("v2").on_test_set
    assert found.champion == "v1"
    assert first is not None and other is not None
    assert (first.rows, first.score, first.gain) == (4_000, pair.first_score, None)
    assert (other.score, other.gain) == (pair.second_score, pair.gain)
    assert (found.entry("v1").size or 0) > 100
    assert found.entry("v2").seconds is not None
    assert found.entry("v2").on_verdicts is None


def test_last_verdicts_say_whose_word_it_is_and_what_a_version_may_know(service: Service) -> None:
    rows = predicted(service, 12)
    judged(service, rows[:8])
    judged(service, rows[8:], ANYONE)
    copy_of(service, created_at=service.clock() + 1)
    learnt = [Fate(one.prediction.id, "learnt", service.clock()) for one in rows[:5]]
    service.store.lessons.decide(ZOMBIES, "v2", learnt)

    found = look(service)

    said, first, other = found.verdicts, found.entry("v1"), found.entry("v2")
    assert (said.rows, said.by_judges, said.people) == (12, 8, 1)
    assert first.on_verdicts is not None and other.on_verdicts is not None
    assert (first.on_verdicts.score, first.on_verdicts.learnt) == (1.0, 0)
    assert (other.on_verdicts.score, other.on_verdicts.learnt) == (1.0, 5)
    assert describe_change(found, service.catalogue().model(ZOMBIES).model.schema, "v2") == (
        "v1: 100 % on the last 12 verdicts; v2: 100 % (v2 has learnt 5 of these)."
    )


def test_what_the_champion_has_learnt_is_said_too(service: Service) -> None:
    knows = {name: Entry(on_verdicts=Scored(12, 1.0, learnt=learnt))
             for name, learnt in (("v1", 2), ("v2", 12))}  # fmt: skip

    said = describe_change(
        Scoreboard("v1", knows), service.catalogue().model(ZOMBIES).model.schema, "v2"
    )

    assert said == (
        "v1: 100 % on the last 12 verdicts (v1 has learnt 2 of these); "
        "v2: 100 % (v2 has learnt all of these)."
    )


def test_few_verdicts_score_nobody(service: Service) -> None:
    judged(service, predicted(service, 9))

    found = look(service)

    assert found.verdicts.rows == 9
    assert found.entry("v1").on_verdicts is None


def test_look_that_takes_too_long_leaves_versions_to_the_next_one(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoreboard, "_ERRORS", Newest(scoreboard.MOST_REMEMBERED, len))
    second(service, estimator="sgd")
    second(service, estimator="tree")
    before = look(service, seconds=0.0)
    look(service)

    after = look(service, seconds=0.0)

    assert (list(before.entries), before.left) == (["v1"], ["v2", "v3"])
    assert (sorted(after.entries), after.left) == (["v1", "v2", "v3"], [])


def test_version_that_cannot_answer_says_why_and_stops_no_other(service: Service) -> None:
    serving = service.version(ZOMBIES, "v1").serving
    copy_of(service, serving=replace(serving, digest="0" * 64))
    copy_of(service)

    found = look(service)

    assert "is missing on the shelf" in found.entry("v2").problem
    assert found.entry("v3").on_test_set is not None
