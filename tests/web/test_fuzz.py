"""Thousands of requests that the API's own document gives rise to, played to both servers.

schemathesis makes them of each operation: half as the document wants them, half not. Whatever
comes, the answer is below 500 or a meant 503, with a status, a type and a shape that the document
names. The same requests are made in each run, a share of 10,000; `make fuzz` makes them all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from flask import Flask
from hypothesis import strategies
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.conftest import OPERATOR, Server
from tests.run.test_servers import SERVERS
from tests.web.hazards import AMPLE, PLACES, SHARE

CASES = 11_600
"""Some operations have nothing that varies, so that 10,000 are left."""
CONFORMS = [
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]


class Referee:
    """Knows which answers the document allows, and writes down all others."""

    def __init__(self) -> None:
        self.wrong: dict[str, str] = {}
        self.seen: Counter[int] = Counter()

    def judge(self, case: Any, answer: Any) -> None:
        """Look at one answer."""
        self.seen[answer.status_code] += 1
        checks = CONFORMS if answer.status_code == 503 else [*CONFORMS, not_a_server_error]
        try:
            case.validate_response(answer, checks=checks)
        except (Failure, FailureGroup) as error:
            self.wrong[f"{case.operation.label} {answer.status_code}"] = str(error)


def play_all(document: Any, count: int, play: Callable[[Any], None]) -> None:
    """Play so many cases, of each operation as many, as the document wants them and not."""
    operations = [found.ok() for found in document.get_all_operations()]
    for operation in operations:
        made = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]
        play_some(strategies.one_of(made), -(-count // len(operations)), play)


def play_some(cases: Any, count: int, play: Callable[[Any], None]) -> None:
    """Play the same cases each time; three of four name the model and version that there are."""

    @hypothesis.settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=[*hypothesis.HealthCheck],
    )
    @hypothesis.given(case=cases, luck=strategies.integers(0, 3))
    def one(case: Any, luck: int) -> None:
        for place in PLACES.keys() & (case.path_parameters or {}).keys():
            if luck:
                case.path_parameters[place] = PLACES[place]
        play(case)

    one()


@pytest.fixture(scope="module")
def both(start_shared_server: Callable[..., Server]) -> list[Server]:
    return [start_shared_server(UNROT_SERVER=one, WEB_CONCURRENCY="1", **AMPLE) for one in SERVERS]


def test_no_answer_is_outside_the_document(both: list[Server]) -> None:
    document = schemathesis.openapi.from_url(f"{both[0].url}/apispec.json")
    referee, session = Referee(), requests.Session()

    def play(case: Any) -> None:
        for server in both:
            answer = case.call(server.url, session, {"Authorization": f"Bearer {OPERATOR}"})
            referee.judge(case, answer)

    play_all(document, round(SHARE * CASES), play)

    assert referee.wrong == {}
    assert referee.seen.total() >= len(both) * 0.9 * CASES * SHARE
    assert {200, 404, 422} <= referee.seen.keys()


@pytest.mark.parametrize("answer", [("broken", 500), ({"data": 3}, 200), ("", 418)])
def test_answer_outside_the_document_is_told(app: Flask, answer: tuple[Any, int]) -> None:
    document = schemathesis.openapi.from_wsgi("/apispec.json", app)
    referee = Referee()
    case = document["/api/v1/models"]["GET"].Case()

    with app.test_request_context():
        made = app.make_response(answer)
    referee.judge(case, case.call(app=lambda environ, start: made(environ, start)))

    assert [*referee.wrong] == [f"GET /api/v1/models {answer[1]}"]
