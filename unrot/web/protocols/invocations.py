"""What is sent to `/invocations`, in all the forms of MLflow's scoring server and of SageMaker.

JSON has data frames, instances or inputs; CSV a header, or none and the order of the schema; JSON
lines a row each. Columns that are no features are left out, as MLflow does. What is wrong is said
without the values that were sent: these servers stand behind others, whose logs keep answers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from tempfile import TemporaryFile
from typing import Any

import orjson
from flask import Response, request

from unrot.core.errors import BadRequest, Invalid, Unavailable, WrongType, wrong_field
from unrot.core.plurals import counted
from unrot.core.records import Feature, Schema
from unrot.hear.key_store import read_key
from unrot.make.csv.cells import value_of
from unrot.make.csv.text import Lines
from unrot.make.parquet import read_parquet
from unrot.run.lanes import PARQUET
from unrot.serve.answer import Answer
from unrot.web.api.envelope import check_nested, parsed, plain, whole_body
from unrot.web.current import service
from unrot.web.protocols.scoring import IDS, answers_of, ids_header, ids_of, keys_beside, score
from unrot.web.protocols.tables import (
    KEY,
    Given,
    at_most,
    check_count,
    rows_of_inputs,
    rows_of_instances,
)
from unrot.web.security import caller_where_all_may
from unrot.web.uploads import take_turn

JSON, CSV, LINES = "application/json", "text/csv", "application/jsonlines"
TYPES = {
    JSON: JSON,
    CSV: CSV,
    LINES: LINES,
    "application/x-jsonlines": LINES,
    "application/x-ndjson": LINES,
    PARQUET: PARQUET,
}
SPLIT, RECORDS, INSTANCES, INPUTS = "dataframe_split", "dataframe_records", "instances", "inputs"
FORMS = (SPLIT, RECORDS, INSTANCES, INPUTS)
FEATURES = "features"
MOST_PARQUET_BYTES, PARQUET_SECONDS = 64_000_000, 15.0
"""Of the rows of a file as text, and for all of them."""


def score_invocation(model: str | None, version: str | None, key: str | None) -> Answer:
    """Score the rows of the request; `key` is what the client calls its only one."""
    type, raw = _type_of_request(), whole_body()
    with without_values():
        given = _json_object(raw) if type == JSON else {}
        keys = keys_beside(given) if key is None else [read_key(key, "the inference id")]

        def read(schema: Schema) -> list[Given]:
            rows = rows_of_json(schema, given) if type == JSON else READERS[type](schema, raw)
            return known(schema, rows)

        return score(service(), model, version, read, caller_where_all_may(), keys)


def written(answer: Answer) -> Response:
    """Write the answer as the client takes it: JSON unless it asks for something else."""
    wanted = request.accept_mimetypes.best_match([JSON, CSV, *_LINES], default=JSON)
    labels, ids = answers_of(answer), ids_of(answer)
    if wanted == JSON:
        return plain({"predictions": labels, IDS: ids})
    if wanted == CSV:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([label] for label in labels)
        return Response(text.getvalue(), mimetype=CSV, headers=ids_header(answer))
    lines = [
        orjson.dumps({"prediction": label, "id": id}, option=orjson.OPT_APPEND_NEWLINE)
        for label, id in zip(labels, ids, strict=True)
    ]
    return Response(b"".join(lines), mimetype=wanted, headers=ids_header(answer))


_LINES = [name for name, type in TYPES.items() if type == LINES]


def _type_of_request() -> str:
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype not in TYPES or charset not in ("utf-8", "utf8"):
        expected = ", ".join((JSON, CSV, LINES, PARQUET))
        raise WrongType(f"Send a Content-Type of {expected}, in UTF-8.")
    return TYPES[request.mimetype]


@contextmanager
def without_values() -> Iterator[None]:
    """Say what is wrong with a request without what was sent in it."""
    try:
        yield
    except Invalid as error:
        if not error.details:
            raise Invalid("The model cannot score these rows.") from error
        first = error.details[0]
        where = f"Row {first.row}: " if first.row is not None else ""
        is_missing = " is missing" if first.is_missing else ""
        said = f"{where}{first.field}{is_missing}: expected {first.expected}."
        raise Invalid(said, reason=error.reason) from error


def known(schema: Schema, rows: list[Given]) -> list[Given]:
    """Return rows without the columns that are neither features nor keys."""
    names = {*schema.names, KEY}
    return [{name: value for name, value in row.items() if name in names} for row in rows]


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────


def _json_object(raw: bytes) -> dict[str, Any]:
    if not raw.strip():
        raise BadRequest(f"The body is empty: expected an object with one of {', '.join(FORMS)}.")
    given = parsed(raw)
    if isinstance(given, list):
        return {INSTANCES: given}
    if not isinstance(given, dict):
        raise BadRequest(f"Expected a JSON object with one of {', '.join(FORMS)}.")
    return given


def rows_of_json(schema: Schema, given: Mapping[str, Any]) -> list[Given]:
    """Read one of MLflow's four forms."""
    forms = [form for form in FORMS if form in given]
    if len(forms) != 1:
        raise BadRequest(f"Expected exactly one of {', '.join(FORMS)}; there are {len(forms)}.")
    [form] = forms
    if form == SPLIT:
        return _rows_of_split(given[SPLIT])
    if form == INPUTS:
        return rows_of_inputs(schema, given[INPUTS])
    rows = given[form]
    if form == RECORDS and not (isinstance(rows, list) and all(isinstance(x, dict) for x in rows)):
        raise wrong_field(RECORDS, rows, "a list of objects, each a row by name")
    return rows_of_instances(schema, _unwrapped(schema, rows), form)


def _rows_of_split(given: Any) -> list[Given]:
    if not isinstance(given, dict) or not isinstance(given.get("data"), list):
        raise wrong_field(SPLIT, given, "an object with columns and data: a list of rows")
    columns, data = given.get("columns"), given["data"]
    if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns):
        raise wrong_field(SPLIT, given, "columns: a list of names")
    check_count(len(data))
    for number, row in enumerate(data):
        if not isinstance(row, list) or len(row) != len(columns):
            raise wrong_field(SPLIT, row, counted(len(columns), "value"), row=number)
    return [dict(zip(columns, row, strict=True)) for row in data]


def _unwrapped(schema: Schema, rows: Any) -> Any:
    """Take rows out of SageMaker's `{"features": […]}`."""
    if not isinstance(rows, list) or FEATURES in schema.names:
        return rows
    return [one[FEATURES] if isinstance(one, dict) and FEATURES in one else one for one in rows]


# ── lines ────────────────────────────────────────────────────────────────────────────────────────


def rows_of_lines(schema: Schema, raw: bytes) -> list[Given]:
    """Read JSON lines: a list in order, an object by name, or SageMaker's features."""
    check_nested(raw)
    lines = at_most(line for line in io.BytesIO(raw) if line.strip())
    return rows_of_instances(schema, _unwrapped(schema, [parsed(line) for line in lines]), "line")


def rows_of_csv(schema: Schema, raw: bytes) -> list[Given]:
    """Read CSV, its columns by the names in its first line, else in the order of the schema."""
    try:
        records = _records_of(raw)
        first = next(records, None)
        if first is None:
            return []
        has_header = not {*first}.isdisjoint(schema.names)
        names = tuple(first) if has_header else schema.names
        rows = records if has_header else chain([first], records)
        features = {feature.name: feature for feature in schema.features}
        read = (_row_of_csv(features, names, row, number) for number, row in enumerate(rows))
        return at_most(read)
    except UnicodeDecodeError:
        raise BadRequest("The body is not UTF-8.") from None
    except csv.Error:
        raise BadRequest("The body cannot be read as CSV.") from None


def _records_of(raw: bytes) -> Iterator[list[str]]:
    lines = Lines(io.TextIOWrapper(io.BytesIO(raw), "utf-8-sig", newline=""))
    for cells in csv.reader(lines):
        lines.taken = 0
        if cells:
            yield cells


def _row_of_csv(
    features: Mapping[str, Feature], names: tuple[str, ...], line: list[str], number: int
) -> Given:
    if len(line) != len(names):
        raise wrong_field("line", line, counted(len(names), "value"), row=number)
    return {
        name: value_of(features[name], text) if name in features else text
        for name, text in zip(names, line, strict=True)
        if name in features or name == KEY
    }


# ── Parquet ──────────────────────────────────────────────────────────────────────────────────────


def rows_of_parquet(schema: Schema, raw: bytes) -> list[Given]:
    """Read Parquet, where pyarrow is installed."""
    try:
        with take_turn(), TemporaryFile() as file:
            file.write(raw)
            file.flush()
            with read_parquet(file) as table:
                names = [name for name in table.columns if name in {*schema.names, KEY}]
                check_count(table.rows)
                rows = table.cells(names, most_bytes=MOST_PARQUET_BYTES, seconds=PARQUET_SECONDS)
                return at_most(dict(zip(names, cells, strict=True)) for cells in rows)
    except ImportError:
        raise WrongType(
            "Parquet is read where pyarrow is installed: pip install 'unrot[parquet]' there, or "
            "send CSV or JSON."
        ) from None
    except ValueError:
        raise BadRequest("The body cannot be read as Parquet.") from None
    except OSError as error:
        raise Unavailable(f"The file could not be read ({error.strerror}): try again.") from error


READERS = {CSV: rows_of_csv, LINES: rows_of_lines, PARQUET: rows_of_parquet}
