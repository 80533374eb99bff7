"""Events reach a sink that takes them, in order; what it refuses becomes a dead letter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.receiver import Receiver, receiving
from unrot.core.settings import Settings
from unrot.watch import event_spool
from unrot.watch.event_sender import EventSender
from unrot.watch.event_spool import DEAD, DEAD_BEFORE, Spool, read_state, waiting_bytes
from unrot.watch.webhook_client import WebhookClient


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return opened(tmp_path)


def opened(folder: Path, most_bytes: int = 10**6) -> Spool:
    return Spool(folder, most_bytes=most_bytes, now=0.0)


def sender(spool: Spool, url: str, *, allow_private: bool = True, **more: Any) -> EventSender:
    settings = replace(Settings(), events_url=f"{url}/sink", **more)
    return EventSender(spool, WebhookClient(allow_private=allow_private), settings)


def event(number: int) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"e{number}",
        "source": "/models/elves",
        "type": "dev.unrot.prediction",
        "subject": "Grün",
        "datacontenttype": "application/json",
        "data": {"class": "elf"},
    }


def dead(folder: Path, name: str = DEAD) -> list[Any]:
    return [json.loads(line) for line in (folder / name).read_bytes().splitlines()]


def test_structured_events_arrive_one_by_one_in_their_order(
    spool: Spool, receiver: Receiver, tmp_path: Path
) -> None:
    spool.add([event(1), event(2)])
    sending = sender(spool, receiver.url)

    pauses = [sending.send_next() for _ in range(3)]

    assert pauses == [0.0, 0.0, None]
    assert receiver.bodies == [event(1), event(2)]
    assert {one["Content-Type"] for one in receiver.headers} == {"application/cloudevents+json"}
    state = read_state(tmp_path)
    assert state is not None and (state.sent, state.retried, state.dead) == (2, 0, 0)
    assert waiting_bytes(tmp_path) == 0


def test_binary_event_has_its_attributes_in_headers(spool: Spool, receiver: Receiver) -> None:
    spool.add([event(1)])

    sender(spool, receiver.url, events_mode="binary").send_next()

    assert receiver.bodies == [{"class": "elf"}]
    told = {name.lower(): value for name, value in receiver.headers[0].items()}
    assert {name: told[name] for name in told if name.startswith("ce-")} == {
        "ce-specversion": "1.0",
        "ce-id": "e1",
        "ce-source": "/models/elves",
        "ce-type": "dev.unrot.prediction",
        "ce-subject": "Gr%C3%BCn",
    }
    assert told["content-type"] == "application/json"


def test_batch_is_sent_in_one_and_one_by_one_after_a_failure(
    spool: Spool, receiver: Receiver
) -> None:
    spool.add([event(1), event(2), event(3)])
    receiver.codes = [500, 200]
    sending = sender(spool, receiver.url, events_mode="batch")

    while sending.send_next() is not None:
        continue

    assert receiver.bodies == [[event(1), event(2), event(3)], [event(1)], [event(2), event(3)]]


def test_event_that_is_refused_waits_and_becomes_a_dead_letter(
    spool: Spool, receiver: Receiver, tmp_path: Path
) -> None:
    spool.add([event(1), event(2)])
    receiver.codes = [503, 503, 503, 200]
    sending = sender(spool, receiver.url, events_tries=3)

    pauses = [sending.send_next() for _ in range(5)]

    assert pauses == [1.0, 2.0, 4.0, 0.0, None]
    assert [one["id"] for one in receiver.bodies] == ["e1", "e1", "e1", "e2"]
    [letter] = dead(tmp_path)
    assert (letter["event"], letter["error"]) == (event(1), "127.0.0.1 answered 503.")
    state = read_state(tmp_path)
    assert state is not None and (state.sent, state.retried, state.dead) == (1, 2, 1)


def test_restart_goes_on_where_it_was(spool: Spool, receiver: Receiver, tmp_path: Path) -> None:
    spool.add([event(1), event(2)])
    sender(spool, receiver.url).send_next()

    again = sender(opened(tmp_path), receiver.url)

    assert [again.send_next(), again.send_next()] == [0.0, None]
    assert [one["id"] for one in receiver.bodies] == ["e1", "e2"]


def test_torn_line_of_a_crash_is_cut_off(spool: Spool, receiver: Receiver, tmp_path: Path) -> None:
    spool.add([event(1)])
    [file] = tmp_path.glob("0*.jsonl")
    with file.open("ab") as torn:
        torn.write(b'{"id":"ha')

    after = opened(tmp_path)
    after.add([event(2)])
    sending = sender(after, receiver.url)
    while sending.send_next() is not None:
        continue

    assert [one["id"] for one in receiver.bodies] == ["e1", "e2"]


def test_backlog_beyond_its_room_gives_up_the_oldest(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_spool, "FILE_BYTES", 500)
    spool = opened(tmp_path, most_bytes=2_000)

    for number in range(50):
        spool.add([event(number)])
    sending = sender(spool, receiver.url)
    while sending.send_next() is not None:
        continue

    lost = [int(one["event"]["id"][1:]) for one in dead(tmp_path)]
    came = [int(one["id"][1:]) for one in receiver.bodies]
    assert lost + came == list(range(50))
    assert len(came) * len(json.dumps(event(10))) < 3_000
    assert [path.name for path in tmp_path.glob("0*.jsonl")] != []


def test_room_that_is_made_while_an_event_is_sent_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_spool, "FILE_BYTES", 1)
    spool = opened(tmp_path, most_bytes=300)
    spool.add([event(1)])
    load = spool.next(1)
    assert load is not None

    spool.add([event(2)])
    spool.add([event(3)])
    spool.note_sent(load)

    following = spool.next(1)
    assert following is not None and json.loads(following.lines[0])["id"] == "e3"
    assert [one["event"]["id"] for one in dead(tmp_path)] == ["e1", "e2"]


def test_dead_letters_take_bounded_room(spool: Spool, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(event_spool, "DEAD_BYTES", 1)
        spool.add([event(number) for number in range(4)])
        while (load := spool.next(1)) is not None:
            spool.bury(load, "no")

    assert [one["event"]["id"] for one in dead(tmp_path)] == ["e3"]
    assert [one["event"]["id"] for one in dead(tmp_path, DEAD_BEFORE)] == ["e2"]


def test_private_address_is_refused_unless_it_is_allowed(
    spool: Spool, receiver: Receiver, tmp_path: Path
) -> None:
    spool.add([event(1)])

    sender(spool, receiver.url, allow_private=False, events_tries=1).send_next()

    assert receiver.bodies == []
    [letter] = dead(tmp_path)
    assert "UNROT_WEBHOOK_PRIVATE=yes" in letter["error"]
