"""Broken rows, other rows and a changed rule, told apart on rows that are made up."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from unrot.core.encoding import Encoder
from unrot.core.records import Feature, Row, Schema
from unrot.watch.monitors.rot.cause.fall import Evidence, Judged
from unrot.watch.monitors.rot.cause.rule import Explanation, explain

Table = NDArray[np.float64]
RUNS = range(4)
BEFORE, AFTER, JUDGED = 600, 400, 2


@dataclass(frozen=True)
class World:
    """Rows, and a rule that the model knows but for a tenth of noise."""

    schema: Schema
    draw: Callable[[np.random.Generator, int], Table]
    score: Callable[[Table], Table]
    swapped: tuple[int, int]
    turned: int
    stuck: tuple[int, ...]
    irrelevant: int

    def answers(self, rows: Sequence[Row]) -> Table:
        return (self.score(Encoder(self.schema).encode(rows)) > 0).astype(float)


def numbers(count: int) -> tuple[Feature, ...]:
    return tuple(Feature(f"x{at}", "number") for at in range(count))


def correlated() -> World:
    mixing = np.random.default_rng(5).normal(size=(8, 8))
    weights = np.array([1.0, -0.8, 0.6, 0.5, 0.0, 0.0, 0.0, 0.0])
    return World(
        Schema(numbers(8), "y", ("no", "yes")),
        lambda chance, count: chance.normal(size=(count, 8)) @ mixing,
        lambda rows: rows @ weights,
        swapped=(0, 1),
        turned=0,
        stuck=(0, 2, 3),
        irrelevant=7,
    )


def independent() -> World:
    """Nothing in the rows gives a swap or a sign away."""
    weights = np.array([1.0, 1.0, -0.7, 0.0, 0.0])
    return World(
        Schema(numbers(5), "y", ("no", "yes")),
        lambda chance, count: chance.normal(size=(count, 5)),
        lambda rows: rows @ weights,
        swapped=(0, 3),
        turned=1,
        stuck=(0,),
        irrelevant=4,
    )


def mixed() -> World:
    features = (
        Feature("plan", "category", choices=("basic", "plus", "pro")),
        Feature("months", "integer"),
        Feature("calls", "integer"),
        Feature("spent", "number", nullable=True),
        Feature("is_new", "boolean"),
    )

    def draw(chance: np.random.Generator, count: int) -> Table:
        plan = chance.choice(3, count, p=[0.5, 0.3, 0.2]).astype(float)
        months = np.round(chance.gamma(2, 10, count))
        calls = chance.poisson(2, count).astype(float)
        spent = np.where(chance.random(count) < 0.1, np.nan, months * (plan + 1))
        return np.column_stack([plan, months, calls, spent, chance.random(count) < 0.3])

    return World(
        Schema(features, "leaves", ("no", "yes")),
        draw,
        lambda rows: 2.0 * (rows[:, 0] == 0) + rows[:, 2] - rows[:, 1] / 10 + rows[:, 4] - 1,
        swapped=(1, 2),
        turned=2,
        stuck=(0, 2),
        irrelevant=3,
    )


WORLDS = {"correlated": correlated(), "independent": independent(), "mixed": mixed()}


def told(world: World, happens: str, seed: int, *, rows: int = AFTER) -> Explanation:
    """Let something happen to a world and ask what it was."""
    chance = np.random.default_rng([seed, *happens.encode()])
    before, after = world.draw(chance, BEFORE), world.draw(chance, rows)
    encoder = Encoder(world.schema)
    truths = [noisy(world.score(side) > 0, chance) for side in (before, after)]
    if happens in ("flipped", "mover"):
        truths[1] = 1 - truths[1]
    sides = [encoder.decode(before), encoder.decode(broken(world, after, happens))]
    judged = [
        Judged(side[::JUDGED], world.answers(side)[::JUDGED], truth[::JUDGED])
        for side, truth in zip(sides, truths, strict=True)
    ]
    return explain(Evidence(world.schema, "v1", *sides, *judged, world.answers))


def noisy(right: NDArray[np.bool_], chance: np.random.Generator) -> Table:
    return np.where(chance.random(len(right)) < 0.1, ~right, right).astype(float)


def broken(world: World, rows: Table, happens: str) -> Table:
    rows = rows.copy()
    if happens == "swapped":
        rows[:, world.swapped] = rows[:, world.swapped[::-1]]
    elif happens == "turned":
        rows[:, world.turned] *= -1
    elif happens == "stuck":
        rows[:, world.stuck] = 0.0
    elif happens == "mover":
        rows[:, world.irrelevant] += 2 * np.nanstd(rows[:, world.irrelevant])
    return rows


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("happens", ["swapped", "turned", "stuck"])
def test_broken_rows_are_never_called_concept_drift(world: str, happens: str) -> None:
    kinds = {told(WORLDS[world], happens, seed).kind for seed in RUNS}

    # Where nothing gives it away, both explanations are said.
    expected = "unknown" if world == "independent" and happens != "stuck" else "broken rows"
    assert kinds == {expected}


@pytest.mark.parametrize("world", WORLDS)
def test_flipped_rule_with_unchanged_inputs_is_concept_drift(world: str) -> None:
    kinds = [told(WORLDS[world], "flipped", seed).kind for seed in RUNS]

    assert kinds == ["concept"] * len(RUNS)


@pytest.mark.parametrize("world", WORLDS)
def test_irrelevant_column_that_moved_meanwhile_is_not_blamed(world: str) -> None:
    found = [told(WORLDS[world], "mover", seed) for seed in RUNS]

    assert {(one.kind, one.features) for one in found} == {("concept", ())}
    name = WORLDS[world].schema.names[WORLDS[world].irrelevant]
    assert found[0].sentence == (
        f"Its inputs moved too ({name}), but the model has fallen as far without that: what is "
        "right has changed, concept drift."
    )


def test_both_are_said_where_inputs_look_the_same_both_ways() -> None:
    found = told(WORLDS["independent"], "turned", 0)

    assert found.sentence.startswith(
        "Either x1 comes with the wrong sign or the rule has changed: with the sign of x1 turned "
        "back v1 is right in "
    )
    assert found.features == ()


def test_few_rows_are_not_enough_to_say_anything() -> None:
    found = told(WORLDS["correlated"], "flipped", 0, rows=99)

    assert found.sentence == (
        "99 rows since were compared: too few to tell broken rows from a changed rule."
    )


def test_stuck_columns_are_named_with_their_value() -> None:
    found = told(WORLDS["mixed"], "stuck", 0)

    assert found.features == ("plan", "calls")
    assert found.sentence.startswith("The rows look broken: plan is basic in 100 % of those since")


def test_relevant_column_that_moved_is_data_drift() -> None:
    world = WORLDS["correlated"]
    chance = np.random.default_rng(3)
    before, after = world.draw(chance, BEFORE), world.draw(chance, AFTER)
    after[:, 0] += 6
    score = world.score(before), world.score(after) - 6
    truths = [noisy(one > 0, chance) for one in score]
    judged = [
        Judged(side.tolist(), world.answers(side.tolist()), truth)
        for side, truth in zip((before, after), truths, strict=True)
    ]

    found = explain(
        Evidence(world.schema, "v1", before.tolist(), after.tolist(), *judged, world.answers)
    )

    assert (found.kind, found.features) == ("data", ("x0",))
    assert found.sentence == "Its inputs moved too (x0): data drift."


def test_gaps_that_came_are_named_with_their_share() -> None:
    schema = Schema((*numbers(2), Feature("x2", "number", nullable=True)), "y", ("no", "yes"))
    chance = np.random.default_rng(6)
    before, after = (chance.normal(size=(count, 3)) for count in (BEFORE, AFTER))
    truths = [noisy(side.sum(axis=1) > 0, chance) for side in (before, after)]
    before[::20, 2] = after[::2, 2] = np.nan
    encoder = Encoder(schema)
    sides = [encoder.decode(side) for side in (before, after)]

    def answers(rows: Sequence[Row]) -> Table:
        encoded = np.nan_to_num(encoder.encode(rows), nan=4.0)
        return (encoded.sum(axis=1) > 0).astype(float)

    judged = [Judged(side, answers(side), one) for side, one in zip(sides, truths, strict=True)]

    found = explain(Evidence(schema, "v1", *sides, *judged, answers))

    said = "Its inputs moved too (x2 is missing in 50 %, before in 5 %): data drift."
    assert (found.kind, found.sentence, found.features) == ("data", said, ("x2",))


def test_wrong_without_the_right_answer_mends_nothing() -> None:
    world = WORLDS["correlated"]
    chance = np.random.default_rng(4)
    before, after = world.draw(chance, BEFORE), world.draw(chance, AFTER)
    sent = broken(world, after, "turned").tolist()
    truth = noisy(world.score(after) > 0, chance)
    answered = world.answers(sent)
    thumbs = np.where(answered == truth, truth, math.nan)
    was = Judged(before.tolist(), world.answers(before.tolist()), world.answers(before.tolist()))

    found = explain(
        Evidence(
            world.schema, "v1", was.rows, sent, was, Judged(sent, answered, thumbs), world.answers
        )
    )

    assert found.kind == "data"
