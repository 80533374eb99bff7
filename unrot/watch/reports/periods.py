"""What traffic looked like over stretches of time, for pages and programs that ask.

    portrait      the distributions of a stretch of time: the sum of its profiles
    training      the distributions of what a version was trained on, or of what stands for it
    of_profile    those of one profile
    apart         how far two portraits lie apart, column by column
    sides         both sides of a check, so that its figures can be made again by hand

All of it is read from sums on common bins: no rows, no whylogs, plain numpy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from unrot.core.errors import Conflict, Invalid, NotFound
from unrot.core.records import Against, Check, CountedStretch, Drift, ModelKey, Profile, Summary
from unrot.core.rules import Rules
from unrot.serve.service import Service
from unrot.watch.monitors.drift.periods import rows_by_reference
from unrot.watch.monitors.drift.rule import Before, compare, judge_again
from unrot.watch.profiles import references
from unrot.watch.profiles.distributions import total

MOST_PROFILES = 5_000
"""So many are summed for one answer; each is some kilobytes of JSON."""

STARTS_AT_ONCE = 200

EXPLAINED = (
    "Profiles of an earlier release, and of a version that keeps no reference, have no bins: train "
    "it again, or let a whylogs profile stand for its training with: python -m unrot reference"
)


@dataclass(frozen=True, slots=True)
class Portrait:
    """How the values of all columns lay in some rows."""

    title: str
    """What it is of, for people: "training of v1", "2026-01-02"."""
    rows: int
    summary: Summary = field(repr=False)
    reference: str
    """The digest of the reference on whose bins it is; two on the same can be compared."""
    starts_at: float | None = None
    ends_at: float | None = None
    versions: tuple[str, ...] = ()
    left_out: int = 0
    """Rows of the same time that were counted on other bins, or on none."""
    unfair: tuple[str, ...] = ()
    """Columns that are shown and compared with nothing: answers to rows that it was fitted on."""


def checks(
    service: Service, model: str, *, since: float, until: float, against: Against | None = None
) -> list[Check]:
    """List the checks of periods that end in a stretch of time, by the rules of today."""
    key, rules = _known(service, model)
    found = service.store.checks.of_model(
        key, against=against or rules.against, since=since, until=until
    )
    return [judge_again(one, rules) for one in found if one.rows_before]


def portrait(
    service: Service,
    model: str,
    *,
    since: float,
    until: float,
    reference: str | None = None,
    title: str = "",
) -> Portrait:
    """Sum the profiles that start in a stretch of time.

    Those on other bins than most are left out, and counted; `reference` asks for certain bins.
    NotFound when there is nothing.
    """
    of = service.catalogue().model(model).model
    found = [
        one for one in service.store.profiles.stretches(of.key) if since <= one.starts_at < until
    ]
    if len(found) > MOST_PROFILES:
        raise Invalid(
            f"There are {len(found):,} profiles in this time, and at most {MOST_PROFILES:,} are "
            "summed up: choose a shorter one."
        )
    chosen = _usual(found) if reference is None else reference
    parts = [one for one in found if one.reference == chosen and chosen]
    if not parts:
        is_any = "is none" if not found else "is none on bins that can be compared"
        raise NotFound(f"Of the profiles of {of.name} in this time there {is_any}. {EXPLAINED}")
    return Portrait(
        title=title,
        rows=sum(one.rows for one in parts),
        summary=_summed_in_bites(service, of.key, parts, chosen),
        reference=chosen,
        starts_at=min(one.starts_at for one in parts),
        ends_at=max(one.ends_at for one in parts),
        versions=tuple(sorted({one.version for one in parts})),
        left_out=sum(one.rows for one in found if one.reference != chosen),
    )


def training(
    service: Service, model: str, *, version: str | None = None, reference: str | None = None
) -> Portrait:
    """Return what the traffic of a version, the champion's if unsaid, is compared with.

    NotFound when its version keeps no reference.
    """
    shelved = service.catalogue().model(model)
    name = version or shelved.version().name
    bins = references.bins_of(service, shelved.model.key, name)
    digest = reference or (bins[0] if bins else "")
    found = references.on_bins(service, shelved.model.key, name, digest)
    if found is None:
        raise NotFound(f"{shelved.model.name} {name} keeps no reference. {EXPLAINED}")
    standing = references.standing_for(service, shelved.model.key, name)
    title = f"training of {name}" if standing is None else standing.file
    return Portrait(title, found.rows, found.summary, digest, versions=(name,), unfair=found.unfair)


def profile(service: Service, model: str, id: str) -> Profile:
    """Return one profile of a model with its data."""
    of = service.catalogue().model(model).model
    found = service.store.profiles.get(id)
    if found is None or found.model != of.key:
        raise NotFound(f"{of.name} has no such profile: it may have been merged into a longer one.")
    return found


def of_profile(service: Service, model: str, id: str) -> Portrait:
    """Return the portrait of one profile."""
    found = profile(service, model, id)
    if not found.summary:
        raise NotFound(f"The profile {id} has no bins. {EXPLAINED}")
    return Portrait(
        title=id,
        rows=found.rows,
        summary=found.summary,
        reference=found.reference,
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        versions=(found.version,),
    )


def apart(service: Service, model: str, now: Portrait, before: Portrait) -> list[Drift]:
    """Say how far two portraits lie apart, the farthest column first; KS is from the bins."""
    _, rules = _known(service, model)
    if now.reference != before.reference:
        raise Conflict(
            "These two were counted on other bins, because their versions were trained on other "
            "data: compare each with its training."
        )
    base = Before(before.summary, unfair=(*before.unfair, *now.unfair))
    found = compare(now.summary, base, rules)
    return sorted(found, key=lambda one: -one.distance)


def sides(service: Service, check: Check) -> tuple[Summary, Summary]:
    """Return the distributions of a check, now and before; empty where they are not kept now."""
    now = _side(service, check, check.starts_at, check.ends_at)
    if check.against == "training":
        found = references.on_bins(service, check.model, check.version, check.reference)
        return now, {} if found is None else found.summary
    if check.before_starts_at is None or check.before_ends_at is None:
        return now, {}
    return now, _side(service, check, check.before_starts_at, check.before_ends_at)


def _side(service: Service, check: Check, since: float, until: float) -> Summary:
    profiles = service.store.profiles.of_model(check.model, since=since, until=until)
    within = [one for one in profiles if one.ends_at <= until]
    return _summed(within, check.reference)


def _known(service: Service, model: str) -> tuple[ModelKey, Rules]:
    key = service.catalogue().model(model).model.key
    return key, service.store.findings.rules(key)


def _summed_in_bites(
    service: Service, model: ModelKey, stretches: Sequence[CountedStretch], reference: str
) -> Summary:
    """Add up profiles a few hundred at a time: those of a year are hundreds of megabytes."""
    starts = sorted({one.starts_at for one in stretches})
    sums: list[Summary] = []
    for place in range(0, len(starts), STARTS_AT_ONCE):
        bite = starts[place : place + STARTS_AT_ONCE]
        until = math.nextafter(bite[-1], math.inf)
        profiles = service.store.profiles.of_model(model, since=bite[0], until=until)
        sums.append(_summed(profiles, reference))
    return total(sums)


def _summed(profiles: Sequence[Profile], reference: str) -> Summary:
    """Add up what is on the same bins; of one alone its quantiles stay."""
    return total(one.summary for one in profiles if one.reference == reference)


def _usual(stretches: Sequence[CountedStretch]) -> str:
    rows = rows_by_reference(one for one in stretches if one.reference)
    return max(rows, key=lambda reference: (rows[reference], reference), default="")
