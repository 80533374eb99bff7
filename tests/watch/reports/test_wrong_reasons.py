"""Which reasons stand out among the wrong answers, and when nothing is said of that."""

from __future__ import annotations

import pytest

from unrot.watch.reports.wrong_reasons import count_reasons

Row = tuple[int, int]


def counts(right: int, wrong: int, **named: Row) -> dict[str, dict[str, int]]:
    every = {"": (right, wrong), **named}
    return {name: {"right": row[0], "wrong": row[1]} for name, row in every.items()}


def outstanding(counted: dict[str, dict[str, int]]) -> list[str]:
    return [one.feature for one in count_reasons(counted).outstanding]


def test_reason_that_wrong_answers_name_more_often_stands_out() -> None:
    found = count_reasons(counts(60, 40, thal=(12, 31), age=(40, 25), chol=(8, 4)))

    assert [one.feature for one in found.reasons] == ["thal", "age", "chol"]
    assert outstanding(counts(60, 40, thal=(12, 31), age=(40, 25))) == ["thal"]
    share = found.reasons[0].wrong_share
    assert (share.right, share.count) == (31, 43)


def test_reason_that_both_name_alike_does_not_stand_out() -> None:
    assert outstanding(counts(60, 40, thal=(45, 30))) == []


def test_reason_that_right_answers_name_more_often_does_not_stand_out() -> None:
    assert outstanding(counts(60, 40, thal=(50, 3))) == []


def test_of_few_wrong_answers_nothing_is_said() -> None:
    found = count_reasons(counts(60, 9, thal=(0, 9)))

    assert not found.can_tell
    assert list(found.outstanding) == []


def test_many_reasons_have_to_be_surer_than_one() -> None:
    alone = counts(30, 20, thal=(8, 12))
    among = counts(30, 20, thal=(8, 12), **{f"f{place}": (15, 10) for place in range(30)})

    assert outstanding(alone) == ["thal"]
    assert outstanding(among) == []


@pytest.mark.parametrize("counted", [{}, {"": {}}, {"thal": {"right": 0, "wrong": 0}}])
def test_where_nobody_saw_reasons_there_is_nothing(counted: dict[str, dict[str, int]]) -> None:
    found = count_reasons(counted)

    assert (found.judged, list(found.reasons)) == (0, [])
