"""The REST route of what a judge is asked first."""

from __future__ import annotations

from typing import Annotated

from unrot.watch.reports.ask import find_questions
from unrot.web.api.parameters import ModelName
from unrot.web.api.records import KeptPrediction, kept_prediction
from unrot.web.current import service
from unrot.web.routes import JUDGE, route
from unrot.web.shape import Shape


class Question(Shape):
    """A prediction whose verdict would teach much."""

    prediction: KeptPrediction
    set: Annotated[list[str], "The classes that may be true; empty where it cannot say."]
    margin: Annotated[float, "How far the likeliest class is before the second one."]
    asked_token: Annotated[str, "Send it with the verdict: it counts for learning alone then."]


class Questions(Shape, named=True):
    """What is asked, what would teach most first."""

    questions: list[Question]
    looked_at: Annotated[int, "As many of the newest predictions were looked at."]
    none_because: Annotated[str, "Why nothing is asked; empty where something is."]


@route("GET", "/models/<model>/ask", needs=JUDGE, tag="looking")
def ask(model: ModelName) -> Questions:
    """List the recent predictions whose verdict would teach most, at most 12."""
    found = find_questions(service(), model)
    schema = service().catalogue().model(model).model.schema
    return Questions(
        questions=[
            Question(
                prediction=kept_prediction(one.judged, schema),
                set=list(one.classes),
                margin=one.margin,
                asked_token=one.token,
            )
            for one in found.questions
        ],
        looked_at=found.looked_at,
        none_because=found.reason,
    )
