"""The shape of every API answer, and the one reader of every API body."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import orjson
from flask import Response, current_app, request
from werkzeug.exceptions import HTTPException

from unrot.core.errors import BadRequest, Detail, TooLarge, WrongType, shown
from unrot.core.schema import MOST_ROWS
from unrot.web.shape import to_json

MOST_NESTED = {"lists": 40 * MOST_ROWS, "objects": 10 * MOST_ROWS}
"""In a body: there are clients who send each value as a list."""


def text_of(body: Any) -> bytes:
    """Write JSON."""
    return orjson.dumps(body, to_json, orjson.OPT_PASSTHROUGH_DATACLASS)


def success(data: Any, code: int = 200, message: str = "Success") -> Response:
    """Answer with data."""
    return plain({"data": data, "message": message}, code)


def failure(
    code: int, reason: str, message: str, details: Sequence[Detail] = (), **more: Any
) -> Response:
    """Answer with what is wrong, and perhaps with what is in the way."""
    return plain({**what_is_wrong(reason, message, details), **more}, code)


def what_is_wrong(reason: str, message: str, details: Sequence[Detail] = ()) -> dict[str, Any]:
    """Write an error as every answer has it."""
    body: dict[str, Any] = {"data": None, "message": message, "reason": reason}
    if details:
        body["details"] = [_detail(detail) for detail in details]
    return body


def plain(body: Any, code: int = 200) -> Response:
    """Answer with JSON and no envelope."""
    return Response(text_of(body), code, mimetype="application/json")


def body() -> Any:
    """Read the JSON of the request."""
    return read_json(request.mimetype, received())


def received() -> bytes:
    """Return the body of a request that says that it is JSON."""
    check_type(request.mimetype)
    return whole_body()


def read_json(mimetype: str, raw: bytes) -> Any:
    """Read JSON.

    What strict JSON refuses (NaN, 1e999, a lone surrogate) is read once more leniently, so that
    the schema can name the field that holds it.
    """
    check_type(mimetype)
    if not raw.strip():
        raise BadRequest('The body is empty: send JSON, for example {"inputs": {…}}.')
    return parsed(raw)


def body_object() -> dict[str, Any]:
    """Read a JSON object."""
    return as_object(body())


def parameters() -> dict[str, Any]:
    """Read a JSON object where nothing at all, whatever its type, is an empty one."""
    raw = whole_body()
    if not raw.strip():
        return {}
    check_type(request.mimetype)
    return as_object(parsed(raw))


def check_type(mimetype: str) -> None:
    """Return when a body is JSON by its type."""
    if mimetype != "application/json" and not mimetype.endswith("+json"):
        given = shown(mimetype) if mimetype else "none"
        raise WrongType(f"The content type is {given}: send application/json.")


def parsed(raw: bytes) -> Any:
    """Read JSON, whatever its sender calls it."""
    check_nested(raw)
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        return _read_leniently(raw, str(error))


def check_nested(raw: bytes) -> None:
    """Raise TooLarge for more lists or objects than are read: each takes 20 times its text.

    Brackets in texts are counted as well.
    """
    for called, most in MOST_NESTED.items():
        opening = b"[" if called == "lists" else b"{"
        if len(raw) > most and (many := raw.count(opening)) > most:
            raise TooLarge(
                f"The JSON opens {many:,} {called}, and at most {most:,} are read: send fewer rows "
                "at once."
            )


def as_object(given: Any) -> dict[str, Any]:
    """Return what was read when it is an object."""
    if not isinstance(given, dict):
        raise BadRequest(
            f"The body is {shown(given)}: expected a JSON object.", reason="not_object"
        )
    return given


def whole_body() -> bytes:
    """Return the body; one without a length is read just far enough to know that it is too long."""
    limit = current_app.config["MAX_CONTENT_LENGTH"]
    try:
        if "Transfer-Encoding" not in request.headers:
            return request.get_data(cache=False)
        raw: bytes = request.environ["wsgi.input"].read(limit + 1)
    except HTTPException:
        raise
    except Exception as error:
        # Each server has errors of its own for a body that breaks off or is wrongly chunked.
        raise BadRequest("The body does not arrive whole.", reason="broken_body") from error
    if len(raw) > limit:
        raise TooLarge(too_large(limit))
    return raw


def too_large(limit: int) -> str:
    """Say how large a body may be."""
    return f"The body is larger than the {limit:,} bytes that are taken (UNROT_MAX_BODY)."


def _read_leniently(raw: bytes, problem: str) -> Any:
    try:
        return json.loads(raw.decode("utf-8"))
    except RecursionError:
        raise BadRequest("The JSON is nested too deeply.") from None
    except UnicodeDecodeError:
        raise BadRequest("The body is not UTF-8.") from None
    except ValueError:
        raise BadRequest(f"The body is not JSON: {shown(problem, 120)[1:-1]}.") from None


def _detail(detail: Detail) -> dict[str, Any]:
    value = detail.value
    small = value is None or isinstance(value, bool | int | float)
    kept = value if small and _is_json(value) else shown(value)
    if isinstance(value, str):
        kept = shown(value)[1:-1]
    field = shown(detail.field)[1:-1]
    expected = f"{detail.expected}; it is missing" if detail.is_missing else detail.expected
    return {"row": detail.row, "field": field, "value": kept, "expected": expected}


def _is_json(value: Any) -> bool:
    """Tell whether a value can be written as JSON: NaN and integers over 64 bits cannot."""
    if isinstance(value, float):
        return value - value == 0
    return not isinstance(value, int) or abs(value) < 2**63
