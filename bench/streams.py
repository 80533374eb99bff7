"""Made-up traffic as real life has it: what a model is trained on, and who asks it for ten days.

A world draws rows at given times and knows the truth about them. Training and test set are drawn
from the same world over four weeks, so that what comes by is what the model was made for.

    independent   rows that know nothing of each other: 1 to 200 features, numbers and choices, two
                  or three classes, numbers to answer, 400 choices, Zipf's law over 90
    real life     hours and weekends on which rows lie differently, nights that are harder, errors
                  in bursts, rows that come 5 or 20 times each, walks with an autocorrelation of .99

Everything follows from the seed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrot.core.dataset import Dataset
from unrot.core.encoding import Encoder
from unrot.core.records import Feature, Schema

STARTS_AT = 1_800_000_000.0
HOUR, DAY, WEEK = 3_600.0, 86_400.0, 604_800.0
DAYS = 10
TRAINING, HELD_OUT = 2_000, 1_000
NOISE = 0.08
"""So many truths are not what the rule says: no model can be right more often."""
FEATURES = (1, 2, 4, 8, 20, 60, 200)
SLOWEST, FASTEST = 20, 5_000
MOST_CELLS = 150_000
"""Values a day: wide tables come more slowly, so that a run ends."""
CLASSES = ("no", "yes", "perhaps")

INDEPENDENT = ("numbers", "mixed", "three classes", "values", "400 choices", "Zipf of 90")
REAL_LIFE = (
    "hours",
    "weekends",
    "hard nights",
    "bursts",
    "repeats of 5",
    "repeats of 20",
    "scattered repeats",
    "walk",
    "all together",
)
KINDS = INDEPENDENT + REAL_LIFE

Rows = NDArray[Any]


@dataclass(frozen=True, slots=True)
class World:
    """Where rows come from; what is 0 does not happen."""

    seed: int
    kind: str
    numbers: int
    choices: tuple[int, ...] = ()
    """How many choices each category has."""
    zipf: bool = False
    classes: int = 2
    """0: it answers numbers."""
    hours: float = 0.0
    """So many standard deviations some numbers go up and down in a day."""
    weekend: float = 0.0
    """So many they lie elsewhere on weekends."""
    night: float = 0.0
    """So much more is wrong between 22:00 and 06:00."""
    burst: int = 0
    """Errors come in stretches of so many rows."""
    times: int = 1
    """So often each row comes."""
    is_scattered: bool = False
    walk: float = 0.0
    """Autocorrelation of the numbers."""

    @property
    def schema(self) -> Schema:
        """What the model reads."""
        numbers = [Feature(f"x{place}", "number") for place in range(self.numbers)]
        choices = [
            Feature(f"c{place}", "category", choices=tuple(f"v{one}" for one in range(size)))
            for place, size in enumerate(self.choices)
        ]
        return Schema((*numbers, *choices), "y", CLASSES[: self.classes])

    def draw(self, at: NDArray[np.float64], chance: np.random.Generator) -> Rows:
        """Draw a row for each time, in order."""
        count = len(at)
        rows = np.empty((count, self.numbers + len(self.choices)), dtype=object)
        if self.numbers:
            rows[:, : self.numbers] = self._numbers(at, chance)
        for place, size in enumerate(self.choices, start=self.numbers):
            weights = 1 / np.arange(1, size + 1) if self.zipf else np.ones(size)
            drawn = chance.choice(size, count, p=weights / weights.sum())
            rows[:, place] = [f"v{one}" for one in drawn]
        return rows

    def truth(
        self, at: NDArray[np.float64], rows: Rows, chance: np.random.Generator
    ) -> NDArray[Any]:
        """Say what is true of rows: the rule, and chance."""
        score = self._score(rows)
        if not self.classes:
            spread = np.where(self._is_off(at, chance), 3.0, 1.0)
            return np.asarray(score + 0.3 * spread * chance.normal(size=len(rows)), dtype=float)
        cuts = [0.0] if self.classes == 2 else [-0.6, 0.6]
        place = np.searchsorted(cuts, score)
        off = self._is_off(at, chance)
        place = np.where(off, (place + chance.integers(1, self.classes, len(rows))), place)
        return np.array(CLASSES[: self.classes])[place % self.classes]

    def _numbers(self, at: NDArray[np.float64], chance: np.random.Generator) -> Rows:
        own = np.random.default_rng([self.seed, 5])
        count, wide = len(at), self.numbers
        drawn = chance.normal(size=(count, wide))
        if self.walk:
            step = np.sqrt(1 - self.walk**2)
            for row in range(1, count):
                drawn[row] = self.walk * drawn[row - 1] + step * drawn[row]
        mixing = np.eye(wide) + 0.3 * own.normal(size=(wide, wide)) / np.sqrt(wide)
        drawn = drawn @ mixing
        moves = own.random(wide) < 0.4
        moves[0] = True
        angle = 2 * np.pi * (at / DAY)[:, None] + own.uniform(0, 2 * np.pi, wide)
        drawn += self.hours * moves * np.sin(angle)
        is_weekend = np.isin((at // DAY).astype(int) % 7, (2, 3))[:, None]
        drawn += self.weekend * moves * own.choice([-1, 1], wide) * is_weekend
        skewed = own.random(wide) < 0.25
        drawn[:, skewed] = np.exp(drawn[:, skewed])
        return np.asarray(np.round(drawn, 4))

    def _score(self, rows: Rows) -> NDArray[np.float64]:
        own = np.random.default_rng([self.seed, 6])
        weights = own.normal(size=self.numbers) / np.sqrt(max(self.numbers, 1))
        score = np.zeros(len(rows))
        if self.numbers:
            score += np.tanh(rows[:, : self.numbers].astype(float)) @ weights * 2
        for place, size in enumerate(self.choices, start=self.numbers):
            worth = own.normal(size=size)
            score += worth[[int(one[1:]) for one in rows[:, place]]] / np.sqrt(len(self.choices))
        return score

    def _is_off(self, at: NDArray[np.float64], chance: np.random.Generator) -> NDArray[np.bool_]:
        hour = at % DAY / HOUR
        share = NOISE + self.night * ((hour >= 22) | (hour < 6))
        if not self.burst:
            return chance.random(len(at)) < share
        blocks = chance.random(len(at) // self.burst + 1) < share.mean()
        return np.repeat(blocks, self.burst)[: len(at)]


@dataclass(frozen=True, slots=True)
class Stream:
    """A model's training, and the rows that come by afterwards with the truth about them."""

    world: World
    rate: float
    """Rows a day."""
    judged: float
    """So large a share of the rows is judged."""
    dataset: Dataset = field(repr=False)
    at: NDArray[np.float64] = field(repr=False)
    rows: Rows = field(repr=False)
    truths: NDArray[Any] = field(repr=False)
    changes_at: int | None = None
    """From this row on something is wrong; None where nothing ever is."""
    right: NDArray[np.float64] | None = field(repr=False, default=None)
    """How likely each answer is right, where that is wanted and not what the rule makes of it."""
    counts: NDArray[np.bool_] | None = field(repr=False, default=None)
    """The rows by which it is counted how soon something is found; None for all."""


def world_of(kind: str, seed: int) -> World:
    """Return the world of a kind; the same one for the same seed."""
    own = np.random.default_rng([seed, KINDS.index(kind)])
    wide = int(own.choice(FEATURES))
    plain = World(seed, kind, wide, classes=int(own.choice([2, 2, 3])))
    some = tuple(int(one) for one in own.choice([2, 3, 5, 12], 2))
    hours, weekend = own.uniform(0.5, 2.0), own.uniform(1.0, 3.0)
    night, burst = own.uniform(0.1, 0.2), int(own.integers(10, 31))
    return {
        "numbers": plain,
        "mixed": replace(plain, choices=some),
        "three classes": replace(plain, classes=3),
        "values": replace(plain, classes=0),
        "400 choices": replace(plain, choices=(400,)),
        "Zipf of 90": replace(plain, choices=(90,), zipf=True),
        "hours": replace(plain, choices=some, hours=hours),
        "weekends": replace(plain, choices=some, weekend=weekend),
        "hard nights": replace(plain, night=night),
        "bursts": replace(plain, burst=burst),
        "repeats of 5": replace(plain, times=5),
        "repeats of 20": replace(plain, times=20),
        "scattered repeats": replace(plain, times=int(own.choice([5, 20])), is_scattered=True),
        "walk": replace(plain, walk=0.99),
        "all together": replace(
            plain, choices=some, hours=hours, weekend=weekend, night=night, times=5
        ),
    }[kind]


def calm(kind: str, seed: int, days: float = DAYS) -> Stream:
    """Return ten days in which nothing goes wrong."""
    world = world_of(kind, seed)
    chance = np.random.default_rng([seed, KINDS.index(kind), 1])
    wide = world.numbers + len(world.choices)
    fastest = min(FASTEST, MOST_CELLS / wide)
    rate = float(np.exp(chance.uniform(np.log(SLOWEST), np.log(fastest))))
    judged = float(chance.choice([1.0, 1.0, 0.3, 0.0]))
    start = STARTS_AT + chance.uniform(0, WEEK)
    at = start + np.sort(chance.uniform(0, days * DAY, int(rate * days)))
    rows = repeated(world, at, chance)
    truths = world.truth(at, rows, chance)
    return Stream(world, rate, judged, trained_on(world, start, chance), at, rows, truths)


def repeated(world: World, at: NDArray[np.float64], chance: np.random.Generator) -> Rows:
    """Draw rows, each as often as the world says; scattered ones within about a day."""
    if world.times == 1:
        return world.draw(at, chance)
    drawn = world.draw(at[:: world.times], chance)
    places = np.repeat(np.arange(len(drawn)), world.times)[: len(at)]
    if world.is_scattered:
        a_day = max(1, int(len(at) * DAY / max(at[-1] - at[0], DAY)))
        places = places[np.argsort(np.arange(len(at)) + chance.uniform(0, a_day, len(at)))]
    return drawn[places]


def trained_on(world: World, before: float, chance: np.random.Generator) -> Dataset:
    """Draw what a model is trained and measured on, from the four weeks before."""
    count = TRAINING + HELD_OUT
    many = count * 10 if world.walk else count
    at = before - np.sort(chance.uniform(0, 4 * WEEK, many))[::-1]
    calm_world = replace(world, burst=0, times=1)
    rows = calm_world.draw(at, chance)
    truths = calm_world.truth(at, rows, chance)
    order = chance.permutation(many)[:count]
    training, held = order[:TRAINING], order[TRAINING:]
    schema = _ranged(world.schema, rows[training])
    encoded = Encoder(schema).encode(rows.tolist())
    return Dataset(
        name="stream",
        title="Stream",
        description=f"{world.kind}, seed {world.seed}",
        schema=schema,
        rows=encoded[training],
        labels=truths[training],
        holdout_rows=encoded[held],
        holdout_labels=truths[held],
    )


def _ranged(schema: Schema, rows: Rows) -> Schema:
    """Give numbers the range, and categories the choices, that training saw."""
    features = []
    for place, one in enumerate(schema.features):
        if one.kind == "number":
            column = rows[:, place].astype(float)
            features.append(replace(one, low=float(column.min()), high=float(column.max())))
        else:
            features.append(replace(one, choices=tuple(sorted(set(rows[:, place])))))
    return replace(schema, features=tuple(features))


# ── something goes wrong ─────────────────────────────────────────────────────────────────────

LEVELS = {"fall": (0.9, 0.4), "slow": (0.89, 0.82), "slice": (0.89, 0.39)}
SPOILS = ("missing", "thousandfold", "new choice")
FAULTS = (*LEVELS, "rare class", *SPOILS)
IN_TIME = {
    "fall": 60,
    "slow": 1_500,
    "slice": 150,
    "rare class": 60,
    **dict.fromkeys(SPOILS, 1_000),
}
"""Within so many verdicts, or of rows that are spoilt within two periods of 500."""
AN_HOUR = 500
SLICES, RARE = 10, 0.015


def faulty(fault: str, seed: int) -> Stream:
    """Return traffic in which something goes wrong, at a moment that is not known."""
    chance = np.random.default_rng([seed, FAULTS.index(fault), 2])
    choices = (SLICES,) if fault != "rare class" else ()
    world = World(seed, fault, int(chance.choice([2, 4, 8])), choices)
    if fault == "rare class":
        world = replace(world, classes=3)
    before = int(chance.integers(3_500, 5_000) if fault != "fall" else chance.integers(300, 1_500))
    after = {"slice": 2_000, "rare class": 6_000, "fall": 150}.get(fault, 1_600)
    if fault in SPOILS:
        before, after = AN_HOUR * int(chance.integers(6, 12)), 3 * AN_HOUR
    per_day = 24.0 * AN_HOUR if fault in SPOILS else float(chance.choice([500, 2_000, 20_000]))
    start = STARTS_AT + chance.uniform(0, WEEK) // HOUR * HOUR
    at = start + (np.arange(before + after) + chance.uniform(0, 1, before + after)) / per_day * DAY
    at = np.sort(at)
    rows = world.draw(at, chance)
    truths = world.truth(at, rows, chance)
    dataset = trained_on(world, start, chance)
    if fault == "rare class":
        dataset, truths, counts = _with_rare(dataset, rows, truths, before, chance)
        stream = Stream(world, per_day, 1.0, dataset, at, rows, truths, before, counts=counts)
    elif fault in SPOILS:
        _spoil(fault, rows, before, chance)
        stream = Stream(world, per_day, 0.0, dataset, at, rows, truths, before)
    else:
        right, counts = _levels(fault, rows, before)
        stream = Stream(world, per_day, 1.0, dataset, at, rows, truths, before, right, counts)
    return stream


def _levels(
    fault: str, rows: Rows, before: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_] | None]:
    usual, fallen = LEVELS[fault]
    right = np.full(len(rows), usual)
    if fault != "slice":
        right[before:] = fallen
        return right, None
    is_in = rows[:, -1] == "v3"
    right[before:][is_in[before:]] = fallen
    return right, is_in


def _spoil(fault: str, rows: Rows, before: int, chance: np.random.Generator) -> None:
    """Spoil a share of the rows after a moment."""
    after = rows[before:]
    share = {"missing": 0.1, "thousandfold": 0.01, "new choice": 0.03}[fault]
    hit = chance.random(len(after)) < share
    if fault == "missing":
        after[hit, 0] = None
    elif fault == "thousandfold":
        after[hit, 0] = after[hit, 0].astype(float) * 1_000
    else:
        after[hit, -1] = "never heard of"


def _with_rare(
    dataset: Dataset,
    rows: Rows,
    truths: NDArray[Any],
    before: int,
    chance: np.random.Generator,
) -> tuple[Dataset, NDArray[Any], NDArray[np.bool_]]:
    """Let the last class be rare, and lie apart in the first number, until it does not."""
    first = dataset.schema.features[0]
    low, high = first.low or 0.0, first.high or 0.0
    apart = high + (high - low) / 2

    def parted(numbers: Rows, usual: NDArray[Any], lies_apart: int) -> NDArray[Any]:
        is_rare = chance.random(len(usual)) < RARE
        moves = is_rare & (np.arange(len(usual)) < lies_apart)
        numbers[moves, 0] = apart + chance.normal(size=int(moves.sum())) * (high - low) / 20
        others = np.where(usual == CLASSES[2], CLASSES[1], usual)
        return np.where(is_rare, CLASSES[2], others)

    moved = parted(rows, truths, before)
    known = replace(
        dataset,
        labels=parted(dataset.rows, dataset.labels, TRAINING),
        holdout_labels=parted(dataset.holdout_rows, dataset.holdout_labels, HELD_OUT),
        schema=replace(
            dataset.schema,
            features=(replace(first, high=float(apart + high - low)), *dataset.schema.features[1:]),
        ),
    )
    return known, moved, moved == CLASSES[2]
