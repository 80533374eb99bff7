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

Whether the world has moved is told by the sets that the holdout alone would make (`broken.py`).

    >>> begun = Course("v1", miss=0.2, coverage=0.8)
    >>> after = begun.after(Held(told=False, promised=False), at=0.0)
    >>> round(after.miss, 3), after.count, after.missed
    (0.184, 1, 1)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from unrot.core.conformal import Conformal, adapt
from unrot.core.records import JudgedPrediction, Schema
from unrot.hear.truth import is_fair, truth_of
from unrot.watch.monitors.sure.broken import (
    NEWEST,
    TURN,
    Counts,
    Days,
    Promise,
    Rows,
    added_up,
    is_broken_at_once,
    is_broken_by_days,
    last_days,
    with_one_more,
)
from unrot.watch.worth.rows import Alike

Key = tuple[float, float, str]
"""When a verdict was given, when its prediction was made, and that one's id."""
FIRST: Key = (0.0, 0.0, "")
FORMAT = 3
"""The number of how a course is written."""
REMEMBERED = 512
KEPT = 2_000
"""So many show how misses follow each other."""
AT_ONCE, BY_DAYS = "at once", "by days"


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
    letters: str = ""
    """One for each of the newest that told something, the last one last."""
    days: Days = field(default_factory=dict)
    looks: int = 0
    """How many days were over that were looked at."""
    broken: str = ""
    """In which way the promise was found to be broken; empty while it is kept."""
    since: float = 0.0
    format: int = FORMAT

    def reads_after(self, late: str, seconds: float) -> Key:
        """Return from where on verdicts are to be read."""
        back = (self.seen[0] - seconds, 0.0, "")
        return self.behind if late != self.late else max(self.behind, back)

    def after(self, held: Held, at: float) -> Course:
        """Return where it stands after one more truth, on an answer of some moment."""
        return replace(
            self,
            miss=adapt(self.miss, coverage=self.coverage, missed=not held.told),
            count=self.count + 1,
            missed=self.missed + (not held.told),
            letters=(self.letters + held.letter)[-KEPT:],
            days=with_one_more(self.days, at, told=held.told, promised=held.promised),
        )

    @property
    def promised(self) -> list[bool]:
        """Whether the kept truths would have been in what the holdout alone tells."""
        return [letter in "pb" for letter in self.letters]

    @property
    def newest(self) -> Counts:
        """Count the newest truths."""
        letters = self.letters[-NEWEST:]
        told, promised = (sum(letter in held for letter in letters) for held in ("tb", "pb"))
        return Counts(len(letters), told, promised)

    @property
    def last_day(self) -> int:
        """The day of the newest answer."""
        return max(map(int, self.days), default=0)


def go_on(
    course: Course,
    judged: Iterable[JudgedPrediction],
    schema: Schema,
    promise: Promise,
    *,
    only: Collection[str] | None = None,
    alike: Callable[[float], Alike] = lambda _: Alike(),
) -> Course:
    """Go through verdicts, those that were gone through already among them.

    Where some predictions' alone may count, `only` has these; `alike` tells how alike rows were by
    a moment.
    """
    remembered = dict(course.remembered)
    for one in judged:
        at = key_of(one)
        before = remembered.get(at[2])
        held = None
        is_new = before is None or not (before[2] or before[:2] == at[:2])
        if is_new and (only is None or at[2] in only):
            held = held_by(one, schema, promise.known, course)
        course = replace(course, seen=max(course.seen, at))
        if held is not None:
            day, course = course.last_day, course.after(held, at[1])
            rows = partial(alike, at[0])
            course = _looked(course, promise, rows, is_day_over=course.last_day > day)
        remembered[at[2]] = (*at[:2], held is not None or (before is not None and before[2]))
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


def key_of(judged: JudgedPrediction) -> Key:
    """Return where a verdict stands in the order of verdicts."""
    verdict = judged.feedback
    assert verdict is not None  # they were found by it
    return verdict.given_at, verdict.predicted_at, verdict.prediction


def _looked(course: Course, promise: Promise, rows: Rows, *, is_day_over: bool) -> Course:
    """Look once every so many verdicts, and once a day is over, whether the promise is kept."""
    course = replace(course, looks=course.looks + is_day_over)
    turn, is_turn = course.count // TURN, course.count % TURN == 0
    if course.broken == AT_ONCE:
        return _ended(course) if is_turn and promise.is_back(course.newest) else course
    if course.broken == BY_DAYS:
        newest = added_up(course.days, last_days(course.days))
        return _ended(course) if is_day_over and promise.is_back(newest) else course
    held, since = course.promised, course.seen[0]
    if is_turn and is_broken_at_once(promise, held, turn=turn, rows=rows):
        return replace(course, broken=AT_ONCE, since=since)
    if is_day_over and is_broken_by_days(promise, course.days, held, look=course.looks, rows=rows):
        return replace(course, broken=BY_DAYS, since=since)
    return course


def _ended(course: Course) -> Course:
    return replace(course, broken="", since=0.0)


def _forgotten(course: Course, remembered: Mapping[str, tuple[float, float, bool]]) -> Course:
    """Remember the newest, and know up to where all is gone through for good."""
    ordered = sorted(remembered.items(), key=lambda one: (*one[1][:2], one[0]))
    old, kept = ordered[:-REMEMBERED], ordered[-REMEMBERED:]
    behind = [course.behind, *((*when[:2], id) for id, when in old[-1:])]
    return replace(course, remembered=dict(kept), behind=max(behind))
