"""A version on its holdout: the same figures as when it was made, and its mistakes first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.large_store import second
from unrot.core.errors import Conflict, NotFound
from unrot.core.records import Outputs, Version
from unrot.make import demos
from unrot.serve.service import Service
from unrot.watch import holdout
from unrot.watch.statistics.class_report import ClassReport, NumberReport


def held(service: Service, name: str = "zombies", version: str | None = None) -> holdout.Holdout:
    found = holdout.holdout(service, name, version)
    assert found is not None
    return found


def test_figures_are_those_of_the_version(service: Service) -> None:
    found = held(service)

    metrics = service.versions("zombies")[0].metrics
    assert isinstance(found.report, ClassReport)
    assert (len(found.rows), found.all_rows) == (4_000, 4_000)
    assert found.report.accuracy == metrics["accuracy"]
    assert {line.label: line.recall for line in found.report.lines} == {
        "hostile": metrics["recall:hostile"],
        "friendly": metrics["recall:friendly"],
    }
    assert found.report.area is not None and found.report.area > 0.9


def test_mistakes_come_first_and_the_surest_of_them_before_all(service: Service) -> None:
    found = held(service)

    wrong = found.wrong
    count = len(wrong)
    assert all(one.is_right for one in found.rows[count:])
    assert all(one.truth != one.answer for one in wrong)
    sure = [one.confidence or 0.0 for one in wrong]
    assert sure == sorted(sure, reverse=True)
    assert isinstance(found.report, ClassReport)
    assert count == round(4_000 * (1 - found.report.accuracy))


def test_rows_are_answered_once_for_each_version(service: Service) -> None:
    first = held(service)
    second(service)

    again, other = held(service, version="v1"), held(service, version="v2")

    assert again is first
    assert (other.version, other is first) == ("v2", False)


def test_wide_models_answer_fewer_rows() -> None:
    schema = demos.DEMOS["iris"]().schema
    wide = replace(schema, features=schema.features * 50)

    assert holdout.most_rows(schema) == 5_000
    assert holdout.most_rows(wide) == 1_500


def test_version_that_is_not_there_or_has_no_files_says_so(service: Service) -> None:
    with pytest.raises(NotFound, match="no version"):
        holdout.holdout(service, "zombies", "v9")
    second(service)
    service.store.lessons.prune("zombies", ["v2"])
    with pytest.raises(Conflict, match="removed by retention"):
        holdout.holdout(service, "zombies", "v2")


def test_numbers_are_right_within_twice_the_mean_error() -> None:
    schema = replace(demos.DEMOS["iris"]().schema, classes=())
    version = a_version({"mae": 1.0, "rows_held_out": 90.0, "constant_guess_mae": 4.0})

    found = holdout._answered(
        version,
        None,
        schema,
        [[1.0], [2.0], [3.0]],
        [10.0, 10.0, 10.0],
        Outputs(values=[12.0, 7.0, 9.5]),
    )

    assert [(one.answer, one.is_right, one.residual) for one in found.rows] == [
        (7.0, False, -3.0),
        (12.0, True, 2.0),
        (9.5, True, -0.5),
    ]
    assert (found.within, found.all_rows) == (2.0, 90)
    assert isinstance(found.report, NumberReport) and found.report.mae == 5.5 / 3
    assert found.report.constant_guess_mae == 4.0  # the median of the training, not of these rows


def a_version(metrics: dict[str, float]) -> Version:
    from tests.store.test_contract import a_version as made

    return replace(made("houses"), metrics=metrics)
