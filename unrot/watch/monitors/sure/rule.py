"""How the share that a version may miss follows what judges say is true.

Each judged answer of the champion is held against the set, or the interval, that it would be told
with at that moment; then the share that may be missed takes one step (`core.conformal.adapt`).

Judges' verdicts alone move it. Whoever may vote without a token could else make all sets empty, or
as wide as the world; and a thumb that says only "wrong" of several classes is a miss where the set
was that class alone, and else tells nothing.

    >>> from unrot.core.conformal import Conformal
    >>> known = Conformal(9, (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9))
    >>> begun = Course("v1", miss=0.2, coverage=0.8)
    >>> after = begun.after(is_held=False)
    >>> round(after.miss, 3), after.count, after.missed
    (0.184, 1, 1)
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from unrot.core.conformal import Conformal, adapt
from unrot.core.records import JudgedPrediction, Schema
from unrot.hear.truth import truth_of


@dataclass(frozen=True, slots=True)
class Course:
    """Where a champion stands: the share that it may miss now, and what it has missed so far."""

    version: str = ""
    miss: float = 0.1
    coverage: float = 0.9
    """What was asked for when it began."""
    seen: tuple[float, str] = (0.0, "")
    """The verdict that it has got to: when it was given, and on which prediction."""
    count: int = 0
    missed: int = 0

    def after(self, *, is_held: bool) -> Course:
        """Return where it stands after one more truth."""
        return replace(
            self,
            miss=adapt(self.miss, coverage=self.coverage, missed=not is_held),
            count=self.count + 1,
            missed=self.missed + (not is_held),
        )


def is_held(judged: JudgedPrediction, schema: Schema, known: Conformal, miss: float) -> bool | None:
    """Tell whether what would be told of an answer holds its truth; None where nobody can tell."""
    made, verdict = judged.prediction, judged.feedback
    if verdict is None or verdict.withdrawn or not verdict.is_trusted:
        return None
    truth = truth_of(made.label, verdict, schema)
    if made.probabilities is None:
        if made.value is None or not isinstance(truth, int | float):
            return None
        low, high = known.interval(made.value, miss)
        return low <= truth <= high
    told = [schema.classes[place] for place in known.classes(made.probabilities, miss)]
    if truth is not None:
        return truth in told
    is_wrong_for_sure = verdict.was_correct is False and set(told) <= {made.label}
    return False if is_wrong_for_sure else None
