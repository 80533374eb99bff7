"""Each kind of finding has a head of a few words, in people's names, that is never too long."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from unrot.core.records import Feature, Finding, FindingKind, Schema
from unrot.watch.heads import MOST, head_of

SCHEMA = Schema(
    (
        Feature("groan_pitch", "number", unit="Hz"),
        Feature("region", "category", label="Part of the country", choices=("north",)),
        Feature("x" * 120, "number"),
    ),
    "left",
    ("no", "yes"),
)
NUMBERS = Schema(SCHEMA.features, "left")
ALL = SCHEMA.names
VISITOR = {"verdicts": 30, "trusted": 0, "subjects": 1, "largest": 30}


def found(
    kind: FindingKind, cause: str = "", features: tuple[str, ...] = (), **evidence: Any
) -> Finding:
    return Finding("f", "m", cause or kind, kind, "grave", 0, 0, 0, "", "", features, evidence)


def fell(*, is_known: bool = True, **more: Any) -> dict[str, Any]:
    bounds = {"low": 0.3, "high": 0.6} if is_known else {}
    return {"before": {"value": 0.93}, "after": {"value": 0.52, **bounds}, **more}


@pytest.mark.parametrize(
    ("finding", "head"),
    [
        (found("drift", features=ALL[:2]), "Inputs drifted: groan pitch and 1 more"),
        (found("drift", features=ALL[1:2]), "Input drifted: Part of the country"),
        (found("drift", features=("output.class", ALL[0])), "Input drifted: groan pitch"),
        (found("drift", features=("output.class",)), "Answers drifted: the answered class"),
        (found("drift"), "Data drift"),
        (found("rot", **fell()), "Accuracy fell from 93 % to 52 %"),
        (
            found("rot", **fell(is_from_start=True)),
            "Accuracy is 52 %; its test set promised 93 %",
        ),
        (
            found("rot", **fell(is_known=False)),
            "Those who judged it say it is wrong more often",
        ),
        (found("rot", **fell(whose=VISITOR)), "One visitor says it is wrong more often"),
        (found("rot", "rot-floor", floor=0.8), "Accuracy is below its floor of 80 %"),
        (found("rot"), "Rot"),
        (
            found("slice", features=("region",), parts=[{"part": "region is north"}], fallen=3),
            "Wrong more often where Part of the country is no… and 2 more",
        ),
        (
            found("slice", parts=[{"part": "the truth is yes"}], fallen=1),
            "Wrong more often where the truth is yes",
        ),
        (found("quality", "quality:missing", ALL[:1]), "Values are missing: groan pitch"),
        (
            found("quality", "quality:unseen", ALL[1:2]),
            "Choices never seen in training: Part of the country",
        ),
        (found("quality", "quality:range", ALL[:1]), "Numbers out of range: groan pitch"),
        (found("quality", "quality:rejected"), "More rows are refused than usual"),
        (found("quality", "quality:rejected", ALL[:1]), "Rows refused: groan pitch"),
        (found("outliers", features=ALL[:2]), "More outliers than usual: groan pitch and 1 more"),
        (
            found("coverage", promised=0.9, static=[0.71, 0.6, 0.8]),
            "Without adapting, sets hold the truth in 71 %, not 90 %",
        ),
        (found("abstentions", share=0.45, usual=0.1), "Not sure of 45 %, was 10 %"),
        (found("estimate", promised=0.9, estimated=0.7), "Estimated accuracy: 70 %, was 90 %"),
        (found("operations", "operations:journal"), "Predictions could not be kept"),
        (found("operations", "operations:champion"), "The champion does not load"),
    ],
)
def test_head_says_what_was_found(finding: Finding, head: str) -> None:
    assert head_of(finding, SCHEMA) == head


def test_head_of_numbers_tells_of_errors() -> None:
    grew = found("rot", before={"value": 3.14159}, after={"value": 5.5})

    assert head_of(grew, NUMBERS) == "Mean error grew from 3.14 to 5.5"


def test_head_of_numbers_tells_of_intervals() -> None:
    missed = found("coverage", promised=0.9, static=[0.71, 0.6, 0.8])

    head = head_of(missed, NUMBERS)

    assert head == "Without adapting, intervals hold the truth in 71 %, not 90 %"


@pytest.mark.parametrize("kind", get_args(FindingKind))
def test_head_is_short_and_never_empty_whatever_a_finding_has(kind: FindingKind) -> None:
    for features in ((), ALL[2:], ("gone", *ALL)):
        head = head_of(found(kind, "quality:range", features), SCHEMA)

        assert 0 < len(head) <= MOST


@pytest.mark.parametrize(
    "finding",
    [
        found("rot", before={"value": "many"}, after={"value": 0.5, "low": 0.1}),
        found("rot", before=3, after=[]),
        found("slice", parts=[{}]),
        found("slice", parts={"a": 1}),
        found("estimate", promised="x", estimated="y"),
        found("rot", floor=None),
    ],
)
def test_evidence_of_another_release_stops_no_page(finding: Finding) -> None:
    assert head_of(finding, SCHEMA) in ("Rot", "A part of the traffic", "Estimated accuracy")
