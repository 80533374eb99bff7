"""Tokens of persons: made, revoked, and known to every process without asking the store each time.

A token is shown once, to whoever makes it; the store has its digest alone, which is good enough of
32 random bytes. A process knows what the store said a second ago, so what is revoked or signed out
anywhere is refused everywhere within two seconds. While the store is away it knows what it knew.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, get_args

from unrot.core.errors import Conflict, StoreAway, wrong_field
from unrot.core.ports import Tokens
from unrot.core.records import Token, TokenRole
from unrot.core.settings import Settings
from unrot.core.time import DAY, MINUTE

MARK = "unrot_"
"""What each begins with, so that it is known where it turns up, and guesses cost the store nothing.

The rest is 32 random bytes."""
OURS = re.compile(rf"{MARK}[\w-]{{43}}", re.ASCII)
KNOWN_SECONDS = 1.0
MOST_TOKENS, MOST_DAYS, MOST_SESSIONS = 500, 3_650, 10_000
NAME = re.compile(r"[^\W_](?:[\w .@-]{0,38}[^\W_])?")
NAME_EXPECTED = "a name of 1 to 40 letters, digits, spaces or . @ _ -"
TAKEN = ("anyone", "viewer", "judge", "operator", "command line", "unrot itself", "policy")
"""Names that the audit log has for others."""


def digest_of(token: str) -> str:
    """Return all that is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


class KnownTokens:
    """What one process knows of tokens and of sessions that were ended."""

    def __init__(self, kept: Tokens, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._kept = kept
        self._clock = clock
        self._guard = threading.Lock()
        self._tokens: tuple[Token, ...] | None = None
        self._looked_at = float("-inf")
        self._used: dict[str, float] = {}
        self._sessions: dict[str, tuple[float, bool]] = {}

    def find(self, token: str) -> Token | None:
        """Return the token that somebody shows, good or not; each is compared, in constant time."""
        return self.by_digest(digest_of(token)) if OURS.fullmatch(token) else None

    def by_digest(self, digest: str) -> Token | None:
        """Return the token of a digest, good or not."""
        found = None
        for one in self.all():
            if hmac.compare_digest(one.digest, digest):
                found = one
        return found

    def all(self) -> tuple[Token, ...]:
        """Return all tokens as they were a second ago at most."""
        now = self._clock()
        if self._tokens is None or now - self._looked_at >= KNOWN_SECONDS:
            try:
                self._tokens = tuple(self._kept.all())
            except StoreAway:
                if self._tokens is None:
                    raise
            self._looked_at = now
        return self._tokens

    def note_use(self, token: Token, now: float) -> None:
        """Note that a token was used, once a minute at most; that it was not noted hurts nobody."""
        with self._guard:
            last = max(self._used.get(token.name, 0.0), token.used_at or 0.0)
            if now - last < MINUTE:
                return
            self._used[token.name] = now
        with suppress(StoreAway):
            self._kept.note_use(token.name, now)

    def is_ended(self, session: str) -> bool:
        """Tell whether a session was ended, as it was a second ago at most."""
        now = self._clock()
        looked_at, is_ended = self._sessions.get(session, (float("-inf"), False))
        if not is_ended and now - looked_at >= KNOWN_SECONDS:
            with suppress(StoreAway):
                is_ended = self._kept.is_ended(session)
            self._know(session, now, is_ended)
        return is_ended

    def end_session(self, session: str, at: float) -> None:
        """End a session, here at once and everywhere within two seconds."""
        self._know(session, self._clock(), True)
        self._kept.end_session(session, at)

    def look_again(self) -> None:
        """Forget what the store said: something was changed here."""
        self._looked_at = float("-inf")

    def _know(self, session: str, at: float, is_ended: bool) -> None:
        if len(self._sessions) >= MOST_SESSIONS:
            self._sessions.clear()
        self._sessions[session] = (at, is_ended)


@dataclass(frozen=True, slots=True)
class Fresh:
    """A token that was made just now, and what it says: nobody can read that again."""

    token: Token
    secret: str


def make_token(
    kept: Tokens, settings: Settings, name: str, role: Any, days: Any, *, by: str, now: float
) -> Fresh:
    """Make a person a token; `days` are None for one without end."""
    _check_name(name, settings)
    if role not in get_args(TokenRole):
        raise wrong_field("role", role, "viewer, judge or operator")
    if days is not None and (type(days) is not int or not 1 <= days <= MOST_DAYS):
        raise wrong_field("days", days, f"a whole number of days, 1 to {MOST_DAYS:,}, or nothing")
    if len({one.name for one in kept.all()} - {name}) >= MOST_TOKENS:
        raise Conflict(f"There are {MOST_TOKENS} names with tokens already: use one of them again.")
    secret = MARK + secrets.token_urlsafe(32)
    ends_at = None if days is None else now + days * DAY
    token = Token(name, role, digest_of(secret), now, by, ends_at)
    kept.add(token)
    return Fresh(token, secret)


def _check_name(name: str, settings: Settings) -> None:
    if not NAME.fullmatch(name):
        raise wrong_field("name", name, NAME_EXPECTED)
    if name.lower() in TAKEN or name in settings.judge_tokens:
        raise Conflict(f"{name} is somebody else's name here: take another one.")
