"""What a fall is put down to: `make bench-cause`.

Models are fitted on tables of several shapes and answer rows that they have never seen. Then either
the rule turns round, or the rows break: two columns are swapped, one comes with the wrong sign, one
or several are stuck; or an irrelevant column moves away while the rule turns round. Each run is
looked at again and again as rows come in; a third of them are judged. Runs in which the break costs
fewer than ten points are drawn again: nobody would look into them.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from unrot.cli.terminal import table
from unrot.core.encoding import Encoder
from unrot.core.records import Feature, Schema
from unrot.make.demos import zombies
from unrot.watch.monitors.rot.cause.fall import Evidence, Judged
from unrot.watch.monitors.rot.cause.rule import explain

RUNS = 50
BEFORE = 1_500
LOOKS = (100, 250, 600, 1_500)
JUDGED = 3
"""One of so many rows is judged."""
LEAST_FALL = 0.1

Table = NDArray[np.float64]
Rule = Callable[[Table, np.random.Generator], NDArray[Any]]
Draw = Callable[[np.random.Generator, int], Table]


@dataclass(frozen=True)
class Shape:
    """A kind of table with a rule and a model of it."""

    schema: Schema
    draw: Draw
    rule: Rule
    """Encoded rows to places of classes, or numbers."""
    model: Any

    def fitted(self) -> Any:
        """Fit the model on rows of its own."""
        chance = np.random.default_rng(1)
        rows = self.draw(chance, 2_000)
        return self.model.fit(np.nan_to_num(rows, nan=-9.0), self.rule(rows, chance))


def numbers(*names: str, nullable: bool = False) -> tuple[Feature, ...]:
    return tuple(Feature(name, "number", nullable=nullable) for name in names)


def noisy(truth: NDArray[Any], chance: np.random.Generator, share: float = 0.08) -> NDArray[Any]:
    classes = int(truth.max()) + 1
    other = (truth + chance.integers(1, max(classes, 2), len(truth))) % max(classes, 2)
    return np.where(chance.random(len(truth)) < share, other, truth)


def of_zombies() -> Shape:
    drawn = zombies.population()
    places = np.array([zombies.CLASSES.index(one) for one in drawn.traffic_labels])

    def draw(chance: np.random.Generator, count: int) -> Table:
        return drawn.traffic_rows[chance.integers(0, len(drawn.traffic_rows), count)]

    known = {row.tobytes(): place for row, place in zip(drawn.traffic_rows, places, strict=True)}

    def rule(rows: Table, _: np.random.Generator) -> NDArray[Any]:
        return np.array([known[row.tobytes()] for row in rows])

    schema = Schema(numbers(*zombies.SCORES), "mood", zombies.CLASSES)
    return Shape(schema, draw, rule, DecisionTreeClassifier(max_depth=6, random_state=0))


def of_gaussians() -> Shape:
    mixing = np.random.default_rng(5).normal(size=(8, 8))
    weights = np.array([1.0, -0.8, 0.6, 0.5, -0.4, 0.0, 0.0, 0.0])

    def draw(chance: np.random.Generator, count: int) -> Table:
        return chance.normal(size=(count, 8)) @ mixing

    def rule(rows: Table, chance: np.random.Generator) -> NDArray[Any]:
        return noisy((rows @ weights > 0).astype(int), chance)

    schema = Schema(numbers(*"abcdefgh"), "y", ("no", "yes"))
    return Shape(schema, draw, rule, LogisticRegression())


def of_independent() -> Shape:
    def draw(chance: np.random.Generator, count: int) -> Table:
        return chance.normal(size=(count, 6))

    def rule(rows: Table, chance: np.random.Generator) -> NDArray[Any]:
        return noisy((rows[:, 0] + rows[:, 1] + 0.5 * rows[:, 2] > 0).astype(int), chance)

    return Shape(
        Schema(numbers(*"abcdef"), "y", ("no", "yes")),
        draw,
        rule,
        RandomForestClassifier(20, max_depth=8, random_state=0),
    )


def of_one() -> Shape:
    """One symmetric column decides: a turned rule and a turned column are the same rows."""

    def draw(chance: np.random.Generator, count: int) -> Table:
        return chance.normal(size=(count, 3))

    def rule(rows: Table, chance: np.random.Generator) -> NDArray[Any]:
        return noisy((rows[:, 0] > 0).astype(int), chance)

    return Shape(Schema(numbers(*"abc"), "y", ("no", "yes")), draw, rule, LogisticRegression())


def of_mixed() -> Shape:
    plans, regions = ("basic", "plus", "pro"), ("north", "south", "east", "west", "isles")

    def draw(chance: np.random.Generator, count: int) -> Table:
        plan = chance.choice(3, count, p=[0.5, 0.3, 0.2]).astype(float)
        region = chance.choice(5, count, p=[0.4, 0.25, 0.2, 0.1, 0.05]).astype(float)
        months = np.round(chance.gamma(2, 10, count))
        spent = np.round(months * (plan + 1) * chance.uniform(0.5, 1.5, count), 2)
        calls = chance.poisson(1 + region / 2).astype(float)
        is_new = (months < 12).astype(float)
        is_new = np.where(chance.random(count) < 0.1, 1 - is_new, is_new)
        spent[chance.random(count) < 0.08] = np.nan
        return np.column_stack([plan, region, months, spent, calls, is_new])

    def rule(rows: Table, chance: np.random.Generator) -> NDArray[Any]:
        plan, region, months, _, calls, is_new = rows.T
        score = 1.5 * (plan == 0) + (region > 2) + 0.7 * calls - months / 12 + is_new
        return noisy((score > 1).astype(int), chance)

    features = (
        Feature("plan", "category", choices=plans),
        Feature("region", "category", choices=regions),
        Feature("months", "integer"),
        Feature("spent", "number", nullable=True),
        Feature("calls", "integer"),
        Feature("is_new", "boolean"),
    )
    forest = RandomForestClassifier(20, max_depth=8, random_state=0)
    return Shape(Schema(features, "leaves", ("no", "yes")), draw, rule, forest)


def of_flowers() -> Shape:
    found = load_iris()
    rows = {row.tobytes(): int(kind) for row, kind in zip(found.data, found.target, strict=True)}

    def draw(chance: np.random.Generator, count: int) -> Table:
        return found.data[chance.integers(0, 150, count)]

    def rule(asked: Table, chance: np.random.Generator) -> NDArray[Any]:
        return noisy(np.array([rows[row.tobytes()] for row in asked]), chance, 0.03)

    schema = Schema(numbers("sl", "sw", "pl", "pw"), "kind", ("setosa", "versicolor", "virginica"))
    return Shape(schema, draw, rule, RandomForestClassifier(20, random_state=0))


def of_numbers() -> Shape:
    def draw(chance: np.random.Generator, count: int) -> Table:
        return chance.uniform(0, 1, (count, 8))

    def rule(rows: Table, chance: np.random.Generator) -> NDArray[Any]:
        a, b, c, d, e = rows.T[:5]
        told = 10 * np.sin(np.pi * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e
        return told + chance.normal(0, 1, len(rows))

    forest = RandomForestRegressor(30, max_depth=9, random_state=0)
    return Shape(Schema(numbers(*"abcdefgh"), "y"), draw, rule, forest)


SHAPES: dict[str, Callable[[], Shape]] = {
    "zombies": of_zombies,
    "gaussians": of_gaussians,
    "independent": of_independent,
    "mixed": of_mixed,
    "flowers": of_flowers,
    "numbers": of_numbers,
    "one column": of_one,
}


@cache
def shape(name: str) -> tuple[Shape, Any]:
    made = SHAPES[name]()
    return made, made.fitted()


# ── what happens ─────────────────────────────────────────────────────────────────────────────


def flipped(truth: NDArray[Any], made: Shape) -> NDArray[Any]:
    """Turn the rule round."""
    if made.schema.is_classifier:
        return (truth + 1) % len(made.schema.classes)
    return 2 * float(np.mean(truth)) - truth


def broken(rows: Table, how: str, made: Shape, chance: np.random.Generator) -> Table:
    """Return rows as a broken client sends them."""
    rows, kinds = rows.copy(), [one.kind for one in made.schema.features]
    numeric = [at for at, kind in enumerate(kinds) if kind in ("number", "integer")]
    if how == "swapped":
        i, j = chance.choice(numeric, 2, replace=False)
        rows[:, [i, j]] = rows[:, [j, i]]
    elif how == "sign":
        at = chance.choice(numeric)
        rows[:, at] = -rows[:, at]
    elif how == "stuck":
        columns = chance.choice(len(kinds), chance.integers(1, 4), replace=False)
        for at in columns:
            rows[:, at] = np.nan if made.schema.features[at].nullable else rows[0, at]
    elif how == "mover":
        rows[:, irrelevant(made)] += 3 * float(np.nanstd(rows[:, irrelevant(made)]))
    return rows


def irrelevant(made: Shape) -> int:
    """Return the last number, on which little depends."""
    kinds = [one.kind for one in made.schema.features]
    return max(at for at, kind in enumerate(kinds) if kind in ("number", "integer"))


def run(name: str, how: str, seed: int) -> list[str]:
    """Return what is said at each look."""
    made, model = shape(name)
    chance = np.random.default_rng([seed, *how.encode()])
    before, after = made.draw(chance, BEFORE), made.draw(chance, LOOKS[-1])
    truths = made.rule(before, chance), made.rule(after, chance)
    if how in ("flipped", "mover"):
        truths = truths[0], flipped(truths[1], made)
    sent = broken(after, how, made, chance)
    encoder = Encoder(made.schema)

    def answer_table(rows: Table) -> Table:
        return np.asarray(model.predict(np.nan_to_num(rows, nan=-9.0)), dtype=float)

    answered = answer_table(before), answer_table(sent)
    if made.schema.is_classifier:
        fall = (answered[0] == truths[0]).mean() - (answered[1] == truths[1]).mean()
    else:
        errors = [np.abs(a - t) for a, t in zip(answered, truths, strict=True)]
        near = np.quantile(errors[0], 0.8)
        fall = (errors[0] <= near).mean() - (errors[1] <= near).mean()
    if fall < LEAST_FALL:
        return run(name, how, seed + 1_000)
    rows = encoder.decode(before), encoder.decode(sent)
    said = []
    for count in LOOKS:
        known = rows[1][:count]
        evidence = Evidence(
            made.schema,
            "v1",
            rows[0],
            known,
            Judged(rows[0][::JUDGED], answered[0][::JUDGED], truths[0][::JUDGED].astype(float)),
            Judged(
                known[::JUDGED],
                answered[1][:count:JUDGED],
                truths[1][:count:JUDGED].astype(float),
            ),
            lambda asked: answer_table(encoder.encode(asked)),
        )
        found = explain(evidence)
        said.append(found.kind)
        if "-v" in sys.argv:
            print(name, how, seed, count, found.kind, found.sentence)
    return said


def main(shapes: Sequence[str], runs: int = RUNS) -> None:
    """Say how often what is said of what."""
    lines = []
    for name in shapes:
        for how in ("flipped", "mover", "swapped", "sign", "stuck"):
            told = [run(name, how, seed) for seed in range(runs)]
            last = Counter(one[-1] for one in told)
            ever = sum("concept" in one for one in told)
            lines.append([name, how, f"{ever}", *(str(last[kind]) for kind in KINDS)])
            print(*lines[-1], flush=True)
    print(table([("rows", "what happened", "ever concept", *KINDS), *lines]))


KINDS = ("concept", "broken rows", "data", "unknown")

if __name__ == "__main__":
    asked = [one for one in sys.argv[1:] if not one.startswith("-")]
    runs = [int(one) for one in asked if one.isdigit()]
    main([one for one in asked if not one.isdigit()] or list(SHAPES), *runs)
