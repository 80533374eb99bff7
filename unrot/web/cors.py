"""What scripts in pages of other sites may call: predict and feedback, of sites that are listed.

A browser asks before it sends JSON elsewhere (a preflight), and shows a script only answers that
say so. No cookie goes with it: such a page is a stranger, whoever sits before it.

What any page can send without being asked, a form or plain text, would let other sites predict and
vote through the browsers of their visitors. So what a browser says comes from another site is
refused, unless that one is listed. Pages are not looked at here: their forms have a token.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request

from unrot.core.errors import NotAllowed
from unrot.core.request_ids import HEADER
from unrot.web.current import service

ALLOWED, REMEMBERED_SECONDS = "Content-Type, Authorization", "600"
ASKED = "Access-Control-Request-Method"
ORIGIN = "Access-Control-Allow-Origin"
SAFE = ("GET", "HEAD", "OPTIONS")
HAVE_TOKENS = ("pages", "files")
"""Blueprints whose forms carry a token that no other site knows."""

View = TypeVar("View", bound=Callable[..., Any])


def open_to_pages(view: View) -> View:
    """Let scripts of the sites that are listed call a view."""
    view.is_open_to_pages = True  # type: ignore[attr-defined]
    return view


def register(app: Flask) -> None:
    """Let answers say to browsers whose scripts may read them."""
    app.before_request(_refuse_other_sites)
    app.after_request(_tell)


def _refuse_other_sites() -> None:
    if request.method in SAFE or request.blueprint in HAVE_TOKENS or _is_ours():
        return
    if request.headers.get("Origin", "").lower() not in service().settings.cors_origins:
        raise NotAllowed(
            "This comes from a page of another site, which the operator has not listed in "
            "UNROT_CORS_ORIGINS.",
            reason="other_site",
        )


def _is_ours() -> bool:
    """Tell whether it comes from a program, from a page of ours, or with a token.

    A page of another site that sends a token is asked for leave before. What a browser says of
    itself comes before the host, which a proxy may have changed.
    """
    if "Authorization" in request.headers:
        return True
    site = request.headers.get("Sec-Fetch-Site")
    if site in ("same-origin", "none"):
        return True
    origin = request.headers.get("Origin")
    is_ours = origin is None or _host_of(origin) == request.host.lower()
    return is_ours and site != "cross-site"


def _host_of(origin: str) -> str:
    """Return the host and port of an origin; nothing of one that has none."""
    try:
        return urlsplit(origin.lower()).netloc
    except ValueError:
        return ""


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
