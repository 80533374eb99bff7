"""Whether verdicts lean on some answers: alarms are reviewed, and what was none is not.

Verdicts on one class of answers tell how right that answer is, which is its precision, and not how
right the model is; those on the largest numbers tell how far off these are. Of predictions of a
time, judged or not, answer by answer (of numbers by the fifth of them all that they lie in),

    G = 2 Σ n ln(n / expected)        n in each of two lines, judged and not, for k answers

is about chi-square of k - 1 degrees where which answer it is says nothing of whether it is judged
(Wilson and Hilferty's cube root gives its tail). They lean where that is surely not so, and one
answer is judged less than half as often as another.

What a test set, or the time before, promises of such verdicts is what it reached on the same
answers, each held against its own (Cochran).

Wilson, Hilferty, PNAS 17 (1931) 684-688; Cochran, Biometrics 10 (1954) 417-451.

    >>> leaning(Counter(yes=40), Counter(yes=40, no=560))
    Leaning(answer='yes', judged=1.0, predicted=0.06666666666666667)
    >>> leaning(Counter(yes=9, no=50), Counter(yes=40, no=560)) is None
    True
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import log, sqrt
from typing import Any

import numpy as np

from unrot.core.numbers import rough
from unrot.core.percent import roughly
from unrot.core.ports import Store
from unrot.core.records import Example, JudgedPrediction, ModelKey, Outcome
from unrot.hear.truth import is_fair_row, is_judged, was_right
from unrot.watch.holdout import Held, Holdout
from unrot.watch.notes import read_note

SURE = 3.72
"""Standard deviations that chance exceeds once in ten thousand."""
HALF = 0.5
"""Judged less than half as often is another share; less than half of a rise is another cause."""
A_SECOND = 1.0
"""So exactly a verdict knows when its prediction was made."""
Pair = tuple[float, float]
MOST_ROWS = 300
"""So many predictions of a time are read, judged or not."""
MOST_BESIDE = 1_000
"""So many where versions are held against each other."""
FIFTHS = (0.2, 0.4, 0.6, 0.8)
NOTED = "leaning"
"""Under this name the lookout notes it (`monitors/leaning.py`)."""


@dataclass(frozen=True, slots=True)
class Leaning:
    """Verdicts that lean: on which answer most, and its share of them and of all answers."""

    answer: str
    judged: float
    predicted: float
    is_of_numbers: bool = field(default=False, repr=False)

    @property
    def sentence(self) -> str:
        """Say on what they lean, and what they do not tell."""
        mostly = "Only" if self.judged == 1 else "Mostly" if self.judged > HALF else "Above all"
        shares = f"{roughly(self.judged)} of the verdicts, {roughly(self.predicted)} of the answers"
        if self.is_of_numbers:
            return (
                f"{mostly} answers {self.answer} were judged ({shares}): that tells how far off "
                "these are, and not how far off the model is."
            )
        return (
            f"{mostly} the answer {self.answer} was judged ({shares}): that tells how right this "
            "answer is, and not how right the model is."
        )

    @property
    def favours(self) -> str:
        """Say who would seem better by them."""
        return "Whoever answers so less often would seem better by these verdicts"

    @property
    def remedy(self) -> str:
        """Say what would help."""
        return "an audit draws from all answers"


def leaning(judged: Counter[str], predicted: Counter[str]) -> Leaning | None:
    """Tell on which answer verdicts lean; the predictions are all, judged or not."""
    every, told = predicted.total(), judged.total()
    if not told or told >= every or len(predicted) < 2:
        return None
    rates = {answer: judged[answer] / count for answer, count in predicted.items()}
    if min(rates.values()) >= HALF * max(rates.values()):
        return None
    ratio = 0.0
    for answer, count in predicted.items():
        for found, whole in ((judged[answer], told), (count - judged[answer], every - told)):
            ratio += 2 * found * log(found * every / (count * whole)) if found > 0 else 0.0
    if not _is_beyond(ratio, len(predicted) - 1):
        return None
    most = max(judged, key=lambda answer: judged[answer] / told - predicted[answer] / every)
    return Leaning(most, judged[most] / told, predicted[most] / every)


def _is_beyond(ratio: float, degrees: int) -> bool:
    far = 2 / (9 * degrees)
    return bool((ratio / degrees) ** (1 / 3) > 1 - far + SURE * sqrt(far))


def leaning_of(
    store: Store,
    model: ModelKey,
    since: float,
    until: float,
    *,
    most: int = MOST_ROWS,
    drawn: Collection[str] = (),
    judges_alone: bool = False,
) -> Leaning | None:
    """Tell on which answer verdicts lean, by the newest predictions of a stretch of time.

    Those that were drawn by chance are left out.
    """
    is_told = _is_told_by_a_judge if judges_alone else _is_told
    read = store.traffic.of_period(
        model, since=since, until=until + A_SECOND, judged_only=False, limit=most
    )
    found = [one for one in read if one.prediction.id not in drawn]
    return leaning_in(
        [one.prediction.value if one.prediction.label is None else one.prediction.label
         for one in found],
        [is_told(one) for one in found],
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Noted:
    """On which answer the last verdicts on a version leant when they were looked at."""

    version: str = ""
    leaning: Leaning | None = None


def noted_leaning(store: Store, model: ModelKey, version: str) -> Leaning | None:
    """Return what is noted of the verdicts on a version; so no prediction is read."""
    note = read_note(Noted, store.findings.standpoint(model, NOTED))
    return note.leaning if note.version == version else None


def leaning_in(answers: Sequence[str | float | None], judged: Sequence[bool]) -> Leaning | None:
    """Tell on which answer verdicts lean; numbers are alike that lie in one fifth of them all.

    >>> leaning_in([*range(600)], [at >= 500 for at in range(600)])
    Leaning(answer='over 479', judged=1.0, predicted=0.2)
    """
    numbers = [one for one in answers if isinstance(one, int | float)]
    alike = _named_fifths(numbers) if numbers else str
    named = [(alike(one), is_told) for one, is_told in zip(answers, judged, strict=True)
             if one is not None]  # fmt: skip
    told = Counter(name for name, is_told in named if is_told)
    found = leaning(told, Counter(name for name, _ in named))
    return None if found is None else replace(found, is_of_numbers=bool(numbers))


def _named_fifths(numbers: Sequence[float]) -> Callable[[Any], str]:
    """Return what names the fifth that a number lies in."""
    edges = fifths_of(numbers)
    said = [rough(one) for one in edges]
    names = [f"up to {said[0]}", *(f"{low} to {high}" for low, high in pairwise(said))]
    names.append(f"over {said[-1]}")
    return lambda number: names[bisect_left(edges, number)]


def _is_told_by_a_judge(one: JudgedPrediction) -> bool:
    return is_judged(one.feedback) and _is_told(one)


def _is_told(one: JudgedPrediction) -> bool:
    made, verdict = one.prediction, one.feedback
    if verdict is None or not is_fair_row(verdict):
        return False
    if made.label is None:
        return isinstance(verdict.label, int | float)
    return was_right(made, verdict) is not None


def leaning_among(
    store: Store, model: ModelKey, rows: Sequence[Example], drawn: Collection[str] = ()
) -> Leaning | None:
    """Tell on which answer rows lean that versions are to be held against each other by.

    Of rows that were judged because the champion said yes, whoever says no more often is right on
    more: on its false alarms. What the others miss is not among them.
    """
    if not rows:
        return None
    times = [one.predicted_at for one in rows]
    return leaning_of(store, model, min(times), max(times), most=MOST_BESIDE, drawn=drawn)


# ── like answers beside each other ───────────────────────────────────────────────────────────────


Answers = Mapping[str, tuple[float, float]]
"""Of each answer how often it was judged, and how often it was wrong; of the fifths of numbers the
sum of the ranks of their errors, each from 0 to 1."""


def answers_of(
    told: Iterable[tuple[str | None, float]], before: Answers | None = None
) -> dict[str, Pair]:
    """Count verdicts by what was answered and how wrong it was, beside those counted before."""
    found = dict(before or {})
    for answer, wrong in told:
        if answer is not None:
            count, sum_before = found.get(answer, (0.0, 0.0))
            found[answer] = count + 1, sum_before + float(wrong)
    return found


def fifths_of(numbers: Sequence[float]) -> list[float]:
    """Return what parts numbers into fifths, fewer where many are alike."""
    return sorted({float(one) for one in np.quantile(numbers, FIFTHS)})


def answers_held(held: Holdout | None) -> dict[str, Pair]:
    """Count the rows of a test set by what was answered."""
    found: dict[str, Pair] = {}
    for one in held.rows if held is not None else ():
        count, wrong = found.get(str(one.answer), (0.0, 0.0))
        found[str(one.answer)] = count + 1, wrong + (not one.is_right)
    return found


def like_judged(rows: Iterable[Held], outcomes: Iterable[Outcome]) -> list[Held]:
    """Keep as many rows of a test set, answer by answer, as are judged of it, evenly."""
    listed = list(rows)
    told = Counter(one.answer for one in outcomes)
    every = Counter(str(one.answer) for one in listed)
    shares = {answer: told[answer] / count for answer, count in every.items()}
    most = max(shares.values(), default=0.0) or 1.0
    seen, kept = Counter[str](), list[Held]()
    for one in listed:
        answer, share = str(one.answer), shares[str(one.answer)] / most
        if int((seen[answer] + 1) * share + 1e-9) > int(seen[answer] * share + 1e-9):
            kept.append(one)
        seen[answer] += 1
    return kept


def added_up(one: Answers, other: Answers) -> dict[str, Pair]:
    """Put two counts together."""
    found = dict(one)
    for answer, (count, wrong) in other.items():
        before = found.get(answer, (0.0, 0.0))
        found[answer] = before[0] + count, before[1] + wrong
    return found


def is_of_what_was_judged(before: Answers, after: Answers, *, worth: float = 1.0) -> bool:
    """Tell whether more is wrong because other answers were judged than before.

    It is where each answer held against its own leaves less than half of the rise, and that not
    surely.

    >>> before = {"no": (100, 5), "yes": (10, 4)}
    >>> is_of_what_was_judged(before, {"yes": (32, 12)})
    True
    >>> is_of_what_was_judged(before, {"no": (32, 12)})
    False
    """
    if not before or not after:
        return False
    (rows, wrong), (count, bad) = _all(before), _all(after)
    usual = wrong / rows
    expected = doubt = 0.0
    for answer, (told, _) in after.items():
        known, many = before.get(answer, (0.0, 0.0))
        share = (many + usual) / (known + 1)
        expected += told * share
        doubt += told * max(share * (1 - share), 0.01) * (worth + told / (known + 1))
    risen, left = bad - count * usual, bad - expected
    return risen > 0 and left < HALF * risen and left < SURE * sqrt(doubt)


def promised_on(held: Answers, outcomes: Iterable[Outcome]) -> tuple[float, float] | None:
    """Return how right a test set says that the answers of verdicts are, as by so many rows.

    >>> told = [Outcome("p", "v1", 0.0, 0.0, True, answer="yes")]
    >>> promised_on({"no": (570, 20), "yes": (30, 12)}, told)
    (0.6, 30.0)
    """
    told = Counter(one.answer for one in outcomes if one.answer in held)
    if not told:
        return None
    shares = {str(answer): count / told.total() for answer, count in told.items()}
    wrong = sum(share * held[answer][1] / held[answer][0] for answer, share in shares.items())
    return 1 - wrong, 1 / sum(share**2 / held[answer][0] for answer, share in shares.items())


def _all(answers: Answers) -> Pair:
    return sum(of for of, _ in answers.values()), sum(many for _, many in answers.values())
