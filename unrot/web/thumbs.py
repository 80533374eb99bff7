"""What stands under an answer: two thumbs, then a question or a thank-you that can be undone.

All that it needs to know of the prediction is read from the prediction's id, which nobody can
forge; of the form only the verdict itself is believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from unrot.errors import Invalid, NotFound, NotSigned, Unavailable, UnrotError
from unrot.records import Caller, Feedback, FeedbackStatus, Model, Prediction
from unrot.service import Service
from unrot.web.errors import status_of
from unrot.web.forms import number_or_text
from unrot.web.security import check_csrf

Step = Literal["offer", "ask", "thanked", "taken back", "closed"]
_VERDICTS = {"up": True, "down": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Thumbs:
    """One state of the region under an answer."""

    step: Step
    id: str | None
    predicted: str | None = None
    others: tuple[str, ...] = ()
    verdict: Feedback | None = None
    status: FeedbackStatus | None = None
    problem: str = ""
    label: str = ""
    comment: str = ""
    code: int = 200

    @property
    def implied(self) -> str | None:
        """The class that it was when it was not the predicted one, if there is only one other."""
        return self.others[0] if len(self.others) == 1 else None


def offer(model: Model, made: Prediction) -> Thumbs:
    """Return the thumbs for a fresh answer."""
    return Thumbs(step="offer", id=made.id, predicted=made.label, others=_others(model, made.label))


def vote(service: Service, model: Model, form: Mapping[str, str], caller: Caller) -> Thumbs:
    """Keep the verdict of a form; return what to show then."""
    predicted: str | None = None
    try:
        predicted = _predicted(service, model, form.get("id", ""))
        check_csrf()
        verdict, status = service.judge(_given(model, form), caller)
    except UnrotError as error:
        return _refused(error, model, form, predicted)
    others = _others(model, predicted)
    is_open = verdict.was_correct is False and verdict.label is None and len(others) != 1
    has_more_to_say = "label" not in form and "comment" not in form
    return Thumbs(
        step="ask" if is_open and has_more_to_say and status != "overruled" else "thanked",
        id=verdict.prediction,
        predicted=predicted,
        others=others,
        verdict=verdict,
        status=status,
    )


def undo(service: Service, model: Model, form: Mapping[str, str], caller: Caller) -> Thumbs:
    """Take a verdict back; return the thumbs again."""
    predicted: str | None = None
    id = form.get("id", "")
    try:
        predicted = _predicted(service, model, id)
        check_csrf()
        status = service.withdraw(id, caller)
    except UnrotError as error:
        return _refused(error, model, {"id": id}, predicted)
    others = _others(model, predicted)
    return Thumbs(step="taken back", id=id, predicted=predicted, others=others, status=status)


def _given(model: Model, form: Mapping[str, str]) -> dict[str, Any]:
    label: str | float = form.get("label", "").strip()
    if isinstance(label, str) and not model.schema.is_classifier:
        label = number_or_text(label)
    return {
        "id": form.get("id"),
        "was_correct": _VERDICTS.get(form.get("verdict", "")),
        "label": None if label == "" else label,
        "comment": form.get("comment", "").replace("\r\n", "\n"),
    }


def _predicted(service: Service, model: Model, id: str) -> str | None:
    told = service.ids.read(id)
    if told.model_number != model.number:
        raise NotSigned(f"This prediction was not made by {model.name}.")
    if told.class_index is None or not model.schema.is_classifier:
        return None
    return model.schema.classes[told.class_index]


def _others(model: Model, predicted: str | None) -> tuple[str, ...]:
    return tuple(name for name in model.schema.classes if name != predicted)


def _refused(
    error: UnrotError, model: Model, form: Mapping[str, str], predicted: str | None
) -> Thumbs:
    """Say what is wrong, and offer again what can be mended."""
    step: Step = "closed"
    if isinstance(error, Invalid | Unavailable | NotFound) or error.reason == "csrf":
        step = "ask" if "label" in form or "comment" in form else "offer"
    return Thumbs(
        step=step,
        id=form.get("id", ""),
        predicted=predicted,
        others=_others(model, predicted),
        problem=error.message,
        label=form.get("label", ""),
        comment=form.get("comment", ""),
        code=status_of(error),
    )
