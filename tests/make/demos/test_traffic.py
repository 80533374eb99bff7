"""Who walks by in the demo depends on the seed alone, and on whether the zombies have mutated."""

from __future__ import annotations

from itertools import islice

from unrot.make.demos.traffic import groups
from unrot.make.demos.zombies import traffic


def test_groups_of_one_seed_are_the_same_each_time() -> None:
    first = list(islice(groups(7, lambda: False), 200))

    assert first == list(islice(groups(7, lambda: False), 200))
    assert first != list(islice(groups(8, lambda: False), 200))


def test_groups_hold_the_traffic_in_its_order_and_about_half_is_known() -> None:
    found = list(islice(groups(7, lambda: False), 200))

    walked = [zombie for group in found for zombie in group.walkers]
    known = [one for group in found for one in group.known]
    assert walked == list(islice(traffic(7), len(walked)))
    assert {len(group.walkers) for group in found} == {1, 2, 3, 4, 5, 6, 7}
    assert len(known) == len(walked)
    assert 0.45 <= sum(known) / len(known) <= 0.55


def test_groups_are_of_mutants_once_they_have_mutated() -> None:
    has_mutated = iter([False, True, True])

    before, *after = islice(groups(7, lambda: next(has_mutated)), 3)

    mutants = [zombie for group in after for zombie in group.walkers]
    assert (before.is_mutated, [group.is_mutated for group in after]) == (False, [True, True])
    assert mutants == list(islice(traffic(7, mutated=True), len(mutants)))
