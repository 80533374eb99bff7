"""Seldon's client and its tester, version 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.clients.conftest import Expected, Run
from tests.conftest import VIEWER, Server, wait_for
from tests.live_server import call

Judged = Callable[[Mapping[str, Any]], Any]


def test_seldon_client_predicts_and_rewards(
    run: Run, server: Server, expected: Expected, judged: Judged
) -> None:
    told = run("seldon.py", server, environment="seldon", names=expected.names, rows=expected.rows)

    for form in ("ndarray", "tensor"):
        assert told[form]["labels"] == expected.labels
        assert told[form]["shares"] == [pytest.approx(one, abs=1e-6) for one in expected.shares]
        assert judged({"id": told[form]["ids"][7]})["was_correct"]
    assert "ndarray" in told["predict"]
    assert told["send-feedback"].count("created") == 2
    verdicts = []
    for id in told["judged"]:
        kept = f"{server.url}/api/v1/predictions/{id}"
        wait_for(lambda at=kept: call(at, token=VIEWER)[0] == 200)
        verdicts.append(call(kept, token=VIEWER)[1]["data"]["feedback"]["was_correct"])
    assert verdicts == [True, False]
