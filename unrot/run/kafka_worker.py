"""Predicts what comes by Kafka: rows from one topic, answers into another, verdicts from a third.

A record's key is the client's own key. The offset of a record is committed once the journal has its
prediction and the brokers have the answer, so that who is killed in between does it again: twice is
possible, lost is not. What is wrong with a record is answered as well, and holds up none behind it.

While the store or the journal cannot take something, it is tried again and nothing is committed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from unrot.core.errors import BadRequest, Invalid, JournalFull, Unavailable, UnrotError
from unrot.core.ports import Progress
from unrot.core.records import Caller
from unrot.core.schema import parse_row
from unrot.hear.key_store import read_key
from unrot.serve.service import Service
from unrot.watch.event_words import prediction_told

MOST_AT_ONCE = 500
POLL_SECONDS, GATHER_SECONDS = 0.5, 0.02
FLUSH_SECONDS = 30.0
AGAIN_SECONDS = 1.0
LONGEST_ROW = 1_000_000
"""Bytes of a record."""


@dataclass(frozen=True, slots=True)
class Topics:
    """Where rows come from, where answers go to, and where verdicts come from, if they do."""

    rows: str
    answers: str
    verdicts: str = ""

    @property
    def read(self) -> list[str]:
        """Those that are read."""
        return [self.rows, *filter(None, [self.verdicts])]


@dataclass
class Done:
    """What became of the records so far."""

    answered: int = 0
    refused: int = 0
    judged: int = 0
    not_judged: int = 0


@dataclass
class KafkaWorker:
    """Reads with a consumer that commits nothing by itself, answers with a producer."""

    service: Service
    consumer: Any
    producer: Any
    topics: Topics
    model: str
    caller: Caller
    """Who gives the verdicts."""
    progress: Progress
    done: Done = field(default_factory=Done)

    def run(self) -> None:
        """Read until somebody stops it."""
        self.consumer.subscribe(self.topics.read)
        while True:
            if records := self._gathered():
                self.take(records)
                self._tell(records)

    def take(self, records: Sequence[Any]) -> None:
        """Predict rows, then judge, each committed once it is kept."""
        for topic, work in ((self.topics.rows, self._predict), (self.topics.verdicts, self._judge)):
            if of_it := [one for one in records if one.topic() == topic]:
                self._until_kept(work, of_it)
                self.consumer.commit(offsets=self._behind(of_it), asynchronous=False)

    def _gathered(self) -> list[Any]:
        """Return what has come, a moment after the first of it."""
        first = self.consumer.poll(POLL_SECONDS)
        if first is None:
            return []
        records = [first, *self.consumer.consume(MOST_AT_ONCE - 1, GATHER_SECONDS)]
        for error in (one.error() for one in records if one.error() is not None):
            if error.fatal() or "AUTH" in error.name():
                raise Unavailable(f"Kafka does not give its records: {error.str()}.")
            self.progress(0.0, f"waits: {error.str()}")
        return [one for one in records if one.error() is None]

    def _until_kept(self, work: Callable[[Sequence[Any]], None], records: Sequence[Any]) -> None:
        while True:
            try:
                return work(records)
            except Unavailable as error:
                self.progress(0.0, f"waits: {error.message}")
                time.sleep(AGAIN_SECONDS)

    def _behind(self, records: Sequence[Any]) -> list[Any]:
        """Return the offsets behind some records, one a partition."""
        # The library is an extra: it is there where somebody reads by it.
        from confluent_kafka import TopicPartition

        last = {(one.topic(), one.partition()): one.offset() + 1 for one in records}
        return [TopicPartition(*place, offset) for place, offset in last.items()]

    def _tell(self, records: Sequence[Any]) -> None:
        left = 0
        for one in self._behind(records):
            ends = self.consumer.get_watermark_offsets(one, cached=True)
            left += max(0, ends[1] - one.offset) if ends else 0
        done = self.done.answered + self.done.refused + self.done.judged + self.done.not_judged
        self.progress(done / max(1, done + left), f"{done:,} records, {left:,} wait")

    # ── predict ──────────────────────────────────────────────────────────────────────────────

    def _predict(self, records: Sequence[Any]) -> None:
        answers = list(self._answers(records))
        self._send(zip((one.key() for one in records), answers, strict=True))
        wrong = sum("error" in one for one in answers)
        self.done.refused += wrong
        self.done.answered += len(answers) - wrong

    def _answers(self, records: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
        """Answer all that can be at once; what is wrong with the others is found one by one."""
        fits = [self._fits(one) for one in records]
        good = [one for one, does_fit in zip(records, fits, strict=True) if does_fit]
        scored = iter(self._scored(good))
        for one, does_fit in zip(records, fits, strict=True):
            yield next(scored) if does_fit else self._refused(one)

    def _fits(self, record: Any) -> bool:
        contents = self.service.catalogue()
        self.service.check_known(contents)
        try:
            _key_of(record)
            parse_row(contents.model(self.model).model.schema, _object_in(record))
        except (Invalid, BadRequest):
            return False
        return True

    def _refused(self, record: Any) -> Mapping[str, Any]:
        """Let a row be refused, and counted, as at every door."""
        try:
            return self._scored([record])[0]
        except (Invalid, BadRequest) as error:
            return {"error": error.message, "reason": error.reason}

    def _scored(self, records: Sequence[Any]) -> Sequence[Mapping[str, Any]]:
        if not records:
            return []
        keys, rows = [_key_of(one) for one in records], [_object_in(one) for one in records]
        answer = self.service.predict(self.model, rows, keys=keys)
        if answer.ids[0] is None:
            raise JournalFull("The journal cannot be written: make room on its disk.")
        model = answer.shelved.model
        return [
            prediction_told(model.schema, model.name, made, key)
            for made, key in zip(answer.predictions, keys, strict=True)
        ]

    def _send(self, answers: Any) -> None:
        """Return when the brokers have some answers; Unavailable where they have not."""
        failed: list[Any] = []
        for key, told in answers:
            self.producer.produce(
                self.topics.answers,
                orjson.dumps(told),
                key=key,
                on_delivery=lambda error, _: failed.append(error) if error else None,
            )
            self.producer.poll(0)
        if self.producer.flush(FLUSH_SECONDS) or failed:
            raise Unavailable("Kafka has not taken all answers.")

    # ── judge ────────────────────────────────────────────────────────────────────────────────

    def _judge(self, records: Sequence[Any]) -> None:
        """Take verdicts as our own API has them; the record's key is the client's, if needed."""
        read = [self._verdict_in(one) for one in records]
        verdicts = [one for one in read if not isinstance(one, UnrotError)]
        judged = self.service.judge_many(verdicts, self.caller) if verdicts else []
        said = iter(status for _, status in judged)
        statuses = [one.reason if isinstance(one, UnrotError) else next(said) for one in read]
        wrong = [
            (record.key(), {"error": f"The verdict was not taken: {status}.", "reason": status})
            for record, status in zip(records, statuses, strict=True)
            if status not in TAKEN
        ]
        self._send(wrong)
        self.done.not_judged += len(wrong)
        self.done.judged += len(records) - len(wrong)

    def _verdict_in(self, record: Any) -> Mapping[str, Any] | UnrotError:
        try:
            given = _object_in(record)
            if "id" in given:
                return given
            named = {"model": self.model, **given}
            return named if "key" in given else {**named, "key": _key_of(record)}
        except UnrotError as error:
            return error


TAKEN = ("created", "duplicate", "revised", "queued", "withdrawn")
"""What becomes of verdicts that are kept, or were kept before."""


def _key_of(record: Any) -> str | None:
    """Read a record's key as the client's own."""
    raw = record.key()
    if raw is None:
        return None
    try:
        return read_key(raw.decode())
    except UnicodeDecodeError:
        raise BadRequest("The key of the record is not UTF-8.") from None


def _object_in(record: Any) -> dict[str, Any]:
    raw = record.value() or b""
    if len(raw) > LONGEST_ROW:
        raise BadRequest(f"The record is longer than {LONGEST_ROW:,} bytes.")
    try:
        given = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise BadRequest("The record is not JSON.") from None
    if not isinstance(given, dict):
        raise BadRequest("The record is no JSON object.")
    return given
