"""What is said of verdicts as real life has them: `python -m bench.verdicts [runs] [first seed]`.

Calm streams of ten days, 20 to 5,000 verdicts a day, that are as right as they ever were: errors
in bursts, harder nights and weekends, rows that come 5 or 20 times, inputs that change slowly. And
streams that fall. All are drawn here and followed as the lookout follows them, from one verdict to
the next; only the store and the sentences are left out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrot.cli.terminal import Progress, table
from unrot.core.records import Outcome
from unrot.core.time import DAY, HOUR
from unrot.watch.eras import key_of
from unrot.watch.monitors.rot.note import StreamState
from unrot.watch.monitors.rot.state import Course, Expected

Chance = np.random.Generator
Numbers = NDArray[Any]
Stream = tuple[Numbers, Numbers, Numbers]
"""When each prediction was made, whether it was right (1), its row."""
MONDAY = 1_767_571_200.0
DAYS = 10
RIGHT, NIGHT, WEEKEND = 0.9, 0.75, 0.8
KEPT, AT_ONCE = 4_096, 2_048


def moments(chance: Chance, days: float = DAYS, a_day: float | None = None) -> Numbers:
    """Draw when verdicts come, from a random hour of the week on."""
    a_day = a_day or float(np.exp(chance.uniform(np.log(20), np.log(5_000))))
    began = MONDAY + chance.uniform(0, 7 * DAY)
    return np.sort(began + chance.uniform(0, days * DAY, int(days * a_day)))


def rows_like(chance: Chance, count: int) -> Numbers:
    return chance.normal(size=(count, 3))


def steady(chance: Chance) -> Stream:
    at = moments(chance)
    return (
        at,
        chance.random(len(at)) < chance.choice([0.98, RIGHT, 0.7]),
        rows_like(chance, len(at)),
    )


def blocks(chance: Chance) -> Stream:
    """Blocks of 20 are all wrong, one in ten."""
    at = moments(chance)
    wrong = np.repeat(chance.random(len(at) // 20 + 1) < 0.1, 20)[: len(at)]
    return at, ~wrong, rows_like(chance, len(at))


def chain(chance: Chance) -> Stream:
    """A state in which most is wrong comes and goes."""
    at, length = moments(chance), chance.choice([10, 20])
    bad = np.zeros(len(at), dtype=bool)
    for place in range(1, len(at)):
        leaves = chance.random() < (1 / length if bad[place - 1] else 1 / length / 9)
        bad[place] = bad[place - 1] != leaves
    wrong = np.where(bad, chance.random(len(at)) < 0.9, chance.random(len(at)) < 0.02)
    return at, ~wrong, rows_like(chance, len(at))


def nights(chance: Chance) -> Stream:
    at, begins = moments(chance), chance.integers(0, 24)
    is_night = ((at % DAY // HOUR - begins) % 24) < 10
    right = chance.random(len(at)) < np.where(is_night, NIGHT, RIGHT)
    return at, right, rows_like(chance, len(at))


def waves(chance: Chance) -> Stream:
    at, phase = moments(chance), chance.uniform(0, DAY)
    share = (RIGHT + NIGHT) / 2 + (RIGHT - NIGHT) / 2 * np.sin((at - phase) / DAY * 2 * np.pi)
    return at, chance.random(len(at)) < share, rows_like(chance, len(at))


def weekends(chance: Chance) -> Stream:
    at = moments(chance)
    is_free = np.isin(at // DAY % 7, (2, 3))
    right = chance.random(len(at)) < np.where(is_free, WEEKEND, RIGHT)
    return at, right, rows_like(chance, len(at))


def repeated(chance: Chance) -> Stream:
    """Rows come 5 or 20 times, one after the other or scattered among some others."""
    at, times = moments(chance), int(chance.choice([5, 20]))
    count = len(at) // times + 1
    which = np.repeat(np.arange(count), times)
    if chance.random() < 0.5:
        far = times * int(chance.choice([5, 20, 100]))
        which = which[np.argsort(np.arange(len(which)) + chance.uniform(0, far, len(which)))]
    which = which[: len(at)]
    return at, (chance.random(count) < RIGHT)[which], rows_like(chance, count)[which]


def slow(chance: Chance) -> Stream:
    """Inputs change slowly, with an autocorrelation of .99, and some of them are hard."""
    at = moments(chance)
    noise = chance.normal(size=len(at))
    level = np.zeros(len(at))
    for place in range(1, len(at)):
        level[place] = 0.99 * level[place - 1] + np.sqrt(1 - 0.99**2) * noise[place]
    right = chance.random(len(at)) < np.where(level > 1.0, 0.7, 0.95)
    return at, right, np.column_stack([level, rows_like(chance, len(at))])


CALM: dict[str, Callable[[Chance], Stream]] = {
    "independent": steady,
    "blocks of 20 errors": blocks,
    "bursts of errors": chain,
    "harder nights": nights,
    "daily waves": waves,
    "harder weekends": weekends,
    "repeated rows": repeated,
    "autocorrelation .99": slow,
}


def outcomes_of(stream: Stream) -> list[Outcome]:
    return [
        Outcome(f"{place:09}", "v1", float(at), float(at), bool(right), inputs=tuple(row.tolist()))
        for place, (at, right, row) in enumerate(zip(*stream, strict=True))
    ]


def alarms(told: list[Outcome], promised: Expected) -> Iterator[int]:
    """Follow verdicts as the lookout does; yield after how many of them each fall was said."""
    standing, read = StreamState(("v1",)), list[Outcome]()
    for start in range(0, len(told), AT_ONCE):
        read = read[-KEPT:] + told[start : start + AT_ONCE]
        course = Course(standing, champion="v1", expected=promised, last=50)
        own = [one for one in read if key_of(one) > standing.read_from]
        for step in course.follow(own):
            if step.what == "fallen":
                yield told.index(step.after[-1]) + 1
        if len(read) > KEPT:
            course.forget(key_of(read[-KEPT - 1]))
        standing = course.standing


def promise_of(chance: Chance, share: float, rows: int = 1_000) -> Expected:
    return Expected(chance.binomial(rows, share) / rows, rows=rows)


def calm(kind: str, seed: int) -> bool:
    """Tell whether anything is said of a calm stream."""
    chance = np.random.default_rng(seed)
    stream = CALM[kind](chance)
    promised = promise_of(chance, float(stream[1].mean())) if seed % 2 else Expected()
    return next(alarms(outcomes_of(stream), promised), None) is not None


def delay(
    chance: Chance, before: int, share: float, then: float, after: int, a_day: float
) -> float:
    """Return after how many verdicts a fall was found; -1 for one before it."""
    at = moments(chance, (before + after) / a_day, a_day)
    right = chance.random(len(at)) < np.where(np.arange(len(at)) < before, share, then)
    stream = at, right, rows_like(chance, len(at))
    found = next(alarms(outcomes_of(stream), promise_of(chance, share)), None)
    return np.inf if found is None else found - before if found > before else -1


FALLS = {
    ".9 to .4 in 60": (600, 0.9, 0.4, 60),
    ".9 to .0 in 60": (600, 0.9, 0.0, 60),
    ".89 to .82 in 1,500": (3_500, 0.89, 0.82, 1_500),
}
SPEEDS = {"20 a day": 20, "500 a day": 500, "one a minute": 1_440, "one a second": 86_400}


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    rows = [("calm streams of ten days", "runs", "with a finding")]
    for kind in CALM:
        progress = Progress(kind)
        found = 0
        for seed in range(first, first + runs):
            found += calm(kind, seed)
            progress((seed - first + 1) / runs, f"{found} with a finding")
        progress.close()
        rows.append((kind, str(runs), str(found)))
    print(table(rows))
    rows = [("fall", *SPEEDS)]
    for name, (before, share, then, after) in FALLS.items():
        cells = []
        for a_day in SPEEDS.values():
            chance = np.random.default_rng(first)
            told = [delay(chance, before, share, then, after, a_day) for _ in range(runs)]
            in_time = np.mean([0 < one <= after for one in told])
            cells.append(f"{in_time:.0%}, half in {np.median(told):.0f}")
        rows.append((name, *cells))
    print(table(rows))


if __name__ == "__main__":
    main()
