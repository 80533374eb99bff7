"""Rows that look like nothing that training saw: the local outlier factor, in plain numpy.

A row is odd when it lies much farther from its nearest training rows than those lie from theirs.
That sees values that are far out as well as values that are usual each by itself and never
together. With d the distance, N(x) the k nearest training rows of x and d_k(o) how far the k-th
nearest of o is,

    reach(x, o) = max(d(x, o), d_k(o), floor)
    factor(x)   = mean over N(x) of reach  ·  mean over N(x) of 1 / (mean reach of o)
    score(x)    = factor(x) / threshold

(Breunig, Kriegel, Ng, Sander: LOF, SIGMOD 2000). The floor is ours: where training rows stand on
top of each other their distance is nothing, and everything would be infinitely far by it. The
threshold is what 99 % of the training rows stay below, each measured without itself, so about 1 %
of fresh rows of the same world are above 1.

Distances are of numbers in their standard deviations (of the values between the 1st and the 99th
percentile, so that a few mad ones do not hide the others), and √2 between two choices, between yes
and no, and between a gap and a value: as much as two numbers of a column usually are apart. What
made a row odd is each feature's share of the squared distance to its nearest rows.

    >>> import numpy as np
    >>> from unrot.core.records import Feature
    >>> from unrot.core.records import Schema
    >>> chance = np.random.default_rng(0)
    >>> height = chance.normal(170, 10, 500)
    >>> rows = np.column_stack([height, height - 100 + chance.normal(0, 2, 500)]).tolist()
    >>> schema = Schema((Feature("height", "number"), Feature("weight", "number")), "sport")
    >>> neighbours = load(fit(schema, rows), schema)
    >>> (neighbours.score([[170, 70], [180, 60]]) > 1).tolist()
    [False, True]
    >>> [reason.feature for reason in neighbours.explain([[170, 130]])[0]]
    ['weight', 'height']
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from unrot.core.encoding import UNSEEN, Encoder
from unrot.core.errors import BadArtefact, shown
from unrot.core.records import Reason, Row, Schema

EXPECTED_SHARE = 0.01
"""So many fresh rows of the world of the training are odd."""

NEIGHBOURS = 5
MOST_ROWS, FEWEST_ROWS = 2_000, 100
"""With fewer rows the threshold is so much by chance that one detector in ten is wrong by far."""

MOST_REASONS = 3
MOST_CELLS = 1_000_000
"""Of the reference rows as they are compared: a table with more columns keeps fewer rows."""

CELLS_AT_ONCE = 240_000
"""Of distances: so many stay in the cache, and take no 15 MB of a small machine."""

DEPTH = 10
"""So many training rows stand behind each other when the nearest are sought."""

MOST_CHOICES = 50
"""Of one feature: rarer ones are one choice."""

FARTHEST = 1e4
CHANGED = 3.0
"""So far is a number from a column in which training saw only one."""

FLOOR, LEAST_FLOOR = 0.1, 0.02
"""Of the usual distance of training rows, and in standard deviations."""

FORM = 1
SIZE_BYTES = 4

Floats = NDArray[np.float32]
Wide = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measure:
    """How the features are compared; each list has an entry for each feature."""

    centers: list[float]
    scales: list[float]
    """0 where training saw one number only; a choice is not scaled."""
    choices: list[list[float] | None]
    """The places in the schema of the choices that are told apart; None for numbers."""
    has_gaps: list[bool]


class Neighbours:
    """The training rows of one version, to hold others against."""

    def __init__(
        self,
        schema: Schema,
        space: Space,
        table: Floats,
        *,
        reaches: Floats,
        densities: Floats,
        floor: float,
        threshold: float,
    ) -> None:
        self._names, self._encoder, self._space = schema.names, Encoder(schema), space
        self.rows = space.spread(table)
        self._against = _held_against(self.rows)
        self._reaches, self._densities = reaches, densities
        self._floor, self.threshold = floor, threshold

    def score(self, rows: Sequence[Row]) -> Wide:
        """Return how odd rows are that the schema has checked: above 1 they are."""
        asked, scores = self.placed(rows), np.empty(len(rows))
        for part in _parts(len(rows), self.rows.shape):
            places, distances = self._nearest(asked[part])
            reach = np.maximum(np.maximum(distances, self._reaches[places]), self._floor)
            density = self._densities[places].mean(axis=1, dtype=np.float64)
            scores[part] = reach.mean(axis=1) * density / self.threshold
        return scores

    def explain(self, rows: Sequence[Row]) -> list[tuple[Reason, ...]]:
        """Return, for each row, the features that make it what it is, the most telling first."""
        found: list[tuple[Reason, ...]] = []
        for part in _parts(len(rows), self.rows.shape):
            asked = self.placed(rows[part])
            places, _ = self._nearest(asked)
            apart = (self.rows[places].astype(np.float64) - asked[:, None, :]) ** 2
            by_feature = self._space.by_feature(apart.sum(axis=1))
            first = np.argsort(-by_feature, axis=1, kind="stable")[:, :MOST_REASONS]
            told = np.take_along_axis(by_feature, first, axis=1)
            # Rounded down, so that all together are never more than the whole.
            wholes = np.maximum(by_feature.sum(axis=1, keepdims=True), np.finfo(float).tiny)
            shares = np.floor(1e4 * told / wholes) / 1e4
            for features, of_row in zip(first.tolist(), shares.tolist(), strict=True):
                pairs = zip(features, of_row, strict=True)
                found.append(tuple(Reason(self._names[at], share) for at, share in pairs if share))
        return found

    def placed(self, rows: Sequence[Row]) -> Floats:
        """Return rows as they are compared."""
        return self._space.spread(self._space.scaled(self._encoder.encode(rows)))

    def _nearest(self, asked: Floats) -> tuple[NDArray[np.intp], Wide]:
        """Return the places of the nearest training rows, and how far they are."""
        ones = np.ones((len(asked), 1), np.float32)
        places = _least_of(np.concatenate([asked, ones], axis=1) @ self._against)
        # Once more in full: squares that cancel out leave little of a small distance.
        return places, _apart(self.rows[places], asked)


class Space:
    """Where rows lie when they are compared: one number, or one for each choice."""

    def __init__(self, measure: Measure) -> None:
        chosen = [place for place, told in enumerate(measure.choices) if told is not None]
        numbers = [place for place, told in enumerate(measure.choices) if told is None]
        options = [(place, one) for place in chosen for one in measure.choices[place] or ()]
        gaps = [place for place, has_gaps in enumerate(measure.has_gaps) if has_gaps]
        self._centers, self._scales = np.array(measure.centers), np.array(measure.scales)
        self._numbers, self._chosen = _places(numbers), _places(chosen)
        self._constant = _places([place for place in numbers if not measure.scales[place]])
        self._option_of = _places([place for place, _ in options])
        self._options = np.array([one for _, one in options], dtype=np.float32)
        self._gaps = _places(gaps)
        # A gap is as far from a number as two choices are from each other.
        self._gap = np.array(
            [math.sqrt(2) if measure.choices[place] is None else 1.0 for place in gaps], np.float32
        )
        self._owners = np.concatenate([self._numbers, self._option_of, self._chosen, self._gaps])
        self._width = len(measure.choices)

    @property
    def width(self) -> int:
        """Return how many numbers a row is."""
        return len(self._owners)

    def scaled(self, table: Wide) -> Floats:
        """Return encoded rows with scaled numbers; choices and gaps stay as they are."""
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            scaled = table.astype(np.float32)
            apart = table[:, self._numbers] - self._centers[self._numbers]
            told = np.clip(apart / self._scales[self._numbers], -FARTHEST, FARTHEST)
            scaled[:, self._numbers] = told
        for place in self._constant:
            scaled[:, place] = CHANGED * np.sign(table[:, place] - self._centers[place])
        return scaled

    def spread(self, scaled: Floats) -> Floats:
        """Return rows as they are compared."""
        return np.concatenate(
            [
                np.nan_to_num(scaled[:, self._numbers]),
                scaled[:, self._option_of] == self._options,
                scaled[:, self._chosen] == UNSEEN,
                np.isnan(scaled[:, self._gaps]) * self._gap,
            ],
            axis=1,
            dtype=np.float32,
        )

    def by_feature(self, apart: Wide) -> Wide:
        """Add up, in each row, what belongs to one feature."""
        summed = np.zeros((self._width, len(apart)))
        np.add.at(summed, self._owners, apart.T)
        return summed.T


def fit(schema: Schema, rows: Sequence[Row], *, seed: int = 0) -> bytes:
    """Make a detector of the rows that a version was trained on; no bytes of too few rows."""
    if len(rows) < FEWEST_ROWS:
        return b""
    table = Encoder(schema).encode(rows)
    measure = _measure(schema, table)
    space = Space(measure)
    scaled = space.scaled(table[_sample_places(len(table), space.width, seed)])
    reaches, densities, floor, threshold = _measured(space.spread(scaled))
    head = orjson.dumps(
        {
            "form": FORM,
            "rows": len(scaled),
            "floor": floor,
            "threshold": threshold,
            "measure": asdict(measure),
        }
    )
    parts = [len(head).to_bytes(SIZE_BYTES, "little"), head]
    return b"".join(
        [*parts, *(one.astype("<f4").tobytes() for one in (scaled, reaches, densities))]
    )


def load(data: bytes, schema: Schema) -> Neighbours:
    """Read what `fit` wrote, for rows of the same schema."""
    try:
        size = int.from_bytes(data[:SIZE_BYTES], "little")
        head = orjson.loads(data[SIZE_BYTES : SIZE_BYTES + size])
        if head["form"] != FORM:
            raise ValueError(f"they are of form {head['form']}, which this release does not know")
        numbers = np.frombuffer(data, "<f4", offset=SIZE_BYTES + size).astype(np.float32)
        cells = head["rows"] * len(schema.features)
        reaches, densities = numbers[cells:].reshape(2, head["rows"])
        return Neighbours(
            schema,
            Space(Measure(**head["measure"])),
            numbers[:cells].reshape(head["rows"], len(schema.features)),
            reaches=reaches,
            densities=densities,
            floor=head["floor"],
            threshold=head["threshold"],
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise BadArtefact(f"The neighbours do not load: {shown(str(error), 200)}.") from error


def _measure(schema: Schema, table: Wide) -> Measure:
    centers, scales, choices, has_gaps = [], [], [], []
    for feature, column in zip(schema.features, table.T, strict=True):
        known = column[~np.isnan(column)]
        center, scale = _scale(known) if feature.kind in ("number", "integer") else (0.0, 1.0)
        if feature.kind == "boolean":
            scale = math.sqrt(0.5)
        centers.append(center)
        scales.append(scale)
        choices.append(_choices(known) if feature.kind == "category" else None)
        has_gaps.append(feature.nullable or len(known) < len(column))
    return Measure(centers, scales, choices, has_gaps)


def _scale(known: Wide) -> tuple[float, float]:
    """Return the middle of numbers and how far they are apart; 0 where there is only one."""
    if not len(known):
        return 0.0, 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        spread = float(np.clip(known, *np.percentile(known, [1, 99])).std()) or float(known.std())
    return float(np.median(known)), spread if math.isfinite(spread) else 0.0


def _choices(known: Wide) -> list[float]:
    found, counts = np.unique(known[known != UNSEEN], return_counts=True)
    commonest = np.argsort(-counts, kind="stable")[:MOST_CHOICES]
    return [float(one) for one in np.sort(found[commonest])]


def _sample_places(count: int, width: int, seed: int) -> NDArray[np.intp]:
    most = min(MOST_ROWS, max(FEWEST_ROWS, MOST_CELLS // max(width, 1)))
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, most, replace=False))


def _measured(rows: Floats) -> tuple[Floats, Floats, float, float]:
    """Return how far each row's k-th nearest is, its density, the floor and the threshold."""
    places, distances = _each_without_itself(rows)
    reaches = distances.max(axis=1).astype(np.float32)
    floor = max(FLOOR * float(np.median(reaches)), LEAST_FLOOR)
    reach = np.maximum(np.maximum(distances, reaches[places]), floor).mean(axis=1)
    densities = (1 / reach).astype(np.float32)
    factors = np.sort(reach * densities[places].mean(axis=1, dtype=np.float64))
    # Of n + 1 rows of one world each is as likely as any other to be among the 1 % above it.
    place = math.ceil((len(factors) + 1) * (1 - EXPECTED_SHARE)) - 1
    return reaches, densities, floor, float(factors[place])


def _each_without_itself(rows: Floats) -> tuple[NDArray[np.intp], Wide]:
    """Return the places of the nearest other rows of each, and how far they are."""
    wide = rows.astype(np.float64)
    squares = np.einsum("ij,ij->i", wide, wide)
    places = np.empty((len(rows), NEIGHBOURS), dtype=np.intp)
    distances = np.empty((len(rows), NEIGHBOURS))
    for part in _parts(len(rows), rows.shape):
        near = squares - 2 * (wide[part] @ wide.T)
        near[np.arange(len(near)), np.arange(part.start, part.stop)] = np.inf
        places[part] = np.argpartition(near, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS]
        distances[part] = _apart(wide[places[part]], wide[part])
    return places, distances


def _held_against(rows: Floats) -> Floats:
    """Return the table that a row, with a 1 behind it, is multiplied with.

    That gives how far each of these rows is, squared, but for the asked row's own square. Rows that
    are infinitely far fill the table up.
    """
    missing = -len(rows) % DEPTH
    table = np.concatenate([-2 * rows.T, np.einsum("ij,ij->i", rows, rows)[None]])
    filling = np.zeros((len(table), missing), np.float32)
    filling[-1:] = np.inf
    return np.ascontiguousarray(np.concatenate([table, filling], axis=1))


def _least_of(near: Floats) -> NDArray[np.intp]:
    """Return where the nearest stand in each row.

    Each is at most as far as the fifth of those that are nearest in their strip, so few strips are
    left to be looked at; to sort out all places takes several times as long.
    """
    rows, width = near.shape
    strips = near.reshape(rows, DEPTH, width // DEPTH)
    nearest = strips.min(axis=1)
    bound = np.partition(nearest, NEIGHBOURS - 1, axis=1)[:, NEIGHBOURS - 1 : NEIGHBOURS]
    of_row, strip = np.divmod(np.flatnonzero(nearest <= bound), width // DEPTH)
    left = strips[of_row, :, strip]
    at, depth = np.divmod(np.flatnonzero(left <= bound[of_row]), DEPTH)
    of_row, places, far = of_row[at], depth * (width // DEPTH) + strip[at], left[at, depth]
    order = np.lexsort((places, far, of_row))
    first = np.searchsorted(of_row, np.arange(rows))
    found: NDArray[np.intp] = places[order][first[:, None] + np.arange(NEIGHBOURS)]
    return found


def _apart(neighbours: NDArray[Any], asked: NDArray[Any]) -> Wide:
    apart = neighbours.astype(np.float64) - asked[:, None, :]
    squares: Wide = np.einsum("ijk,ijk->ij", apart, apart)
    return np.sqrt(squares)


def _parts(count: int, shape: tuple[int, ...]) -> Iterator[slice]:
    """Part rows so that what holds them against a table of this shape stays small."""
    at_once = max(1, CELLS_AT_ONCE // (shape[0] + NEIGHBOURS * shape[1]))
    for start in range(0, count, at_once):
        yield slice(start, min(start + at_once, count))


def _places(places: Sequence[int]) -> NDArray[np.intp]:
    return np.array(places, dtype=np.intp)
