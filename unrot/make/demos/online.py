"""One model of a running server, asked over HTTP as any client would: for the demo."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from unrot.core.errors import Unavailable

TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Online:
    """A model behind an address, and the token of whoever asks."""

    url: str
    model: str
    token: str

    @property
    def api(self) -> str:
        """The path of the model's routes."""
        return f"/api/v1/models/{self.model}"

    @property
    def page(self) -> str:
        """The address of the model's page."""
        return f"{self.url}/models/{self.model}"

    def predict(self, rows: Sequence[Mapping[str, float]]) -> list[dict[str, Any]]:
        """Have rows predicted."""
        return list(self.post(f"{self.api}/predict", {"inputs": list(rows)})["predictions"])

    def judge(self, verdicts: Sequence[Mapping[str, Any]]) -> None:
        """Send verdicts."""
        self.post("/api/v1/feedback", list(verdicts))

    def get(self, path: str) -> Any:
        """Return the data behind a path."""
        return self._asked("GET", path, None)

    def post(self, path: str, body: Any) -> Any:
        """Send a body and return the data of the answer."""
        return self._asked("POST", path, body)

    def _asked(self, method: str, path: str, body: Any) -> Any:
        """Ask on a connection of its own; raise Unavailable with what was said instead."""
        place = urlsplit(self.url)
        connection = HTTPConnection(str(place.hostname), place.port, timeout=TIMEOUT_SECONDS)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body).encode()
        try:
            connection.request(method, path, sent, headers)
            answer = connection.getresponse()
            told = json.loads(answer.read())
        except (OSError, HTTPException, ValueError) as error:
            raise Unavailable(f"{method} {self.url}{path} was not answered: {error}") from error
        finally:
            connection.close()
        if answer.status >= 400:
            raise Unavailable(f"{method} {path} was refused: {told['message']}")
        return told["data"]
