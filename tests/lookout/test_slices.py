"""Parts of the traffic as the lookout sees them, in a small town of real zombies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.schooling.school import CROWD, JUDGE, OTHER, School, zombies_of
from unrot.bootstrap import open_service
from unrot.lookout import slices
from unrot.records import Caller
from unrot.settings import Settings
from unrot.symptoms import FeatureRule, Rules, Symptom

NOON = 1_700_049_600.0
Row = dict[str, float]


class Clock:
    """A clock that goes on by a second at each look."""

    now = NOON

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def school(settings: Settings) -> Iterator[School]:
    service = replace(open_service(settings), clock=Clock())
    yield School(service)
    service.store.close()


def taught(
    school: School,
    count: int,
    *,
    seed: int = 1,
    wrong: Callable[[Row], bool] = lambda row: False,
    caller: Caller = JUDGE,
) -> None:
    """Let zombies be predicted and judged: all answers are right but where they are to be wrong."""
    rows = [row for row, _ in zombies_of(count, seed=seed)]
    for start in range(0, count, 100):
        part = rows[start : start + 100]
        made = school.predicted(part)
        said = [
            OTHER[str(one.label)] if wrong(row) else str(one.label)
            for row, one in zip(part, made, strict=True)
        ]
        school.judged(made, said, caller)


def looked(school: School, rules: Rules = Rules()) -> list[Symptom]:  # noqa: B008
    shelved = school.service.catalogue().model("zombies")
    return list(slices.look(school.service, shelved, rules, school.service.clock()))


def is_old(row: Row) -> bool:
    return row["decay"] >= 0.8


def test_part_that_falls_alone_is_named_with_what_it_was_and_what_the_rest_is(
    school: School,
) -> None:
    print([round(sorted(r["decay"] for r, _ in zombies_of(500, seed=1))[k], 3) for k in (0, 250, 400, 450, 499)])
    taught(school, 1_000)
    assert looked(school) == []

    taught(school, 1_000, seed=2, wrong=is_old)
    found = looked(school)

    print([(one.is_present, one.sentence, one.gravity, one.at, one.since) for one in found])
    print(found[-1].evidence)
    assert 0
