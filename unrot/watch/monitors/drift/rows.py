"""Read the rows of a period again while they are kept: their values, and what they are worth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from unrot.core.records import CountedStretch, Prediction, Profile, Schema, Stretch
from unrot.core.time import HOUR, hour_of
from unrot.watch.monitors.drift.dependence import Dependence, dependence_of
from unrot.watch.monitors.drift.habits import Habit, Hourly, habit_of
from unrot.watch.monitors.drift.periods import Period
from unrot.watch.profiles.baseline import Reference
from unrot.watch.profiles.columns import Numbers, columns_of
from unrot.watch.profiles.keeper import outputs_of
from unrot.watch.visit import Visit

ROWS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class PeriodRows:
    """What the rows of a period tell."""

    values: Mapping[str, Numbers] = field(repr=False, default_factory=dict)
    """Its columns of numbers, in the order of time, as far as they were read."""
    is_whole: bool = False
    dependence: Dependence | None = None
    """None where its rows are not kept any more."""

    @property
    def all_values(self) -> Mapping[str, Numbers]:
        """All values of its columns of numbers; none where not all rows were read."""
        return self.values if self.is_whole else {}


def profiles_of(visit: Visit, stretches: Sequence[CountedStretch]) -> list[Profile]:
    """Return the profiles of some stretches, without their data."""
    of = {(one.reference, one.version, one.starts_at, one.ends_at) for one in stretches}
    found = visit.store.profiles.of_model(
        visit.key,
        since=min(one.starts_at for one in stretches),
        until=max(one.ends_at for one in stretches),
    )
    return [one for one in found if (one.reference, one.version, one.starts_at, one.ends_at) in of]


def read_rows(
    visit: Visit,
    period: Period,
    profiles: Sequence[Profile],
    reference: Reference,
    most: int,
    usual: Mapping[str, Mapping[int, Hourly]],
) -> PeriodRows:
    """Read at most so many rows of a period, version by version and writer by writer.

    `usual` is what each column is at the hours of a day, as far as it is known.
    """
    schema, found = visit.model.schema, list[Prediction]()
    for bite in _bites(visit, period, profiles):
        found += bite[: most - len(found)]
        if len(found) >= most:
            break
    if len(found) < min(most, period.rows):
        return PeriodRows()
    found.sort(key=lambda one: one.predicted_at)
    rows = [one.inputs for one in found]
    columns = columns_of(schema, rows, outputs_of(schema, found))
    return PeriodRows(
        {name: one.numbers for name, one in columns.items() if one.numbers is not None},
        is_whole=len(rows) >= period.rows,
        dependence=dependence_of(
            columns,
            list(map(tuple, rows)),
            reference,
            _habits(schema, period, found, usual) if usual else {},
        ),
    )


def _habits(
    schema: Schema,
    period: Period,
    found: Sequence[Prediction],
    usual: Mapping[str, Mapping[int, Hourly]],
) -> dict[str, Habit]:
    """Return what is usual of the values of each column, gaps left out, at their hours."""
    hours: dict[str, list[int]] = defaultdict(list)
    for at, group in groupby(found, key=lambda one: one.predicted_at // HOUR):
        some = list(group)
        columns = columns_of(schema, [one.inputs for one in some], outputs_of(schema, some))
        for name, one in columns.items():
            hours[name] += [hour_of(at * HOUR)] * (one.rows - one.missing)
    habits = {
        name: habit_of(usual.get(name, {}), of, period.stretches) for name, of in hours.items()
    }
    return {name: one for name, one in habits.items() if one is not None}


def _bites(visit: Visit, period: Period, profiles: Sequence[Profile]) -> Iterator[list[Prediction]]:
    for model, version, writer in sorted(
        {(one.model, one.version, one.writer) for one in profiles}
    ):
        stretch = Stretch(model, version, int(period.starts_at), int(period.ends_at))
        after = None
        while bite := visit.store.traffic.of_stretch(
            stretch, writer, after=after, limit=ROWS_AT_ONCE
        ):
            yield bite
            after = (bite[-1].predicted_at, bite[-1].id or "")
