"""Judge predictions by SageMaker's ground truth: JSON lines, each with the id of an event.

    {"groundTruthData": {"data": "Iris-virginica", "encoding": "CSV"},
     "eventMetadata": {"eventId": "order-4711"}, "eventVersion": "0"}

The event is what was sent as the inference id, which is the client's own key of the prediction; the
id that we answered is taken as well.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any

import orjson

from unrot.core.acting import Doing, act_of, going_on
from unrot.core.errors import Invalid
from unrot.core.plurals import counted
from unrot.core.ports import Progress
from unrot.core.records import Caller
from unrot.hear.key_store import MOST_BYTES
from unrot.hear.verdicts import MOST_VERDICTS
from unrot.make.csv.labels import NOT_GROUND_TRUTH, Judged, label_of
from unrot.serve.service import Service

EXPECTED = (
    'JSON lines such as {"groundTruthData": {"data": "…", "encoding": "CSV"}, '
    '"eventMetadata": {"eventId": "…"}}'
)
LONGEST_LINE = 65_536
LINES_BETWEEN_PROGRESS = 1_000


class GroundTruthFile:
    """A file of ground truth on the predictions of one model."""

    def __init__(self, service: Service, model: str, path: Path) -> None:
        self.path, self.judged = path, Judged()
        self._service = service
        self._shelved = service.catalogue().model(model)
        self._doing = Doing(None)
        with path.open("rb") as file:
            first = next((line for line in _lines(file) if line.strip()), b"")
        if self._given(first) is None:
            raise Invalid(f"The first line is no ground truth: expected {EXPECTED}.")

    def parts(self, caller: Caller, progress: Progress | None = None) -> Iterator[bytes]:
        """Keep the verdicts a thousand at once; write what became of each event as JSON lines."""
        self._doing = Doing(act_of(caller, "judge a file"))
        size = max(self.path.stat().st_size, 1)
        with self.path.open("rb") as file:
            numbered = enumerate(_lines(file), 1)
            while chunk := list(islice(numbered, MOST_VERDICTS)):
                yield b"".join(self._judged(chunk, caller))
                if progress is not None:
                    progress(file.tell() / size, counted(self.judged.rows, "line"))

    def _judged(self, chunk: Sequence[tuple[int, bytes]], caller: Caller) -> Iterator[bytes]:
        given = [(number, self._given(line)) for number, line in chunk if line.strip()]
        verdicts = [one for _, one in given if one is not None]
        with going_on(self._doing):
            kept = iter(self._service.judge_many(verdicts, caller) if verdicts else ())
        for number, one in given:
            status = NOT_GROUND_TRUTH if one is None else next(kept)[1]
            self.judged.add(number, status)
            event = None if one is None else one.get("key", one.get("id"))
            yield orjson.dumps({"eventId": event, "status": status}) + b"\n"

    def _given(self, line: bytes) -> dict[str, Any] | None:
        """Return what a line says as a verdict; None where it says nothing."""
        try:
            told = json.loads(line)
            event = told["eventMetadata"]["eventId"]
            said = told["groundTruthData"]
            text = _text_of(said["data"], said.get("encoding", "CSV"))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None
        if not isinstance(event, str) or not 0 < len(event) <= MOST_BYTES:
            return None
        label = label_of(self._shelved.model.schema, text)
        if label is None:
            return None
        if self._service.ids.is_ours(event):
            return {"id": event, "label": label}
        return {"model": self._shelved.model.name, "key": event, "label": label}


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Read lines; of one that is too long nothing but that it is there."""
    while line := file.readline(LONGEST_LINE):
        is_whole = line.endswith(b"\n") or len(line) < LONGEST_LINE
        if not is_whole:
            while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                pass
        yield line if is_whole else b"-"


def _text_of(data: Any, encoding: Any) -> str:
    """Return the one value of a line's data as text; ValueError where there is none.

    >>> _text_of("1.5", "CSV"), _text_of('"cat"', "JSON"), _text_of("Y2F0", "BASE64")
    ('1.5', 'cat', 'cat')
    """
    if encoding == "BASE64":
        data = b64decode(data, validate=True).decode()
    elif encoding == "JSON" and isinstance(data, str):
        data = json.loads(data)
    elif encoding not in ("CSV", "JSON"):
        raise ValueError(encoding)
    if not isinstance(data, str | int | float):
        raise ValueError(data)
    return str(data).strip()
