"""The predictions whose verdict would teach most: those that a version was least sure of.

Of the newest ones that no judge has judged: where more classes may be true, it is asked first, and
where the two likeliest classes lie close together (margin sampling). Rows that are alike are asked
once, and rows of an audit not at all, because they only judge. Numbers are told within an interval
that is as wide everywhere, so of them nothing would teach more than another.

Each is asked with a token that travels with its verdict. They are the hard ones: such a verdict
teaches, and is left out of whatever is measured (`is_fair` in `hear/truth.py`).

What is read has a bound: the batches of the newest rows, and the verdicts of those that come first.

Settles, Active Learning Literature Survey, University of Wisconsin-Madison (2009), §3.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, takewhile

from unrot.core.records import JudgedPrediction, Prediction
from unrot.serve.service import Service
from unrot.serve.shelf import ShelvedModel
from unrot.serve.sure import how_sure

SCREENFUL = 12
NEWEST = 1_000
"""So many predictions are looked at."""
LOOKED_UP = 200
"""Of so many it is asked whether somebody has judged them."""
NUMBERS = "It answers numbers within an interval that is as wide everywhere: none teaches more."
NO_SHARES = "It answers classes without probabilities: nothing tells what it was least sure of."
NOTHING = "Judges have gone through all that was predicted lately, or nothing was."


@dataclass(frozen=True, slots=True)
class Question:
    """A prediction that is asked about."""

    judged: JudgedPrediction
    margin: float
    """How far the likeliest class is before the second one."""
    classes: tuple[str, ...]
    """Those that may be true, the likeliest first; nothing where its version cannot say."""
    token: str = ""
    """By which a verdict tells that it was asked for."""


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked, what teaches most first."""

    questions: Sequence[Question]
    looked_at: int
    reason: str = ""
    """Why nothing is asked."""


def find_questions(service: Service, name: str) -> Questions:
    """Return the recent predictions whose verdict would teach most, a screenful at most.

    What was predicted before the world moved teaches nothing any more.
    """
    shelved = service.catalogue().model(name)
    if not shelved.model.schema.is_classifier:
        return Questions((), 0, NUMBERS)
    since = 0.0 if shelved.champion is None else shelved.champion.anchor_since
    every = service.store.traffic.made(shelved.model.key)
    made = list(islice(takewhile(lambda one: one.predicted_at >= since, every), NEWEST))
    ranked = sorted((_question(service, shelved, one) for one in _telling(made)), key=_rank)
    found = list(islice(_unjudged(service, shelved, ranked[:LOOKED_UP]), SCREENFUL))
    reason = NO_SHARES if made and not ranked else "" if found else NOTHING
    return Questions(found, len(made), reason)


def _telling(made: Sequence[Prediction]) -> Iterator[Prediction]:
    """Return those that tell how sure they were, of equal rows the newest."""
    seen: set[tuple[object, ...]] = set()
    for one in made:
        row = tuple(one.inputs)
        if one.probabilities and len(one.probabilities) > 1 and one.id and row not in seen:
            seen.add(row)
            yield one


def _question(service: Service, shelved: ShelvedModel, made: Prediction) -> Question:
    first, second = sorted(made.probabilities or (), reverse=True)[:2]
    version = shelved.versions.get(made.version)
    classes = None
    if version is not None:
        classes = how_sure(service.shelf, shelved, version, made.probabilities, None).classes
    return Question(JudgedPrediction(made, None), first - second, classes or ())


def _rank(one: Question) -> tuple[int, float, float]:
    return -max(1, len(one.classes)), one.margin, -one.judged.prediction.predicted_at


def _unjudged(
    service: Service, shelved: ShelvedModel, ranked: Sequence[Question]
) -> Iterator[Question]:
    """Leave out what judges have judged, and what audits hold."""
    audited = service.store.trials.audited(shelved.model.key) if ranked else set()
    for start in range(0, len(ranked), SCREENFUL):
        some = ranked[start : start + SCREENFUL]
        beside = service.store.traffic.beside([one.judged.prediction for one in some])
        for one, judged in zip(some, beside, strict=True):
            is_judged = judged.feedback is not None and judged.feedback.is_judgement
            if not is_judged and judged.prediction.id not in audited:
                token = service.ids.sign_asked(judged.prediction.id or "")
                yield replace(one, judged=judged, token=token)
