"""Why a model is right less often: the rows are broken, other rows come, or the rule has changed.

"The inputs look the same, so what is right has changed" is true only where broken rows would have
looked different. So concept drift is not what is left over: it is claimed where each other
explanation is excluded, and nothing is claimed where one is not.

    the inputs      what `changed_inputs` finds of the rows since, judged or not, beside others.
                    What changed is to blame, unless the model falls as far without it (`fall`)
    breaks          what leaves no trace in the rows (two columns swapped, a wrong sign) is tried on
                    the judged ones: what verdicts or rows exclude did not happen (`breaks`). What
                    mends the answers and left a trace is broken rows; what mends them and left none
                    is either, and both are said
    stuck columns   a value, or the gap, that took over in so many rows that it explains half of the
                    fall is seen by its share, or there are too few rows to say

Concept drift is wrongly said of a swap or a sign in at most 3 · `LEVEL` of the looks, and a look is
taken when there are 1.3 times as many rows: of a hundred falls with twenty looks each, of one.

Lipton, Wang, Smola, ICML 2018, and Webb et al., Data Mining and Knowledge Discovery 30 (2016)
964-994, for what of drift can be told from inputs and answers.

    >>> import numpy as np
    >>> from unrot.watch.monitors.rot.cause.fall import judged
    >>> from unrot.core.records import Feature
    >>> from unrot.core.records import Schema
    >>> schema = Schema(tuple(Feature(name, "number") for name in "abc"), "y", ("no", "yes"))
    >>> chance = np.random.default_rng(0)
    >>> rows = chance.normal(size=(900, 3)) @ [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    >>> answer = lambda asked: (np.array(asked)[:, :2].sum(axis=1) > 0.5).astype(float)
    >>> truth = np.where(chance.random(900) < 0.9, answer(rows), 1 - answer(rows))
    >>> before = judged(rows[:600], truth[:600], answer)
    >>> def told(rows, truth):
    ...     after = judged(rows[600:], truth[600:], answer)
    ...     return explain(Evidence(schema, "v1", before.rows, after.rows, before, after, answer))
    >>> told(rows, 1 - truth).kind
    'concept'
    >>> told(rows[:, [2, 1, 0]], truth).sentence
    'The rows look broken: with a and c swapped back v1 is right in 89 % of 300 judged ones.'
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from unrot.core.percent import roughly
from unrot.core.plurals import counted
from unrot.watch.monitors.rot.cause import changed_inputs
from unrot.watch.monitors.rot.cause.breaks import Break, Breaks
from unrot.watch.monitors.rot.cause.changed_inputs import Change, Risen
from unrot.watch.monitors.rot.cause.fall import MOST_JUDGED, Evidence, Fall

Kind = Literal["broken rows", "data", "concept", "unknown"]

FEWEST_ROWS = 100
STUCK, NOT_STUCK = 0.95, 0.5
"""A value that so many rows have, and at most so many had, stands for rows that are broken."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a fall comes from, as far as it can be told."""

    kind: Kind
    features: tuple[str, ...]
    """Those to blame."""
    sentence: str


def explain(evidence: Evidence, *, least_rows: int = FEWEST_ROWS) -> Explanation:
    """Say what a fall comes from."""
    fall = Fall(evidence)
    said = _Said(evidence, verdicts=fall.verdicts)
    if min(len(fall.before), len(fall.after)) < least_rows:
        return said.too_few(len(fall.before), len(fall.after))
    if not fall.has_fallen:
        return said.open()
    change = changed_inputs.compare(fall.before, fall.after, fall.is_number)
    is_to_blame = change.has_changed and not fall.is_blameless(change.columns)
    if is_to_blame and (stuck := _stuck(change)):
        return said.stuck(stuck)
    open_ones = Breaks(fall).not_excluded(set(change.columns))
    mending = [(one.tried, one.mended) for one in open_ones if one.mended is not None]
    for tried, share in mending:
        if change.touches(tried.columns):
            return said.broken(tried, share)
    if is_to_blame:
        return said.of_change(change)
    if mending:
        return said.either(*mending[0])
    if open_ones or fall.may_be_stuck(set(change.columns)):
        return said.open()
    return said.concept(change)


@dataclass(frozen=True, slots=True)
class _Said:
    """What people are told."""

    evidence: Evidence
    verdicts: int
    """Those that are worth something."""

    def _names(self, columns: Sequence[int]) -> tuple[str, ...]:
        return tuple(self.evidence.schema.names[at] for at in columns)

    def too_few(self, before: int, after: int) -> Explanation:
        """Say that it cannot be told yet; `before` and `after` are what the rows are worth."""
        rows, worth, when = len(self.evidence.after), after, "since"
        if before < after:
            rows, worth = len(self.evidence.before), before
            when = "of its test set" if self.evidence.is_of_test_set else "before"
        said = counted(rows, f"row {when} was compared", f"rows {when} were compared")
        if worth < rows:
            said += f", worth {worth:,} independent ones"
        said += ": too few to tell broken rows from a changed rule."
        return Explanation("unknown", (), said)

    def open(self) -> Explanation:
        """Say that it cannot be told by all that is known."""
        return Explanation(
            "unknown",
            (),
            f"The {len(self.evidence.after):,} rows since that were compared and their verdicts do "
            "not tell broken rows from a changed rule.",
        )

    def broken(self, one: Break, share: float) -> Explanation:
        """Say how the rows are broken."""
        return Explanation(
            "broken rows",
            self._names(one.columns),
            f"The rows look broken: {self._undone(one, share)}.",
        )

    def either(self, one: Break, share: float) -> Explanation:
        """Say that rows or rule may have changed."""
        names = self._names(one.columns)
        swapped = f"{' and '.join(names)} come swapped"
        how = swapped if len(names) > 1 else f"{names[0]} comes with the wrong sign"
        return Explanation(
            "unknown",
            (),
            f"Either {how} or the rule has changed: {self._undone(one, share)}, and the inputs "
            "would look the same both ways.",
        )

    def _undone(self, one: Break, share: float) -> str:
        names = self._names(one.columns)
        swapped = f"{' and '.join(names)} swapped back"
        how = swapped if len(names) > 1 else f"the sign of {names[0]} turned back"
        count = min(self.verdicts, MOST_JUDGED)
        of = f"{roughly(share)} of {count:,} judged ones"
        return f"with {how} {self.evidence.version} is right in {of}"

    def stuck(self, stuck: Sequence[Risen]) -> Explanation:
        """Say which columns have one value."""
        told = ", ".join(
            f"{self.evidence.schema.names[one.column]} is {self._word(one.column, one.value)} in "
            f"{roughly(one.share)} of those since, {self._was(one)}"
            for one in stuck[:3]
        )
        columns = self._names([one.column for one in stuck])
        return Explanation("broken rows", columns, f"The rows look broken: {told}.")

    def of_change(self, change: Change) -> Explanation:
        """Say what of the inputs has changed."""
        if change.moved:
            gaps = {one.column: self._gaps(one) for one in change.risen if math.isnan(one.value)}
            names = self._names(change.moved)
            told = [name + gaps.get(at, "") for at, name in zip(change.moved, names, strict=True)]
            return Explanation("data", names, f"Its inputs moved too ({_few(told)}): data drift.")
        names = self._names(change.columns)
        pairs = [" with ".join(self._names(one.columns)) for one in change.pairs]
        named = f" ({_few(pairs)})" if pairs else ""
        return Explanation(
            "data",
            names,
            f"Its inputs hang together otherwise than before{named}: other rows come, or broken "
            "ones. That the rule has changed is not to be seen.",
        )

    def _gaps(self, one: Risen) -> str:
        return f" is missing in {roughly(one.share)}, {self._was(one)}"

    def _was(self, one: Risen) -> str:
        share = roughly(one.before)
        return (
            f"in {share} of its test set" if self.evidence.is_of_test_set else f"before in {share}"
        )

    def _word(self, column: int, value: float) -> str:
        feature = self.evidence.schema.features[column]
        if math.isnan(value):
            return "missing"
        if feature.kind == "category":
            return str(feature.choices[int(value)]) if value >= 0 else "a choice never seen"
        return ("true" if value else "false") if feature.kind == "boolean" else f"{value:g}"

    def concept(self, change: Change) -> Explanation:
        """Say that the rule has changed, and what else did."""
        beside = self._names(change.columns)
        if beside:
            said = (
                f"Its inputs moved too ({_few(beside)}), but the model has fallen as far without "
                "that: what is right has changed, concept drift."
            )
        else:
            then, of = "as before", ""
            if self.evidence.is_of_test_set:
                then, of = "as in its test set", " of that"
            said = (
                f"Its inputs lie and hang together {then} ({len(self.evidence.after):,} rows "
                f"beside {len(self.evidence.before):,}{of}), and no swapped column or wrong sign "
                "explains it: what is right has changed, concept drift."
            )
        return Explanation("concept", (), said)


def _stuck(change: Change) -> list[Risen]:
    return [one for one in change.risen if one.share >= STUCK and one.before <= NOT_STUCK]


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(names[:4]) + more
