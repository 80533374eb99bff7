"""A secret that looks different on every page, so that compressing pages tells nothing of it.

Whoever sees how long a compressed page is, and can have words of theirs put on it, could find out a
secret letter by letter, as long as it stood there unchanged (BREACH, 2013).
"""

from __future__ import annotations

import base64
import binascii
import secrets

BYTES = 16


def new_secret() -> str:
    """Return a secret by chance."""
    return secrets.token_urlsafe(BYTES)


def masked(secret: str) -> str:
    """Write a secret with a mask by chance before it.

    >>> secret = new_secret()
    >>> masked(secret) == masked(secret), unmasked(masked(secret)) == secret
    (False, True)
    """
    mask = secrets.token_bytes(BYTES)
    return _written(mask + _joined(mask, _read(secret)))


def unmasked(given: str) -> str:
    """Read it again; "" for what was not written so.

    >>> unmasked("guessed"), unmasked("né")
    ('', '')
    """
    try:
        raw = _read(given)
    except (binascii.Error, ValueError):
        return ""
    return _written(_joined(raw[:BYTES], raw[BYTES:])) if len(raw) == 2 * BYTES else ""


def _joined(left: bytes, right: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(left, right, strict=True))


def _read(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")
