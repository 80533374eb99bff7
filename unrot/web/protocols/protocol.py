"""One protocol of other people's clients: its addresses, and how it says that something is wrong.

    OIP = Protocol("oip", ("/v2",), wrong)

    @OIP.at("POST", "/v2/models/<model>/infer", needs=ANYONE)
    def infer(model: str) -> Response: ...

A view reads the body, calls a use case and writes the answer. What it raises, and what nobody
serves below its prefixes, is written by `wrong`: a client reads no other shape than its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from flask import Blueprint, Flask, Response

from unrot.web import errors, security
from unrot.web.api.envelope import plain
from unrot.web.routes import Method
from unrot.web.security import Role

Wrong = Callable[[int, str, str], Response]
"""Writes an error by its HTTP status, its word for programs and its sentence."""

View = TypeVar("View", bound=Callable[..., Any])


class Protocol(Blueprint):
    """A blueprint whose views are declared by `at`."""

    def __init__(self, name: str, prefixes: Sequence[str], wrong: Wrong) -> None:
        super().__init__(name, __name__)
        self.prefixes, self.wrong = tuple(prefixes), wrong

    def at(self, method: Method, *paths: str, needs: Role) -> Callable[[View], View]:
        """Declare what answers at some addresses, and who may ask."""

        def declare(view: View) -> View:
            guarded = security.needs(needs, view.__name__)(view)
            for number, path in enumerate(paths):
                name = view.__name__ if not number else f"{view.__name__}_{number + 1}"
                self.add_url_rule(path, name, guarded, methods=[method])
            return view

        return declare


def register(app: Flask, protocols: Sequence[Protocol]) -> None:
    """Serve some protocols, each with its own errors."""
    for one in protocols:
        app.register_blueprint(one)
        for prefix in one.prefixes:
            errors.write_below(app, prefix, one.wrong)


def bad_request(code: int) -> int:
    """Return the status for clients that know 400 for whatever is wrong with a body.

    >>> [bad_request(code) for code in (413, 415, 422, 503)]
    [413, 400, 400, 503]
    """
    return 400 if code in (415, 422) else code


def sentence_alone(code: int, _reason: str, message: str) -> Response:
    """Write an error as several protocols have it: an object with a sentence under `error`."""
    return plain({"error": message}, bad_request(code))
