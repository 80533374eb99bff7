"""Look for broken data: columns that are missing, choices never seen, rows that are refused.

The first two are read from the checks of closed periods against training. Choices never seen move
the distribution of their column as well: where a finding of drift names the column, that says so,
and it is not found twice. Numbers outside the range of training are drift, odd rows outliers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from unrot.monitors.quality import CALM, Judged, Refused, Risen, What, judged, refusals
from unrot.records import Schema
from unrot.service import Service
from unrot.shelf import ShelvedModel
from unrot.symptoms import Check, FeatureRule, Gravity, Rules, Symptom

MONITOR = "quality"
DRIFT = "drift"
"""The cause of the findings of drift."""
LATE_SECONDS = 10.0
"""So long after its end a minute waits for what is still on its way."""
LOOK_BACK_SECONDS = 86_400.0
GRAVE_SHARE = 0.5
MOST_TOLD = 3
MOST_SHOWN = 20

ADVICE: Mapping[str, str] = {
    "missing": "Look at where these values come from: something fills them in no longer.",
    "unseen": "Look at whether the names of the choices have changed. If the world has new ones, "
    "judge rows that have them and refit.",
    "rejected": "Look at who sends these rows: their form is not that of the model's schema.",
}


def look(service: Service, shelved: ShelvedModel, rules: Rules, now: float) -> Iterable[Symptom]:
    """Yield what closed periods show that were not looked at yet, oldest first."""
    note = dict(service.store.findings.standpoint(shelved.model.name, MONITOR))
    before = dict(note)
    yield from _columns(service, shelved, rules, note)
    yield from _refused(service, shelved, rules, now, note)
    if note != before:
        service.store.findings.stand(shelved.model.name, MONITOR, note)


# ── columns ──────────────────────────────────────────────────────────────────────────────────


def _columns(
    service: Service, shelved: ShelvedModel, rules: Rules, note: dict[str, Any]
) -> Iterator[Symptom]:
    name, schema = shelved.model.name, shelved.model.schema
    seen = float(note.get("checked_to", 0.0))
    last = service.store.checks.last(name, "training")
    if last is None or last.ends_at <= seen:
        return
    found = service.store.checks.of_model(name, against="training", since=seen, until=last.ends_at)
    for ends_at, group in groupby(found, key=lambda one: one.ends_at):
        checks = [one for one in group if one.drifts and one.rows >= rules.least_rows]
        if checks:
            yield from _missing(checks, schema, rules)
            yield from _unseen(checks, schema, rules, _drifted(service, name, ends_at))
        note["checked_to"] = ends_at


def _missing(checks: Sequence[Check], schema: Schema, rules: Rules) -> Iterator[Symptom]:
    found = judged(checks, "missing", thresholds(schema, rules, "missing"))
    yield from _said("missing", found, checks)


def _unseen(
    checks: Sequence[Check], schema: Schema, rules: Rules, drifted: Sequence[str]
) -> Iterator[Symptom]:
    limits = thresholds(schema, rules, "unseen")
    plain = {name: limit for name, limit in limits.items() if name not in drifted}
    yield from _said("unseen", judged(checks, "unseen", plain), checks)


def thresholds(schema: Schema, rules: Rules, what: What) -> dict[str, float]:
    """Return the thresholds of the features that are watched for something."""
    limits: dict[str, float] = {}
    for feature in schema.features:
        rule = rules.features.get(feature.name, FeatureRule())
        has_choices = feature.kind in ("category", "boolean")
        if rule.is_watched and (what == "missing" or has_choices):
            own = rule.missing if what == "missing" else rule.unseen
            limits[feature.name] = getattr(rules, what) if own is None else own
    return limits


def _drifted(service: Service, name: str, at: float) -> Sequence[str]:
    """Return the columns that a finding of drift names at a moment."""
    found = service.store.findings.last(name, DRIFT, until=at)
    if found is None or (found.closed_at is not None and found.closed_at <= at):
        return ()
    return found.features


def _said(what: What, found: Judged, checks: Sequence[Check]) -> Iterator[Symptom]:
    cause, ends_at = f"quality:{what}", checks[0].ends_at
    if found.risen:
        shown = [asdict(one) for one in found.risen[:MOST_SHOWN]]
        starts_at = min(check.starts_at for check in checks)
        evidence = {"rows": found.rows, "starts_at": starts_at, "ends_at": ends_at}
        yield Symptom(
            cause,
            "quality",
            is_present=True,
            at=ends_at,
            since=starts_at,
            gravity=_gravity(max(one.share for one in found.risen)),
            sentence=_sentence(what, found.risen),
            advice=ADVICE[what],
            features=tuple(one.column for one in found.risen),
            evidence={**evidence, "features": shown},
        )
    elif found.is_calm:
        yield Symptom(cause, "quality", is_present=False, at=ends_at)


def _sentence(what: What, risen: Sequence[Risen]) -> str:
    is_what = "is missing" if what == "missing" else "was never seen in training"
    told = [f"{_percent(one.share)} of {one.column}" for one in risen[:MOST_TOLD]]
    more = len(risen) - MOST_TOLD
    if more > 0:
        told.append(f"much of {more:,} more feature{'' if more == 1 else 's'}")
    before = f"; before it was {_percent(risen[0].before)}" if len(risen) == 1 else ""
    return f"{_listed(told)} {is_what}{before}."


# ── rows ─────────────────────────────────────────────────────────────────────────────────────


def _refused(
    service: Service, shelved: ShelvedModel, rules: Rules, now: float, note: dict[str, Any]
) -> Iterator[Symptom]:
    step = -(-service.settings.rotation_seconds // 60)
    until = int(now - LATE_SECONDS) // 60
    earliest = int(now - LOOK_BACK_SECONDS) // 60
    since = max(int(note.get("counted_to", earliest)), earliest)
    tried = int(note.get("tried_to", 0))
    if until - since < step or until - tried < step:
        return
    windows = service.store.traffic.windows(
        shelved.model.name, since=since * 60.0, until=until * 60.0
    )
    pieces, counted_to = refusals(
        windows, since=since, until=until, step=step, least=rules.least_rows
    )
    for piece in pieces:
        yield from _told(piece, rules)
    note.update(counted_to=counted_to, tried_to=until)


def _told(piece: Refused, rules: Rules) -> Iterator[Symptom]:
    cause = "quality:rejected"
    if piece.share > rules.rejected:
        reasons = [f"{count:,} {_words(reason)}" for reason, count in piece.reasons.items()]
        yield Symptom(
            cause,
            "quality",
            is_present=True,
            at=piece.ends_at,
            since=piece.starts_at,
            gravity=_gravity(piece.share),
            sentence=f"{_percent(piece.share)} of {piece.rows:,} rows were refused: "
            f"{_listed(reasons[:MOST_TOLD])}.",
            advice=ADVICE["rejected"],
            evidence={
                "rows": piece.rows,
                "refused": piece.refused,
                "rejected_share": piece.share,
                "starts_at": piece.starts_at,
                "ends_at": piece.ends_at,
                "reasons": {_words(reason): count for reason, count in piece.reasons.items()},
            },
        )
    elif piece.share <= CALM * rules.rejected:
        yield Symptom(cause, "quality", is_present=False, at=piece.ends_at)


def _gravity(share: float) -> Gravity:
    return "grave" if share >= GRAVE_SHARE else "warning"


def _words(reason: str) -> str:
    return reason.replace("_", " ")


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _listed(told: Sequence[str]) -> str:
    """Join with commas and an and.

    >>> _listed(["one", "two", "three"])
    'one, two and three'
    """
    *first, last = told
    return f"{', '.join(first)} and {last}" if first else last
