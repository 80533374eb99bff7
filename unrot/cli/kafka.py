"""The command that predicts what comes by Kafka, until it is stopped."""

from __future__ import annotations

import argparse
import importlib.util
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from unrot.cli.temporary_caretaker import shipped
from unrot.cli.terminal import Progress
from unrot.core.errors import BadSetting, Invalid, Unavailable
from unrot.core.plurals import counted
from unrot.core.records import THIS_MACHINE, Caller
from unrot.core.settings import Settings
from unrot.run.bootstrap import open_service
from unrot.run.kafka_worker import Done, KafkaWorker, Topics
from unrot.serve.service import Service

CONNECT_SECONDS = 10.0
MISSING = (
    "Kafka wants a library that is not installed: pip install 'unrot[kafka]' (in a checkout: pip "
    "install confluent-kafka)."
)
PATIENT = {"auto.offset.reset": "earliest", "topic.metadata.refresh.interval.ms": 10_000}
"""A group begins at the first record; a topic that is made later is found."""
OURS = {"enable.auto.commit": False, "enable.auto.offset.store": False}
"""What at-least-once stands on; no file may say otherwise."""


def add_to(commands: Any) -> None:
    """Add this command to the parser's subparsers."""
    command = commands.add_parser("kafka", help="predict rows of a Kafka topic until stopped")
    command.add_argument("--in", required=True, metavar="TOPIC", dest="rows", help="rows as JSON")
    command.add_argument("--out", required=True, metavar="TOPIC", dest="answers", help="answers")
    command.add_argument("--bootstrap", required=True, metavar="HOSTS", help="host:port,host:port")
    command.add_argument("--model", metavar="MODEL", dest="name", help="unsaid, the default model")
    command.add_argument("--feedback", metavar="TOPIC", default="", help="verdicts as JSON")
    command.add_argument(
        "--judge", metavar="NAME", help="the verdicts are this judge's, and trusted"
    )
    command.add_argument("--group", metavar="GROUP", default="unrot", help="unsaid, unrot")
    command.add_argument(
        "--config", type=Path, metavar="FILE", help="more settings of librdkafka, KEY=VALUE a line"
    )
    command.set_defaults(command=kafka)


def kafka(options: argparse.Namespace, settings: Settings) -> int:
    """Predict what comes, with a caretaker beside it where none is at work."""
    if importlib.util.find_spec("confluent_kafka") is None:
        raise BadSetting(MISSING)
    service = open_service(settings)
    model = _model_of(service, options.name)
    topics = Topics(options.rows, options.answers, options.feedback)
    if topics.answers in topics.read or topics.rows == topics.verdicts:
        raise Invalid("The topics of rows, of answers and of feedback must be different ones.")
    caller = Caller(role="judge", judge=options.judge) if options.judge else THIS_MACHINE
    progress, done = Progress(f"Predicting {options.rows}"), Done()
    try:
        with (
            _interrupted_by_sigterm(),
            shipped(settings.home, service.journal, progress),
            _connected(options) as (consumer, producer),
        ):
            parts = (service, consumer, producer, topics, model, caller, progress, done)
            KafkaWorker(*parts).run()
    finally:
        progress.close()
        _say(done, model)
    return 0


def _model_of(service: Service, named: str | None) -> str:
    shelved = service.catalogue().model(named) if named else service.default_model()
    return shelved.model.name


@contextmanager
def _connected(options: argparse.Namespace) -> Iterator[tuple[Any, Any]]:
    """Open a consumer and a producer, and see that somebody answers them."""
    # The library is an extra, loaded by who asks for it.
    from confluent_kafka import Consumer, KafkaException, Producer

    more = _read_config(options.config)
    common = {**more, "bootstrap.servers": options.bootstrap}
    reading = {**PATIENT, **common, "group.id": options.group, **OURS}
    consumer = None
    try:
        producer = Producer({"enable.idempotence": True, **common})
        producer.list_topics(timeout=CONNECT_SECONDS)
        consumer = Consumer(reading)
        yield consumer, producer
    except KafkaException as error:
        raise Unavailable(f"Kafka at {options.bootstrap}: {error.args[0].str()}.") from error
    finally:
        if consumer is not None:
            consumer.close()


def _read_config(path: Path | None) -> Mapping[str, str]:
    """Read settings of the library, as Kafka's own tools have them in a file."""
    if path is None:
        return {}
    try:
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{path} cannot be read as a file of settings.") from error
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {key.strip(): value.strip() for key, _, value in pairs}


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """Let who stops a container stop it as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _say(done: Done, model: str) -> None:
    said = [f"{counted(done.answered, 'row was', 'rows were')} predicted by {model}"]
    if done.refused:
        said.append(f"{done.refused:,} could not be")
    if done.judged or done.not_judged:
        said.append(f"{counted(done.judged, 'verdict was', 'verdicts were')} taken")
    if done.not_judged:
        said.append(f"{done.not_judged:,} were not")
    print(f"{', '.join(said)}.", file=sys.stderr)
