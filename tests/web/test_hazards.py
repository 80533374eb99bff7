"""Whatever a stranger types or sends, wherever: an answer below 500, or a meant 503.

A share of all attempts is made in each run, the same ones each time; `make fuzz` makes them all.
"""

from __future__ import annotations

import inspect
import os
import random
import re
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.conftest import OPERATOR
from tests.web.hazards import Attempt, attempts
from tests.web.visitor import csrf, sign_in
from unrot.core.policy import POLICY
from unrot.core.rules import RULES

SHARE = float(os.environ.get("UNROT_FUZZ_SHARE", "0.03"))
_NAMES = re.compile(r'(?:args|form)(?:\.get)?[(\[]"(\w+)"|moment\("(\w+)"')
WIDE = {"from", "until", "to"}


def fields_of(app: Flask) -> dict[str, tuple[str, ...]]:
    """Return the names that the modules of the pages look for in queries and forms."""
    found = {}
    for endpoint, view in app.view_functions.items():
        module = inspect.getmodule(inspect.unwrap(view))
        source = inspect.getsource(module) if module else ""
        names = {name for pair in _NAMES.findall(source) for name in pair if name} | WIDE
        if endpoint.endswith(("set_policy", "set_rules")):
            names |= {*POLICY.options, *RULES.options}
        found[endpoint] = tuple(sorted(names - {"csrf_token"}))
    return found


@pytest.fixture
def chosen(app: Flask) -> Iterator[Attempt]:
    chance = random.Random(14)
    return (one for one in attempts(app, fields_of(app)) if chance.random() < SHARE)


def test_nothing_that_is_sent_is_an_error_of_ours(app: Flask, chosen: Iterator[Attempt]) -> None:
    client = app.test_client()
    sign_in(client, OPERATOR)
    token = csrf(client)
    seen: set[int] = set()
    for attempt in chosen:
        answer = client.open(
            attempt.path, method=attempt.method, **attempt.sent_by(OPERATOR, token)
        )
        assert answer.status_code < 500 or answer.status_code == 503, (
            f"{attempt}: {answer.text[:300]}"
        )
        seen.add(answer.status_code)

    assert {200, 403, 404, 415, 422} <= seen
