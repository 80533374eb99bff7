"""One fall of the verdicts: the rows and judged rows on both sides of it, and whose doing it is.

What a column did to the answers, broken in whatever way, is undone by dealing its values out anew,
from rows before the fall, on both sides. Where the model falls as far without a column, the column
is not to blame, if the model also fell among rows that are alike in it (Cochran, Mantel, Haenszel),
or if its answers hardly depend on it.

A number counts as right when it is as near as four in five were before the fall. Rows and verdicts
count as what they are worth (`structure.worth_keeping`).

Cochran, Biometrics 10 (1954) 417-451; Mantel and Haenszel, JNCI 22 (1959) 719-748; Breiman, Machine
Learning 45 (2001) 5-32, for dealing out anew.

    >>> from unrot.core.records import Feature
    >>> schema = Schema((Feature("a", "number"), Feature("b", "number")), "y", ("no", "yes"))
    >>> rows = np.random.default_rng(0).normal(size=(600, 2))
    >>> rows[300:, 1] += 3
    >>> def answer(asked):
    ...     return (np.array(asked)[:, 0] > 0).astype(float)
    >>> before = judged(rows[:300], answer(rows[:300]), answer)
    >>> after = judged(rows[300:], 1 - answer(rows[300:]), answer)
    >>> fall = Fall(Evidence(schema, "v1", before.rows, after.rows, before, after, answer))
    >>> fall.size, fall.is_blameless([1]), fall.is_blameless([0])
    (1.0, True, False)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrot.core.encoding import Encoder
from unrot.core.records import Row, Schema
from unrot.watch.monitors.rot.cause import changed_inputs
from unrot.watch.monitors.rot.cause.changed_inputs import Table
from unrot.watch.statistics.chances import chance_of_more

Flags = NDArray[np.bool_]
Answer = Callable[[Sequence[Row]], Table]
"""Lets the champion answer rows: the place of the class, or a number."""

LEVEL = 1e-4
"""So rarely is what happened taken for excluded by one of the tests."""
EXPLAINED = 0.5
"""What explains less than this part of the fall is not its cause."""
HARDLY = 0.25
"""Of the fall: so few answers depend on a column that it cannot be blamed."""
SURE = 0.01
FEWEST_JUDGED = 20
MOST_JUDGED = 300
NEAR = 0.8
FIFTHS = 5
LEAST_OVERLAP = 0.3
"""So many judged rows must lie where rows lay before, for a column to be let off by them."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Rows in the order they came, what was answered and what is true."""

    rows: Sequence[Row] = field(repr=False, default=())
    answered: Table = field(repr=False, default_factory=lambda: np.empty(0))
    truth: Table = field(repr=False, default_factory=lambda: np.empty(0))
    """NaN where a verdict says "wrong" and not what is right."""

    def at(self, places: NDArray[np.intp]) -> Judged:
        """Keep some."""
        rows = [self.rows[place] for place in places.tolist()]
        return Judged(rows, self.answered[places], self.truth[places])

    def spread(self, count: int) -> Judged:
        """Keep so many, evenly."""
        return self.at(np.unique(np.linspace(0, len(self.rows) - 1, count).astype(int)))


def judged(rows: Any, truth: Table, answer: Answer) -> Judged:
    """Let rows be answered of which the truth is known."""
    listed = [list(row) for row in rows]
    return Judged(listed, answer(listed), np.asarray(truth, dtype=np.float64))


@dataclass(frozen=True)
class Evidence:
    """What is known of the time before and after a fall."""

    schema: Schema
    version: str
    before: Sequence[Row]
    after: Sequence[Row]
    judged_before: Judged
    judged_after: Judged
    answer: Answer
    is_of_test_set: bool = False
    """True where the rows of before are those of its test set: too few came by."""


class Fall:
    """The two sides of one fall."""

    def __init__(self, evidence: Evidence) -> None:
        self._is_of_classes = evidence.schema.is_classifier
        self.schema, self.answer = evidence.schema, evidence.answer
        self.is_number = [one.kind in ("number", "integer") for one in evidence.schema.features]
        encode = Encoder(evidence.schema).encode
        before, after = encode(evidence.before), encode(evidence.after)
        kept = (
            changed_inputs.worth_keeping(before, after),
            changed_inputs.worth_keeping(after, before),
        )
        self.before, self.after = before[kept[0]], after[kept[1]]
        self._donors = [evidence.before[place] for place in kept[0].tolist()]
        self._near = self._nearness(evidence.judged_before)
        self.was, self.now = self._worth(evidence.judged_before, evidence.judged_after, encode)
        self._wrong_before = self.wrong(self.was, self.was.answered)
        self._wrong_after = self.wrong(self.now, self.now.answered)

    def _nearness(self, judged: Judged) -> float:
        known = np.abs(judged.answered - judged.truth)
        known = known[~np.isnan(known)]
        return float(np.quantile(known, NEAR)) if len(known) and not self._is_of_classes else 0.0

    def _worth(
        self, was: Judged, now: Judged, encode: Callable[[Sequence[Row]], Table]
    ) -> tuple[Judged, Judged]:
        """Keep judged rows that are worth what they count, by inputs and by how they came out."""
        tables = [
            np.column_stack([encode(one.rows), self.wrong(one, one.answered)])
            if len(one.rows)
            else np.empty((0, len(self.is_number) + 1))
            for one in (was, now)
        ]
        return (
            was.at(changed_inputs.worth_keeping(tables[0], tables[1])),
            now.at(changed_inputs.worth_keeping(tables[1], tables[0])),
        )

    def wrong(self, judged: Judged, answers: Table) -> Flags:
        """Tell which answers are surely wrong."""
        is_known = ~np.isnan(judged.truth)
        if not self._is_of_classes:
            off: Flags = is_known & (np.abs(answers - judged.truth) > self._near)
            return off
        wrong: Flags = np.where(is_known, answers != judged.truth, answers == judged.answered)
        return wrong

    def right(self, judged: Judged, answers: Table) -> Flags:
        """Tell which answers are surely right."""
        right: Flags = ~np.isnan(judged.truth) & ~self.wrong(judged, answers)
        return right

    # ── the fall ─────────────────────────────────────────────────────────────────────────────

    @property
    def has_fallen(self) -> bool:
        """True when there are verdicts enough on both sides to see it in them."""
        wrong, were = self._wrong_after, self._wrong_before
        return min(len(wrong), len(were)) >= FEWEST_JUDGED and more(wrong, were) < SURE

    @property
    def verdicts(self) -> int:
        """Return how many verdicts after the fall are worth something."""
        return len(self.now.rows)

    @cached_property
    def size(self) -> float:
        """Return how much larger the share of wrong answers is."""
        return float(self._wrong_after.mean() - self._wrong_before.mean())

    @property
    def least_share(self) -> float:
        """So many rows are broken at least by what explains half of the fall."""
        return min(1.0, EXPLAINED * self.size / max(1.0 - float(self._wrong_before.mean()), 0.01))

    def may_be_stuck(self, moved: set[int]) -> bool:
        """Tell whether one value may have taken over in so many rows that it explains the fall."""
        least = EXPLAINED * self.size
        for at in range(self.before.shape[1]):
            risen, _ = changed_inputs.rise(at, self.before[:, at], self.after[:, at])
            spread = sum(
                (share * (1 - share) + 0.25 / len(side)) / len(side)
                for share, side in ((risen.share, self.after), (risen.before, self.before))
            )
            sure = changed_inputs.beyond(2 * LEVEL, 1) * math.sqrt(spread)
            if at not in moved and risen.share - risen.before + sure > least:
                return True
        return False

    # ── columns that moved ───────────────────────────────────────────────────────────────────

    def differ(self, answers: Table, others: Table) -> Flags:
        """Tell which answers are others."""
        differ: Flags = np.abs(answers - others) > self._near
        return differ

    def dealt(self, rows: Sequence[Row], columns: Sequence[int]) -> list[Row]:
        """Give columns the values that they have together in rows from before the fall."""
        drawn = np.random.default_rng(0).integers(0, len(self._donors), len(rows)).tolist()
        dealt = [list(row) for row in rows]
        for row, donor in zip(dealt, drawn, strict=True):
            for at in columns:
                row[at] = self._donors[donor][at]
        return list(dealt)

    def is_blameless(self, columns: Sequence[int]) -> bool:
        """Tell whether the model has fallen as far without these columns, and where they stood."""
        if not columns:
            return False
        was, now = self.was.spread(MOST_JUDGED), self.now.spread(MOST_JUDGED)
        sides = [self.answer(self.dealt(one.rows, columns)) for one in (was, now)]
        wrong = [self.wrong(one, given) for one, given in zip((was, now), sides, strict=True)]
        fall = float(wrong[1].mean() - wrong[0].mean())
        if fall < EXPLAINED * self.size or more(wrong[1], wrong[0]) >= LEVEL:
            return False
        depends = float(self.differ(sides[1], self.answer(now.rows)).mean())
        return depends <= HARDLY * self.size or all(map(self._fell_within, columns))

    def _fell_within(self, column: int) -> bool:
        """Tell whether the model fell as far among rows that are alike in a column."""
        encode = Encoder(self.schema).encode
        was, now = encode(self.was.rows)[:, column], encode(self.now.rows)[:, column]
        strata = [self._strata(values, was, column) for values in (was, now)]
        falls, weights, spread = [], [], 0.0
        for one in np.unique(strata[1]):
            before, after = (
                self._wrong_before[strata[0] == one],
                self._wrong_after[strata[1] == one],
            )
            if len(before) >= FIFTHS:
                both = np.concatenate([before, after])
                falls.append(float(after.mean() - before.mean()))
                weights.append(len(after))
                noise = both.mean() * (1 - both.mean()) * (1 / len(before) + 1 / len(after))
                spread += len(after) ** 2 * float(noise)
        if sum(weights) < LEAST_OVERLAP * len(now):
            return False
        fall = sum(f * w for f, w in zip(falls, weights, strict=True))
        is_sure = fall > changed_inputs.beyond(2 * LEVEL, 1) * math.sqrt(spread)
        return is_sure and fall >= EXPLAINED * self.size * sum(weights)

    def _strata(self, values: Table, was: Table, column: int) -> Table:
        known = was[~np.isnan(was)]
        if not self.is_number[column] or len(np.unique(known)) <= FIFTHS:
            return np.nan_to_num(values, nan=-2.0)
        edges = np.quantile(known, np.linspace(0, 1, FIFTHS + 1))
        places = np.searchsorted(edges, values, side="right").astype(float)
        return np.where(np.isnan(values), -1.0, places)


def more(now: Flags, before: Flags) -> float:
    """Return how likely so many are where the share is as before."""
    return chance_of_more(int(now.sum()), len(now), int(before.sum()), len(before))
