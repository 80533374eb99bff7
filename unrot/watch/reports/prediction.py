"""One prediction for whoever has its id: what was asked and answered, what became of it since.

An id is given to nobody but who was answered, and cannot be guessed; it is the permission to look.
What others wrote beside their verdicts, and what a client called it, are for those who may look at
all predictions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from unrot.core.errors import NotFound, UnrotError
from unrot.core.records import CHAMPION, JudgedPrediction, Row, Version
from unrot.hear.scores import answers_of
from unrot.hear.truth import Answer, truth_of
from unrot.serve.service import Service
from unrot.serve.shelf import Contents, ShelvedModel

MOST_LATER = 5
ARRIVES_IN_SECONDS = 60.0
"""A prediction that is not in the store after so long will not come."""


class NotArrived(NotFound):
    """The prediction was made a moment ago, and is on its way to the store."""

    reason = "not_arrived"


@dataclass(frozen=True, slots=True)
class LaterAnswer:
    """What a version that was made since would answer to the same row."""

    version: Version
    answer: Answer
    confidence: float | None
    is_champion: bool


@dataclass(frozen=True, slots=True)
class OnePrediction:
    """All that can be said of one prediction."""

    shelved: ShelvedModel
    judged: JudgedPrediction
    later: Sequence[LaterAnswer]
    truth: Answer | None
    """As its verdict says, if it does."""
    keys: Sequence[str]
    """What its client called it, for a viewer."""


def look_up_prediction(service: Service, id: str, *, for_viewer: bool) -> OnePrediction:
    """Return a prediction by its id; NotSigned of one that was not given out here."""
    told, contents = service.ids.read(id), service.catalogue()
    judged = service.store.traffic.prediction(id)
    shelved = contents.by_number(told.model_number)
    if judged is None or shelved is None:
        raise _not_there(service.clock() - told.predicted_at)
    made, verdict = judged.prediction, judged.feedback
    if verdict is not None and verdict.withdrawn:
        verdict = None
    if verdict is not None and not for_viewer:
        verdict = replace(verdict, comment="")
    truth = None if verdict is None else truth_of(made.label, verdict, shelved.model.schema)
    later = _later(service, contents, shelved, judged)
    keys = service.store.keys.of(id) if for_viewer else []
    return OnePrediction(shelved, JudgedPrediction(made, verdict), later, truth, keys)


def _not_there(age: float) -> NotFound:
    if age < ARRIVES_IN_SECONDS:
        return NotArrived(
            "This prediction was made a moment ago and is not in the store yet: ask again in a few "
            "seconds."
        )
    return NotFound("This prediction is not kept any more.")


def _later(
    service: Service, contents: Contents, shelved: ShelvedModel, judged: JudgedPrediction
) -> list[LaterAnswer]:
    made = judged.prediction
    answered_by = shelved.versions.get(made.version)
    since = made.predicted_at if answered_by is None else answered_by.created_at
    later = [one for one in shelved.versions.values() if one.created_at > since]
    newest = sorted(later, key=lambda one: one.created_at)[-MOST_LATER:]
    found = [_answer(service, contents, shelved, version, made.inputs) for version in newest]
    return [one for one in found if one is not None]


def _answer(
    service: Service, contents: Contents, shelved: ShelvedModel, version: Version, row: Row
) -> LaterAnswer | None:
    """Ask a version about a row, for nobody: it is not a prediction that is kept."""
    try:
        outputs = service.shelf.predictor(contents, version).predict([row])
    except UnrotError:
        return None
    [answer] = answers_of(shelved.model.schema, outputs)
    sure = None if outputs.probabilities is None else float(max(outputs.probabilities[0]))
    return LaterAnswer(version, answer, sure, version.name == shelved.aliases.get(CHAMPION))
