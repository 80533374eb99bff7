"""How the share that a version may miss follows what judges say is true.

Each judged answer of the champion is held against the set, or the interval, that it would be told
with at that moment; then the share that may be missed takes one step (`core.conformal.adapt`).

Judges' verdicts alone move it, and none that was asked for: those rows are the hardest. Whoever may
vote without a token could else make all sets empty, or as wide as the world; and a thumb that says
only "wrong" of several classes is a miss where the set was that class alone, is held where the set
was all of them, and else tells nothing. Where judges look at some answers alone, which need not be
as hard as all, the verdicts that audits drew count, and no other.

**None is skipped, none counts twice.** Verdicts are gone through in the order in which they were
given, and some are kept late, among those that were gone through already (`hear/late.py`). So the
newest `REMEMBERED` are remembered: what came within three minutes is read again, and all of those
where a late one has left its mark. A verdict that a judge gives anew is not counted anew.

**Whether the world has moved** is told by the sets that the holdout alone would make. With n rows
held out, and l = ⌊(n + 1)(1 - coverage)⌋, they miss of m fresh rows x with the chance of the
beta-binomial of m, l and n + 1 - l. Every `TURN` verdicts the newest `NEWEST` are held against
that; the chances of all turns add up to 1 % (`many_looks.py`), and the share must lie below what
was promised by what the rules say. It is over when half of that is left.

Vovk, Conditional validity of inductive conformal predictors, Machine Learning 92 (2013) 349-376.

    >>> from unrot.core.conformal import Conformal
    >>> known = Conformal(9, (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9))
    >>> begun = Course("v1", miss=0.2, coverage=0.8)
    >>> after = begun.after(Held(told=False, promised=False))
    >>> round(after.miss, 3), after.count, after.missed
    (0.184, 1, 1)
    >>> known, held = Conformal(100, ()), [False] * 30 + [True] * 70
    >>> is_below(held, known=known, coverage=0.9, turn=4, loss=0.05)
    True
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from unrot.core.conformal import Conformal, adapt
from unrot.core.records import JudgedPrediction, Schema
from unrot.hear.truth import is_fair, truth_of
from unrot.watch.statistics.many_looks import allowed
from unrot.watch.statistics.usual_share import tail

Key = tuple[float, float, str]
"""When a verdict was given, when its prediction was made, and that one's id."""
FIRST: Key = (0.0, 0.0, "")
FORMAT = 2
"""The number of how a course is written."""
REMEMBERED = 512
TURN, NEWEST, FEWEST = 25, 200, 50
DELTA, BACK = 0.01, 0.5


@dataclass(frozen=True, slots=True)
class Held:
    """Whether the truth was in what is told, and in what the holdout alone would have told."""

    told: bool
    promised: bool

    @property
    def letter(self) -> str:
        """Both in one letter."""
        return "nptb"[self.told * 2 + self.promised]


@dataclass(frozen=True, slots=True)
class Course:
    """Where a champion stands: the share that it may miss now, and what it has missed so far."""

    version: str = ""
    miss: float = 0.1
    coverage: float = 0.9
    """What was asked for when it began."""
    seen: Key = FIRST
    """The verdict that it has got to."""
    behind: Key = FIRST
    """What was given before that is gone through for good."""
    remembered: Mapping[str, tuple[float, float, bool]] = field(default_factory=dict)
    """The newest verdicts that were gone through: when, and whether they told something."""
    late: str = ""
    """The mark of the last late verdict that it knows of."""
    count: int = 0
    missed: int = 0
    newest: str = ""
    """A letter for each of the newest that told something, the last one last."""
    is_below: bool = False
    since: float = 0.0
    format: int = FORMAT

    def reads_after(self, late: str, seconds: float) -> Key:
        """Return from where on verdicts are to be read."""
        back = (self.seen[0] - seconds, 0.0, "")
        return self.behind if late != self.late else max(self.behind, back)

    def after(self, held: Held) -> Course:
        """Return where it stands after one more truth."""
        return replace(
            self,
            miss=adapt(self.miss, coverage=self.coverage, missed=not held.told),
            count=self.count + 1,
            missed=self.missed + (not held.told),
            newest=(self.newest + held.letter)[-NEWEST:],
        )

    @property
    def told(self) -> list[bool]:
        """Whether the newest truths were in what was told."""
        return [letter in "tb" for letter in self.newest]

    @property
    def promised(self) -> list[bool]:
        """Whether they would have been in what the holdout alone tells."""
        return [letter in "pb" for letter in self.newest]


def go_on(
    course: Course,
    judged: Iterable[JudgedPrediction],
    schema: Schema,
    known: Conformal,
    loss: float,
    *,
    only: Collection[str] | None = None,
) -> Course:
    """Go through verdicts, those that were gone through already among them.

    Where some predictions' alone may count, `only` has these.
    """
    remembered = dict(course.remembered)
    for one in judged:
        at = key_of(one)
        before = remembered.get(at[2])
        held = None
        is_new = before is None or not (before[2] or before[:2] == at[:2])
        if is_new and (only is None or at[2] in only):
            held = held_by(one, schema, known, course)
        if held is not None:
            course = _turned(course.after(held), known, loss, at[0])
        remembered[at[2]] = (*at[:2], held is not None or (before is not None and before[2]))
        course = replace(course, seen=max(course.seen, at))
    return _forgotten(course, remembered)


def held_by(
    judged: JudgedPrediction, schema: Schema, known: Conformal, course: Course
) -> Held | None:
    """Hold a verdict against what would be told of its answer; None where it tells nothing."""
    if judged.prediction.version != course.version:
        return None
    told = is_held(judged, schema, known, course.miss)
    promised = is_held(judged, schema, known, 1.0 - course.coverage)
    return None if told is None or promised is None else Held(told, promised)


def is_held(judged: JudgedPrediction, schema: Schema, known: Conformal, miss: float) -> bool | None:
    """Tell whether what would be told of an answer holds its truth; None where nobody can tell."""
    made, verdict = judged.prediction, judged.feedback
    if verdict is None or verdict.withdrawn or not (verdict.is_trusted and is_fair(verdict)):
        return None
    truth = truth_of(made.label, verdict, schema)
    if made.probabilities is None:
        if made.value is None or not isinstance(truth, int | float):
            return None
        low, high = known.interval(made.value, miss)
        return low <= truth <= high and not known.is_nothing(miss)
    told = [schema.classes[place] for place in known.classes(made.probabilities, miss)]
    if truth is not None:
        return truth in told
    if verdict.was_correct is not False:
        return None
    is_all, is_alone = len(told) == len(schema.classes), set(told) <= {made.label}
    return is_all if is_all or is_alone else None


def is_below(
    held: Sequence[bool], *, known: Conformal, coverage: float, turn: int, loss: float
) -> bool:
    """Tell whether so many truths were missed surely because the world has moved."""
    missed, (few, rest) = len(held) - sum(held), known.missing_ranks(coverage)
    if len(held) < FEWEST or few < 1 or missed / len(held) - few / (few + rest) < loss:
        return False
    return tail(missed, len(held), few, rest) <= allowed(turn, DELTA)


def key_of(judged: JudgedPrediction) -> Key:
    """Return where a verdict stands in the order of verdicts."""
    verdict = judged.feedback
    assert verdict is not None  # they were found by it
    return verdict.given_at, verdict.predicted_at, verdict.prediction


def _turned(course: Course, known: Conformal, loss: float, at: float) -> Course:
    """Look once every so many verdicts whether the promise of the holdout is kept."""
    if course.count % TURN:
        return course
    held, turn = course.promised, course.count // TURN
    if not course.is_below:
        below = is_below(held, known=known, coverage=course.coverage, turn=turn, loss=loss)
        return replace(course, is_below=below, since=at if below else 0.0)
    few, rest = known.missing_ranks(course.coverage)
    is_back = 1.0 - sum(held) / len(held) - few / (few + rest) <= BACK * loss
    return replace(course, is_below=False, since=0.0) if is_back else course


def _forgotten(course: Course, remembered: Mapping[str, tuple[float, float, bool]]) -> Course:
    """Remember the newest, and know up to where all is gone through for good."""
    ordered = sorted(remembered.items(), key=lambda one: (*one[1][:2], one[0]))
    old, kept = ordered[:-REMEMBERED], ordered[-REMEMBERED:]
    behind = [course.behind, *((*when[:2], id) for id, when in old[-1:])]
    return replace(course, remembered=dict(kept), behind=max(behind))
