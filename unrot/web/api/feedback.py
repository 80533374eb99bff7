"""The REST routes of verdicts: one, a list, a file, or one in the older form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from flask import Response, request

from unrot.make.csv.labels import TruthFile
from unrot.make.truth_files import open_ground_truth, open_truths
from unrot.web import uploads
from unrot.web.api import answers
from unrot.web.api.envelope import success
from unrot.web.api.parameters import ID, ModelName, PredictionId
from unrot.web.api.predictions import IRIS
from unrot.web.api.records import Cell, Verdict
from unrot.web.current import service
from unrot.web.reading import read_query
from unrot.web.routes import ANYONE, Coded, route
from unrot.web.security import caller_of_api
from unrot.web.shape import ANY_OF, UNSET, As, Keywords, Shape, Unset
from unrot.web.uploads import Upload


class FeedbackOne(Shape, named=True):
    """A verdict on one prediction."""

    id: Annotated[str | Unset, "The id that predict answered."] = UNSET
    key: Annotated[str | Unset, "Instead of the id: what you called the row."] = UNSET
    model: Annotated[str | Unset, "Beside a key; else it is the default model's."] = UNSET
    was_correct: bool | Unset = UNSET
    label: Cell | Unset = UNSET
    reward: Annotated[
        float | Unset, "How good it was: 1 is right, 0 is wrong.", Keywords(minimum=0, maximum=1)
    ] = UNSET
    signal: Annotated[
        str | Unset,
        "Instead of a verdict: what was seen to happen, such as abandoned.",
        Keywords(maxLength=64),
    ] = UNSET
    comment: Annotated[str, Keywords(maxLength=2_000)] = ""
    explanation_token: Annotated[
        str | Unset,
        "That of the explanation which the judge has seen: its reasons are kept with the verdict.",
        Keywords(maxLength=86),
    ] = UNSET
    asked_token: Annotated[
        str | Unset,
        "That of what is asked: the verdict teaches, and is left out of what is measured.",
        Keywords(maxLength=11),
    ] = UNSET


class FeedbackOlder(Shape, named=True):
    """A verdict in the older form, which brings its prediction with it."""

    model: str
    input_data: Annotated[Cell, As("input data")]
    prediction: Cell
    was_correct: Annotated[bool | Unset, As("was correct")] = UNSET
    reward: Annotated[
        float | Unset, "Beside it or in its place.", Keywords(minimum=0, maximum=1)
    ] = UNSET
    signal: Annotated[str | Unset, "In its place.", Keywords(maxLength=64)] = UNSET


class FeedbackUnverified(Shape, named=True):
    """What became of a verdict in the older form."""

    id: str
    status: str
    model: str
    verified: bool


class Result(Shape):
    """What became of one of a list."""

    id: str | None
    status: str


class FeedbackResults(Shape, named=True):
    """What became of each of a list."""

    results: list[Result]


class FeedbackFileQuery(Shape):
    """How a file is read."""

    model: Annotated[str, "For a file: the model that its keys are of."] = ""


class FeedbackFile(Shape, named=True):
    """What became of a file; `uploads.told` writes it."""

    rows: int
    counts: dict[str, float]
    lines: dict[str, list[float]]
    last_line: int
    problem: str | None


class GroundTruthData(Shape):
    """What is true of an event."""

    data: Annotated[Cell, "A class, or a number."]
    encoding: Annotated[str, "CSV, JSON or BASE64."] = "CSV"


class Event(Shape):
    """What a line is about."""

    event_id: Annotated[
        str, As("eventId"), "The inference id, which is your own key, or the id that was answered."
    ]


class GroundTruth(Shape, named=True):
    """A line of SageMaker's ground truth."""

    data: Annotated[GroundTruthData, As("groundTruthData")]
    event: Annotated[Event, As("eventMetadata")]
    version: Annotated[str, As("eventVersion")] = "0"


class Withdrawal(Shape, named=True):
    """What became of a verdict that was taken back."""

    id: str
    status: str


FeedbackBody = Annotated[
    FeedbackOne
    | FeedbackOlder
    | Annotated[list[FeedbackOne], Keywords(minItems=1, maxItems=1_000)],
    ANY_OF,
    Keywords(name="FeedbackBody"),
]
FeedbackAnswer = Annotated[
    Verdict | FeedbackUnverified | FeedbackResults | FeedbackFile,
    ANY_OF,
    Keywords(name="FeedbackAnswer"),
]


@route(
    "POST",
    "/feedback",
    needs=ANYONE,
    is_for_pages_elsewhere=True,
    heeds_token=True,
    tag="feedback",
    errors=(404, 410, 411, 503),
    body=FeedbackBody,
    query=FeedbackFileQuery,
    examples={
        "older": {
            "model": "iris",
            "input data": IRIS,
            "prediction": "Iris-setosa",
            "was correct": True,
        },
        "thumb": {"id": ID, "was_correct": True},
        "label": {"id": ID, "label": "Iris-virginica"},
        "reward": {"id": ID, "reward": 0.7},
        "signal": {"id": ID, "signal": "abandoned"},
        "several": [{"id": ID, "was_correct": False, "comment": "It was a tulip."}],
    },
    file=f"id,label\n{ID},Iris-virginica\n",
    answer=FeedbackAnswer,
    also=(201, 202),
)
def feedback() -> Response:
    """Keep one verdict, a list of at most 1,000, or a file of labels.

    201: new and committed. 200: the same verdict again (`duplicate`), a changed mind
    (`revised`), or a list (`results`, in order). 202: the store is away, the verdict is on
    the disk and will be shipped (`queued`). The example in the older form works as it
    stands; the others want an `id` that predict answered. A file is CSV, JSON lines or Parquet
    (by its content type), with `id` or `key`, and `label`, `was_correct`, `reward` or `signal`.
    """
    if uploads.is_truths():
        return _feedback_file()
    return answers.of_request(answers.feedback, caller_of_api)


@route(
    "DELETE",
    "/feedback/<id>",
    needs=ANYONE,
    is_for_pages_elsewhere=True,
    heeds_token=True,
    tag="feedback",
    errors=(410, 503),
    also=(202,),
)
def withdraw(id: PredictionId) -> Coded[Withdrawal]:
    """Take a verdict back."""
    status = service().withdraw(id, caller_of_api())
    return Coded(Withdrawal(id=id, status=status), answers.CODES.get(status, 200))


@route(
    "POST",
    "/models/<model>/ground-truth",
    needs=ANYONE,
    heeds_token=True,
    tag="feedback",
    errors=(411, 503),
    body=GroundTruth,
    examples={
        "line": {
            "groundTruthData": {"data": "Iris-virginica", "encoding": "CSV"},
            "eventMetadata": {"eventId": "order-4711"},
            "eventVersion": "0",
        }
    },
    answer=FeedbackFile,
)
def ground_truth(model: ModelName) -> Response:
    """Keep verdicts that come as SageMaker's ground truth: JSON lines, one such object in each.

    The content type may be any.
    """
    return _judged_file(lambda path: open_ground_truth(service(), path, model))


def _feedback_file() -> Response:
    model = read_query(FeedbackFileQuery, request.args).model
    return _judged_file(lambda path: open_truths(service(), path, model or None))


def _judged_file(open_file: Callable[[Path], TruthFile]) -> Response:
    caller = caller_of_api()
    with uploads.taken(Upload.take_body) as upload:
        truths = open_file(upload.path)
        problem = uploads.judged(truths, caller)
    upload.forget()
    return success(uploads.told(truths, problem))
