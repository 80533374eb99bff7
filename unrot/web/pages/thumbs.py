"""What stands under an answer: two thumbs, then a question or a thank-you that can be undone.

All that it needs to know of the prediction is read from the prediction's id, which nobody can
forge; of the form only the verdict itself is believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

from unrot.core.errors import Invalid, NotFound, NotSigned, Unavailable, UnrotError, shown
from unrot.core.records import Caller, Feedback, FeedbackStatus, Model, Prediction, Schema
from unrot.hear.truth import truth_of
from unrot.hear.verdicts import ASKED, TOKEN
from unrot.serve.service import Service
from unrot.web.errors import status_of
from unrot.web.forms import number_or_text
from unrot.web.security import check_csrf
from unrot.web.wording import called

Step = Literal["offer", "ask", "thanked", "taken back", "closed"]
MOST_SIDE_BY_SIDE = 8
MOST_NEAR = 5
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
    near: tuple[str, ...] = ()
    """Of many classes, the likeliest others."""
    label: str = ""
    other: str = ""
    comment: str = ""
    token: str = ""
    """The token of the explanation that was seen before, to be sent along."""
    asked: str = ""
    """That of who was asked to judge it, likewise."""
    code: int = 200

    @property
    def implied(self) -> str | None:
        """The class that it was when it was not the predicted one, if there is only one other."""
        return self.others[0] if len(self.others) == 1 else None

    @property
    def are_many(self) -> bool:
        """True when the other classes are too many to lie side by side."""
        return len(self.others) > MOST_SIDE_BY_SIDE


def offer(model: Model, made: Prediction, asked: str = "") -> Thumbs:
    """Return the thumbs for a fresh answer."""
    others = _others(model, made.label)
    chances = dict(zip(model.schema.classes, made.probabilities or (), strict=False))
    likely = sorted(others, key=lambda name: -chances[name])[:MOST_NEAR] if chances else ()
    return Thumbs(
        step="offer",
        id=made.id,
        predicted=made.label,
        others=others,
        near=tuple(likely),
        asked=asked,
    )


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
    is_open = verdict.was_correct is False and truth_of(predicted, verdict, model.schema) is None
    has_more_to_say = "label" not in form and "comment" not in form
    return Thumbs(
        step="ask" if is_open and has_more_to_say and status != "overruled" else "thanked",
        id=verdict.prediction,
        predicted=predicted,
        others=others,
        near=_near(model, form, predicted),
        verdict=verdict,
        status=status,
        token=form.get(TOKEN, ""),
        asked=form.get(ASKED, ""),
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
        kept = {name: form.get(name, "") for name in ("id", "near", ASKED)}
        return _refused(error, model, kept, predicted)
    others = _others(model, predicted)
    return Thumbs(
        step="taken back",
        id=id,
        predicted=predicted,
        others=others,
        near=_near(model, form, predicted),
        status=status,
        asked=form.get(ASKED, ""),
    )


def _given(model: Model, form: Mapping[str, str]) -> dict[str, Any]:
    text = form.get("other", "").strip() or form.get("label", "").strip()
    is_class = model.schema.is_classifier
    label: str | float = _class_meant(model.schema, text) if is_class else number_or_text(text)
    return {
        "id": form.get("id"),
        "was_correct": _VERDICTS.get(form.get("verdict", "")),
        "label": None if label == "" else label,
        "comment": form.get("comment", "").replace("\r\n", "\n"),
        TOKEN: form.get(TOKEN) or None,
        ASKED: form.get(ASKED) or None,
    }


def _class_meant(schema: Schema, text: str) -> str:
    """Return the class that a person typed, by its name or what it is called, in any case."""
    if text in schema.classes:
        return text
    meant = {name.casefold(): name for name in reversed(schema.classes)}
    names = zip(schema.classes, schema.class_names, strict=False)
    meant |= {name.casefold(): label for label, name in names if name}
    if text and len(meant) > MOST_SIDE_BY_SIDE and text.casefold() not in meant:
        raise Invalid(f"No answer is called {shown(text)}.{_alike(schema, text)}")
    return meant.get(text.casefold(), text)


def _alike(schema: Schema, text: str) -> str:
    names = [called(label, schema) for label in schema.classes]
    near = [name for name in names if text.casefold() in name.casefold()]
    near = near or get_close_matches(text[:200], names, n=1, cutoff=0.5)
    listed = ", ".join(near[:3])
    return f" Perhaps {listed}?" if near else " Choose one out of the list, or leave this empty."


def _near(model: Model, form: Mapping[str, str], predicted: str | None) -> tuple[str, ...]:
    """Read the likeliest others, which the page carries along as places of the schema."""
    classes = model.schema.classes
    places = [place for place in form.get("near", "").split()[:MOST_NEAR] if place.isdecimal()]
    known = [classes[int(place[:6])] for place in places if int(place[:6]) < len(classes)]
    return tuple(name for name in dict.fromkeys(known) if name != predicted)


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
        near=_near(model, form, predicted),
        problem=error.message,
        label=form.get("label", ""),
        token=form.get(TOKEN, ""),
        asked=form.get(ASKED, ""),
        other=form.get("other", ""),
        comment=form.get("comment", ""),
        code=status_of(error),
    )
