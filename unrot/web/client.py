"""A client of the HTTP API on the standard library alone: predict, judge, look, wait for jobs.

    import unrot

    client = unrot.Client("http://127.0.0.1:5000")
    made = client.predict("iris", {"sepal_length_cm": 5.1, …})
    client.judge(made, was_correct=True)

What certainly was not done is tried again: nobody was there, or the server said that it took
nothing. Where nobody knows, because the connection broke after the request was sent, a prediction
is asked for again and a verdict is not: it raises `Unsure`, and whoever sent it can look.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Literal, Self, overload
from urllib.parse import quote, urlencode, urlsplit

Row = Mapping[str, Any]
Verdict = Mapping[str, Any]
Method = Literal["GET", "POST", "PUT", "DELETE"]

API = "/api/v1"
TRIES, FIRST_PAUSE, LONGEST_PAUSE = 5, 0.2, 10.0
NOT_DONE = ("busy", "store_away", "journal_full", "unavailable", "too_many")
"""Words with which the server says that it has taken nothing; a proxy's 503 has none of them."""

ROWS_AT_ONCE, VERDICTS_AT_ONCE = 1_000, 1_000


class Failed(Exception):
    """The server refused; `reason` is its word for programs, `details` name what is wrong."""

    def __init__(self, status: int, told: Mapping[str, Any]) -> None:
        super().__init__(str(told.get("message") or f"HTTP {status}"))
        self.status, self.reason = status, str(told.get("reason") or "")
        self.details: Sequence[Mapping[str, Any]] = told.get("details") or ()


class Away(Exception):
    """Nobody answers, and nothing was sent."""


class Unsure(Exception):
    """The connection broke after the request was sent: it may have been done, or not."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """One answer."""

    id: str | None
    """A verdict names it; None where it could not be kept."""
    model: str
    version: str
    label: str | None = None
    """The class of a classifier."""
    value: float | None = None
    """The number of a regression."""
    probabilities: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """A prediction as it is kept, with the verdict that it got."""

    prediction: Prediction
    inputs: Row
    predicted_at: str
    feedback: Verdict | None
    signals: Sequence[str] = ()
    """What was seen to happen with it."""


@dataclass(frozen=True, slots=True)
class Job:
    """What was asked to be learnt, and how far that is."""

    id: str
    state: Literal["queued", "running", "done", "failed"]
    progress: float
    step: str
    result: Mapping[str, Any] | None
    error: str | None

    @property
    def is_over(self) -> bool:
        """True when it has ended, well or not."""
        return self.state in ("done", "failed")


class Client:
    """Speaks to one server; safe for threads, each with a connection of its own for a request."""

    def __init__(self, url: str, token: str = "", *, timeout: float = 30.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r}: expected an address such as http://127.0.0.1:5000")
        self._is_secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._path = parts.path.rstrip("/")
        self._token, self._timeout = token, timeout

    # ── predict ──────────────────────────────────────────────────────────────────────────────

    @overload
    def predict(
        self, model: str, inputs: Row, *, version: str = "", key: str | None = None
    ) -> Prediction: ...
    @overload
    def predict(
        self, model: str, inputs: Any, *, version: str = "", keys: Sequence[str | None] = ()
    ) -> list[Prediction]: ...
    def predict(
        self,
        model: str,
        inputs: Any,
        *,
        version: str = "",
        key: str | None = None,
        keys: Sequence[str | None] = (),
    ) -> Prediction | list[Prediction]:
        """Score one row (a mapping) or many: a list of mappings, a DataFrame or an array.

        An array's columns are in the order of the schema. `key` and `keys` are your own names of
        the rows, by which a verdict can come as well.
        """
        if isinstance(inputs, Mapping):
            named = {} if key is None else {"key": key}
            [made] = self._predicted(model, version, {"inputs": _plain_row(inputs), **named})
            return made
        rows = self._rows_of(model, inputs)
        found: list[Prediction] = []
        for at in range(0, len(rows), ROWS_AT_ONCE):
            end = at + ROWS_AT_ONCE
            names = {"keys": list(keys[at:end])} if len(keys) else {}
            found += self._predicted(model, version, {"inputs": rows[at:end], **names})
        return found

    def features(self, model: str) -> list[str]:
        """Return the names of a model's features in their order."""
        told = self._asked("GET", f"/models/{_part(model)}")
        return [str(one["name"]) for one in told["schema"]["features"]]

    # ── judge ────────────────────────────────────────────────────────────────────────────────

    def judge(
        self,
        prediction: Prediction | str | None = None,
        *,
        key: str = "",
        model: str = "",
        was_correct: bool | None = None,
        label: str | float | None = None,
        reward: float | None = None,
        signal: str | None = None,
        comment: str = "",
    ) -> str:
        """Say whether a prediction, by its id or your own key, was right; return what became of it.

        `reward` says how good it was, from 0 to 1; `signal` names what was seen to happen instead.
        `created`, `revised`, `duplicate`, `overruled`, or `queued` while the store is away.
        """
        verdict = {
            "was_correct": was_correct,
            "label": label,
            "reward": reward,
            "signal": signal,
            "comment": comment or None,
        }
        named = _named(prediction, key, model)
        sent = {**named, **{name: one for name, one in verdict.items() if one is not None}}
        return str(self._asked("POST", "/feedback", sent, is_once=True)["status"])

    def judge_many(self, verdicts: Sequence[Verdict]) -> list[str]:
        """Send verdicts as `judge` sends one: objects with `id` or `key`, and what is true.

        Each is answered with what became of it, or with the word for what is wrong with it.
        """
        found: list[str] = []
        for at in range(0, len(verdicts), VERDICTS_AT_ONCE):
            part = [_plain_row(one) for one in verdicts[at : at + VERDICTS_AT_ONCE]]
            told = self._asked("POST", "/feedback", part, is_once=True)
            found += [str(one["status"]) for one in told["results"]]
        return found

    # ── look ─────────────────────────────────────────────────────────────────────────────────

    def models(self) -> list[Mapping[str, Any]]:
        """List the models."""
        found: list[Mapping[str, Any]] = self._asked("GET", "/models")["models"]
        return found

    def predictions(self, model: str, **sought: str) -> Iterator[Kept]:
        """Go through kept predictions, newest first, a page at a time as they are asked for.

        `sought` are the filters of the API: `verdict="wrong"`, `range="day"`, `order="worst"`.
        """
        before: str | None = ""
        while before is not None:
            asked = {**sought, **({"before": before} if before else {})}
            told = self._asked("GET", f"/models/{_part(model)}/predictions?{urlencode(asked)}")
            yield from map(_kept, told["predictions"])
            before = told["next"]

    # ── learn ────────────────────────────────────────────────────────────────────────────────

    def learn(self, model: str) -> Job:
        """Let a model learn the verdicts that wait; wants an operator's token."""
        path = f"/models/{_part(model)}/learn"
        return _job(self._asked("POST", path, {}, is_once=True)["job"])

    def refit(self, model: str) -> Job:
        """Fit a model afresh on training data and verdicts; wants an operator's token."""
        path = f"/models/{_part(model)}/refit"
        return _job(self._asked("POST", path, {}, is_once=True)["job"])

    def job(self, id: str) -> Job:
        """Say how far a job is."""
        return _job(self._asked("GET", f"/jobs/{_part(id)}")["job"])

    def wait(
        self, job: Job, *, seconds: float = 600.0, told: Callable[[Job], None] | None = None
    ) -> Job:
        """Return a job when it is over; raise TimeoutError when it takes longer.

        `told` is called with it each time that it is looked at.
        """
        ends_at = time.monotonic() + seconds
        while not job.is_over:
            if time.monotonic() > ends_at:
                raise TimeoutError(f"The job is at {job.progress:.0%} after {seconds:g} s.")
            time.sleep(0.5)
            job = self.job(job.id)
            if told is not None:
                told(job)
        return job

    # ── inside ───────────────────────────────────────────────────────────────────────────────

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held open."""

    def _predicted(self, model: str, version: str, body: Mapping[str, Any]) -> list[Prediction]:
        pinned = f"/versions/{_part(version)}" if version else ""
        told = self._asked("POST", f"/models/{_part(model)}{pinned}/predict", body)
        return [_prediction(one) for one in told.get("predictions", [told])]

    def _rows_of(self, model: str, inputs: Any) -> list[dict[str, Any]]:
        """Return rows by name, whatever holds them."""
        if hasattr(inputs, "to_dict"):
            return [_plain_row(row) for row in inputs.to_dict("records")]
        rows = inputs.tolist() if hasattr(inputs, "tolist") else list(inputs)
        if all(isinstance(row, Mapping) for row in rows):
            return [_plain_row(row) for row in rows]
        names = self.features(model)
        return [_plain_row(dict(zip(names, row, strict=True))) for row in rows]

    def _asked(self, method: Method, path: str, body: Any = None, *, is_once: bool = False) -> Any:
        """Ask until there is an answer, as far as that may be done; return its data."""
        pause = FIRST_PAUSE
        for left in reversed(range(TRIES)):
            try:
                status, told, wait = self._sent(method, path, body)
            except (Away, Unsure) as error:
                if not left or (is_once and isinstance(error, Unsure)):
                    raise
                wait = pause
            else:
                if status < 400:
                    return told["data"]
                if not left or status not in (429, 503) or told.get("reason") not in NOT_DONE:
                    raise Failed(status, told)
            time.sleep(min(max(wait, pause), LONGEST_PAUSE))
            pause *= 2
        raise AssertionError("not reached")

    def _sent(self, method: Method, path: str, body: Any) -> tuple[int, Any, float]:
        """Send a request; return status, JSON and how long the server wants to be left alone."""
        made = HTTPSConnection if self._is_secure else HTTPConnection
        connection = made(self._host, self._port, timeout=self._timeout)
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        sent = None if body is None else json.dumps(body, allow_nan=False).encode()
        where = f"{self._host}:{self._port or ''}".rstrip(":")
        try:
            try:
                connection.connect()
            except OSError as error:
                raise Away(f"Nobody answers at {where} ({error}).") from error
            try:
                connection.request(method, f"{self._path}{API}{path}", sent, headers)
                answer = connection.getresponse()
                text = answer.read()
            except (OSError, HTTPException) as error:
                raise Unsure(f"The connection to {where} broke ({error}).") from error
        finally:
            connection.close()
        return answer.status, _told(text), _seconds(answer.getheader("Retry-After"))


def _told(text: bytes) -> Any:
    """Read an answer; what is not ours, a proxy's page, says nothing."""
    try:
        told = json.loads(text)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _seconds(header: str | None) -> float:
    return float(header) if header and header.isdigit() else 0.0


def _part(name: str) -> str:
    return quote(name, safe="")


def _named(prediction: Prediction | str | None, key: str, model: str) -> dict[str, str]:
    """Return what a verdict names its prediction by."""
    id = prediction.id if isinstance(prediction, Prediction) else prediction
    if bool(id) == bool(key):
        raise ValueError("name the prediction by its id or by your key, one of them")
    if id:
        return {"id": id}
    return {"key": key, "model": model} if model else {"key": key}


def _plain_row(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: a number of numpy as its own, a gap as null."""
    value = value.item() if hasattr(value, "item") else value
    is_gap = isinstance(value, float) and math.isnan(value)
    return None if is_gap or type(value).__name__ in ("NAType", "NaTType") else value


def _prediction(told: Mapping[str, Any]) -> Prediction:
    return Prediction(
        told["id"],
        told["model"],
        told["version"],
        told.get("class"),
        told.get("value"),
        told.get("probabilities") or {},
    )


def _kept(told: Mapping[str, Any]) -> Kept:
    made, seen = _prediction(told), tuple(told.get("signals", ()))
    return Kept(made, told["inputs"], told["predicted_at"], told["feedback"], seen)


def _job(told: Mapping[str, Any]) -> Job:
    return Job(**{name: told[name] for name in Job.__dataclass_fields__})
