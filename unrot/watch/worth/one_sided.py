"""Whether verdicts may tell which version is better, or are of one side.

They lean where some answers are judged and others are not (`leaning.py`). And where there are more
than two classes, a thumb down says that an answer was wrong, and not what is right: such a row
scores nobody. What is left then are mostly the answers that were right, and whoever gave them would
seem better than any other version. So where more than one verdict in a hundred says no more than
that, no version is scored by these verdicts until somebody has said what is right.

    >>> untold_of(99, 1) is None
    True
    >>> print(untold_of(51, 88).sentence)
    Of 88 of these 139 answers it was said only that they are wrong, and not what is right: the \
others are mostly answers that were right.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from unrot.core.ports import Store
from unrot.core.records import Example, JudgedPrediction, ModelKey, Schema
from unrot.hear.truth import ONLY_WRONG, example_of
from unrot.watch.worth.leaning import Leaning, leaning_among

SLIGHT = 0.01
"""So far off may a share be: half of what a gate lets pass."""


@dataclass(frozen=True, slots=True)
class Untold:
    """Verdicts of which too many say that an answer was wrong, and not what is right."""

    only_wrong: int
    verdicts: int

    @property
    def sentence(self) -> str:
        """Say how many they are, and what the others are."""
        return (
            f"Of {self.only_wrong:,} of these {self.verdicts:,} answers it was said only that they "
            "are wrong, and not what is right: the others are mostly answers that were right."
        )

    @property
    def favours(self) -> str:
        """Say who would seem better by them."""
        return "Whoever gave these would seem better by them than other versions"

    @property
    def remedy(self) -> str:
        """Say what would help."""
        return "say what is right instead"


OneSided = Leaning | Untold


def untold_of(told: int, only_wrong: int) -> Untold | None:
    """Tell whether too many verdicts do not say what is right, beside those that do."""
    verdicts = told + only_wrong
    return Untold(only_wrong, verdicts) if only_wrong > SLIGHT * verdicts else None


def part_told(
    verdicts: Iterable[JudgedPrediction], schema: Schema
) -> tuple[list[Example], Untold | None]:
    """Return the verdicts that say what is right, and whether too many do not."""
    made = [example_of(one, schema) for one in verdicts]
    told = [one for one in made if isinstance(one, Example)]
    only_wrong = sum(not isinstance(one, Example) and one.reason == ONLY_WRONG for one in made)
    return told, untold_of(len(told), only_wrong)


def weighing(
    store: Store,
    model: ModelKey,
    verdicts: Collection[JudgedPrediction],
    schema: Schema,
    audited: Collection[str],
) -> tuple[list[Example], OneSided | None]:
    """Keep the rows that may weigh versions: of one-sided verdicts only those that audits drew."""
    rows, untold = part_told(verdicts, schema)
    found = untold or leaning_among(store, model, rows, audited)
    if found is None:
        return rows, None
    drawn = [one for one in verdicts if one.prediction.id in audited]
    rows, untold = part_told(drawn, schema)
    return ([] if untold else rows), found
