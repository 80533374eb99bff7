"""Whether rows are whole, by hand calculation: shares that rose, and rows that were refused."""

from __future__ import annotations

from unrot.monitors.quality import Judged, Refused, Risen, judged, refusals
from unrot.records import Window
from unrot.symptoms import Check, Drift

THRESHOLDS = {"age": 0.1, "sex": 0.1}


def drift(column: str, **shares: float) -> Drift:
    return Drift(column, 0.0, "ks", 0.0, 1.0, has_moved=False, is_calm=True, **shares)


def check(*drifts: Drift, rows: int = 100, version: str = "v1") -> Check:
    return Check("heart", version, 0.0, 60.0, "training", rows, 240, drifts)


def test_share_that_rose_by_more_than_its_threshold_is_named_the_farthest_first() -> None:
    found = judged(
        [check(drift("age", missing=0.3, missing_before=0.1), drift("sex", missing=0.5))],
        "missing",
        THRESHOLDS,
    )

    assert found == Judged(100, (Risen("sex", 0.5, 0.0), Risen("age", 0.3, 0.1)), False)


def test_between_threshold_and_half_of_it_nothing_is_said() -> None:
    def calm_at(share: float) -> tuple[int, bool]:
        found = judged([check(drift("age", unseen=share))], "unseen", THRESHOLDS)
        return len(found.risen), found.is_calm

    assert [calm_at(share) for share in (0.05, 0.06, 0.1, 0.11)] == [
        (0, True), (0, False), (0, False), (1, False),
    ]  # fmt: skip


def test_share_that_was_as_large_in_training_is_calm() -> None:
    found = judged([check(drift("age", missing=0.4, missing_before=0.4))], "missing", THRESHOLDS)

    assert found == Judged(100, (), True)


def test_versions_of_one_period_count_by_their_rows() -> None:
    """(300 x 0 + 100 x 0.6) / 400 = 0.15."""
    found = judged(
        [
            check(drift("age", missing=0.0), rows=300),
            check(drift("age", missing=0.6), rows=100, version="v2"),
        ],
        "missing",
        THRESHOLDS,
    )

    assert found.rows == 400
    assert [(one.column, round(one.share, 9)) for one in found.risen] == [("age", 0.15)]


def test_columns_without_a_threshold_are_not_looked_at() -> None:
    assert judged([check(drift("output.class", missing=1.0))], "missing", THRESHOLDS).risen == ()


def test_threshold_of_nothing_is_passed_by_anything() -> None:
    found = judged([check(drift("age", missing=0.001))], "missing", {"age": 0.0})

    assert [one.column for one in found.risen] == ["age"]


def windows(**minutes: tuple[int, dict[str, int]]) -> list[Window]:
    return [
        Window(int(minute[1:]), "heart", "v1", "me", predictions=kept, rejected=refused)
        for minute, (kept, refused) in minutes.items()
    ]


def test_rows_are_gathered_until_there_are_enough() -> None:
    found, begin = refusals(
        windows(m0=(40, {}), m1=(40, {"wrong_type": 10}), m2=(5, {"wrong_type": 2, "missing": 3}),
                m3=(90, {}), m5=(9, {})),
        since=0, until=6, step=1, least=90,
    )  # fmt: skip

    assert found == [
        Refused(0.0, 120.0, 90, {"wrong_type": 10}),
        Refused(120.0, 240.0, 100, {"missing": 3, "wrong_type": 2}),
    ]
    assert [one.share for one in found] == [10 / 90, 0.05]
    assert begin == 5


def test_few_rows_of_an_hour_are_let_go() -> None:
    found, begin = refusals(
        windows(m0=(1, {"missing": 50}), m70=(99, {})), since=0, until=71, step=1, least=90
    )

    assert found == [Refused(70 * 60.0, 71 * 60.0, 99, {})]
    assert begin == 71


def test_pieces_end_at_whole_steps() -> None:
    found, begin = refusals(windows(m0=(99, {}), m5=(99, {})), since=0, until=9, step=5, least=90)

    assert [(one.starts_at, one.ends_at) for one in found] == [(0.0, 300.0)]
    assert begin == 5


def test_versions_and_writers_of_a_minute_are_summed() -> None:
    both = [
        Window(0, "heart", "v1", "me", predictions=50, rejected={"missing": 1}),
        Window(0, "heart", "v2", "you", predictions=50, rejected={"missing": 2}),
    ]

    found, _ = refusals(both, since=0, until=1, step=1, least=100)

    assert found == [Refused(0.0, 60.0, 103, {"missing": 3})]
