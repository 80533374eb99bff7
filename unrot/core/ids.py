"""Prediction ids: made without I/O, and telling enough to refuse a wrong verdict without any.

    time (4 bytes) | segment (5, random) | row (4) | model (2) | class (1) | signature (8)

base64url, 32 characters. `time` is seconds since 1970; `segment` is the random name of a
journal file and `row` counts within it, so that no two predictions share an id; `class` is the
index of the predicted class, or 255 for "look it up". The signature, BLAKE2s with the app's key,
makes an id that was not given out here unusable: only somebody who was shown a prediction can
judge it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from unrot.core.errors import NotSigned

LOOK_IT_UP = 255
_BODY = struct.Struct(">I5sIHB")
_SHAPE = re.compile(r"[A-Za-z0-9_-]{32}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{11,86}")
ID_LETTERS = 32
ID_BYTES, SIGNATURE_BYTES = 24, 8
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


@dataclass(frozen=True, slots=True)
class PredictionId:
    """What a prediction id tells."""

    predicted_at: int
    segment: bytes
    row: int
    model_number: int
    class_index: int | None


class Ids:
    """Makes and reads the ids of one app."""

    def __init__(self, secret: bytes) -> None:
        key = hashlib.sha256(b"unrot prediction ids\0" + secret).digest()
        self._keyed = hashlib.blake2s(key=key, digest_size=SIGNATURE_BYTES)

    def make(
        self, *, at: float, segment: bytes, row: int, model_number: int, class_index: int | None
    ) -> str:
        """Return the id of a new prediction."""
        kept = LOOK_IT_UP if class_index is None else min(class_index, LOOK_IT_UP)
        body = _BODY.pack(int(at), segment, row, model_number, kept)
        return _written(body + self._sign(body))

    def make_many(
        self,
        count: int,
        *,
        at: float,
        segment: bytes,
        row: int,
        model_number: int,
        classes: Sequence[int] | None,
    ) -> list[str]:
        """Return the ids of new predictions that lie one after another in the journal."""
        pack, sign, when = _BODY.pack, self._sign, int(at)
        kept = [LOOK_IT_UP] * count if classes is None else classes
        bodies = [
            pack(when, segment, place, model_number, index if index < LOOK_IT_UP else LOOK_IT_UP)
            for place, index in enumerate(kept, row)
        ]
        raw = b"".join([body + sign(body) for body in bodies])
        text = _written(raw)
        return [text[begin : begin + ID_LETTERS] for begin in range(0, len(text), ID_LETTERS)]

    def read(self, id: str) -> PredictionId:
        """Return what an id tells; raise NotSigned when this app did not give it out."""
        raw = _decode(id)
        body, signature = raw[: _BODY.size], raw[_BODY.size :]
        if not hmac.compare_digest(self._sign(body), signature):
            raise NotSigned("This prediction id was not given out by this app.")
        at, segment, row, model_number, kept = _BODY.unpack(body)
        class_index = None if kept == LOOK_IT_UP else kept
        return PredictionId(at, segment, row, model_number, class_index)

    def is_ours(self, id: str) -> bool:
        """Tell whether this app gave an id out."""
        try:
            self.read(id)
        except NotSigned:
            return False
        return True

    def vouch(self, id: str, places: Sequence[int]) -> str:
        """Return a token by which this app knows what reasons it gave for an answer."""
        body = struct.pack(f">{len(places)}H", *places)
        return _written(body + self._sign(_about(id, body))).rstrip("=")

    def vouched(self, id: str, token: str) -> Sequence[int]:
        """Return the places of the reasons that were given for an answer; NotSigned for others."""
        if not _TOKEN.fullmatch(token) or len(token) % 4 == 1:
            raise NotSigned("This token did not come with an explanation.")
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        body, signature = raw[:-SIGNATURE_BYTES], raw[-SIGNATURE_BYTES:]
        if not hmac.compare_digest(self._sign(_about(id, body)), signature) or len(body) % 2:
            raise NotSigned("This token did not come with an explanation of this prediction.")
        return struct.unpack(f">{len(body) // 2}H", body)

    def sign_asked(self, id: str) -> str:
        """Return a token by which this app knows that it asked for a verdict."""
        return _written(self._sign(f"{id} asked for".encode(errors="surrogatepass"))).rstrip("=")

    def has_asked(self, id: str, token: Any) -> bool:
        """Tell whether a token is the one by which this app asked for a verdict."""
        if not isinstance(token, str) or not token.isascii():
            return False
        return hmac.compare_digest(token, self.sign_asked(id))

    def sign_row(self, id: str, version: str, row: str) -> str:
        """Return a token by which this app knows what a prediction was made of, and by what."""
        told = f"{id} row {version} {row}".encode(errors="surrogatepass")
        return _written(self._sign(told)).rstrip("=")

    def _sign(self, body: bytes) -> bytes:
        signing = self._keyed.copy()
        signing.update(body)
        return signing.digest()


def _about(id: str, body: bytes) -> bytes:
    """Return what is signed beside an id: longer than the body of one, so that neither is both."""
    return b"%s reasons %s" % (id.encode(), body)


def place_in_journal(id: str) -> tuple[str, int, int]:
    """Return segment, row and model's number of an id, unverified; NotSigned of another make."""
    _, segment, row, number, _ = _BODY.unpack(_decode(id)[: _BODY.size])
    return segment.hex(), row, number


def model_number(id: str) -> int | None:
    """Return the model's number in an id that we wrote ourselves, unverified; None without one."""
    try:
        number: int = _BODY.unpack(_decode(id)[: _BODY.size])[3]
    except NotSigned:
        return None
    return number


def _written(raw: bytes) -> str:
    return binascii.b2a_base64(raw, newline=False).translate(_URL_SAFE).decode("ascii")


def _decode(id: str) -> bytes:
    if not _SHAPE.fullmatch(id):
        raise NotSigned("This is not a prediction id: one is 32 letters, digits, - and _ long.")
    try:
        return base64.urlsafe_b64decode(id)
    except (binascii.Error, ValueError) as error:
        raise NotSigned("This is not a prediction id.") from error
