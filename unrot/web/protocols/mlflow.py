"""MLflow's scoring server: `/invocations` and what its clients ask to know that it lives.

SageMaker asks a container at the same addresses, and says in headers what it wants; both are
heeded. Errors have MLflow's shape, without what was sent.
"""

from __future__ import annotations

from flask import Response, request

from unrot import __version__
from unrot.core.records import CHAMPION
from unrot.web.api.envelope import plain
from unrot.web.current import service
from unrot.web.protocols.invocations import score_invocation, written
from unrot.web.protocols.protocol import Protocol
from unrot.web.routes import ANYONE

PING = "/ping"
CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    405: "ENDPOINT_NOT_FOUND",
    413: "BAD_REQUEST",
    415: "BAD_REQUEST",
    422: "INVALID_PARAMETER_VALUE",
    429: "REQUEST_LIMIT_EXCEEDED",
    503: "TEMPORARILY_UNAVAILABLE",
}
INFERENCE_ID = "X-Amzn-SageMaker-Inference-Id"
TARGET_VARIANT = "X-Amzn-SageMaker-Target-Variant"
TARGET_MODEL = "X-Amzn-SageMaker-Target-Model"


def of_mlflow(code: int, _reason: str, message: str) -> Response:
    """Write an error as MLflow does."""
    body = {"error_code": CODES.get(code, "INTERNAL_ERROR"), "message": message}
    return plain(body, 400 if code == 422 else code)


MLFLOW = Protocol("mlflow", ("/invocations", PING, "/health", "/version"), of_mlflow)


@MLFLOW.at("GET", PING, "/health", needs=ANYONE)
def ping() -> Response:
    """Say that the default model answers."""
    shelved = service().default_model()
    is_ready = shelved.aliases.get(CHAMPION) in shelved.versions
    return Response("\n", 200 if is_ready else 503, mimetype="text/plain")


@MLFLOW.at("GET", "/version", needs=ANYONE)
def version() -> Response:
    """Say which Unrot this is."""
    return Response(__version__, mimetype="text/plain")


@MLFLOW.at("POST", "/invocations", needs=ANYONE)
def invoke() -> Response:
    """Score rows by the default model, or by what SageMaker's headers name."""
    said = request.headers
    answer = score_invocation(
        said.get(TARGET_MODEL), said.get(TARGET_VARIANT), said.get(INFERENCE_ID)
    )
    return written(answer)
