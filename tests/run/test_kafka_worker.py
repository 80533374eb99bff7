"""Rows that come by Kafka: predicted, answered, judged; twice where a worker dies, lost never.

The brokers are those of the library's own mock cluster.
"""

from __future__ import annotations

import importlib.util
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import ROOT, environment, wait_for
from tests.skips import needs
from unrot.core.records import Caller
from unrot.run import kafka_worker
from unrot.run.caretaker import Caretaker
from unrot.run.kafka_worker import KafkaWorker, Topics
from unrot.serve.service import Service
from unrot.web.api.predictions import IRIS

ROW = dict(zip(IRIS, [5.1, 3.5, 1.4, 0.2], strict=True))
TOPICS = Topics("rows", "answers", "truth")

DOOMED = """
import os, signal, sys
from unrot.run import kafka_worker
from unrot.cli.main import main
kafka_worker.KafkaWorker._behind = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
main(sys.argv[1:])
"""
"""It dies when the journal and the brokers have an answer, before anything is committed."""


class Cluster:
    """Brokers, and what one asks them."""

    def __init__(self) -> None:
        from confluent_kafka import Producer

        self._producer = Producer({"test.mock.num.brokers": 1, "log_level": 0})
        [broker] = self._producer.list_topics(timeout=10).brokers.values()
        self.hosts = f"{broker.host}:{broker.port}"
        for topic in ("rows", "answers", "truth"):
            self._producer.list_topics(topic, timeout=10)

    def send(self, topic: str, value: Any, key: str | bytes | None = None) -> None:
        raw = value if isinstance(value, bytes) else json.dumps(value).encode()
        self._producer.produce(topic, raw, key=key, partition=0)
        assert self._producer.flush(10) == 0

    def consumer(self, group: str, topics: list[str]) -> Any:
        """One that reads all of some topics at once: to join a group takes seconds."""
        from confluent_kafka import Consumer, TopicPartition

        consumer = Consumer(
            {
                "bootstrap.servers": self.hosts,
                "group.id": group,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
            }
        )
        consumer.assign([TopicPartition(topic, at) for topic in topics for at in range(4)])
        return consumer

    def sent(self, topic: str, count: int) -> list[tuple[bytes | None, Any]]:
        """The first records of a topic, with their keys, in the order of the brokers' time."""
        consumer = self.consumer("tests", [topic])
        found = consumer.consume(count, 20)
        consumer.close()
        found.sort(key=lambda one: (one.timestamp()[1], one.offset()))
        return [(one.key(), json.loads(one.value())) for one in found]

    def committed(self, topic: str) -> int:
        """How far the workers have committed a topic."""
        from confluent_kafka import TopicPartition

        consumer = self.consumer("unrot", [])
        [found] = consumer.committed([TopicPartition(topic, 0)], 10)
        consumer.close()
        return int(found.offset)

    @contextmanager
    def worker(self, service: Service, caller: Caller | None = None) -> Iterator[KafkaWorker]:
        from confluent_kafka import Producer

        consumer = self.consumer("unrot", TOPICS.read)
        producer = Producer({"bootstrap.servers": self.hosts})
        parts = (service, consumer, producer, TOPICS, "iris", caller or Caller(), _silent)
        yield KafkaWorker(*parts)
        consumer.close()


def _silent(_: float, __: str) -> None:
    return


@pytest.fixture
def cluster() -> Cluster:
    needs(
        "Kafka's library",
        importlib.util.find_spec("confluent_kafka") is not None,
        "pip install confluent-kafka",
    )
    return Cluster()


def take(worker: KafkaWorker, count: int) -> None:
    """Let a worker take so many records."""
    taken = 0

    def has_taken() -> bool:
        nonlocal taken
        records = worker._gathered()
        worker.take(records)
        taken += len(records)
        return taken >= count

    wait_for(has_taken)


def test_rows_are_answered_in_order_and_the_records_key_is_the_clients(
    service: Service, cluster: Cluster
) -> None:
    for number in range(3):
        cluster.send("rows", ROW, f"order-{number}")

    with cluster.worker(service) as worker:
        take(worker, 3)
    Caretaker(service, "me").go_round()

    answers = dict(cluster.sent("answers", 3))
    keys = ["order-0", "order-1", "order-2"]
    kept = service.store.keys.find(service.catalogue().model("iris").model.key, keys)
    assert kept == {(key or b"").decode(): told["id"] for key, told in answers.items()}
    assert {told["class"] for told in answers.values()} == {"Iris-setosa"}
    assert {key: told["key"].encode() for key, told in answers.items()} == {k: k for k in answers}


def test_what_is_wrong_is_answered_and_holds_up_nothing(service: Service, cluster: Cluster) -> None:
    cluster.send("rows", ROW, "good")
    for value in (b"no JSON", b"[1]", b"", {**ROW, "sepal_width_cm": "wide"}, {}):
        cluster.send("rows", value, "bad")
    cluster.send("rows", ROW, b"\xff")
    cluster.send("rows", ROW, "x" * 300)
    cluster.send("rows", ROW)

    with cluster.worker(service) as worker:
        take(worker, 9)

    answers = [told for _, told in cluster.sent("answers", 9)]
    assert sorted("id" in told for told in answers) == [*[False] * 7, True, True]
    assert all("id" in told or (told["error"] and told["reason"]) for told in answers)
    assert (worker.done.answered, worker.done.refused) == (2, 7)


def test_verdicts_by_key_and_by_id_are_taken(service: Service, cluster: Cluster) -> None:
    for number in range(3):
        cluster.send("rows", ROW, f"order-{number}")
    with cluster.worker(service, Caller(role="judge", judge="ada")) as worker:
        take(worker, 3)
        Caretaker(service, "me").go_round()
        answers = dict(cluster.sent("answers", 3))
        ids = [answers[f"order-{number}".encode()]["id"] for number in range(3)]
        cluster.send("truth", {"label": "Iris-virginica"}, "order-0")
        cluster.send("truth", {"key": "order-1", "was_correct": True})
        cluster.send("truth", {"id": ids[2], "was_correct": True}, "anything")
        cluster.send("truth", {"label": "Iris-virginica"}, "nobody")
        take(worker, 4)

    verdicts = [service.store.verdicts.of(id) for id in ids]
    assert [one and (one.was_correct, one.judge) for one in verdicts] == [
        (False, "ada"), (True, "ada"), (True, "ada"),
    ]  # fmt: skip
    assert (worker.done.judged, worker.done.not_judged) == (3, 1)
    assert dict(cluster.sent("answers", 4))[b"nobody"]["reason"] == "not_found"


def test_nothing_is_committed_while_the_journal_is_full(
    service: Service, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.send("rows", ROW, "a")
    waits: list[float] = []

    def room(seconds: float) -> None:
        waits.append(seconds)
        patch.undo()

    with pytest.MonkeyPatch.context() as patch, cluster.worker(service) as worker:
        patch.setattr(service.journal, "_is_full", True)
        patch.setattr(service.journal, "_check", lambda _: None)
        patch.setattr(kafka_worker, "time", SimpleNamespace(sleep=room))
        take(worker, 1)

    assert waits == [kafka_worker.AGAIN_SECONDS]
    assert worker.done.answered == 1
    assert len(cluster.sent("answers", 1)) == 1


def command(cluster: Cluster, *more: str) -> list[str]:
    topics = ["--in", "rows", "--out", "answers", "--bootstrap", cluster.hosts]
    return ["kafka", *topics, "--model", "iris", *more]


def begun(home: Path, arguments: list[str], **more: Any) -> subprocess.Popen[str]:
    path = {"PYTHONPATH": ":".join([str(ROOT), *sys.path])}
    env = {**environment(home), **path}
    return subprocess.Popen(
        [sys.executable, *arguments], env=env, stderr=subprocess.PIPE, text=True, **more
    )


def test_worker_that_dies_before_it_commits_loses_nothing(
    service: Service, cluster: Cluster, trained_home: Path
) -> None:
    cluster.send("rows", ROW, "order-1")
    config = trained_home / "kafka.properties"
    config.write_text("# The dead are missed soon.\nsession.timeout.ms=6000\n")
    asked = command(cluster, "--config", str(config))

    with begun(trained_home, ["-c", DOOMED, *asked]) as doomed:
        assert doomed.wait(60) == -signal.SIGKILL
    with begun(trained_home, ["-m", "unrot", *asked]) as worker:
        wait_for(lambda: cluster.committed("rows") == 1, 30)
        worker.send_signal(signal.SIGINT)
        _, said = worker.communicate(timeout=60)

    assert worker.returncode == 130
    assert "1 row was predicted by iris." in said
    answers = cluster.sent("answers", 2)
    ids = [told["id"] for _, told in answers]
    assert (len(set(ids)), cluster.committed("rows")) == (2, 1)
    key = service.catalogue().model("iris").model.key
    assert service.store.keys.find(key, ["order-1"]) == {"order-1": ids[1]}
    assert None not in [service.store.traffic.prediction(id) for id in ids]


def test_committed_rows_are_not_read_again(
    service: Service, cluster: Cluster, trained_home: Path
) -> None:
    cluster.send("rows", ROW, "a")
    with cluster.worker(service) as worker:
        take(worker, 1)
    cluster.send("rows", ROW, "b")

    with cluster.worker(service) as worker:
        take(worker, 1)

    assert worker.done.answered == 1
    assert {key for key, _ in cluster.sent("answers", 2)} == {b"a", b"b"}
