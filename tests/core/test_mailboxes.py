"""Addresses of mail and of its server: what is taken, and that no secret is shown."""

from __future__ import annotations

import pytest

from unrot.core.mailboxes import read, read_server


@pytest.mark.parametrize(
    "text", ["ada@example.org", "a.b+c@x.y.z", "root@localhost", f"{'a' * 64}@example.org"]
)
def test_address_is_taken(text: str) -> None:
    assert read(text).addresses == (text,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "@example.org",
        "ada@",
        "ada@example..org",
        "ada@-x.org",
        '"ada"@example.org',
        "Ada <ada@example.org>",
        "ada@example.org\0",
        "ada@exämple.org",
        f"{'a' * 65}@example.org",
        f"a@{'x' * 60}.{'y' * 60}.{'z' * 60}.{'w' * 60}.{'v' * 60}",
        ",".join(f"a{number}@example.org" for number in range(11)),
    ],
)
def test_what_could_be_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="at most 10 addresses"):
        read(text)


def test_lines_part_addresses_and_begin_no_header() -> None:
    assert read("ada@example.org\r\nbob@example.org").shown == "ada@example.org, bob@example.org"


@pytest.mark.parametrize(
    ("text", "port", "needs_starttls"),
    [
        ("smtp://mail.example.org", 587, True),
        ("smtps://u:p@mail.example.org", 465, False),
        ("smtp://mail.example.org:25", 25, False),
        ("smtp://u:p@mail.example.org:25", 25, True),
        ("smtp://u:p@localhost:1025", 1025, False),
    ],
)
def test_server_is_read(text: str, port: int, needs_starttls: bool) -> None:
    server = read_server(text)

    assert (server.port, server.needs_starttls) == (port, needs_starttls)
    assert "p@" not in server.shown and "password" not in repr(server)


@pytest.mark.parametrize(
    "text",
    [
        "mail.example.org",
        "http://mail.example.org",
        "smtp://",
        "smtp://mail.example.org:0",
        "smtp://mail.example.org:99999",
        "smtp://user@mail.example.org",
        "smtp://u:p%0d%0a@mail.example.org",
        "smtp://mail.example.org/path",
        "smtp://mail.example.org?tls=no",
    ],
)
def test_what_is_no_server_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="an address such as smtp://"):
        read_server(text)
