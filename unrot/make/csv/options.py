"""What a person says about a table of their own; what can be judged without reading is judged."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from unrot.core.errors import Invalid, shown
from unrot.core.schema import check_name
from unrot.make.csv.cells import Mark
from unrot.make.csv.text import header_of

MOST_LISTED = 12
DEFAULT_HOLDOUT = 0.2
LEAST_HOLDOUT, MOST_HOLDOUT = 0.01, 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOptions:
    """A file, its target, and what else was said about it."""

    csv: Path
    target: str
    name: str
    drop: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    decimal: Mark | None = None
    """What stands before the fraction in columns that do not tell it, as 3,504 does not."""
    holdout: float = DEFAULT_HOLDOUT
    holdout_csv: Path | None = None
    seed: int = 0

    def check(self) -> None:
        """Raise Invalid for what cannot be meant."""
        check_name(self.name)
        if not LEAST_HOLDOUT <= self.holdout <= MOST_HOLDOUT:
            raise Invalid(
                f"--holdout {self.holdout:g}: expected a share of the rows from {LEAST_HOLDOUT} "
                f"to {MOST_HOLDOUT}, such as 0.2."
            )
        if self.seed < 0:
            raise Invalid(f"--seed {self.seed}: expected a whole number from 0 on.")
        if self.target in self.drop:
            raise Invalid(f"{shown(self.target)} is the target: it cannot be dropped as well.")
        for name in self.numbers:
            if name in (*self.categories, *self.drop):
                raise Invalid(
                    f"{shown(name)} is said to be a number and something else as well: leave it "
                    "to one of --numbers, --categories and --drop."
                )
        if self.holdout_csv and self.holdout_csv.resolve() == self.csv.resolve():
            raise Invalid(
                "The holdout is the same file as the table: a model cannot be judged by the rows "
                "that it learnt. Leave --holdout-csv away to have a part cut off."
            )


def split_names(given: Iterable[str] | None) -> tuple[str, ...]:
    """Read column names parted by commas, each option in turn, each name once."""
    try:
        return tuple(dict.fromkeys(name for line in given or () for name in header_of(line)))
    except (csv.Error, ValueError) as error:
        raise Invalid(
            "Column names are parted by commas on one line; a name that holds a comma stands in "
            "quotes: '\"Height, cm\",Weight'."
        ) from error


def check_known(given: Iterable[str], known: Iterable[str], *, option: str, file: str) -> None:
    """Raise Invalid for a column that the file does not have, naming the nearest."""
    names = dict.fromkeys(known)
    for name in given:
        if name not in names:
            raise Invalid(
                f"{option} {shown(name)}: {file} has no such column. {_nearest(name, [*names])}"
            )


def _nearest(name: str, names: list[str]) -> str:
    folded = {known.casefold(): known for known in names}
    near = get_close_matches(name.casefold()[:200], list(folded), n=1, cutoff=0.5)
    if near:
        return f"The nearest is {shown(folded[near[0]])}."
    listed = ", ".join(shown(known, 40) for known in names[:MOST_LISTED])
    return f"It has {listed}{', …' if len(names) > MOST_LISTED else ''}."
