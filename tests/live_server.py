"""A town that is online: its zombies are predicted, judged and learnt over HTTP."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.conftest import JUDGE, OPERATOR
from tests.learning_model import Zombie, zombies_of
from unrot.core.dataset import Dataset
from unrot.core.records import Model
from unrot.core.settings import Settings
from unrot.make.demos import zombies
from unrot.make.publishing import publish
from unrot.make.train import train
from unrot.run.bootstrap import open_service

ROWS_AT_ONCE = 10_000
VERDICTS_AT_ONCE = 1_000
BUSY_SECONDS = 60.0


def call(
    url: str,
    body: Any = None,
    *,
    token: str = "",
    sender: str = "",
    method: str | None = None,
    timeout: float = 90,
) -> tuple[int, Any]:
    """Ask the API on a connection of its own; return the status and the JSON."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if sender:
        headers["X-Forwarded-For"] = sender
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def call_again(url: str, body: Any = None, **more: Any) -> tuple[int, Any]:
    """Ask as a client does that is told to try again: while too much waits, a little later.

    So is a question while the store is slow, which on a busy machine is taken for away.
    """
    again = ("busy", "store_away") if body is None else ("busy",)
    ends_at = time.monotonic() + BUSY_SECONDS
    code, answer = call(url, body, **more)
    while code == 503 and answer["reason"] in again and time.monotonic() < ends_at:
        time.sleep(0.2)
        code, answer = call(url, body, **more)
    return code, answer


@dataclass(frozen=True)
class Town:
    """One model of a running server."""

    url: str
    model: str = "zombies"

    @property
    def address(self) -> str:
        return f"{self.url}/api/v1/models/{self.model}"

    def told(self, path: str, body: Any = None, *, method: str | None = None) -> Any:
        """Ask as the operator for what has to succeed; return the data."""
        code, answer = call_again(self.address + path, body, token=OPERATOR, method=method)
        assert code in (200, 201, 202), answer
        return answer["data"]

    def predicted(
        self, rows: Sequence[Mapping[str, Any]], version: str | None = None
    ) -> list[dict[str, Any]]:
        """Let rows be predicted."""
        path = "/predict" if version is None else f"/versions/{version}/predict"
        return [
            one
            for part in parts(rows, ROWS_AT_ONCE)
            for one in self.told(path, {"inputs": part})["predictions"]
        ]

    def accuracy(self, count: int, *, seed: int, mutated: bool) -> float:
        """Return how often fresh zombies are told right by the champion."""
        drawn = zombies_of(count, seed=seed, mutated=mutated)
        made = self.predicted([row for row, _ in drawn])
        return (
            sum(one["class"] == truth for one, (_, truth) in zip(made, drawn, strict=True)) / count
        )

    def judged(
        self, predictions: Sequence[Any], labels: Sequence[str], *, token: str = JUDGE
    ) -> Counter[str]:
        """Send the truth as a judge; return how often each status was answered."""
        return self._sent(predictions, labels, token=token)

    def voted(
        self, predictions: Sequence[Any], labels: Sequence[str], *, people: int = 20
    ) -> Counter[str]:
        """Send labels as so many people who are not known, each from an address of its own."""
        found: Counter[str] = Counter()
        for person in range(people):
            part = slice(person, None, people)
            found += self._sent(predictions[part], labels[part], sender=f"203.0.{person}.7")
        return found

    def _sent(self, predictions: Sequence[Any], labels: Sequence[str], **who: str) -> Counter[str]:
        given = [
            {"id": one["id"], "label": label}
            for one, label in zip(predictions, labels, strict=True)
        ]
        found: Counter[str] = Counter()
        for part in parts(given, VERDICTS_AT_ONCE):
            code, answer = call_again(f"{self.url}/api/v1/feedback", part, **who)
            assert code == 200, answer
            found.update(one["status"] for one in answer["data"]["results"])
        return found

    def taught(self, count: int, *, seed: int, mutated: bool = False) -> None:
        """Let zombies be predicted and judged by a judge."""
        drawn = zombies_of(count, seed=seed, mutated=mutated)
        made = self.predicted([row for row, _ in drawn])
        assert self.judged(made, [truth for _, truth in drawn]) == {"created": count}

    def asked(self, kind: str, **asked: Any) -> dict[str, Any]:
        """Ask for a job and follow it to its end."""
        return self.ended(self.told(f"/{kind}?wait=60", asked)["job"])

    def ended(self, job: Mapping[str, Any], seconds: float = 400) -> dict[str, Any]:
        """Return a job when it has ended."""
        ends_at = time.monotonic() + seconds
        found = dict(job)
        while found["state"] in ("queued", "running"):
            assert time.monotonic() < ends_at, found
            time.sleep(0.05)
            found = self.job(found["id"])
        return found

    def job(self, id: str) -> dict[str, Any]:
        code, answer = call_again(f"{self.url}/api/v1/jobs/{id}", token=OPERATOR)
        assert code == 200, answer
        return dict(answer["data"]["job"])

    def done(self, kind: str, **asked: Any) -> dict[str, Any]:
        """Ask for a job that has to succeed; return its result."""
        job = self.asked(kind, **asked)
        assert job["state"] == "done", job
        return dict(job["result"])

    def version(self, name: str) -> dict[str, Any]:
        return dict(self.told(f"/versions/{name}"))

    def findings(self, state: str = "open") -> dict[str, dict[str, Any]]:
        """Return what monitors have found, by its kind."""
        found = self.told(f"/findings?state={state}")["findings"]
        return {one["kind"]: one for one in found}

    def champion(self) -> str:
        return str(self.told("/versions")["aliases"]["champion"])


def parts(rows: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Part rows into requests."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def truths_of(drawn: Sequence[Zombie]) -> tuple[list[dict[str, float]], list[str]]:
    """Part zombies into what is asked and what is true."""
    return [row for row, _ in drawn], [truth for _, truth in drawn]


def prepare(
    home: Path,
    models: Mapping[str, str],
    *,
    rows: int = 500,
    holdout: int = 1_000,
    made: Callable[[], Dataset] = zombies.load,
    store_url: str = "",
    secret_key: str = "",
) -> Path:
    """Train models, each by its estimator, on few rows of a data set; return the home folder."""
    data = made()
    data = replace(
        data,
        rows=data.rows[:rows],
        labels=data.labels[:rows],
        holdout_rows=data.holdout_rows[:holdout],
        holdout_labels=data.holdout_labels[:holdout],
    )
    service = open_service(Settings(home=home, store=store_url, secret_key=secret_key))
    for name, estimator in models.items():
        model = Model(name, 0, data.title, data.description, data.schema, time.time())
        publish(service, model, train(data, estimator, lambda *_: None))
    service.store.close()
    return home


def children() -> set[str]:
    """Return the processes that this one has started and that are there."""
    return {
        child
        for task in Path("/proc/self/task").glob("*/children")
        for child in task.read_text().split()
    }
