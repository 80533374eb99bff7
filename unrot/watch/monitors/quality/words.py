"""What is not whole of the rows, as a person would say it.

>>> from unrot.watch.statistics.risen_share import Risen
>>> sentence_of("unseen", [Risen("unseen:city", 0.031, 0.002)])
'3.1 % of city are choices that training never saw; 0.2 % would be expected.'
>>> sentence_of("missing", [Risen("missing:age", 0.25, 0.01), Risen("missing:sex", 0.2, 0.0)])
'25 % of age and 20 % of sex are missing.'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unrot.core.percent import roughly
from unrot.core.plurals import counted
from unrot.watch.statistics.risen_share import Piece, Risen

MOST_TOLD = 3
CAUSES: Mapping[str, tuple[str, ...]] = {
    "missing": ("missing",),
    "unseen": ("unseen",),
    "range": ("far", "outside"),
}
"""What is told of as one, by the last word of its cause."""

ADVICE: Mapping[str, str] = {
    "missing": "Look at where these values come from: something fills them in no longer.",
    "unseen": "Look at whether the names of the choices have changed. If the world has new ones, "
    "judge rows that have them and refit.",
    "range": "Look at the unit and the decimal mark of these numbers, and at who writes them. If "
    "the world has such values now, judge rows that have them and refit.",
    "rejected": "Look at who sends these rows: their form is not that of the model's schema.",
}

_SAID = {
    "missing": ("is missing", "are missing", "is usual"),
    "unseen": ("are choices that training never saw",) * 2 + ("would be expected",),
    "outside": ("lies outside the range of training",) * 2 + ("would be expected",),
    "far": ("lies outside the range of training by more than three times its width",) * 2
    + ("is usual",),
}


def sentence_of(cause: str, risen: Sequence[Risen]) -> str:
    """Say which columns have risen, the worst first."""
    parts = []
    for what in CAUSES[cause]:
        of = [one for one in risen if one.what == what]
        if of:
            parts.append(_of_one_kind(what, of))
    return f"{'; '.join(parts)}."


def _of_one_kind(what: str, risen: Sequence[Risen]) -> str:
    alone, together, usual = _SAID[what]
    told = [f"{roughly(one.share)} of {one.column}" for one in risen[:MOST_TOLD]]
    more = len(risen) - MOST_TOLD
    if more > 0:
        told.append(f"much of {counted(more, 'more feature')}")
    if len(risen) > 1:
        return f"{listed(told)} {together}"
    return f"{told[0]} {alone}; {roughly(risen[0].usual)} {usual}"


def sentence_of_refused(piece: Piece, risen: Sequence[Risen]) -> str:
    """Say how many rows were refused, and because of which feature where one stands out."""
    whole, rows = next((one for one in risen if not one.column), None), f"{piece.rows:,.0f} rows"
    features = [one for one in risen if one.column]
    said = [_of_feature(piece, one, rows) for one in features[:1]]
    said += [f"so was {roughly(one.share)} for {one.column}" for one in features[1:MOST_TOLD]]
    beside = piece.counts.get("beside:", (0.0, 0.0))[0]
    if whole is not None and not features:
        reasons = [f"{count:,} {words(reason)}" for reason, count in reasons_of(piece).items()]
        told = listed(reasons[:MOST_TOLD])
        said = [f"{roughly(whole.share)} of {rows} were refused: {told}"]
        said.append(f"{roughly(whole.usual)} is usual")
    if beside and whole is not None:
        said.append(
            f"with the rows beside them in the same requests {roughly(whole.share)} were refused"
        )
    return f"{'; '.join(said)}."


def _of_feature(piece: Piece, one: Risen, rows: str) -> str:
    lacking = piece.counts.get(f"lacks:{one.column}", (0.0, 0.0))[0]
    refused = piece.counts.get(f"refused:{one.column}", (0.0, 0.0))[0]
    usual = f"usually {roughly(one.usual)}"
    if 2 * lacking >= refused:
        return f"{roughly(one.share)} of {rows} lack {one.column} and were refused; {usual}"
    return f"{roughly(one.share)} of {rows} were refused for their {one.column}; {usual}"


def reasons_of(piece: Piece) -> dict[str, int]:
    """Return how many rows were refused for which reason, the commonest first."""
    found = {
        key.partition(":")[2]: int(count)
        for key, (count, _) in piece.counts.items()
        if key.startswith("reason:")
    }
    return dict(sorted(found.items(), key=lambda one: -one[1]))


def words(reason: str) -> str:
    """Write a reason in words."""
    return reason.replace("_", " ")


def listed(told: Sequence[str]) -> str:
    """Join with commas and an and.

    >>> listed(["one", "two", "three"])
    'one, two and three'
    """
    *first, last = told
    return f"{', '.join(first)} and {last}" if first else last
