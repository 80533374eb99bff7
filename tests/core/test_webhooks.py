"""The address of a webhook: what is read, and what people and logs see of it."""

from __future__ import annotations

import pytest

from unrot.core import webhooks
from unrot.core.webhooks import Webhook


@pytest.mark.parametrize(
    ("text", "hook"),
    [
        ("https://example.org/a?b=c", Webhook(True, "example.org", 443, "/a?b=c", False)),
        ("http://example.org:8080", Webhook(False, "example.org", 8080, "/", False)),
        ("https://hooks.slack.com/x", Webhook(True, "hooks.slack.com", 443, "/x", True)),
        ("slack+https://chat.example/x", Webhook(True, "chat.example", 443, "/x", True)),
        ("http://[::1]:9/x", Webhook(False, "::1", 9, "/x", False)),
    ],
)
def test_address_is_read(text: str, hook: Webhook) -> None:
    assert webhooks.read(text) == hook


@pytest.mark.parametrize(
    "text",
    [
        "", "example.org/hook", "ftp://example.org/", "file:///etc/passwd", "https://", "https:///x",
        "https://example.org:99999/", "https://example.org:0/", "https://ex ample.org/",
        "https://example.org/\r\nX: y", "https://[::1/", "https://exämple.org/", "slack+ftp://x/",
        "https://example.org/" + "x" * 2_000, "https://ann:secret@example.org/",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="an address"):
        webhooks.read(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("https://hooks.slack.com/services/T0/secret", "https://hooks.slack.com/…"),
        ("slack+https://chat.example/hook?token=secret", "slack+https://chat.example/…"),
        ("http://example.org:8080/", "http://example.org:8080/"),
        ("http://[::1]:9/secret", "http://[::1]:9/…"),
        ("nonsense with a secret", "…"),
    ],
)
def test_people_see_no_secret_of_it(text: str, shown: str) -> None:
    assert webhooks.shown(text) == shown
