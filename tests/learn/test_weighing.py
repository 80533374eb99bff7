"""What a weighing counts, and that it writes all or nothing.

Of who judged all verdicts count, not those alone that were held out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.learning_model import School
from unrot.core.policy import Policy
from unrot.learn import jobs, promote, weigh


def test_gate_counts_all_that_was_judged_of_what_was_predicted(
    open_school: Callable[[str], School],
) -> None:
    school = open_school("sgd")
    school.taught(400)

    made = school.done("learn")

    gate = school.service.store.lessons.gates("zombies", made["version"])[-1]
    assert (gate.judged, gate.predicted, gate.voters) == (400, 400, "")


def test_champion_that_moves_while_a_version_is_weighed_has_it_weighed_anew(
    open_school: Callable[[str], School], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody promotes v3 when v2 has just been held against v1."""
    school = open_school("sgd")
    school.taught(60)
    for _ in range(2):
        school.done("learn")
    school.service.store.registry.set_policy("zombies", Policy(promote="auto", tolerance=0.5))
    real = weigh.judge_candidate

    def overtaken(*given: Any, **named: Any) -> Any:
        monkeypatch.setattr(weigh, "judge_candidate", real)
        promote.promote(school.service, "zombies", "v3", force=True, reason="a test")
        return real(*given, **named)

    monkeypatch.setattr(weigh, "judge_candidate", overtaken)

    told = school.done("weigh", version="v2")

    said = [one.champion for one in school.service.store.lessons.gates("zombies", "v2")]
    moves = [one.moved_to for one in school.service.store.registry.moves("zombies")]
    assert (said, moves) == (["v1", "v3"], ["v1", "v3", "v2"])
    assert told["is_champion"] is True


def test_weighing_that_another_attempt_took_over_writes_nothing(
    open_school: Callable[[str], School], monkeypatch: pytest.MonkeyPatch
) -> None:
    school = open_school("sgd")
    school.taught(60)
    school.done("learn")
    school.service.store.registry.set_policy("zombies", Policy(promote="auto", tolerance=0.5))
    before = school.service.version("zombies", "v2")
    asked = jobs.ask(school.service, "zombies", "weigh", {"version": "v2"})
    real = weigh.judge_candidate

    def overtaken(*given: Any, **named: Any) -> Any:
        school.service.store.jobs.release("school")
        school.service.store.jobs.claim("quick", school.service.clock(), 10.0)
        return real(*given, **named)

    monkeypatch.setattr(weigh, "judge_candidate", overtaken)

    assert school.learner.do_next()

    assert len(school.service.store.lessons.gates("zombies", "v2")) == 1
    assert school.service.version("zombies", "v2") == before
    assert school.service.aliases("zombies") == {"champion": "v1"}
    assert jobs.job(school.service, asked.id).state == "running"
