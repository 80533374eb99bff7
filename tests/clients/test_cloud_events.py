"""The CloudEvents SDK reads what we send, and we read what it sends."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import Expected, Run
from tests.conftest import Server
from tests.receiver import receiving
from unrot.core.cloud_events import CloudEvent, structured
from unrot.core.settings import Settings
from unrot.watch.event_sender import EventSender
from unrot.watch.event_spool import Spool
from unrot.watch.webhook_client import WebhookClient

Judged = Callable[[Mapping[str, Any]], Any]
TOLD = {"class": "elf", "probabilities": {"elf": 0.75, "Kobold „grün“": 0.25}}
EVENT = CloudEvent("e1", "/models/elves", "dev.unrot.prediction", TOLD, 'für 5 % "elves"')


def sent_in(folder: Path, mode: str) -> list[Any]:
    """What goes over the wire in a mode: headers and a body."""
    with receiving() as receiver:
        spool = Spool(folder, most_bytes=10**6, now=0.0)
        spool.add([structured(EVENT)])
        settings = replace(Settings(), events_url=receiver.url, events_mode=mode)
        EventSender(spool, WebhookClient(allow_private=True), settings).send_next()
        return [receiver.headers[0], json.dumps(receiver.bodies[0])]


def test_cloud_events_sdk(
    run: Run, server: Server, expected: Expected, judged: Judged, tmp_path: Path
) -> None:
    sent = [sent_in(tmp_path / mode, mode) for mode in ("structured", "binary", "batch")]

    told = run("cloud_events.py", server, names=expected.names, rows=expected.rows, sent=sent)

    for mode in ("structured", "binary"):
        assert told[mode]["labels"] == expected.labels
        assert told[mode]["shares"] == [pytest.approx(one, abs=1e-9) for one in expected.shares]
        assert (told[mode]["type"], told[mode]["requestid"]) == (
            *("dev.unrot.predictions", f"{mode}-1"),
        )
    assert judged({"model": "iris", "key": "structured-1-item-7"})["was_correct"]
    assert told["verdict"] in ("created", "queued")
    structured_one, binary_one, batch_one = told["read"]
    assert structured_one == batch_one == ["e1", EVENT.type, EVENT.subject, TOLD]
    assert [binary_one[0], binary_one[1], binary_one[3]] == ["e1", EVENT.type, TOLD]
