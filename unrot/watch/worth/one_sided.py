"""Whether verdicts may tell which version is better, or are of one side.

They lean where some answers are judged and others are not (`leaning.py`). And where there are more
than two classes, a thumb down says that an answer was wrong, and not what is right: such a row
scores nobody. By those that are left the version that answered would seem right more often than it
is. So where more than one verdict in a hundred, and one in ten of those that say wrong, says no
more than that, no version is scored by these verdicts until somebody has said what is right.

    >>> untold_of(only_wrong=3, corrected=40, verdicts=200) is None
    True
    >>> print(untold_of(only_wrong=88, corrected=0, verdicts=139).sentence)
    88 of 139 verdicts say only that an answer was wrong, and not what is right: by the others the \
version that answered would seem right more often than it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from unrot.core.plurals import counted
from unrot.core.ports import Store
from unrot.core.records import Example, JudgedPrediction, ModelKey, Schema
from unrot.hear.truth import ONLY_WRONG, example_of, was_right
from unrot.watch.worth.leaning import Leaning, leaning_among

SLIGHT, FEW = 0.01, 0.1
"""So many of all verdicts, and of those that say wrong, may leave it at that."""


@dataclass(frozen=True, slots=True)
class Untold:
    """Verdicts of which too many say that an answer was wrong, and not what is right."""

    only_wrong: int
    verdicts: int

    @property
    def sentence(self) -> str:
        """Say how many they are, and what the others would tell."""
        is_all = self.only_wrong == self.verdicts
        begun = "All" if is_all else f"{self.only_wrong:,} of"
        say = "say" if self.only_wrong > 1 else "says"
        verdicts = counted(self.verdicts, "verdict")
        said = f"{begun} {verdicts} {say} only that an answer was wrong, and not what is right"
        if is_all:
            return f"{said}."
        by = "by the others the version that answered would seem right more often than it is"
        return f"{said}: {by}."

    @property
    def favours(self) -> str:
        """Say who would seem better by them."""
        return "Who gave these answers would seem better by them than other versions"

    @property
    def remedy(self) -> str:
        """Say what would help."""
        return "say what is right instead"


OneSided = Leaning | Untold


def untold_of(*, only_wrong: int, corrected: int, verdicts: int) -> Untold | None:
    """Tell whether too many verdicts say wrong and not what is right, beside those that do."""
    is_slight = only_wrong <= SLIGHT * verdicts or only_wrong <= FEW * (only_wrong + corrected)
    return None if is_slight else Untold(only_wrong, verdicts)


def part_told(
    verdicts: Iterable[JudgedPrediction], schema: Schema
) -> tuple[list[Example], Untold | None]:
    """Return the verdicts that say what is right, and whether too many do not."""
    told, only_wrong, corrected = [], 0, 0
    for one in verdicts:
        made = example_of(one, schema)
        if isinstance(made, Example):
            told.append(made)
            corrected += was_right(one.prediction, one.feedback) is False
        else:
            only_wrong += made.reason == ONLY_WRONG
    untold = untold_of(only_wrong=only_wrong, corrected=corrected, verdicts=len(told) + only_wrong)
    return told, untold


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
