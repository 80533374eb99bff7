"""What an operator does best next with a model, so that one button on its pages stands out.

It is refit where rot was found and learning on changed nothing, and nothing where the rows look
broken. It is never what would make the model worse: a version that is surely worse on the last
verdicts, or that the gate did not pass, is not advised, whatever else speaks for it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from unrot.core.artefacts import SKOPS, STREAM
from unrot.core.plurals import counted
from unrot.core.records import Finding, GateVerdict, Version
from unrot.learn.scoreboard import Scoreboard

if TYPE_CHECKING:
    # A worker that advises reads none of the rules.
    from unrot.watch.monitors.rot.cause.rule import Kind

LEARN, REFIT = "learn", "refit"
"""The origin of a version that went on from a champion, and of one that was fitted afresh."""
BROKEN: Kind = "broken rows"
"""What a rot comes from that is mended where the rows come from: nobody is to learn them."""

Action = Literal["none", "promote", "rollback", "learn", "refit", "train_batch"]


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to do, with which version where it is about one, and why."""

    action: Action = "none"
    version: str = ""
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known of a model when one asks what to do."""

    champion: Version | None
    versions: Sequence[Version]
    gates: Mapping[str, GateVerdict | None]
    scores: Scoreboard
    waiting: int
    rolls_back_to: str | None = None
    has_been: Collection[str] = ()
    """Versions that were champion before: who took one back did so for a reason."""
    rot: Finding | None = None
    """The open finding that the model goes wrong."""
    learnt_all: Version | None = None
    """The newest version, where it is no champion and has learnt all that waits already."""


def advise_next_step(known: Situation) -> NextStep:
    """Say what to do next; nothing where nobody answers."""
    if known.champion is None:
        return NextStep()
    return _advise_promotion(known) or _advise_way_back(known) or _advise_work(known) or NextStep()


def _advise_promotion(known: Situation) -> NextStep | None:
    """Advise the newest version that the gate passed beside the champion of now."""
    for version in reversed(known.versions):
        gate = known.gates.get(version.name)
        is_passed = gate is not None and gate.decision == "passed"
        if gate is None or not is_passed or gate.champion != known.scores.champion:
            continue
        if version.name in known.has_been or version.is_pruned:
            continue
        if not is_worse(known.scores, version.name):
            return NextStep(
                "promote",
                version.name,
                f"The gate passed {version.name} beside {gate.champion}: it can answer.",
            )
    return None


def _advise_way_back(known: Situation) -> NextStep | None:
    """Advise the version before where it is surely better on what both have not learnt."""
    before = known.rolls_back_to
    scored = known.scores.entry(before).on_verdicts if before else None
    if before is None or scored is None or scored.gain is None:
        return None
    if not scored.gain.is_surely_better or is_worse(known.scores, before):
        return None
    return NextStep(
        "rollback",
        before,
        f"{before} is surely better than {known.scores.champion} on the last verdicts.",
    )


def _advise_work(known: Situation) -> NextStep | None:
    champion = known.champion
    if champion is None or (known.rot is not None and known.rot.evidence.get("kind") == BROKEN):
        return None
    if STREAM in champion.artefacts:
        return NextStep("train_batch", sentence="It learns from a stream of rows.")
    if SKOPS not in champion.artefacts or not known.waiting:
        return None
    waiting = f"{counted(known.waiting, 'verdict')} {'waits' if known.waiting == 1 else 'wait'}"
    tried = "" if known.learnt_all is None else known.learnt_all.origin
    if tried == REFIT:  # Nothing is new in what another one would learn.
        return None
    if champion.made.get("learns") == "afresh":
        return NextStep("refit", sentence=f"{waiting}, and it can only be fitted afresh.")
    if known.rot is not None and _has_learnt_in_vain(known, known.rot.since):
        return NextStep(
            "refit",
            sentence="Rot was found, and learning on has not mended it: fit it afresh.",
        )
    return None if tried else NextStep("learn", sentence=f"{waiting}.")


def _has_learnt_in_vain(known: Situation, since: float) -> bool:
    """Tell whether something was learnt since, and the model still rots.

    What was learnt before the champion was fitted afresh says nothing of it.
    """
    champion = known.champion
    fitted_at = 0.0 if champion is None or champion.origin == LEARN else champion.created_at
    learnt = (one.created_at for one in known.versions if one.origin == LEARN)
    return any(since <= at and fitted_at < at for at in learnt)


def is_worse(scores: Scoreboard, version: str) -> bool:
    """Tell whether a version is surely worse than the champion on the last verdicts."""
    scored = scores.entry(version).on_verdicts
    return scored is not None and scored.gain is not None and scored.gain.is_surely_worse
