"""What is known of a model now, and what may be concluded from it.

What verdicts say is of the champion's own answers, whenever it gave them. How surely they say it is
told apart: nothing, by one look (95 %), or however often one looks (`many_looks.py`).

That no fall was seen does not say that there is none. With the share p of verdicts and the share m
measured on the test set, and their Wilson bounds, a larger fall than

    m - p + √( (m_high - m)² + (p - p_low)² )

would have shown (95 %). Newcombe, Statistics in Medicine 17 (1998) 873-890, method 10.

    >>> signs = Signs(right=47, judged=50, expected=0.93, expected_rows=4_000)
    >>> signs.is_worse, round(signs.fall_that_would_show, 3)
    (False, 0.092)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from unrot.core.records import Finding
from unrot.core.time import WEEK
from unrot.hear.judges import Whose
from unrot.watch.statistics.accuracy import Share, Z, share
from unrot.watch.statistics.many_looks import PATIENCE, evidence_below
from unrot.watch.worth.leaning import Leaning

FEWEST_VERDICTS = 10
"""Verdicts below which nothing is said of how right a model is."""
FEWEST_TO_BE_WELL = 30
"""Verdicts below which no model is called well."""
SLACK = 0.02
"""So much below what was measured at its making is no news."""
MANY_SIGMAS = 5.0
"""So far must errors of numbers lie above those on the test set: they have heavy tails."""


@dataclass(frozen=True, slots=True)
class Others:
    """The last verdicts on the answers of other versions, told apart from the champion's own."""

    versions: str
    right: int
    judged: int
    error: float | None = None


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of a model now."""

    version: str = ""
    """Its champion."""
    period: str = "the last 24 hours"
    has_champion: bool = True
    is_store_away: bool = False
    predictions: int = 0
    """In the period, of all versions."""
    last_predicted: str = ""
    """When it was asked last, if that is known and not in the period."""
    right: int = 0
    judged: int = 0
    """Of the last verdicts on the champion's own answers."""
    new: int | None = None
    """How many of these are on what it answered since it is champion; None where all are."""
    silent_for: float = 0.0
    """So many seconds ago the newest answer was given that these are on."""
    worth: float = 1.0
    """So many of them say as much as one that does not follow from the others."""
    runs: float = 1.0
    """The same where they are one stretch of wrong ones: what one burst shows is not certain."""
    whose: Whose | None = None
    judged_then: int = 0
    """Of its predictions from the first to the last of those that these verdicts are on."""
    predicted_then: int = 0
    is_drawn: bool = False
    """True where audits drew most of what was judged."""
    leaning: Leaning | None = None
    """On which answer they lean: what all answers reached is nothing to hold them against."""
    constant: float | None = None
    """What the best constant guess would have reached on the same verdicts."""
    guess_alone: int = 0
    """Where that guess is right and it is not."""
    right_alone: int = 0
    """Where it is right and that guess is not."""
    classes: int = 2
    expected: float | None = None
    """What its champion reached on rows that it had not learnt from."""
    expected_rows: int = 0
    """On how many; 0 where that is not known."""
    estimated: float | None = None
    """What its confidence in the period makes one expect."""
    error: float | None = None
    """For numbers: the mean distance of its last answers from the truth."""
    spread: float | None = None
    """How far these distances spread about their mean."""
    expected_error: float | None = None
    expected_spread: float = 0.0
    line: Others | None = None
    """The versions that it was learnt from in small steps, and itself."""
    rival: Others | None = None
    """The version that was champion before it."""
    imported: Others | None = None
    """What somebody else answered elsewhere, as a log of that tells."""
    reigns_since: float = 0.0
    """When it became champion; 0 for the first one."""
    since_drift: Signs | None = None
    """The same with the verdicts on what it answered since its inputs moved."""
    findings: Sequence[Finding] = ()
    """The open ones that are not snoozed, the gravest first."""
    snoozed: int = 0
    """How many more are open, and snoozed."""

    @property
    def accuracy(self) -> Share:
        """How right its last verdicts say that it is."""
        return share(self.right, self.judged, self.worth)

    @property
    def is_of_numbers(self) -> bool:
        """True where it answers with numbers, which are off and not right or wrong."""
        return self.expected_error is not None or self.error is not None

    def has_followed(self, rot: Finding) -> bool:
        """Tell whether it answers only since a rot that nothing says of it."""
        is_older = self.reigns_since > rot.since and rot.evidence.get("version") != self.version
        return is_older and not self.is_worse

    @property
    def is_old(self) -> bool:
        """True where these verdicts tell nothing of the last week."""
        return self.judged > 0 and self.silent_for > WEEK

    @property
    def is_judged(self) -> bool:
        """True when there are verdicts enough to say something."""
        return self.judged >= FEWEST_VERDICTS

    @property
    def is_chosen(self) -> bool:
        """True where few predictions were judged, and by people who chose which."""
        return 2 * self.judged_then < self.predicted_then and not self.is_drawn

    @property
    def is_of_crowd(self) -> bool:
        """True where that is so and most of them are no judges: they may see more faults."""
        return self.is_chosen and (self.whose is None or not self.whose.is_of_judges)

    @property
    def is_one_voice(self) -> bool:
        """True where one visitor holds most of the verdicts and no judge confirms them."""
        return self.whose is not None and self.whose.is_one_voice

    @property
    def is_enough(self) -> bool:
        """True where the verdicts are enough to call it well."""
        is_measured = self.expected is not None or self.expected_error is not None
        is_fair = not self.is_of_crowd and not self.is_one_voice and self.leaning is None
        return self.is_many and is_measured and is_fair

    @property
    def is_many(self) -> bool:
        """True where the verdicts say as much as enough independent ones."""
        return self.judged / max(self.worth, 1.0) >= FEWEST_TO_BE_WELL

    @property
    def promised(self) -> Share:
        """What was measured when it was made: on few rows it is no promise, 100 % of 60."""
        value, rows = self.expected or 0.0, self.expected_rows
        return share(round(value * rows), rows) if rows else Share(0, 0, value, value, value)

    @property
    def is_worse(self) -> bool:
        """Tell whether, by one look, it is worse than what was measured."""
        if self.is_of_numbers:
            slack = (1 + SLACK) * (self.expected_error or 0.0)
            is_far = self._sigmas > Z and (self.error or 0.0) > slack
            return is_far and self.leaning is None
        return self._is_comparable and self.accuracy.high < self.promised.low - SLACK

    @property
    def is_mostly_wrong(self) -> bool:
        """Tell whether most verdicts say wrong and nothing was measured to hold them against."""
        if self.is_of_numbers or (self.leaning is not None and not self.is_of_crowd):
            return False
        return not self._is_comparable and 2 * self.right < self.judged

    @property
    def is_surely_worse(self) -> bool:
        """Tell whether it is worse than what was measured, however often one looks."""
        if self.is_of_numbers:
            return self.is_worse and self._sigmas >= MANY_SIGMAS
        return self._is_comparable and self._is_surely_below(self.promised.low)

    @property
    def is_below_rival(self) -> bool:
        """Tell whether it is surely right less often than the champion before it was."""
        rival = self.rival
        if rival is None or rival.judged < FEWEST_TO_BE_WELL or self.is_of_numbers:
            return False
        if self.leaning is not None:
            return False
        return self._is_surely_below(share(rival.right, rival.judged).low)

    @property
    def is_below_guess(self) -> bool:
        """Tell whether a constant guess is surely right more often, on the same verdicts.

        The class that it would be is known afterwards alone: each has to be reckoned with.
        """
        if self.leaning is not None:
            return False
        told = self.guess_alone + self.right_alone
        each = max(self.worth, self.runs)
        evidence = evidence_below(self.right_alone / each, told / each, 0.5)
        return not self.is_of_numbers and evidence >= PATIENCE * self.classes

    @property
    def fall_that_would_show(self) -> float:
        """Return how far accuracy must have fallen at least for these verdicts to show it."""
        now, then = self.accuracy, self.promised
        if now.value is None or then.value is None:
            return 1.0
        return (then.value - now.value) + sqrt(
            (then.high - then.value) ** 2 + (now.value - now.low) ** 2
        )

    @property
    def rise_that_would_show(self) -> float:
        """Return how many times the measured error its errors must be at least to show."""
        if not self.expected_error or self.error is None:
            return 0.0
        return (self.error + Z * self._doubt) / self.expected_error

    @property
    def _is_comparable(self) -> bool:
        """True where what was measured of all answers may be held against these verdicts."""
        return self.expected is not None and self.leaning is None

    def _is_surely_below(self, level: float) -> bool:
        each = max(self.worth, self.runs)
        return evidence_below(self.right / each, self.judged / each, level) >= PATIENCE

    @property
    def _sigmas(self) -> float:
        if self.error is None or self.expected_error is None:
            return 0.0
        return (self.error - self.expected_error) / (self._doubt or 1e-12)

    @property
    def _doubt(self) -> float:
        """The standard error of the difference of both mean errors."""
        spread = self.spread if self.spread is not None else self.error or 0.0
        of_promise = self.expected_spread**2 / self.expected_rows if self.expected_rows else 0.0
        return sqrt(spread**2 * max(self.worth, self.runs) / max(self.judged, 1) + of_promise)
