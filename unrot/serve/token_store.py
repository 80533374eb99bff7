"""The tokens of persons and the sessions that were ended, as documents.

What a token allows is marked with the app's key: one that others wrote lets nobody in.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

from unrot.core.errors import Conflict, NotFound, shown
from unrot.core.records import Token
from unrot.core.signatures import Seal
from unrot.core.time import DAY
from unrot.store.kinds import ENDED_SESSION, TOKEN
from unrot.store.operations import (
    ABSENT,
    Changed,
    Delete,
    Document,
    Operations,
    Put,
    scan_all,
    until_kept,
)

SESSION_SECONDS = 31 * DAY
"""So long a session lasts at most, and so long it must be known that it was ended."""
FORGOTTEN_AT_ONCE = 100


class TokenStore:
    """Who may come in, and which cookies let nobody in any more."""

    def __init__(self, database: Operations, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    def all(self) -> list[Token]:
        """List the tokens by name, those too that are revoked, expired or not of this app."""
        return [self._token(one) for one in scan_all(self._database, TOKEN, "all")]

    def add(self, token: Token) -> None:
        """Keep a token; Conflict where a good one of that name is there."""

        def work() -> None:
            known = self._database.get(TOKEN, token.name)
            if known is not None and self._token(known).is_good(token.made_at):
                raise Conflict(f"{token.name} has a token: revoke it first, or take another name.")
            self._database.commit([self._put(token, known)])

        until_kept(work)

    def revoke(self, name: str, at: float) -> Token:
        """Let a token be good no longer; NotFound where none of that name is."""

        def work() -> Token:
            known = self._database.get(TOKEN, name)
            if known is None:
                raise NotFound(f"Nobody has a token under the name {shown(name)}.")
            if (token := self._token(known)).revoked_at is not None:
                return token
            revoked = replace(token, revoked_at=at)
            self._database.commit([self._put(revoked, known)])
            return revoked

        return until_kept(work)

    def note_use(self, name: str, at: float) -> None:
        """Note when a token was used; of several that note it at once one is enough."""
        known = self._database.get(TOKEN, name)
        if known is not None and (token := self._token(known)).is_signed:
            with suppress(Changed):
                self._database.commit([self._put(replace(token, used_at=at), known)])

    def sign(self, name: str) -> None:
        """Mark a token as it stands, whoever wrote it."""

        def work() -> None:
            if (known := self._database.get(TOKEN, name)) is not None:
                self._database.commit([self._put(self._token(known), known)])

        until_kept(work)

    def end_session(self, id: str, at: float) -> None:
        """Let the cookie of a session be good no longer, and forget those that have run out."""
        old = self._database.scan(
            ENDED_SESSION, "oldest", until=at - SESSION_SECONDS, limit=FORGOTTEN_AT_ONCE, only=[]
        )
        gone = [Delete(ENDED_SESSION, one.key) for one in old if one.key != id]
        self._database.commit([Put(ENDED_SESSION, id, {"ended at": at}), *gone])

    def is_ended(self, id: str) -> bool:
        """Tell whether a session was ended."""
        return self._database.get(ENDED_SESSION, id) is not None

    def _put(self, token: Token, known: Document | None) -> Put:
        fields = {
            "role": token.role,
            "digest": token.digest,
            "made at": token.made_at,
            "made by": token.made_by,
            "expires at": token.expires_at,
            "revoked at": token.revoked_at,
            "used at": token.used_at,
            "mark": self._seal.mark(*_told(token)),
        }
        told = {name: value for name, value in fields.items() if value is not None}
        return Put(TOKEN, token.name, told, ABSENT if known is None else known.revision)

    def _token(self, one: Document) -> Token:
        token = Token(
            one.key,
            one["role"],
            one["digest"],
            one["made at"],
            one["made by"],
            one["expires at"],
            one["revoked at"],
            one["used at"],
        )
        return replace(token, is_signed=self._seal.is_good(one["mark"], *_told(token)))


def _told(token: Token) -> list[Any]:
    """Return what the mark is of: all but when it was used last."""
    told = [token.name, token.role, token.digest, token.made_at, token.made_by]
    return [*told, token.expires_at, token.revoked_at]
