"""What scripts in pages of other sites may call: predict and feedback, of sites that are listed.

A browser asks before it sends JSON elsewhere (a preflight), and shows a script only answers that
say so. No cookie goes with it: such a page is a stranger, whoever sits before it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Response, current_app, request

from unrot.core.request_ids import HEADER
from unrot.web.current import service

ALLOWED, REMEMBERED_SECONDS = "Content-Type, Authorization", "600"
ASKED = "Access-Control-Request-Method"
ORIGIN = "Access-Control-Allow-Origin"

View = TypeVar("View", bound=Callable[..., Any])


def open_to_pages(view: View) -> View:
    """Let scripts of the sites that are listed call a view."""
    view.is_open_to_pages = True  # type: ignore[attr-defined]
    return view


def register(app: Flask) -> None:
    """Let answers say to browsers whose scripts may read them."""
    app.after_request(_tell)


def _tell(response: Response) -> Response:
    view = current_app.view_functions.get(request.endpoint or "")
    if not getattr(view, "is_open_to_pages", False):
        return response
    origin = request.headers.get("Origin", "").lower()
    if origin:
        response.vary.add("Origin")
    if origin not in service().settings.cors_origins:
        return response
    response.headers[ORIGIN] = origin
    response.headers["Access-Control-Expose-Headers"] = f"{HEADER}, Retry-After"
    if request.method == "OPTIONS" and ASKED in request.headers:
        response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "")
        response.headers["Access-Control-Allow-Headers"] = ALLOWED
        response.headers["Access-Control-Max-Age"] = REMEMBERED_SECONDS
    return response
