"""Which button stands out: the one that helps, and never one that makes it worse."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.large_store import a_gate
from unrot.core.records import Finding, ModelKey, Serving, Version
from unrot.learn.next_step import Situation, advise_next_step
from unrot.learn.scoreboard import Entry, Gain, Scoreboard, Scored

BETTER, WORSE, UNSURE = Gain(0.3, 0.2, 0.4), Gain(-0.3, -0.4, -0.2), Gain(0.0, -0.1, 0.1)
ROT = Finding("f1", ModelKey("m"), "rot", "rot", "grave", 50.0, 50.0, 50.0, "It rots.", "Learn.")


def a_version(name: str, at: float = 0.0, origin: str = "trained", **made: Any) -> Version:
    serving = Serving("onnx", name)
    artefacts = {"skops": name}
    return Version(
        ModelKey("m"), name, None, origin, "tree", at, {}, artefacts, "s", {}, serving, made
    )


V1, V2 = a_version("v1"), a_version("v2", 60.0, "learn")


def board(version: str, gain: Gain) -> Scoreboard:
    return Scoreboard("v1", {version: Entry(on_verdicts=Scored(200, 0.9, gain))})


LEARNT, FITTED = a_version("v2", 60.0, "learn"), a_version("v3", 70.0, "refit")
PLAIN = Situation(V1, (V1,), {}, Scoreboard("v1", {}), waiting=12, has_been=("v1",))
WITH_V2 = replace(PLAIN, versions=(V1, V2), gates={"v2": a_gate("passed")})
CASES = {
    "verdicts wait": (PLAIN, "learn"),
    "no verdict waits": (replace(PLAIN, waiting=0), "none"),
    "nobody answers": (replace(PLAIN, champion=None), "none"),
    "it rots, and nobody has learnt": (replace(PLAIN, rot=ROT), "learn"),
    "it rots, and learning was in vain": (
        replace(PLAIN, rot=ROT, versions=(V1, V2), gates={"v2": a_gate("refused")}),
        "refit",
    ),
    "what waits was learnt, and the gate could not tell": (
        replace(PLAIN, versions=(V1, LEARNT), learnt_all=LEARNT),
        "none",
    ),
    "it rots, and what waits was learnt on and in vain": (
        replace(PLAIN, rot=ROT, versions=(V1, LEARNT), learnt_all=LEARNT),
        "refit",
    ),
    "it rots, and what waits was learnt afresh": (
        replace(PLAIN, rot=ROT, versions=(V1, LEARNT, FITTED), learnt_all=FITTED),
        "none",
    ),
    "it rots, and was fitted afresh since": (
        replace(PLAIN, champion=a_version("v3", 70.0, "refit"), rot=ROT, versions=(V1, V2)),
        "learn",
    ),
    "it was fitted afresh, and learning on was in vain": (
        replace(
            PLAIN,
            champion=a_version("v3", 70.0, "refit"),
            rot=ROT,
            versions=(V1, a_version("v4", 80.0, "learn")),
        ),
        "refit",
    ),
    "its rows look broken": (
        replace(PLAIN, rot=replace(ROT, evidence={"kind": "broken rows"})),
        "none",
    ),
    "it learnt before the rot": (
        replace(PLAIN, rot=ROT, versions=(V1, replace(V2, created_at=40.0))),
        "learn",
    ),
    "it can only be fitted afresh": (
        replace(PLAIN, champion=a_version("v1", learns="afresh")),
        "refit",
    ),
    "it cannot be taught": (replace(PLAIN, champion=replace(V1, artefacts={})), "none"),
    "it learns from a stream": (
        replace(PLAIN, champion=replace(V1, artefacts={"stream": "s", "skops": "s"})),
        "train_batch",
    ),
    "the gate passed one": (WITH_V2, "promote"),
    "it was weighed beside another": (
        replace(WITH_V2, gates={"v2": a_gate("passed", champion="v0")}),
        "learn",
    ),
    "it was taken back": (replace(WITH_V2, has_been=("v1", "v2", "v1")), "learn"),
    "what passed is worse by now": (replace(WITH_V2, scores=board("v2", WORSE)), "learn"),
    "the one before is better": (
        replace(PLAIN, rolls_back_to="v0", scores=board("v0", BETTER)),
        "rollback",
    ),
    "the one before is as good": (
        replace(PLAIN, rolls_back_to="v0", scores=board("v0", UNSURE)),
        "learn",
    ),
    "the one before is worse": (
        replace(PLAIN, rolls_back_to="v0", scores=board("v0", WORSE)),
        "learn",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_next_step(case: str) -> None:
    known, action = CASES[case]

    assert advise_next_step(known).action == action


def test_next_step_says_why() -> None:
    known, _ = CASES["it rots, and learning was in vain"]

    assert advise_next_step(known).sentence == (
        "Rot was found, and learning on has not mended it: fit it afresh."
    )
