"""Journal lines: what was written is read back, and what cannot be read harms nobody else."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import orjson
import pytest

from unrot.core.records import Feedback, Prediction, UnverifiedFeedback
from unrot.core.table import Table
from unrot.serve.events import Events, from_lines, to_lines, to_lines_of_rows
from unrot.serve.rows import Rows

PREDICTION = Prediction("p1", "elves", "v1", 1.5, [1.5, None, "a"], "elf", [0.75, 0.25], None, 0.5)
REGRESSION = Prediction("p2", "rents", "v3", 2.5, [True], None, None, -3.25, 0.25)
VERDICT = Feedback("p1", "elves", 1.5, 2.5, False, "orc", "no", "ada", "judge:ada", False)
WITHDRAWN = Feedback("p2", "rents", 2.5, 3.5, withdrawn=True)
UNVERIFIED = UnverifiedFeedback("u1", "elves", {"height": [1, {"a": None}]}, "orc", True, 4.5, "h")


def test_events_read_back_are_those_that_were_written() -> None:
    lines = to_lines([PREDICTION, VERDICT, REGRESSION, UNVERIFIED, WITHDRAWN])

    found = from_lines(lines)

    assert found == Events(
        Rows.of([PREDICTION, REGRESSION]), [VERDICT, WITHDRAWN], [UNVERIFIED], []
    )


def test_event_is_one_line_with_the_words_of_the_product() -> None:
    lines = to_lines([VERDICT])

    assert lines == (
        b'{"kind":"feedback","event":{"prediction":"p1","model":"elves","predicted_at":1.5,'
        b'"given_at":2.5,"was_correct":false,"label":"orc","comment":"no","judge":"ada",'
        b'"subject":"judge:ada","withdrawn":false}}\n'
    )


@pytest.mark.parametrize(
    "text",
    [
        "two\nlines",
        "back\r\nagain",
        "null\0",
        "\u2028\u2029\x0b\x0c\x1c\x85",
        "🧟 Zoë",
        '{"a":1}\n',
    ],
)
def test_text_with_line_breaks_stays_on_one_line(text: str) -> None:
    verdict = Feedback("p1", "elves", 1.5, 2.5, True, comment=text)

    lines = to_lines([verdict, VERDICT])

    assert lines.count(b"\n") == 2
    assert from_lines(lines).feedback == [verdict, VERDICT]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\xff\xfe",
        b"not JSON",
        b'{"kind":"feedback","event":{"predic',
        b"null",
        b"[]",
        b"5",
        b"{}",
        b'{"kind":"prediction"}',
        b'{"kind":"prediction","event":{}}',
        b'{"kind":"prediction","event":[]}',
        b'{"kind":"dream","event":{}}',
        b'{"kind":["feedback"],"event":{}}',
        b"\0" * 64,
    ],
)
def test_line_that_is_no_event_is_set_aside_as_it_is(line: bytes) -> None:
    lines = to_lines([PREDICTION]) + line + b"\n" + to_lines([VERDICT])

    found = from_lines(lines)

    assert found == Events(Rows.of([PREDICTION]), [VERDICT], [], [line])


def test_line_of_a_newer_release_is_read_without_what_is_not_known() -> None:
    line = to_lines([VERDICT]).replace(b'"event":{', b'"event":{"mood":"good",')

    found = from_lines(line)

    assert found == Events(feedback=[VERDICT])


def test_line_of_an_older_release_takes_defaults_for_what_it_lacks() -> None:
    event = {"prediction": "p1", "model": "elves", "predicted_at": 1.5, "given_at": 2.5}
    line = orjson.dumps({"kind": "feedback", "event": {**event, "was_correct": True}}) + b"\n"

    found = from_lines(line)

    assert found == Events(feedback=[Feedback("p1", "elves", 1.5, 2.5, was_correct=True)])


@pytest.mark.parametrize("seed", range(40))
def test_lines_that_were_spoilt_are_read_as_if_each_came_alone(seed: int) -> None:
    chance = random.Random(seed)
    lines = to_lines([PREDICTION, VERDICT, REGRESSION, WITHDRAWN, PREDICTION]).splitlines()
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(lines))
        cut = chance.randrange(len(lines[at]) + 1)
        rest = chance.choice([b"", b",", b"},{", b"]", b"[", b'"', lines[at][cut + 1 :]])
        lines[at] = lines[at][:cut] + rest

    found = from_lines(b"\n".join(lines) + b"\n")

    alone = [from_lines(line + b"\n") for line in lines]
    assert found.predictions == [one for each in alone for one in each.predictions]
    assert found.feedback == [one for each in alone for one in each.feedback]
    assert found.unreadable == [one for each in alone for one in each.unreadable]


@pytest.mark.parametrize("wrong", [{"predicted_at": "now"}, {"inputs": "abc"}, {"version": None}])
def test_prediction_of_another_shape_is_set_aside_alone(wrong: dict[str, object]) -> None:
    event = {**orjson.loads(to_lines([PREDICTION]))["event"], **wrong}
    line = orjson.dumps({"kind": "prediction", "event": event})

    found = from_lines(to_lines([PREDICTION]) + line + b"\n" + to_lines([VERDICT]))

    assert found == Events(Rows.of([PREDICTION]), [VERDICT], [], [line])


ALIKE = {"model": "elves", "version": "v1", "predicted_at": 1.5, "seconds": 0.5}
CLASSIFIED = {
    "ids": [f"p{number}" for number in range(600)],
    "inputs": Table(np.arange(1200.0).reshape(600, 2) / 3),
    "labels": ["elf", "orc"] * 300,
    "probabilities": Table(np.arange(1200.0).reshape(600, 2) / 7),
    "values": None,
}
REGRESSED = {
    "ids": ["p1", "p2"],
    "inputs": [(1.5, None, "a"), (2.0, True, "b")],
    "labels": None,
    "probabilities": None,
    "values": [-3.25, 0.1],
}


@pytest.mark.parametrize("columns", [CLASSIFIED, REGRESSED])
def test_rows_of_one_request_are_read_as_if_each_had_its_line(columns: dict[str, Any]) -> None:
    filled = {name: column or [None] * len(columns["ids"]) for name, column in columns.items()}
    alone = [
        Prediction(id, "elves", "v1", 1.5, list(inputs), label, shares, value, 0.5)
        for id, inputs, label, shares, value in zip(*filled.values(), strict=True)
    ]

    lines = to_lines_of_rows(ALIKE, columns)

    assert lines.count(b"\n") == -(-len(alone) // 250)
    assert from_lines(to_lines([PREDICTION]) + lines + to_lines([VERDICT])) == Events(
        Rows.of([PREDICTION, *alone]), [VERDICT]
    )


def test_lines_of_several_requests_are_read_as_if_each_came_alone() -> None:
    gap = {**REGRESSED, "ids": ["p3"], "inputs": [(None, True, "b")], "values": [0.5]}
    one = {name: column and column[:1] for name, column in CLASSIFIED.items()}
    without = {**one, "ids": ["p4"], "probabilities": None}
    as_list = {**one, "ids": ["p5"], "inputs": [[0.25, -1.0]]}
    elves, rents = ALIKE, {**ALIKE, "model": "rents", "predicted_at": 2.5, "seconds": 0.25}
    given = [(elves, one), (rents, REGRESSED), (elves, without), (rents, gap), (elves, as_list)]
    lines = [to_lines_of_rows(alike, columns) for alike, columns in given]

    found = from_lines(b"".join(lines))

    alone = [made for line in lines for made in from_lines(line).predictions]
    for model, ids in (("elves", ["p0", "p4", "p5"]), ("rents", ["p1", "p2", "p3"])):
        own = [made for made in found.predictions if made.model == model]
        assert own == [made for made in alone if made.model == model]
        assert [made.id for made in own] == ids
    assert len(found.predictions) == len(alone)


def test_rows_of_requests_to_one_version_are_one_table() -> None:
    lines = [
        to_lines_of_rows(ALIKE, {name: column and column[at : at + 2] for name, column in told})
        for told in [CLASSIFIED.items()]
        for at in (0, 2, 4)
    ]

    found = from_lines(b"".join(lines)).predictions

    assert isinstance(found.inputs, Table)
    assert found.inputs.numbers.tolist() == CLASSIFIED["inputs"].numbers[:6].tolist()


@pytest.mark.parametrize(("width", "lines"), [(40, 1), (41, 2), (10_001, 250)])
def test_line_has_fewer_rows_where_they_are_wide(width: int, lines: int) -> None:
    columns = {**CLASSIFIED, "inputs": [["text"] * width] * 250}
    columns = {name: column and column[:250] for name, column in columns.items()}

    assert to_lines_of_rows(ALIKE, columns).count(b"\n") == lines


@pytest.mark.parametrize(
    "wrong",
    [
        {"ids": ["p1"]},
        {"ids": None},
        {"inputs": {"width": 3, "numbers": "AAAA"}},
        {"inputs": {"width": 1, "numbers": "AA?="}},
        {"inputs": {"numbers": ""}},
        {"inputs": {"width": -1, "numbers": "AAAA"}},
        {"inputs": {"width": 1.0, "numbers": "AAAAAAAAAAAAAAAAAAAAAA=="}},
        {"inputs": {"width": 1, "numbers": 5}},
        {"inputs": 5},
        {"inputs": "ab"},
        {"values": [1.0, "a"]},
        {"values": [1.0]},
        {"predicted_at": "now"},
    ],
)
def test_rows_of_another_shape_are_set_aside_alone(wrong: dict[str, Any]) -> None:
    event = {**orjson.loads(to_lines_of_rows(ALIKE, REGRESSED))["event"], **wrong}
    line = orjson.dumps({"kind": "predictions", "event": event})
    sound = to_lines_of_rows(ALIKE, REGRESSED)

    found = from_lines(sound + line + b"\n" + to_lines([VERDICT]))

    assert found == Events(from_lines(sound).predictions, [VERDICT], [], [line])


def test_no_lines_are_no_events() -> None:
    assert to_lines([]) == b""
    assert from_lines(b"") == Events()
