"""What was predicted last, as the store has it."""

from __future__ import annotations

from unrot.core.records import JudgedPrediction
from unrot.serve.service import Service


def newest(service: Service, name: str, limit: int = 50) -> list[JudgedPrediction]:
    """List the predictions of a model with their verdicts, newest first."""
    model = service.catalogue().model(name).model.key
    return service.store.traffic.recent(model, limit=limit)
