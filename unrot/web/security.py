"""Who asks, and what they may: bearer tokens for programs, a session for people.

A token is of the environment, or a person's own (`serve/tokens.py`). A session remembers a
fingerprint of the token that opened it, so that changing or revoking a token signs everybody out
who came in by it; and a number of its own, which signing out ends on the server. A form post
carries a token of its own against forgery. Every answer carries a content security policy that
lets no script in but our own files.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any, Literal, ParamSpec, TypeVar, cast

from flask import Flask, Response, current_app, g, redirect, request, session
from flask.sessions import SecureCookieSessionInterface
from werkzeug.exceptions import LengthRequired

from unrot.core.acting import act_of, acting
from unrot.core.errors import NotAllowed, NotKnown, StoreAway, TooMany
from unrot.core.networks import network_of
from unrot.core.records import THIS_MACHINE, Caller, Token
from unrot.core.settings import Settings
from unrot.core.signatures import NOT_SIGNED
from unrot.core.time import short_time
from unrot.serve.limits import GUESSES, SIGN_INS
from unrot.serve.service import Service
from unrot.serve.token_store import SESSION_SECONDS
from unrot.web.current import service
from unrot.web.masked import masked, new_secret, unmasked

Role = Literal["anyone", "viewer", "judge", "operator"]
RANKS: dict[Role, int] = {"anyone": 0, "viewer": 1, "judge": 2, "operator": 3}
_CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors "
)
CONTENT_POLICY = f"{_CONTENT_POLICY}'none'"
HTTPS_ALONE = "UNROT_HTTPS"
"""In the app's configuration: whether plain HTTP is led to HTTPS."""

MOST_ADDRESS = 45
"""Characters; an address of IPv6 has no more."""

CALLER_SECONDS, LONGEST_HEADER, MOST_REMEMBERED = 1.0, 400, 4_096
"""So long it is remembered who holds a token, in a header of so many characters, of so many."""

HEALTH = "/api/v1/health"
"""Platforms ask for it without TLS."""

SET_OPERATOR = (
    "No operator token is set: set UNROT_ADMIN_TOKEN and restart, or start the app with make run, "
    "which makes one."
)
HEADERS: dict[str, str] = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""Of every answer."""
OVER_HTTPS = ("Strict-Transport-Security", "max-age=31536000")
FOR_ONE_ALONE = ("Cache-Control", "no-store")
"""Of an answer that no cache may keep."""

P = ParamSpec("P")
R = TypeVar("R")
K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody whose token is known."""

    role: Role
    judge: str | None
    fingerprint: str
    """What a session may remember of the token."""
    name: str = ""
    """Of a person whose own token it is."""


class Doorkeeper:
    """Knows the tokens: those of the environment itself, those of persons by the service."""

    def __init__(self, settings: Settings, key: bytes) -> None:
        self._settings = settings
        self._key = hashlib.sha256(b"unrot doorkeeper\0" + key).digest()
        self._visitors: dict[str, Caller] = {}
        self._callers: dict[tuple[str, str], tuple[float, Caller]] = {}

    def holder(self, token: str, of: Service) -> Holder | None:
        """Return who holds a token; every known token is compared, in constant time.

        NotKnown says it to the holder of one that was revoked or has expired.
        """
        found = None
        for holder in self._holders():
            if hmac.compare_digest(holder.fingerprint, self.fingerprint(token)):
                found = holder
        if found is None and (own := of.tokens.find(token)) is not None:
            if not own.is_good(of.clock()):
                raise NotKnown(_why_not(own), reason="token_ended")
            of.tokens.note_use(own, of.clock())
            found = _holder_of(own)
        return found

    def can_be(self, role: Role, of: Service) -> bool:
        """Tell whether any token would be enough for a role."""
        holders = list(self._holders())
        with suppress(StoreAway):
            holders += [_holder_of(one) for one in of.tokens.all() if one.is_good(of.clock())]
        return any(RANKS[holder.role] >= RANKS[role] for holder in holders)

    def fingerprint(self, token: str) -> str:
        """Return what a session may remember of a token of the environment."""
        return hmac.digest(self._key, token.encode("utf-8", "replace"), "sha256").hex()[:16]

    def by_session(self, kept: Mapping[str, Any], of: Service) -> Holder | None:
        """Return whose token opened a session, if it still is one and nobody ended the session."""
        fingerprint, id = str(kept.get("token", "")), str(kept.get("id", ""))
        is_young = of.clock() - float(kept.get("since", 0)) < SESSION_SECONDS
        if not fingerprint or not id or not is_young or of.tokens.is_ended(id):
            return None
        for holder in self._holders():
            if hmac.compare_digest(holder.fingerprint, fingerprint):
                return holder
        own = None
        with suppress(StoreAway):  # Whoever is not known then is asked to sign in.
            own = of.tokens.by_digest(fingerprint)
        if own is None or not own.is_good(of.clock()):
            return None
        of.tokens.note_use(own, of.clock())
        return _holder_of(own)

    def visitor(self, address: str | None, header: str | None, of: Callable[[], Service]) -> Caller:
        """Return who asks for what anyone may: quickly, and a wrong token does no harm there.

        What a token is worth is remembered for a moment, so that one that ends is soon worth
        nothing.
        """
        address = address or ""
        if header is None:
            return self._visitors.get(address) or self._without_token(address)
        key, now = (address, header), time.monotonic()
        ends_at, caller = self._callers.get(key, (0.0, THIS_MACHINE))
        if ends_at > now:
            return caller
        caller = self._with_token(of(), address, header)
        if len(header) <= LONGEST_HEADER:
            _remember(self._callers, key, (now + CALLER_SECONDS, caller))
        return caller

    def _without_token(self, address: str) -> Caller:
        caller = Caller(subject=self.subject(address))
        _remember(self._visitors, address, caller)
        return caller

    def _with_token(self, of: Service, address: str, header: str) -> Caller:
        subject = self.subject(address)
        nobody = Caller(subject=subject, is_guess=True)
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or of.limits.wait_of(GUESSES, subject):
            return nobody
        try:
            holder = self.holder(token.strip(), of)
        except (NotKnown, StoreAway):
            return nobody
        return nobody if holder is None else _caller(holder, subject, address)

    def subject(self, address: str | None) -> str:
        """Return who an address counts for: its /24 or /64, hashed; nobody's is this machine."""
        if not address:
            return ""
        return hmac.digest(self._key, network_of(address).encode(), "sha256").hex()[:12]

    def _holders(self) -> list[Holder]:
        settings = self._settings
        operator = settings.admin_token or self._operator_of_home()
        known: list[tuple[Role, str | None, str]] = [
            *(("judge", name, token) for name, token in settings.judge_tokens.items()),
            ("viewer", None, settings.viewer_token),
            ("operator", "operator", operator),
        ]
        return [
            Holder(role, judge, self.fingerprint(token)) for role, judge, token in known if token
        ]

    def _operator_of_home(self) -> str:
        try:
            return (self._settings.home / "operator-token").read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            return ""


class Sessions(SecureCookieSessionInterface):
    """Cookies that are only sent over HTTPS, and by this host alone, when the page came over it."""

    def get_cookie_name(self, app: Flask) -> str:
        """Let browsers hold a cookie of HTTPS to what it promises."""
        return f"__Host-{super().get_cookie_name(app)}" if request.is_secure else "unrot"

    def get_cookie_secure(self, _app: Flask) -> bool:
        """Follow the request."""
        return request.is_secure


def register(app: Flask) -> None:
    """Let pages know who asks, and every answer carry its policy."""
    app.session_interface = Sessions()
    app.jinja_env.globals.update(csrf_token=csrf_token, caller=caller_of_page, may=may)
    app.before_request(_lead_to_https)
    app.after_request(_add_headers)


def policy_framed_by(origins: Sequence[str]) -> str:
    """Return the content policy of a page that some sites may show in a frame."""
    return _CONTENT_POLICY + (" ".join(["'self'", *origins]))


def doorkeeper() -> Doorkeeper:
    """Return the doorkeeper of the current app."""
    keeper: Doorkeeper = current_app.extensions["doorkeeper"]
    return keeper


def caller_of_api() -> Caller:
    """Return who calls the API; a token that is not known is an error, none is anyone."""
    header = request.headers.get("Authorization")
    return caller_of(service, doorkeeper(), request.remote_addr, header)


def caller_where_all_may() -> Caller:
    """Return who calls the API for what anyone may; a token that is not known is none."""
    header = request.headers.get("Authorization")
    return doorkeeper().visitor(request.remote_addr, header, service)


def caller_of(
    of: Callable[[], Service], keeper: Doorkeeper, address: str | None, header: str | None
) -> Caller:
    """Return who calls from an address with an Authorization header, or without one."""
    subject = keeper.subject(address)
    if header is None:
        return Caller(subject=subject)
    scheme, _, token = header.partition(" ")
    holder = _guessed(of(), keeper, token, subject) if scheme.lower() == "bearer" else None
    if holder is None:
        raise NotKnown("The token is not known: send Authorization: Bearer <token>.")
    return _caller(holder, subject, address)


def caller_of_page() -> Caller:
    """Return who looks at a page, by the session; looked up once a request."""
    if "caller" not in g:
        keeper = doorkeeper()
        address = request.remote_addr
        subject = keeper.subject(address)
        holder = keeper.by_session(session, service()) if "token" in session else None
        g.caller = Caller(subject=subject) if holder is None else _caller(holder, subject, address)
    return cast(Caller, g.caller)


def is_private() -> bool:
    """Tell whether the answer is for one person alone: no cache may keep it."""
    is_file = request.endpoint == "static" or (request.endpoint or "").startswith("flasgger.static")
    return not is_file and ("Authorization" in request.headers or "token" in session)


def may(role: Role) -> bool:
    """Tell whether the person at the page may do what a role may."""
    return RANKS[caller_of_page().role] >= RANKS[role]


def needs(role: Role, name: str = "") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Guard an API view: only callers of a role, or above it, come in."""

    def guard(view: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            caller = caller_of_api()
            admit(caller, role)
            with recorded(caller, name or view.__name__, kwargs):
                return view(*args, **kwargs)

        return declare(view if role == "anyone" else guarded, role)

    return guard


def recorded(
    caller: Caller, name: str, places: Mapping[str, object]
) -> AbstractContextManager[None]:
    """Let what a view changes stand in the audit log: by whom, and what its address names."""
    if request.method in ("GET", "HEAD"):
        return acting(None)
    on = next((str(place) for word, place in places.items() if word != "model"), "")
    what = name.replace("_", " ")
    return acting(act_of(caller, what, model=str(places.get("model", "")), on=on))


def declare(view: Callable[P, R], role: Role) -> Callable[P, R]:
    """Note who may call a view."""
    view.access = role  # type: ignore[attr-defined]
    return view


def access_of(view: Callable[..., Any]) -> Role | None:
    """Return who may call a view; None when that was never said."""
    return getattr(view, "access", None)


def admit(caller: Caller, role: Role) -> None:
    """Return when the caller may; else say what is missing."""
    if RANKS[caller.role] >= RANKS[role]:
        return
    if not doorkeeper().can_be(role, service()):
        raise NotAllowed(SET_OPERATOR)
    if caller.role == "anyone":
        raise NotKnown(f"This needs the token of a {role}: send Authorization: Bearer <token>.")
    raise NotAllowed(f"This needs the token of a {role}; yours is that of a {caller.role}.")


def sign_in(token: str) -> bool:
    """Open a session for the holder of a token."""
    keeper = doorkeeper()
    subject = keeper.subject(request.remote_addr)
    holder = _guessed(service(), keeper, token, subject)
    if holder is None:
        return False
    if wait := service().limits.pour(SIGN_INS, f"{subject}{holder.fingerprint}", 1):
        raise TooMany("This token has opened too many sessions from here: wait a little.", wait)
    session.clear()
    g.pop("caller", None)
    session.update(
        token=holder.fingerprint, id=secrets.token_urlsafe(16), since=int(service().clock())
    )
    with acting(act_of(caller_of_page(), "sign in")), suppress(StoreAway):
        service().store.audit_log.note()
    return True


def sign_out() -> None:
    """Close the session, here and wherever its cookie was copied to."""
    caller, id = caller_of_page(), str(session.get("id", ""))
    session.clear()
    g.pop("caller", None)
    if caller.role == "anyone":
        return
    try:
        with acting(act_of(caller, "sign out")):
            service().tokens.end_session(id, service().clock())
    except StoreAway as away:
        raise StoreAway(
            "You are signed out in this browser. The store does not answer, so a copy of the "
            "cookie elsewhere stays good: if there may be one, change or revoke the token.",
            away.cause,
        ) from away


def csrf_token() -> str:
    """Return the session's token for form posts, made when a page first shows a form."""
    if "csrf" not in session:
        session["csrf"] = new_secret()
    return masked(str(session["csrf"]))


def check_csrf() -> None:
    """Refuse a form post that did not come from a page of ours."""
    if "Transfer-Encoding" in request.headers:
        raise LengthRequired("Send the form with its length, as browsers do.")
    given = unmasked(request.form.get("csrf_token", ""))
    if not hmac.compare_digest(str(session.get("csrf", new_secret())), given):
        raise NotAllowed(
            "This form is too old, or cookies are blocked: go back, reload the page and send it "
            "again.",
            reason="csrf",
        )


def _guessed(of: Service, keeper: Doorkeeper, token: str, subject: str) -> Holder | None:
    """Return who holds a token; whoever guessed wrong often waits, whatever is guessed next."""
    if wait := of.limits.wait_of(GUESSES, subject):
        raise TooMany("Too many wrong tokens came from this address: wait a little.", wait)
    holder = keeper.holder(token.strip(), of)
    if holder is None:
        of.limits.pour(GUESSES, subject, 1)
    return holder


def _remember(kept: dict[K, V], key: K, value: V) -> None:
    """Keep something at hand; when that is too much, begin anew."""
    if len(kept) >= MOST_REMEMBERED:
        kept.clear()
    kept[key] = value


def _caller(holder: Holder, subject: str, address: str | None) -> Caller:
    came_from = (address or "")[:MOST_ADDRESS]
    return Caller(holder.role, holder.judge, subject, holder.name, came_from)


def _holder_of(token: Token) -> Holder:
    judge = None if token.role == "viewer" else token.name
    return Holder(token.role, judge, token.digest, token.name)


def _why_not(token: Token) -> str:
    """Say to the holder of a token why it lets in no more."""
    if not token.is_signed:
        return f"This token is {NOT_SIGNED.format(did='made it')}."
    ended_at, what = token.expires_at, "expired"
    if token.revoked_at is not None:
        ended_at, what = token.revoked_at, "was revoked"
    return f"This token {what} on {short_time(ended_at or 0.0)}: ask an operator for a new one."


def _lead_to_https() -> Response | None:
    """Send a page that was asked for by plain HTTP to HTTPS; a program is told, not led."""
    if not current_app.config[HTTPS_ALONE] or request.is_secure or request.path == HEALTH:
        return None
    if request.method not in ("GET", "HEAD"):
        raise NotAllowed("This app is spoken to over https alone: send it there.", reason="https")
    return cast(Response, redirect(request.url.replace("http://", "https://", 1), 308))


def _add_headers(response: Response) -> Response:
    if response.location and response.location.startswith(request.host_url):
        # Who asks by another name for us is led on here, and not to a host of that name.
        response.location = "/" + response.location[len(request.host_url) :].lstrip("/")
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault(*OVER_HTTPS)
    if is_private():
        name, value = FOR_ONE_ALONE
        response.headers[name] = value
    return response
