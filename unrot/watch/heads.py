"""The head of a finding: what it is in at most sixty characters, for lists, titles and subjects.

Made from what the finding has, so that old ones have one too. Features are called what people call
them. The sentence with the numbers stands below it.

    >>> from unrot.core.records import Feature
    >>> schema = Schema((Feature("groan_pitch", "number"), Feature("age", "number")), "left")
    >>> found = Finding("f", "zombies", "drift", "drift", "note", 0, 0, 0, "", "", schema.names)
    >>> head_of(found, schema)
    'Inputs drifted: groan pitch and 1 more'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from unrot.core.conformal import sets_of
from unrot.core.numbers import rough
from unrot.core.percent import percent, roughly
from unrot.core.records import FINDING_KINDS, Finding, FindingKind, Schema
from unrot.core.schema import spoken
from unrot.hear.judges import told_by
from unrot.watch.monitors.drift.words import column_name

MOST = 60
"""Characters of a head."""
REFUSED = "quality:rejected"


def head_of(found: Finding, schema: Schema) -> str:
    """Say in a few words what was found."""
    try:
        words = _HEADS[found.kind](found, schema)
    except (AttributeError, LookupError, TypeError, ValueError):
        words = ""  # an earlier release noted other evidence
    words = words or FINDING_KINDS[found.kind].called
    return _cut(words[:1].upper() + words[1:], MOST)


def _drift(found: Finding, schema: Schema) -> str:
    inputs = [name for name in found.features if name in schema.names]
    if inputs:
        return _listed("Input drifted", "Inputs drifted", inputs, schema)
    if found.features:
        return _listed("Answers drifted", "Answers drifted", found.features, schema)
    return ""


def _rot(found: Finding, schema: Schema) -> str:
    told, is_of_numbers = found.evidence, not schema.is_classifier
    if "floor" in told:
        return f"Accuracy is below its floor of {percent(told['floor'], 4)}"
    by = told_by(told)
    if by is not None and by.is_one_voice:
        says = f"{by.voice.capitalize()} says it is"
        return f"{says} {'farther off' if is_of_numbers else 'wrong more often'}"
    before, after = (told.get(side, {}) for side in ("before", "after"))
    if before.get("value") is None or after.get("value") is None:
        return ""
    written = rough if is_of_numbers else roughly
    was, is_now = (written(one["value"]) for one in (before, after))
    if not is_of_numbers and "low" not in after:
        return "Those who judged it say it is wrong more often"
    what = "Mean error" if is_of_numbers else "Accuracy"
    if told.get("is_from_start"):
        return f"{what} is {is_now}; its test set promised {was}"
    return f"{what} {'grew' if is_of_numbers else 'fell'} from {was} to {is_now}"


def _slice(found: Finding, schema: Schema) -> str:
    parts = found.evidence.get("parts") or ()
    if not parts:
        return ""
    where = str(parts[0]["part"])
    for feature in schema.features:
        if feature.name in found.features and where.startswith(f"{feature.name} "):
            where = spoken(feature) + where.removeprefix(feature.name)
            break
    more = int(found.evidence.get("fallen", len(parts))) - 1
    return _with_more("Wrong more often where ", where, more)


def _quality(found: Finding, schema: Schema) -> str:
    if found.cause == REFUSED:
        if not found.features:
            return "More rows are refused than usual"
        return _listed("Rows refused", "Rows refused", found.features, schema)
    said = _NOT_WHOLE.get(found.cause.partition(":")[2], "")
    return _listed(said, said, found.features, schema) if said and found.features else ""


def _outliers(found: Finding, schema: Schema) -> str:
    said = "More outliers than usual"
    return _listed(said, said, found.features, schema) if found.features else said


def _estimate(found: Finding, _: Schema) -> str:
    told = found.evidence
    if told.get("promised") is None or told.get("estimated") is None:
        return ""
    return f"Estimated accuracy: {roughly(told['estimated'])}, was {roughly(told['promised'])}"


def _reasons(found: Finding, schema: Schema) -> str:
    up, down = (called(name, schema) for name in found.features[:2])
    return f"Leans more on {up} than on {down}"


def _coverage(found: Finding, schema: Schema) -> str:
    static, promised = found.evidence["static"][0], found.evidence["promised"]
    held = f"hold the truth in {roughly(static)}, not {roughly(promised)}"
    return f"Without adapting, {sets_of(schema)} {held}"


def _abstentions(found: Finding, _: Schema) -> str:
    return f"Not sure of {roughly(found.evidence['share'])}, was {roughly(found.evidence['usual'])}"


def _operations(found: Finding, _: Schema) -> str:
    if found.cause == "operations:champion":
        return "The champion does not load"
    if found.cause == "operations:journal":
        return "Predictions could not be kept"
    return ""


_HEADS: Mapping[FindingKind, Callable[[Finding, Schema], str]] = {
    "drift": _drift,
    "rot": _rot,
    "slice": _slice,
    "quality": _quality,
    "outliers": _outliers,
    "estimate": _estimate,
    "reasons": _reasons,
    "coverage": _coverage,
    "abstentions": _abstentions,
    "operations": _operations,
}
_NOT_WHOLE = {
    "missing": "Values are missing",
    "unseen": "Choices never seen in training",
    "range": "Numbers out of range",
}


def _listed(one: str, several: str, columns: Sequence[str], schema: Schema) -> str:
    """Name the first column, and say how many there are besides."""
    more = len(columns) - 1
    said = several if more else one
    return _with_more(f"{said}: ", called(columns[0], schema), more)


def called(column: str, schema: Schema) -> str:
    """Name a column of inputs or answers as people do."""
    feature = next((one for one in schema.features if one.name == column), None)
    return column_name(column) if feature is None else spoken(feature)


def _with_more(said: str, name: str, more: int) -> str:
    """Put a name behind what is said of it; it is cut, and never how many more there are."""
    rest = f" and {more:,} more" if more > 0 else ""
    return f"{said}{_cut(name, MOST - len(said) - len(rest))}{rest}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
