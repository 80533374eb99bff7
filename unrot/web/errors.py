"""Every error as an answer: JSON with a sentence and a word for programs, a page for people.

This is the one place that knows which error is which HTTP status.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from difflib import get_close_matches
from traceback import clear_frames
from typing import Any

from flask import Flask, Response, current_app, render_template, request
from werkzeug.exceptions import BadHost, HTTPException, SecurityError

from unrot.core import errors
from unrot.core.errors import shown
from unrot.core.records import Model
from unrot.run.lanes import DRAIN_BYTES
from unrot.web.api.envelope import failure, too_large
from unrot.web.current import service

_log = logging.getLogger(__name__)

STATUS: dict[type[errors.UnrotError], int] = {
    errors.BadRequest: 400,
    errors.NotKnown: 401,
    errors.NotAllowed: 403,
    errors.NotSigned: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Expired: 410,
    errors.TooLarge: 413,
    errors.WrongType: 415,
    errors.Invalid: 422,
    errors.TooMany: 429,
    errors.Unavailable: 503,
    errors.BadArtefact: 503,
}
_PLAIN: dict[int, tuple[str, str]] = {
    400: ("bad_request", "The request cannot be read."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take that method."),
    413: ("too_large", "The body is larger than is taken."),
    415: ("not_json", "Send JSON, with Content-Type: application/json."),
    500: ("internal", "Something went wrong here. It was written to the log."),
}
_HEADERS: dict[int, dict[str, str]] = {
    401: {"WWW-Authenticate": "Bearer"},
    429: {"Retry-After": "5"},
    503: {"Retry-After": "5"},
}
UNEXPECTED = _PLAIN[500]
MOST_NEAR = 5
"""Models that a page which is not there leads to."""
_API = ("/api/", "/apispec", "/train_batch", "/reset", "/metrics")


def register(app: Flask) -> None:
    """Let every error of a request end here."""
    app.extensions["wrong_below"] = {}
    app.register_error_handler(errors.UnrotError, _of_ours)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(Exception, _of_nobody)


def write_below(app: Flask, prefix: str, wrong: Callable[[int, str, str], Response]) -> None:
    """Let errors at addresses that begin so be written in another shape than ours."""
    app.extensions["wrong_below"][prefix] = wrong


def status_of(error: errors.UnrotError) -> int:
    """Return the HTTP status of one of our errors."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return 500


def let_go(error: BaseException | None) -> None:
    """Let go of what was at hand when an error was raised.

    An error and its frames hold each other until the collector comes by, and with them a body of
    megabytes; of a hundred bad requests that was most of a gigabyte. Not for an error that a
    generator caught and goes on after: it would end.
    """
    while error is not None:
        clear_frames(error.__traceback__)
        error = error.__context__


def _of_ours(error: errors.UnrotError) -> Response:
    let_go(error)
    if isinstance(error, errors.NotFound):
        try:
            service().check_known(service().catalogue())
        except errors.StoreAway as away:
            error = away
    answer = _answer(status_of(error), error.reason, error.message, error.details)
    answer.headers.update(headers_of(error))
    return answer


def _of_http(error: HTTPException) -> Response:
    code = error.code or 500
    if code < 400:
        return Response(error.get_response().get_data(), code, error.get_response().headers)
    if code == 413:
        drain()
    reason, message = _PLAIN.get(code, ("http_error", error.description or error.name))
    if isinstance(error, SecurityError):
        message = "This app does not answer to that host name (UNROT_HOSTS)."
    if code == 413:
        message = too_large(current_app.config["MAX_CONTENT_LENGTH"])
    if code == 405 and getattr(error, "valid_methods", None):
        message += f" It takes {', '.join(sorted(error.valid_methods))}."  # type: ignore[attr-defined]
    answer = _answer(code, reason, message)
    for name, value in error.get_headers():
        if name == "Allow":
            answer.headers[name] = value
    return answer


def _of_nobody(error: Exception) -> Response:
    path = shown(request.path)
    _log.exception("Unexpected error on %s %s", request.method, path, exc_info=error)
    return _answer(500, *UNEXPECTED)


def _answer(code: int, reason: str, message: str, details: Any = ()) -> Response:
    below: dict[str, Callable[[int, str, str], Response]] = current_app.extensions["wrong_below"]
    wrong = next((write for prefix, write in below.items() if _is_below(prefix)), None)
    if wrong is not None:
        answer = wrong(code, reason, message)
    elif request.path.startswith(_API) or isinstance(
        request.routing_exception, BadHost | SecurityError
    ):
        # A page cannot be drawn for a host that no address can be made of.
        answer = failure(code, reason, message, details)
    else:
        near = _near_models() if code == 404 else []
        page = render_template(
            "error.html", code=code, message=message, details=details, models=near
        )
        answer = Response(page, code, mimetype="text/html")
    answer.headers.update(_HEADERS.get(code, {}))
    return answer


def _is_below(prefix: str) -> bool:
    """Tell whether the request is for an address, or one below it."""
    return f"{request.path}/".startswith(f"{prefix}/")


def _near_models() -> list[Model]:
    """Return the models whose names are nearest to what the address says, else a few of all."""
    models = {name: one.model for name, one in service().catalogue().models.items()}
    asked = request.path.removeprefix("/models/").split("/")[0].casefold()[:80]
    if asked in models:
        return [models[asked]]
    near = get_close_matches(asked, models, n=MOST_NEAR, cutoff=0.5) or list(models)[:MOST_NEAR]
    return [models[name] for name in near]


def headers_of(error: errors.UnrotError) -> dict[str, str]:
    """Return what one of our errors says in its headers: how to come in, when to try again."""
    if isinstance(error, errors.TooMany):
        return {"Retry-After": str(math.ceil(error.seconds))}
    return _HEADERS.get(status_of(error), {})


def drain() -> None:
    """Read what the client still sends, so that it gets to read the answer."""
    left = min(request.content_length or DRAIN_BYTES, DRAIN_BYTES)
    stream = request.environ["wsgi.input"]
    while left > 0:
        chunk = stream.read(min(left, 2**20))
        if not chunk:
            return
        left -= len(chunk)
