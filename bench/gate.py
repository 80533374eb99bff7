"""What the gate lets pass over a whole line, on simulated answers: `make bench-gate`.

    growing   a candidate worse by the whole tolerance, weighed again after every few rows: how many
              of a thousand lines ever pass it; and rows until one that is 2 points better passes,
              beside those with which the exact test, weighed once, passes it four times in five
    walk      sixty candidates, each .3 points worse than the champion that it is made from, on one
              fixed anchor: what is lost in the end on rows that nobody has seen
    moved     how often a world that stands is ever taken for moved, and after how many rows a fall
              from 90 % to 40 % is seen
    rollback  after how many verdicts a champion at 7 % gives way to one at 90 %, and how often one
              as good as the one before ever does

All through `judge`, `find_move` and `advise`, as the product asks them. Both versions are right on
about 90 % of the rows; `apart` is the share of rows on which only one of them is.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unrot.cli.terminal import table
from unrot.core.policy import Policy
from unrot.core.records import Answered, Outputs, Schema
from unrot.learn.gate.exact_tests import DOUBT, chance_of_loss
from unrot.learn.gate.gate import Evidence, Sides, judge
from unrot.learn.gate.world_shift import find_move
from unrot.learn.rollback_rule import advise

TWO = Schema((), "ill", ("no", "yes"))
TOLERANCE = Policy().tolerance
MOST_ROWS, EVERY = 1_500, 30
BETTER, STEP, STEPS = 0.02, 0.003, 60
ACCURACY = 0.9

Right = NDArray[np.bool_]


def main() -> None:
    """Print all figures; `--lines` is how many lines are drawn for each."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("--lines", type=int, default=1_000)
    asked.add_argument("--seed", type=int, default=0)
    options = asked.parse_args()
    chance = np.random.default_rng(options.seed)
    lines = options.lines
    print(f"Growing rows, weighed after every {EVERY} up to {MOST_ROWS:,}; {lines:,} lines each")
    print(table([GROWING, *(growing(chance, apart, lines) for apart in (0.05, 0.1, 0.2))]))
    print(f"\nA walk of {STEPS} candidates, each {100 * STEP:.1f} points worse")
    walks = [(rows, apart) for rows in (1_000, 4_000) for apart in (0.01, 0.03)]
    print(table([WALK, *(walked(chance, *one, max(lines // 25, 5)) for one in walks)]))
    print("\nThe world, looked at after every 30 of 600 rows; and rollback")
    print(table([OTHER, *(alarms(chance, rows, lines // 2) for rows in (100, 1_000, 4_000))]))
    print(
        table([("rollback", "rows in the mean", "at worst", "wrongly"), rolled(chance, lines // 4)])
    )


# ── growing rows ─────────────────────────────────────────────────────────────────────────────

GROWING = ("apart", "wrongly passed", "rows", "median", "four in five", "fixed", "mean / fixed")


def growing(chance: np.random.Generator, apart: float, lines: int) -> tuple[str, ...]:
    """Weigh lines of bad and of good candidates again and again."""
    bad = [first_pass(chance, apart, -TOLERANCE, MOST_ROWS) for _ in range(lines)]
    far = 3 * MOST_ROWS
    good = [first_pass(chance, apart, BETTER, far) or far for _ in range(max(lines // 10, 20))]
    fixed = rows_of_fixed(chance, apart)
    return (
        f"{apart:.0%}",
        f"{np.mean([rows is not None for rows in bad]):.1%}",
        f"{np.mean(good):.0f}",
        f"{np.median(good):.0f}",
        f"{np.quantile(good, 0.8):.0f}",
        str(fixed),
        f"{np.mean(good) / fixed:.2f}",
    )


def first_pass(
    chance: np.random.Generator, apart: float, gain: float, most: int, every: int = EVERY
) -> int | None:
    """Return after how many rows a candidate with such a true gain passes first."""
    champion, candidate = paired(chance, apart, gain, most)
    for rows in range(every, most + 1, every):
        sides = Sides(answered(champion[:rows]), answered(candidate[:rows]))
        said = judge(Evidence(TWO, "v1", "v2", recent=sides), Policy(), now=0.0).verdict
        if said.decision == "passed":
            return rows
    return None


def rows_of_fixed(chance: np.random.Generator, apart: float, looks: int = 200) -> int:
    """Return with how many rows the exact test, weighed once, passes a good one 4 times in 5."""
    for rows in range(50, 4_000, 50):
        won, lost = (apart + BETTER) / 2, (apart - BETTER) / 2
        drawn = chance.multinomial(rows, [won, lost, 1 - won - lost], looks)
        passed = [_passes_once(int(one[0]), int(one[1]), rows) for one in drawn]
        if np.mean(passed) >= 0.8:
            return rows
    return 4_000


def _passes_once(won: int, lost: int, rows: int) -> bool:
    is_loss = (won - lost) / rows < -TOLERANCE
    return not is_loss and chance_of_loss(won, lost, rows, TOLERANCE) <= DOUBT


def paired(
    chance: np.random.Generator, apart: float, gain: float, rows: int
) -> tuple[Right, Right]:
    """Draw on which rows each of two versions is right."""
    drawn = chance.random(rows)
    only_candidate = drawn < (apart + gain) / 2
    only_champion = drawn > 1 - (apart - gain) / 2
    both = chance.random(rows) < ACCURACY
    neither_alone = ~only_candidate & ~only_champion
    return only_champion | (both & neither_alone), only_candidate | (both & neither_alone)


def answered(right: Right) -> Answered:
    """Put what is right and wrong as answers to rows that are all of the first class."""
    return Answered(
        [[]] * len(right), ["no"] * len(right), Outputs(classes=(~right).astype(int).tolist())
    )


# ── a walk down ──────────────────────────────────────────────────────────────────────────────

WALK = ("rows", "apart a step", "mean loss", "worst loss", "promoted")


@dataclass(frozen=True, slots=True)
class Walk:
    """What became of a walk: how many steps were promoted, each a true loss of `STEP`."""

    promoted: int

    @property
    def loss(self) -> float:
        """The loss in the end, in points, on rows without number."""
        return 100 * STEP * self.promoted


def walked(chance: np.random.Generator, rows: int, apart: float, lines: int) -> tuple[str, ...]:
    """Walk down many times on anchors of so many rows."""
    done = [walk(chance, rows, apart) for _ in range(lines)]
    losses = [one.loss for one in done]
    promoted = np.mean([one.promoted for one in done])
    return (
        f"{rows:,}",
        f"{apart:.0%}",
        f"{np.mean(losses):.2f}",
        f"{max(losses):.2f}",
        f"{promoted:.1f} of {STEPS}",
    )


def walk(chance: np.random.Generator, rows: int, apart: float, steps: int = STEPS) -> Walk:
    """Let each candidate be made from the champion, and become it when the gate passes it."""
    first = chance.random(rows) < ACCURACY
    champion = best = first
    promoted = 0
    for weighed in range(steps):
        candidate = stepped(chance, champion, apart)
        evidence = Evidence(
            TWO,
            "v1",
            "v2",
            anchor=Sides(answered(champion), answered(candidate)),
            best_score=float(np.mean(best)),
            best=None if best is champion else answered(best),
            first=None if first is champion else answered(first),
            is_fixed=True,
            weighed=weighed,
            promoted=promoted,
        )
        if judge(evidence, Policy(), now=0.0).verdict.decision == "passed":
            champion, promoted = candidate, promoted + 1
            best = champion if np.mean(champion) >= np.mean(best) else best
    return Walk(promoted)


def stepped(chance: np.random.Generator, right: Right, apart: float) -> Right:
    """Turn some answers so that in truth `STEP` of all are lost, and `apart` differ."""
    drawn = chance.random(len(right))
    lose, win = (apart + STEP) / 2 / ACCURACY, (apart - STEP) / 2 / (1 - ACCURACY)
    return np.where(right, drawn >= lose, drawn < win)


# ── the world, and the way back ──────────────────────────────────────────────────────────────

OTHER = ("anchor", "ever taken for moved", "rows until a fall to 40 % is seen", "at worst")


def alarms(chance: np.random.Generator, anchor_rows: int, lines: int) -> tuple[str, ...]:
    """Look at worlds that stand and at worlds that fall, row by row."""
    stood = [bool(list(_seen(chance, anchor_rows, ACCURACY, 600, 30))) for _ in range(lines)]
    fell = [next(_seen(chance, anchor_rows, 0.4, 90, 1), 90) for _ in range(max(lines // 10, 10))]
    return (f"{anchor_rows:,}", f"{np.mean(stood):.1%}", f"{np.mean(fell):.0f}", f"{max(fell)}")


def _seen(
    chance: np.random.Generator, anchor_rows: int, accuracy: float, most: int, every: int
) -> Iterator[int]:
    anchor = (chance.random(anchor_rows) >= ACCURACY).astype(float)
    recent = (chance.random(most) >= accuracy).astype(float)
    for rows in range(30, most + 1, every):
        if find_move(anchor, recent[:rows], is_classifier=True).has_moved:
            yield rows


def rolled(chance: np.random.Generator, lines: int) -> tuple[str, ...]:
    """Let champions fail from the first day, and let others be as good as the one before."""
    bad = [_due(chance, 0.07, 120, 1) or 120 for _ in range(lines)]
    good = [_due(chance, ACCURACY, 600, 20) is not None for _ in range(lines)]
    return ("90 % to 7 %", f"{np.mean(bad):.0f}", f"{max(bad)}", f"{np.mean(good):.1%}")


def _due(chance: np.random.Generator, accuracy: float, most: int, every: int) -> int | None:
    champion, previous = (chance.random(most) < share for share in (accuracy, ACCURACY))
    for rows in range(30, most + 1, every):
        if advise(
            TWO,
            ("v2", "v1"),
            anchor=None,
            champion=answered(champion[:rows]),
            previous=answered(previous[:rows]),
            tolerance=TOLERANCE,
        ).is_due:
            return rows
    return None


if __name__ == "__main__":
    main()
