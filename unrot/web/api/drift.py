"""The REST routes of drift and profiles: checks with both distributions, and whylogs files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from flask import Response

from unrot.core import records
from unrot.core.records import Against, Summary
from unrot.core.rules import Rules
from unrot.core.time import WEEK
from unrot.watch.reports import periods
from unrot.web import moments
from unrot.web.api.parameters import LIMITS, ModelName
from unrot.web.charts.drift import excuse_of, step_of
from unrot.web.current import service
from unrot.web.reading import one_of
from unrot.web.routes import VIEWER, route
from unrot.web.shape import (
    UNSET,
    Expects,
    From,
    Keywords,
    Moment,
    Shape,
    TextOrNull,
    Unset,
    Written,
)

ID = "iris.v1.20260102T000000Z.86400s.0a1b2c3d"
ProfileId = Annotated[str, "The id of a profile.", Keywords(example=ID)]
FILE = "application/octet-stream"


# ── what is asked ────────────────────────────────────────────────────────────────────────────

Time = Annotated[moments.Given, "ISO 8601, UTC without a zone, or seconds since 1970."]
Newest = Annotated[int, "How many of the newest, 1 to 200.", *LIMITS]


class DriftQuery(Shape):
    """Which periods are compared, and with what."""

    from_: Time = None
    to: Time = None
    against: Annotated[
        Against,
        "What each period is compared with.",
        Expects("training or previous", one_of(get_args(Against)), skips_blank=True),
    ] = "training"
    against_from: Time = None
    against_to: Time = None
    limit: Newest = 20


class ProfilesQuery(Shape):
    """Which profiles to list."""

    from_: Time = None
    to: Time = None
    limit: Newest = 50


# ── what is answered ─────────────────────────────────────────────────────────────────────────


class Distribution(Shape):
    """How the values of one column lie, on bins."""

    kind: Literal["number", "choice"]
    rows: int
    missing: int
    unseen: int
    edges: list[float] | Unset = UNSET
    choices: list[str] | Unset = UNSET
    counts: list[int]
    low: float | None
    high: float | None
    mean: float | None
    quantiles: dict[str, float]
    types: dict[str, int]


def distribution(of: records.Distribution) -> Distribution:
    """Show a distribution with its bins, which are numbers or choices."""
    is_number = of.kind == "number"
    return Distribution.of(
        of,
        edges=list(of.edges) if is_number else UNSET,
        choices=UNSET if is_number else list(of.choices),
    )


Bins = Annotated[
    Distribution,
    "Of numbers: counts[i] values lie from edges[i - 1] up to, not with, edges[i]; the first and "
    "the last bin are open. Of choices: a count for each, and one for all others.",
    Written(distribution),
]


class Column(Shape):
    """How far one column moved, with both sides."""

    column: str
    distance: Annotated[float, "Hellinger, 0 to 1."]
    test: Literal["ks", "chi-square"]
    statistic: float
    is_exact: Annotated[bool, "False: KS is from the bins."]
    chance: Annotated[float, "Where nothing moved; corrected over columns."]
    threshold: Annotated[float, "Its own, or that of the rules."]
    state: Annotated[
        Literal["calm", "near", "chance", "beyond", "far"],
        "chance: beyond the threshold, but chance explains it, or could.",
    ]
    excuse: Annotated[TextOrNull, "Of `chance`: in words."]
    has_moved: bool
    is_calm: bool
    missing: float
    missing_before: float
    unseen: float
    unseen_before: float
    unseen_expected: Annotated[float, "The share where nothing moved."]
    expected: Annotated[float, "The distance that chance alone makes."]
    worth: Annotated[float, "Its values, as independent rows."]
    surprise: Annotated[float, "The chance, at most, if it is usual then or a part of training."]
    why: Annotated[
        Literal["", "chance", "usual", "unknown"], "Why a column that lies far has not moved."
    ]
    now: Bins | None
    before: Bins | None


class Check(Shape):
    """One closed period beside what it is compared with."""

    version: str
    starts_at: Moment
    ends_at: Moment
    rows: int
    rows_before: int
    columns: list[Column]


class Side(Shape):
    """What a portrait is of, without its distributions."""

    starts_at: Moment | None
    ends_at: Moment | None
    rows: int
    versions: list[str]
    left_out: int


class DriftChecks(Shape, named=True):
    """Checks period by period, or two stretches of time beside each other."""

    model: str
    against: str | Unset = UNSET
    checks: list[Check] | Unset = UNSET
    left_out: int | Unset = UNSET
    now: Side | Unset = UNSET
    before: Side | Unset = UNSET
    columns: list[Column] | Unset = UNSET


class Profile(Shape):
    """A whylogs profile of one stretch of traffic."""

    id: str
    version: str
    writer: str
    starts_at: Moment
    ends_at: Moment
    rows: int
    has_bins: Annotated[bool, From("summary"), Written(bool)]


class Profiles(Shape, named=True):
    """The newest profiles of a stretch of time."""

    profiles: list[Profile]
    left_out: int


class ProfileSummary(Profile, named=True):
    """A profile in numbers."""

    columns: Annotated[dict[str, Bins], From("summary")]


# ── routes ───────────────────────────────────────────────────────────────────────────────────


@route("GET", "/models/<model>/drift", needs=VIEWER, tag="drift", errors=(409,))
def drift(model: ModelName, query: DriftQuery) -> DriftChecks:
    """Say how far each column moved, period by period, or between two stretches of time.

    The Hellinger distance can be made again from the `counts` of `now` and `before`. With
    `against_from` and `against_to` the traffic from `from` to `to` is compared with that of
    another time; the answer then has `now`, `before` and `columns`. 409: the two were
    counted on other bins, because their versions were trained on other data.
    """
    if query.against_from is not None or query.against_to is not None:
        return _between(model, query)
    since, until = moments.between(query.from_, query.to, usual=(0.0, service().clock()))
    found = periods.checks(service(), model, since=since, until=until, against=query.against)
    of = service().catalogue().model(model).model
    rules = service().store.findings.rules(of.key)
    shown = found[-query.limit :]
    return DriftChecks(
        model=of.name,
        against=query.against,
        checks=[_check(one, rules) for one in shown],
        left_out=len(found) - len(shown),
    )


@route("GET", "/models/<model>/profiles", needs=VIEWER, tag="drift")
def profiles(model: ModelName, query: ProfilesQuery) -> Profiles:
    """List the profiles that start in a stretch of time, the last week if unsaid."""
    key = service().catalogue().model(model).model.key
    until = service().clock() if query.to is None else query.to
    since, until = moments.between(query.from_, until, usual=(max(0.0, until - WEEK), until))
    found = service().store.profiles.of_model(key, since=since, until=until)
    shown = found[-query.limit :]
    return Profiles(profiles=[Profile.of(one) for one in shown], left_out=len(found) - len(shown))


@route("GET", "/models/<model>/profiles/<id>.bin", needs=VIEWER, tag="drift", answers_file=FILE)
def profile_file(model: ModelName, id: ProfileId) -> Response:
    """Download a profile as the file that whylogs reads."""
    found = periods.profile(service(), model, id)
    answer = Response(found.data, mimetype=FILE)
    answer.headers.set("Content-Disposition", "attachment", filename=f"{id}.bin")
    return answer


@route("GET", "/models/<model>/profiles/<id>", needs=VIEWER, tag="drift")
def profile(model: ModelName, id: ProfileId) -> ProfileSummary:
    """Show the distributions of one profile."""
    return ProfileSummary.of(periods.profile(service(), model, id))


def _between(model: str, query: DriftQuery) -> DriftChecks:
    """Compare any stretch of time with any other."""
    given = {
        "from": query.from_,
        "to": query.to,
        "against_from": query.against_from,
        "against_to": query.against_to,
    }
    times = moments.demand(given)
    now = _portrait(model, times, "from", "to")
    before = _portrait(model, times, "against_from", "against_to")
    of = service().catalogue().model(model).model
    found = periods.apart(service(), model, now, before)
    rules = service().store.findings.rules(of.key)
    sides = now.summary, before.summary
    return DriftChecks(
        model=of.name,
        now=Side.of(now),
        before=Side.of(before),
        columns=[_column(one, sides, rules, now.rows) for one in found],
    )


def _portrait(model: str, times: Mapping[str, float], first: str, last: str) -> periods.Portrait:
    moments.check_order(times[first], times[last], first, last)
    return periods.portrait(service(), model, since=times[first], until=times[last])


def _check(check: records.Check, rules: Rules) -> Check:
    sides = periods.sides(service(), check)
    columns = [_column(one, sides, rules, check.rows) for one in check.drifts]
    return Check.of(check, columns=columns)


def _column(of: records.Drift, sides: tuple[Summary, Summary], rules: Rules, rows: int) -> Column:
    now, before = sides
    is_there = of.column in now and of.column in before
    threshold = rules.distance_of(of.column)
    more: dict[str, Any] = {"state": step_of(of, threshold)}
    more["excuse"] = excuse_of(of, threshold, rows) or None
    more["now"] = distribution(now[of.column]) if is_there else None
    more["before"] = distribution(before[of.column]) if is_there else None
    return Column.of(of, threshold=threshold, **more)
