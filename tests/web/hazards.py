"""What a stranger may type or send anywhere: texts, JSON and files that have stopped apps before.

Each input that ever made an answer of 500 is added here, and from then on goes to every route.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from flask import Flask
from werkzeug.routing import Rule

from unrot.app import API, PROTOCOLS
from unrot.web.routes import OF_LIBRARIES, Route, routes_of
from unrot.web.shape import members

SHARE = float(os.environ.get("UNROT_FUZZ_SHARE", "0.03"))
"""How much of all that can be tried is tried; `make fuzz` tries all."""

TEXTS = (
    *("", " ", "\t", "\n", "\r\nX-Injected: yes", "\0", "a\0b", "%", "%00", "%zz", "%ED%A0%80"),
    *("0", "-0", "-1", "+1", " 1", "1 ", "1_000", "0x10", "1e5", "1e999", "-1e999", "1.5", "01"),
    *("٣", "²", "½"),
    *("000001999", "000100999999", "9" * 19, "9" * 30, "9" * 5_000, f"0.{'9' * 5_000}"),
    *("2147483648",),
    *("9" * 400, "1" * 60_000 + "x"),
    *("nan", "NaN", "inf", "-Infinity", "Infinity", "null", "none", "None", "true", "yes"),
    *("undefined",),
    *("0001-01-01", "9999-12-31", "9999-12-31T23:59:59-14:00", "2026-13-45", "2026-02-30T99:99Z"),
    *("0000-00-00",),
    *("2026-01-01T00:00:00+99:99", "2026-01-01 00:00:00 Europe/Nowhere", "24:00", "-62135596801"),
    *("4102444801",),
    *("..", "../../etc/passwd", "/", "//", "\\", ".", "~", "C:\\x", "file:///etc/passwd"),
    *("<script>alert(1)</script>", "\"><img src=x>", "{{7*7}}", "${7*7}", "'; DROP TABLE x; --"),
    *("=1+1", "@SUM(1)"),
    *("a" * 300, "a" * 10_000, "é" * 2_000, "😀" * 500, "\u202eabc", "\u0000", "\ufeff", "\u2028"),
    *("\x1b[31mred", "\x7f"),
    *("[]", "{}", "[1]", '{"a":1}', '"', "'", ",", ";", "|", "&", "#", "?", "=", "a=b&c=d", "("),
    *("[", "*", "\\d+("),
    *("\u2066a\u2069\u200b", "\x1b]0;title\x07", "\x9b31m", "a\x08b", "İ", "ǅ", "e\u0301" * 500),
    *("' OR '1'='1", "1; SELECT pg_sleep(9)", "x' UNION SELECT key FROM models --", "%' ESCAPE '"),
    *("-2+3+cmd|' /C calc'!A0", "\t=1+1", "+1+1", "..%2f..%2fetc%2fpasswd", "%2e%2e"),
    *("v1%00", "con", "a/../../b", "-1-01-01", "1969-12-31T23:59:59Z", "2026-06-30T23:59:60Z"),
    *("9999-12-31T23:59:59.9999999Z", "1e308", "4.9e-324", "1" + "0" * 309, "..\\..\\win"),
    *("0" * 5_000 + "1", "v" + "9" * 5_000, "=" * 4, "é" * 32),
    *("A" * 33, "A" * 31 + "+", "A" * 31 + "/", "A" * 31 + "\n"),
    *("v0", "v1", "v01", "v" + "9" * 400, "champion", "iris", "zombies", "iris/versions/v1"),
    *("A" * 32, "A" * 31 + "=", "-" * 32),
    *("a.b", "a.b.c", "a..b", ".a", "numbers:", "numbers:x", "1-2", "1..2", "low:high"),
    *("before:after", "page", "rot"),
)  # fmt: skip
"""Typed into a query, a path or a form."""

SURROGATES = ("\ud800", "a\udfffb", "\udcff")
"""Half a character: JSON can write it, UTF-8 cannot."""

DEEP = "[" * 100_000 + "]" * 100_000
VALUES = (
    *("null", "true", "false", "0", "-1", "1.5", "1e999", "-1e999", "NaN", "Infinity"),
    *("9" * 5_000, "1" + "0" * 308),
    *('""', '" "', '"\\u0000"', '"\\ud800"', '"\\udfff\\ud800"', '"' + "a" * 20_000 + '"'),
    *('"<b>"', '"1"', '"true"'),
    *("[]", "[[]]", "[null]", "[1,2,3]", '["a"]', "{}", '{"a":{}}', '{"":1}', '{"\\ud800":1}'),
    *("[" * 500 + "]" * 500,),
    *('[{"id":null}]', '[{"id":"x","was_correct":1}]', '{"id":["x"]}', "[" + "0," * 2_000 + "0]"),
    *('"v1"', '"iris"'),
    *("9223372036854775808", "-9223372036854775809", "4294967296", "0.1e-400", "1E400"),
    *('"2026-01-01"', '"9999-99-99"'),
)  # fmt: skip
"""JSON, as the value of a field of a body."""

BODIES = (
    *("", " ", "null", "0", "[]", "{}", '"a"', "{", "[", '{"a"', "{]", "\ufeff{}", DEEP),
    *('{"a":' * 50_000, "\0", "NaN", "[" + "{}," * 200_000 + "{}]"),
    *('{"a":1,"a":2}', "[[[[1]]]]", '{"\\ud800":"\\ud800"}', "1" * 100_000),
    *('{"inputs":' + "[" * 900 + "]" * 900 + "}",),
    *(b"\xff\xfe", b"\xed\xa0\x80", b'{"a":"\xed\xa0\x80"}', b"\x80abc", b"PK\x03\x04"),
    *(b"\x1f\x8b\x08",),
)  # fmt: skip
"""Whole bodies."""

FILES = (
    *(b"", b"\n", b"\0", b"\xff", b"a", b"a,b", b"a,b\n", b"a,b\n1", b'"', b'"\n"', b'a,"b\nc'),
    *(b"\xef\xbb\xbf", b"sep=;\n"),
    *(b"," * 100_000, b"\n" * 100_000, b"a," * 60_000 + b"\n1", b'"' * 9_999, b"a,a,a\n1,2,3"),
    *(b"a\n" + b"9" * 5_000,),
    *(b"PK\x03\x04", b"\x1f\x8b", b"\xff\xfea\x00", b"1,2\n3,4", b"a;b\n1,5;2", b"id,label\nx,y"),
    *(b"id,was_correct\n,\n",),
    *(b"id,label\n" + b"A" * 32 + b",\xed\xa0\x80", b"=1+1\n=2+2", b"a\n" + b"x" * 200_000),
    *(b"\r\r\r", b"a\r1\r2", b"a|b\n1|2"),
    *(b"sepal_length_cm\n" + b"1" * 60_000 + b"x", b"1" * 60_000 + b"x\n1"),
    *(b"id,reward\n" + b"A" * 32 + b"," + b"1" * 60_000 + b"x", b"1\n" * 60_000),
    *(b"{}\n" * 60_000, b"1" * 60_000 + b"x", b"PAR1" + b"\0" * 40 + b"\x08\0\0\0PAR1"),
    *(
        b"PAR1\x15\x02\x19,H\x01s\x15\x02\0\x15\x02%\0\x18\x02id\0\x16\0\x19\x1c\x19,&\0\0&\0\0"
        b"\x16\0\x16\0\0\0%\0\0\0PAR1",
    ),
)  # fmt: skip
"""Files of rows or of labels."""

TYPES = ("text/csv", "application/jsonlines", "application/vnd.apache.parquet")
"""What a file may be called."""

HEADERS = (
    *(b"Authorization: Bearer " + b"x" * 4_000, b"Authorization: Bearer \xff\xfe"),
    *(b"Authorization: Bearer \xed\xa0\x80", b"Authorization: Basic %%%"),
    *(b"Authorization: \x1b[31m", b"Authorization:"),
    *(b"Cookie: unrot=x; unrot=y", b"Cookie: unrot=.e30.x.x", b"Cookie: " + b"a=b; " * 1_000),
    *(b"Cookie: \xff=\xfe", b"Cookie: =;=;", b'Cookie: unrot="\\777"'),
    *(b"Cookie: unrot=" + b"A" * 32,),
    *(b"Content-Type: application/json; charset=\xff", b"Content-Type: text/csv; charset=utf-7"),
    *(b"Content-Type: multipart/form-data", b"Content-Type: multipart/form-data; boundary="),
    *(b"Content-Type: ;;;", b"Content-Type: application/x-www-form-urlencoded; charset=rot13"),
    *(b"Content-Encoding: gzip", b"Content-Length: 00000000002", b"Content-Length: 9" + b"9" * 30),
    *(b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunked, identity", b"Expect: 200-maybe"),
    *(b"X-Forwarded-For: ' OR 1=1", b"X-Forwarded-For: " + b"::1," * 800, b"X-Forwarded-For: %00"),
    *(b"X-Forwarded-Host: a\tb", b"X-Forwarded-Proto: gopher", b"X-Forwarded-Prefix: //evil.test"),
    *(b"Accept-Language: \xff", b"Accept: */*;q=nan", b"Range: bytes=9-1"),
    *(b"Accept: " + b"a/b," * 1_000, b"A" * 9_000 + b": b"),
    *(b"If-Modified-Since: Thu, 99 Foo 0000", b"If-None-Match: \xe2\x80\xae", b"Origin: null"),
    *(b"Referer: \x00", b"Referer: http://[::", b"User-Agent: \x1b]0;x\x07", b"Upgrade: websocket"),
    *(b"Host: evil.test", b"X-Fragment: \xf0\x9f\x98\x80", b"X-Request-Id: \x1b[2J"),
    *(b"no colon", b": no name", b"A b: c", b"A: b\r\n folded", b"X-HTTP-Method-Override: TRACE"),
)  # fmt: skip
"""Headers, as bytes."""

AMPLE = {"UNROT_MOST_VERDICTS": "1000000", "UNROT_DAILY_BYTES": str(2**40)}
"""Settings under which one visitor may try all this in a row."""

OF_PROGRAMS = (
    *("/api/", "/train_batch", "/reset", "/metrics"),
    *(prefix for one in PROTOCOLS for prefix in one.prefixes),
)

PLACES = {"model": "iris", "version": "v1", "filename": "app.css"}
"""What stands in the parts of a path that no hazard stands in."""


@dataclass(frozen=True)
class Attempt:
    """One request."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None
    type: str | None = None

    def __str__(self) -> str:
        said = f"{self.method} {self.path} {self.query or ''} {str(self.body or '')[:80]}"
        return said.encode("ascii", "backslashreplace").decode()[:300]

    def sent_by(self, token: str, csrf: str) -> dict[str, Any]:
        """What Flask's test client takes, of who holds a token."""
        headers = {"Authorization": f"Bearer {token}"} if self.path.startswith(OF_PROGRAMS) else {}
        body = {"csrf_token": csrf, **self.body} if isinstance(self.body, dict) else self.body
        sent = {"headers": headers, "query_string": self.query}
        return sent if body is None else {**sent, "data": body, "content_type": self.type}


def attempts(app: Flask, fields: dict[str, tuple[str, ...]]) -> Iterator[Attempt]:
    """Return every hazard at every place of every route; `fields` are those of the pages' forms."""
    declared = {(one.method, one.path): one for one in routes_of(*API)}
    for rule in app.url_map.iter_rules():
        if OF_LIBRARIES.fullmatch(rule.endpoint):
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            route = declared.get((method, rule.rule))
            yield from _paths(rule, method)
            yield from _queries(rule, method, route, fields)
            if method != "GET":
                yield from _bodies(rule, method, route, fields)


def path_of(rule: Rule, **given: str) -> str:
    """Fill the parts of a path."""
    path = rule.rule
    for place in rule.arguments:
        value = given.get(place, PLACES.get(place, "1"))
        for kind in ("", "path:", "int:", "string:"):
            path = path.replace(f"<{kind}{place}>", quote(value, safe="", errors="surrogatepass"))
    return path


def _paths(rule: Rule, method: str) -> Iterator[Attempt]:
    for place in rule.arguments:
        for text in (*TEXTS, *SURROGATES):
            if text:
                yield Attempt(method, path_of(rule, **{place: text}))


def _queries(
    rule: Rule, method: str, route: Route | None, fields: dict[str, tuple[str, ...]]
) -> Iterator[Attempt]:
    names = fields.get(rule.endpoint, ())
    if route is not None and route.query is not None:
        names = tuple(one.name for one in members(route.query))
    for name in names:
        for text in TEXTS:
            yield Attempt(method, path_of(rule), {name: text})


def _bodies(
    rule: Rule, method: str, route: Route | None, fields: dict[str, tuple[str, ...]]
) -> Iterator[Attempt]:
    path = path_of(rule)
    for body in BODIES:
        yield Attempt(method, path, body=body, type="application/json")
    for file in FILES:
        for type in TYPES:
            yield Attempt(method, path, body=file, type=type)
        form = {"file": (io.BytesIO(file), "rows.csv")}
        yield Attempt(method, path, body=form, type="multipart/form-data")
    for name in fields.get(rule.endpoint, ()):
        for text in TEXTS:
            yield Attempt(method, path, body={name: text}, type="application/x-www-form-urlencoded")
    for name in _fields_of(route):
        for value in VALUES:
            yield Attempt(method, path, body=f'{{"{name}": {value}}}', type="application/json")


def _fields_of(route: Route | None) -> tuple[str, ...]:
    try:
        return tuple(one.name for one in members(route.body)) if route else ()
    except (TypeError, AttributeError):
        return ("inputs", "instances", "id", "was_correct", "label", "comment", "model")
