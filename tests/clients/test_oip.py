"""Clients of the Open Inference Protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.clients.conftest import Expected, Run
from tests.conftest import OPERATOR, Server, free_port
from tests.live_server import call

Judged = Callable[[Mapping[str, Any]], Any]


def same(told: Any, expected: Expected, judged: Judged) -> bool:
    """Tell whether a client got what our own API answers, and can judge it."""
    assert told["labels"] == expected.labels
    assert told["shares"] == [pytest.approx(each, abs=1e-9) for each in expected.shares]
    assert len(set(told["ids"])) == len(expected.rows)
    return bool(judged({"id": told["ids"][7]})["was_correct"])


def test_tritonclient_over_http(
    run: Run, server: Server, expected: Expected, judged: Judged
) -> None:
    told = run("tritonclient_http.py", server, names=expected.names, rows=expected.rows)

    assert same(told["binary"], expected, judged)
    assert same(told["json"], expected, judged)
    assert told["json"]["id"] == "mine"
    assert told["inputs"] == expected.names
    status, message = told["unknown"]
    assert status == "404"
    assert message.startswith('There is no model "nobody"')


def test_kserve_version_2(run: Run, server: Server, expected: Expected, judged: Judged) -> None:
    told = run("kserve_v2.py", server, names=expected.names, rows=expected.rows)

    assert told["ready"] == [True, True, True]
    assert same(told["json"], expected, judged)
    assert same(told["binary"], expected, judged)


def test_tritonclient_over_grpc(
    run: Run,
    start_server: Callable[..., Server],
    expected: Expected,
) -> None:
    port = free_port()
    served = start_server(UNROT_GRPC_PORT=str(port))
    given = {"names": expected.names, "rows": expected.rows, "token": OPERATOR}

    told = run("tritonclient_grpc.py", served, port=port, **given)

    assert told["labels"] == expected.labels
    assert told["shares"] == [pytest.approx(each, abs=1e-9) for each in expected.shares]
    assert (told["id"], told["inputs"]) == ("mine", expected.names)
    assert told["errors"] == ["NOT_FOUND", "INVALID_ARGUMENT", "UNAUTHENTICATED"]
    assert set(told["index"]) == {"iris", "zombies"}
    assert (told["health"], told["reflected"]) == ([8, 1], True)
    by_key = {"model": "iris", "key": "by-grpc"}
    for named in ({"id": told["ids"][7]}, by_key):
        verdict = {**named, "was_correct": True}
        assert call(f"{served.url}/api/v1/feedback", verdict)[0] == 201
