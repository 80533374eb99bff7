"""Why a model is right less often: the rows are broken, other rows come, or the rule has changed.

"The inputs look the same, so what is right has changed" is true only where broken rows would have
looked different. So concept drift is not what is left over: it is claimed where each other
explanation is excluded, and nothing is claimed where one is not.

**The inputs.** `structure` holds all rows since the fall, judged or not, against those before it:
each column, each pair, all at once. Where something changed, those columns are to blame, unless

    the fall is the same without them     their values are dealt out anew from the rows before, in
                                          the judged rows of both sides: what a broken column did
                                          to the answers is gone, and the model still falls; and
    the fall is the same where they are   within fifths of the column as it was (Cochran, Mantel,
    as they were                          Haenszel), or the answers hardly depend on them.

**Each break that leaves no trace.** Let b be "columns i and j are swapped" or "column i comes with
the wrong sign", s the unknown share of rows that it befalls. b undoes itself, so with b applied once
more the broken rows are right as the others were, and

    P(wrong as it came, and wrong with b)    P(right as it came, and right with b)

are what they were before the fall, whatever s is. Fisher's exact test of the two excludes b, at
`LEVEL` each: that is how often a true break is taken for excluded. Or the rows exclude it: with b in
the smallest share of rows that could cost half of the fall, what came before would look other than
what came since. What is repaired by b, significantly over all that were tried, and leaves a trace in
the rows, is broken rows; without a trace it is either, and both are said. A column of which one
value (or the gap) takes over is seen by its share: every row that it changed is in it.

Cochran, Biometrics 10 (1954) 417-451; Mantel and Haenszel, JNCI 22 (1959) 719-748; McNemar,
Psychometrika 12 (1947) 153-157; Lipton, Wang, Smola, ICML 2018, and Webb et al., DMKD 30 (2016)
964-994, for what of drift can be told from inputs and answers.

    >>> from unrot.records import Feature
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
    'The rows look broken: with a and c swapped back v1 is right in 88 % of 300 judged ones.'
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unrot.encoding import Encoder
from unrot.monitors import structure
from unrot.monitors.distances import ks_chance
from unrot.monitors.structure import Bonds, Change, Table, surely_more
from unrot.records import Row, Schema, Value

Kind = Literal["broken rows", "data", "concept", "unknown"]
Flags = NDArray[np.bool_]
Answer = Callable[[Sequence[Row]], Table]
"""Lets the champion answer rows: the place of the class, or a number."""

LEVEL = 1e-4
"""So rarely is a break that happened taken for excluded by one of the tests."""
EXPLAINED = 0.5
"""What explains less than this part of the fall is not its cause."""
HARDLY = 0.25
"""Of the fall: so few answers depend on a column that it cannot be blamed."""
SURE = 0.01
FEWEST_ROWS, FEWEST_JUDGED = 100, 20
NEAR = 0.8
"""A number is right when it is as near as this part of those before the fall."""
STUCK, NOT_STUCK = 0.95, 0.5
"""A value that so many rows have, and at most so many had, stands for rows that are broken."""

MOST_TRIED, MOST_SURE = 200, 20
FIRST, THEN = 40, 300
"""Each break is tried on a few judged rows of both sides, what is not excluded on more."""
FIFTHS = 5
LEAST_OVERLAP = 0.3
"""So many judged rows must lie where rows lay before, for a column to be let off by them."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a fall comes from, as far as it can be told."""

    kind: Kind
    features: tuple[str, ...]
    """Those to blame."""
    sentence: str


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


@dataclass(frozen=True, slots=True)
class Break:
    """A way in which a client sends broken rows; done twice it is undone."""

    what: Literal["swapped", "sign"]
    columns: tuple[int, ...]

    def done_to(self, rows: Sequence[Row]) -> list[Row]:
        """Break rows, or mend them."""
        changed = [list(row) for row in rows]
        for row in changed:
            if self.what == "swapped":
                i, j = self.columns
                row[i], row[j] = row[j], row[i]
            else:
                row[self.columns[0]] = _turned(row[self.columns[0]])
        return list(changed)


def _turned(value: Value) -> Value:
    if isinstance(value, bool):
        return not value
    return -value if isinstance(value, int | float) else value


def explain(evidence: Evidence, *, least_rows: int = FEWEST_ROWS) -> Explanation:
    """Say what a fall comes from."""
    case = _Case(evidence)
    if min(len(case.before), len(case.after)) < least_rows or not case.has_fallen:
        return case.too_few()
    change = structure.compare(case.before, case.after, case.is_number)
    moved = set(change.columns)
    left = case.not_excluded(moved)
    mending = [(one, share) for one, share in left if share is not None]
    for one, share in mending:
        if moved & set(one.columns) or (not moved and change.has_changed):
            return case.broken(one, share)
    if change.has_changed and not case.is_blameless(sorted(moved)):
        return case.of_change(change)
    if mending:
        return case.either(*mending[0])
    if left or case.may_be_stuck(moved):
        return case.too_few()
    return case.concept([evidence.schema.names[at] for at in change.columns])


class _Case:
    """One fall."""

    def __init__(self, evidence: Evidence) -> None:
        self._is_of_classes = evidence.schema.is_classifier
        self._schema, self._answer = evidence.schema, evidence.answer
        self._version, self._rows = evidence.version, len(evidence.after)
        self.is_number = [one.kind in ("number", "integer") for one in evidence.schema.features]
        encode = Encoder(evidence.schema).encode
        before, after = encode(evidence.before), encode(evidence.after)
        kept = structure.worth_keeping(before, after), structure.worth_keeping(after, before)
        self.before, self.after = before[kept[0]], after[kept[1]]
        self._donors = [evidence.before[place] for place in kept[0].tolist()]
        self._near = self._nearness(evidence.judged_before)
        self._was, self._is = self._worth(evidence.judged_before, evidence.judged_after, encode)
        self._wrong_before = self._wrong(self._was, self._was.answered)
        self._wrong_after = self._wrong(self._is, self._is.answered)

    def _nearness(self, judged: Judged) -> float:
        known = np.abs(judged.answered - judged.truth)
        known = known[~np.isnan(known)]
        return float(np.quantile(known, NEAR)) if len(known) and not self._is_of_classes else 0.0

    def _worth(
        self, was: Judged, now: Judged, encode: Callable[[Sequence[Row]], Table]
    ) -> tuple[Judged, Judged]:
        """Keep judged rows that are worth what they count, by their inputs and how they came out."""
        tables = [
            np.column_stack([encode(one.rows), self._wrong(one, one.answered)])
            if len(one.rows)
            else np.empty((0, len(self.is_number) + 1))
            for one in (was, now)
        ]
        return (
            was.at(structure.worth_keeping(tables[0], tables[1])),
            now.at(structure.worth_keeping(tables[1], tables[0])),
        )

    def _wrong(self, judged: Judged, answers: Table) -> Flags:
        """Tell which answers are surely wrong."""
        is_known = ~np.isnan(judged.truth)
        if not self._is_of_classes:
            off: Flags = is_known & (np.abs(answers - judged.truth) > self._near)
            return off
        wrong: Flags = np.where(is_known, answers != judged.truth, answers == judged.answered)
        return wrong

    def _right(self, judged: Judged, answers: Table) -> Flags:
        right: Flags = ~np.isnan(judged.truth) & ~self._wrong(judged, answers)
        return right

    # ── the fall ─────────────────────────────────────────────────────────────────────────────

    @property
    def has_fallen(self) -> bool:
        """True when there are verdicts enough on both sides to see it in them."""
        wrong, were = self._wrong_after, self._wrong_before
        return min(len(wrong), len(were)) >= FEWEST_JUDGED and _more(wrong, were) < SURE

    @cached_property
    def _fall(self) -> float:
        return float(self._wrong_after.mean() - self._wrong_before.mean())

    @property
    def _least_share(self) -> float:
        """So many rows are broken at least by what explains half of the fall."""
        return min(1.0, EXPLAINED * self._fall / max(1.0 - float(self._wrong_before.mean()), 0.01))

    # ── breaks that leave no trace ───────────────────────────────────────────────────────────

    def not_excluded(self, moved: set[int]) -> list[tuple[Break, float | None]]:
        """Return the breaks that may be, the best first, with what is right where one mends it."""
        tried = self._worth_trying()
        left = [one for one in tried if not self._rows_exclude(one, moved)]
        left = [one for one in left if self._mended(one, FIRST, 1) is not False]
        found = [(one, self._mended(one, THEN, len(tried))) for one in left[:MOST_SURE]]
        told = [
            (one, None if share is True else share) for one, share in found if share is not False
        ]
        told += [(one, None) for one in left[MOST_SURE:]]
        return sorted(told, key=lambda found: -(found[1] or 0.0))

    def _worth_trying(self) -> list[Break]:
        """Return the breaks of columns on which enough answers depend."""
        depend = self._influences()
        kinds = [
            (one.kind.replace("integer", "number"), one.choices) for one in self._schema.features
        ]
        breaks = [Break("sign", (at,)) for at, (kind, _) in enumerate(kinds) if kind != "category"]
        pairs = combinations(range(len(kinds)), 2)
        breaks += [Break("swapped", pair) for pair in pairs if kinds[pair[0]] == kinds[pair[1]]]
        reach = {one: sum(depend[at] for at in one.columns) for one in breaks}
        breaks = [one for one in breaks if reach[one] >= HARDLY * self._fall]
        return sorted(breaks, key=lambda one: -reach[one])

    def _influences(self) -> list[float]:
        """Return, for each column, how many answers change when its values are dealt out anew."""
        few = self._was.spread(FIRST)
        answers = self._answer(few.rows)
        asked = [row for at in range(len(self.is_number)) for row in self._dealt(few.rows, [at])]
        dealt = self._answer(asked).reshape(-1, len(few.rows))
        return [float(share) for share in self._differ(dealt, answers).mean(axis=1)]

    def _differ(self, answers: Table, others: Table) -> Flags:
        differ: Flags = np.abs(answers - others) > self._near
        return differ

    def _dealt(self, rows: Sequence[Row], columns: Sequence[int]) -> list[Row]:
        """Give columns the values that they have together in rows from before the fall."""
        drawn = np.random.default_rng(0).integers(0, len(self._donors), len(rows)).tolist()
        dealt = [list(row) for row in rows]
        for row, donor in zip(dealt, drawn, strict=True):
            for at in columns:
                row[at] = self._donors[donor][at]
        return list(dealt)

    def _mended(self, one: Break, count: int, tried: int) -> float | bool:
        """Say what share is right with a break undone; True where that may be, False if not."""
        was, now = self._was.spread(count), self._is.spread(count)
        answers = self._answer(one.done_to([*was.rows, *now.rows]))
        parts = (was, answers[: len(was.rows)]), (now, answers[len(was.rows) :])
        wrong = [self._wrong(judged, judged.answered) for judged, _ in parts]
        still = [self._wrong(judged, given) for judged, given in parts]
        if _more(wrong[1] & still[1], wrong[0] & still[0]) < LEVEL:
            return False
        if _more(wrong[1] | still[1], wrong[0] | still[0]) < LEVEL:
            return False
        mended = self._right(*parts[1])
        gained, lost = int((wrong[1] & mended).sum()), int((~wrong[1] & still[1]).sum())
        is_sure = tried * _heads(gained, gained + lost) < SURE
        return float(mended.mean()) if is_sure else True

    def _rows_exclude(self, one: Break, moved: set[int]) -> bool:
        """Tell whether the rows would look otherwise if this were the cause."""
        share = self._least_share
        chances = list(self._gaps(one, moved, share))
        z = self._strains(one, moved, share)
        looked_at = len(chances) + len(z)
        is_far = any(abs(told) > structure.beyond(LEVEL, looked_at) for told in z)
        return is_far or any(chance * looked_at < LEVEL for chance in chances)

    def _gaps(self, one: Break, moved: set[int], share: float) -> Iterator[float]:
        """Yield how likely the values of its columns are if so many rows were broken."""
        for at, other in zip(one.columns, reversed(one.columns), strict=True):
            if at not in moved:
                own, theirs = self._known(self.before, at), self._known(self.before, other)
                if one.what == "sign":
                    theirs = np.sort(-own if self.is_number[at] else 1 - own)
                yield _mixture_chance(self._known(self.after, at), own, theirs, share)

    @staticmethod
    def _known(table: Table, at: int) -> Table:
        return np.sort(table[~np.isnan(table[:, at]), at])

    @cached_property
    def _bonds(self) -> tuple[Bonds, Bonds]:
        return structure.in_common(
            structure.bonds(self.before, self.is_number),
            structure.bonds(self.after, self.is_number),
        )

    def _strains(self, one: Break, moved: set[int], share: float) -> list[float]:
        """Return how far its columns hang together from how they would, in standard errors."""
        before, after = self._bonds
        would = _as_if(one, before, share)
        if would is None:
            return []
        z = structure.apart(would, after)
        owners = before.columns
        mine = [
            at for at, owner in enumerate(owners) if owner in one.columns and owner not in moved
        ]
        others = [at for at, owner in enumerate(owners) if owner not in moved | set(one.columns)]
        return [float(told) for told in z[np.ix_(mine, others)].ravel()]

    def may_be_stuck(self, moved: set[int]) -> bool:
        """Tell whether one value may have taken over in so many rows that it explains the fall."""
        least = EXPLAINED * self._fall
        for at in range(self.before.shape[1]):
            risen, _ = structure.rise(at, self.before[:, at], self.after[:, at])
            spread = sum(
                (share * (1 - share) + 0.25 / len(side)) / len(side)
                for share, side in ((risen.share, self.after), (risen.before, self.before))
            )
            sure = structure.beyond(2 * LEVEL, 1) * math.sqrt(spread)
            if at not in moved and risen.share - risen.before + sure > least:
                return True
        return False

    # ── columns that moved ───────────────────────────────────────────────────────────────────

    def is_blameless(self, columns: Sequence[int]) -> bool:
        """Tell whether the model has fallen as far without these columns, and where they stood."""
        if not columns:
            return False
        was, now = self._was.spread(THEN), self._is.spread(THEN)
        sides = [self._answer(self._dealt(one.rows, columns)) for one in (was, now)]
        wrong = [self._wrong(one, given) for one, given in zip((was, now), sides, strict=True)]
        fall = float(wrong[1].mean() - wrong[0].mean())
        if fall < EXPLAINED * self._fall or _more(wrong[1], wrong[0]) >= LEVEL:
            return False
        depends = float(self._differ(sides[1], self._answer(now.rows)).mean())
        return depends <= HARDLY * self._fall or all(map(self._fell_within, columns))

    def _fell_within(self, column: int) -> bool:
        """Tell whether the model fell as far among rows that are alike in a column."""
        encode = Encoder(self._schema).encode
        was, now = encode(self._was.rows)[:, column], encode(self._is.rows)[:, column]
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
        is_sure = fall > structure.beyond(2 * LEVEL, 1) * math.sqrt(spread)
        return is_sure and fall >= EXPLAINED * self._fall * sum(weights)

    def _strata(self, values: Table, was: Table, column: int) -> Table:
        known = was[~np.isnan(was)]
        if not self.is_number[column] or len(np.unique(known)) <= FIFTHS:
            return np.nan_to_num(values, nan=-2.0)
        edges = np.quantile(known, np.linspace(0, 1, FIFTHS + 1))
        places = np.searchsorted(edges, values, side="right").astype(float)
        return np.where(np.isnan(values), -1.0, places)

    # ── said to people ───────────────────────────────────────────────────────────────────────

    def _names(self, columns: Sequence[int]) -> tuple[str, ...]:
        return tuple(self._schema.names[at] for at in columns)

    def too_few(self) -> Explanation:
        """Say that it is open."""
        return Explanation(
            "unknown",
            (),
            f"{self._rows:,} rows and {len(self._is.rows):,} verdicts since are too few to tell "
            "broken rows from a changed rule.",
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
        how = f"{' and '.join(names)} come swapped" if len(names) > 1 else f"{names[0]} is turned"
        return Explanation(
            "unknown",
            (),
            f"Either {how} or the rule has changed: {self._undone(one, share)}, and the inputs "
            "would look the same both ways.",
        )

    def _undone(self, one: Break, share: float) -> str:
        names = self._names(one.columns)
        how = f"{' and '.join(names)} swapped back" if len(names) > 1 else f"{names[0]} turned back"
        count = min(len(self._is.rows), THEN)
        return f"with {how} {self._version} is right in {share:.0%} of {count:,} judged ones"

    def of_change(self, change: Change) -> Explanation:
        """Say what of the inputs has changed."""
        stuck = [one for one in change.risen if one.share >= STUCK and one.before <= NOT_STUCK]
        if stuck:
            told = ", ".join(
                f"{self._schema.names[one.column]} is {self._word(one.column, one.value)} in "
                f"{one.share:.0%} of those since, before in {one.before:.0%}"
                for one in stuck[:3]
            )
            columns = self._names([one.column for one in stuck])
            return Explanation("broken rows", columns, f"The rows look broken: {told}.")
        if change.moved:
            names = self._names(change.moved)
            return Explanation("data", names, f"Its inputs moved too ({_few(names)}): data drift.")
        names = self._names(change.columns)
        pairs = [" with ".join(self._names(one.columns)) for one in change.pairs]
        named = f" ({_few(pairs)})" if pairs else ""
        return Explanation(
            "data",
            names,
            f"Its inputs hang together otherwise than before{named}: other rows come, or broken "
            "ones. That the rule has changed is not to be seen.",
        )

    def _word(self, column: int, value: float) -> str:
        feature = self._schema.features[column]
        if math.isnan(value):
            return "missing"
        if feature.kind == "category":
            return str(feature.choices[int(value)]) if value >= 0 else "a choice never seen"
        return ("true" if value else "false") if feature.kind == "boolean" else f"{value:g}"

    def concept(self, beside: Sequence[str]) -> Explanation:
        """Say that the rule has changed, and what else did."""
        if beside:
            said = (
                f"Its inputs moved too ({_few(beside)}), but the model has fallen as far without "
                "that: what is right has changed, concept drift."
            )
        else:
            said = (
                f"The {self._rows:,} rows since lie and hang together as those before, and no column "
                "swapped or turned back explains it: what is right has changed, concept drift."
            )
        return Explanation("concept", (), said)


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(names[:4]) + more


def _more(now: Flags, before: Flags) -> float:
    """Return how likely so many are where the share is as before."""
    return surely_more(int(now.sum()), len(now), int(before.sum()), len(before))


def _heads(heads: int, tosses: int) -> float:
    """Return how likely so many heads are of a fair coin."""
    return sum(math.comb(tosses, one) for one in range(heads, tosses + 1)) / 2**tosses


def _mixture_chance(after: Table, before: Table, broken: Table, share: float) -> float:
    """Return how likely values are of a mixture of two samples, all sorted: KS on their values."""
    if not len(after) or not len(before) or not len(broken):
        return 1.0
    grid = np.concatenate([after, before, broken])
    below = [np.searchsorted(one, grid, side="right") / len(one) for one in (after, before, broken)]
    gap = float(np.abs(below[0] - (1 - share) * below[1] - share * below[2]).max())
    return ks_chance(gap, len(after), min(len(before), len(broken)))


def _as_if(one: Break, before: Bonds, share: float) -> Bonds | None:
    """Return how columns would hang together if so many rows were broken."""
    places = [
        [at for at, of in enumerate(before.columns) if of == column] for column in one.columns
    ]
    if any(len(found) != 1 for found in places):
        return None
    r, v = before.correlations.copy(), before.variances.copy()
    order = np.arange(len(r))
    if one.what == "swapped":
        i, j = places[0][0], places[1][0]
        order[[i, j]] = order[[j, i]]
        broken = r[np.ix_(order, order)]
        v = np.maximum(v, v[np.ix_(order, order)])
    else:
        sign = np.ones(len(r))
        sign[places[0][0]] = -1.0
        broken = r * sign[:, None] * sign[None, :]
    return Bonds(before.rows, before.columns, before.choices, (1 - share) * r + share * broken, v)
