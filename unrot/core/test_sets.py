"""Which rows a version's score is of: one version, one named set of rows, one figure.

Every version is scored on its own test set, its anchor: rows that were held out of training, or,
once the world has moved, recent rows that judges went through. Scores of different test sets say
nothing beside each other, so each set has a name: A is the first that a model had.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from unrot.core.artefacts import HOLDOUT
from unrot.core.plurals import counted
from unrot.core.records import Version

SCORES = ("accuracy", "mae")
"""The score of a classifier, and of a regression; a version's metrics hold one of them."""
SHORT = 12

Kind = Literal["held out", "judged"]


@dataclass(frozen=True, slots=True)
class MeasuredOn:
    """Named rows with their truth that versions are scored on."""

    name: str
    digest: str
    rows: int
    kind: Kind
    first: str
    """The version whose training held them out, or the first that was scored on them."""

    @property
    def sentence(self) -> str:
        """Say which rows they are."""
        if self.kind == "judged":
            return f"{counted(self.rows, 'recent row')} that judges went through"
        return f"{counted(self.rows, 'row')} held out when {self.first} was trained"

    @property
    def short(self) -> str:
        """The beginning of their digest, enough to tell them by."""
        return self.digest[:SHORT]


def measured_on(versions: Iterable[Version]) -> dict[str, MeasuredOn]:
    """Return the test set of each version that has a score, by the version's name.

    The versions come oldest first, all of a model, so that a set keeps its name.
    """
    known = list(versions)
    trained: dict[str, str] = {}
    for one in known:
        trained.setdefault(one.artefacts.get(HOLDOUT, ""), one.name)
    named: dict[tuple[str, int], MeasuredOn] = {}
    found: dict[str, MeasuredOn] = {}
    for one in known:
        if score(one) is None:
            continue
        digest, rows = test_set_digest(one), int(one.metrics.get("rows_held_out", 0))
        kind: Kind = "held out" if digest in trained else "judged"
        if (digest, rows) not in named:
            name, first = _letters(len(named)), trained.get(digest, one.name)
            named[digest, rows] = MeasuredOn(name, digest, rows, kind, first)
        found[one.name] = named[digest, rows]
    return found


def test_set_digest(version: Version) -> str:
    """Return the rows that a version's metrics are of; empty where there are none."""
    return version.anchor or version.artefacts.get(HOLDOUT, "")


def score(version: Version) -> float | None:
    """Return what a version reaches on its test set: accuracy, or mean absolute error."""
    return score_of(version.metrics)


def score_of(metrics: Mapping[str, float]) -> float | None:
    """Return the one figure of what was measured, if anything was."""
    return next((metrics[name] for name in SCORES if name in metrics), None)


def _letters(place: int) -> str:
    """Name a place as columns of a sheet are named.

    >>> [_letters(place) for place in (0, 25, 26)]
    ['A', 'Z', 'AA']
    """
    before, letter = divmod(place, 26)
    return (_letters(before - 1) if before else "") + chr(ord("A") + letter)
