"""SageMaker's runtime, as boto3 speaks it: an endpoint is a model, a variant one of its versions.

An inference id is the client's own key; later, ground truth names it (`make/truth_lines.py`).
"""

from __future__ import annotations

from flask import Response, request

from unrot.web.api.envelope import plain
from unrot.web.protocols.invocations import score_invocation, written
from unrot.web.protocols.mlflow import INFERENCE_ID, TARGET_VARIANT
from unrot.web.protocols.protocol import Protocol, bad_request
from unrot.web.routes import ANYONE

VARIANT = "x-Amzn-Invoked-Production-Variant"
TYPES = {429: "ThrottlingException", 500: "InternalFailure", 503: "ServiceUnavailable"}


def of_amazon(code: int, _reason: str, message: str) -> Response:
    """Write an error as boto3 reads it: its kind in a header, its sentence in the body."""
    answer = plain({"message": message}, bad_request(code))
    answer.headers["x-amzn-ErrorType"] = TYPES.get(code, "ValidationError")
    return answer


SAGEMAKER = Protocol("sagemaker", ("/endpoints",), of_amazon)


@SAGEMAKER.at("POST", "/endpoints/<model>/invocations", needs=ANYONE)
def invoke_endpoint(model: str) -> Response:
    """Score rows."""
    said = request.headers
    answer = score_invocation(model, said.get(TARGET_VARIANT), said.get(INFERENCE_ID))
    made = written(answer)
    made.headers[VARIANT] = answer.version.name
    return made
