"""`instances` in, `predictions` out: KServe version 1, TensorFlow Serving, and what Google made.

They share an address and a body and differ in their frames. A prediction is a class by its name, or
a number. What verdicts name stands beside the predictions as `ids`; Vertex AI's clients read no
field that they do not know, so there it stands in the metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response

from unrot.core.errors import wrong_field
from unrot.core.records import CHAMPION, Feature, Schema
from unrot.core.schema import parse_rows
from unrot.serve.answer import Answer
from unrot.web.api.envelope import as_object, parsed, plain, whole_body
from unrot.web.api.explanations import written
from unrot.web.current import service
from unrot.web.protocols.protocol import Protocol, bad_request, sentence_alone
from unrot.web.protocols.scoring import IDS, answers_of, ids_of, keys_beside, score
from unrot.web.protocols.tables import Given, fitted, rows_of_inputs, rows_of_instances, version_of
from unrot.web.routes import ANYONE
from unrot.web.security import caller_where_all_may

INSTANCES, INPUTS = "instances", "inputs"
PREDICTIONS, OUTPUTS = "predictions", "outputs"


def read_rows(schema: Schema, given: Mapping[str, Any]) -> list[Given]:
    """Read rows (`instances`) or columns (`inputs`)."""
    if INSTANCES in given and INPUTS in given:
        raise wrong_field(INPUTS, given[INPUTS], "instances or inputs, not both")
    if INPUTS in given:
        return rows_of_inputs(schema, given[INPUTS])
    return rows_of_instances(schema, given.get(INSTANCES))


def _scored(model: str | None, version: str | None, given: dict[str, Any]) -> Answer:
    def read(schema: Schema) -> list[Given]:
        return read_rows(schema, given)

    return score(service(), model, version, read, caller_where_all_may(), keys_beside(given))


def _body() -> dict[str, Any]:
    return as_object(parsed(whole_body()))


# ── KServe and TensorFlow Serving ────────────────────────────────────────────────────────────────

KSERVE = Protocol("kserve_v1", ("/v1/models",), sentence_alone)
_MODEL = "/v1/models/<model>"
_VERSIONS = (f"{_MODEL}/versions/<version>", f"{_MODEL}/labels/<version>")
SIGNATURE = "serving_default"
_TYPES = {"number": "DT_DOUBLE", "integer": "DT_INT64", "boolean": "DT_BOOL"}


@KSERVE.at("GET", "/v1/models", needs=ANYONE)
def list_models() -> Response:
    """List what is served."""
    return plain({"models": list(service().catalogue().models)})


@KSERVE.at("GET", _MODEL, *_VERSIONS, needs=ANYONE)
def model_status(model: str, version: str | None = None) -> Response:
    """Say whether a model answers, as KServe and as TensorFlow Serving have it."""
    shelved = service().catalogue().model(model)
    champion = shelved.aliases.get(CHAMPION)
    is_ready = version is not None or champion in shelved.versions
    named = [shelved.version(version_of(shelved, version)).name] if version else [champion or ""]
    status = {"error_code": "OK", "error_message": ""}
    told = [
        {"version": _number(name), "state": "AVAILABLE", "status": status}
        for name in named
        if is_ready
    ]
    body = {"name": shelved.model.name, "ready": is_ready, "model_version_status": told}
    return plain(body, 200 if is_ready else 503)


@KSERVE.at("GET", f"{_MODEL}/metadata", *(f"{each}/metadata" for each in _VERSIONS), needs=ANYONE)
def model_metadata(model: str, version: str | None = None) -> Response:
    """Say what a model takes and answers, as TensorFlow Serving has it."""
    shelved = service().catalogue().model(model)
    named, schema = shelved.version(version_of(shelved, version)), shelved.model.schema
    answered = "DT_STRING" if schema.is_classifier else "DT_DOUBLE"
    signature = {
        "inputs": {one.name: _tensor(one.name, _type_of(one)) for one in schema.features},
        "outputs": {schema.target: _tensor(schema.target, answered)},
        "method_name": "tensorflow/serving/predict",
    }
    spec = {"name": shelved.model.name, "signature_name": "", "version": _number(named.name)}
    defined = {"signature_def": {"signature_def": {SIGNATURE: signature}}}
    return plain({"model_spec": spec, "metadata": defined})


@KSERVE.at("POST", f"{_MODEL}:predict", *(f"{each}:predict" for each in _VERSIONS), needs=ANYONE)
def predict(model: str, version: str | None = None) -> Response:
    """Score rows, or columns; the answer has the form of the question."""
    given = _body()
    answer = _scored(model, version, given)
    form = PREDICTIONS if INSTANCES in given else OUTPUTS
    return plain({form: answers_of(answer), IDS: ids_of(answer)})


@KSERVE.at("POST", f"{_MODEL}:explain", *(f"{each}:explain" for each in _VERSIONS), needs=ANYONE)
def explain(model: str, version: str | None = None) -> Response:
    """Say why rows are answered as they are; nothing is kept of that."""
    # It is loaded when somebody asks why: no plain prediction needs it.
    from unrot.explain.explaining import check_count, explain_rows

    of, given = service(), _body()
    contents = of.catalogue()
    shelved = contents.model(model)
    named = shelved.version(version_of(shelved, version))
    rows = fitted(shelved.model.schema, read_rows(shelved.model.schema, given))
    check_count(len(rows))
    parsed_rows = parse_rows(shelved.model.schema, rows)
    found = explain_rows(of.shelf, contents, shelved, named, parsed_rows)
    return plain({"explanations": [written(one) for one in found]})


def _number(version: str) -> str:
    """Write a version as a number, where it is one.

    >>> _number("v12"), _number("imported")
    ('12', 'imported')
    """
    return version[1:] if version[:1] == "v" and version[1:].isdigit() else version


def _type_of(feature: Feature) -> str:
    return _TYPES.get(feature.kind, "DT_STRING")


def _tensor(name: str, type: str) -> dict[str, Any]:
    shape = {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False}
    return {"dtype": type, "tensor_shape": shape, "name": name}


# ── Google: ML Engine and Vertex AI ──────────────────────────────────────────────────────────────

STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


def of_google(code: int, _reason: str, message: str) -> Response:
    """Write an error as Google's services do."""
    code = bad_request(code)
    status = STATUS.get(code, "UNKNOWN")
    return plain({"error": {"code": code, "message": message, "status": status}}, code)


GOOGLE = Protocol("google", ("/v1/projects", "/v1beta1/projects"), of_google)
_ENGINE = "/v1/projects/<project>/models/<model>"
_ENDPOINT = "/projects/<project>/locations/<location>/endpoints/<endpoint>"
PREDICT_ROUTE = "/v1/projects/-/locations/-/endpoints/0:rawPredict"
"""Where a container of Vertex AI is asked, whatever address it is given for that."""


@GOOGLE.at("POST", f"{_ENGINE}:predict", f"{_ENGINE}/versions/<version>:predict", needs=ANYONE)
def predict_ml_engine(model: str, version: str | None = None, **_project: str) -> Response:
    """Score rows as ML Engine does; whatever the project is called."""
    answer = _scored(model, version, _body())
    return plain({PREDICTIONS: answers_of(answer), IDS: ids_of(answer)})


@GOOGLE.at("POST", f"/v1{_ENDPOINT}:predict", f"/v1beta1{_ENDPOINT}:predict", needs=ANYONE)
def predict_vertex(project: str, location: str, endpoint: str) -> Response:
    """Score rows as an endpoint of Vertex AI does."""
    answer = _scored(_of_endpoint(endpoint), None, _body())
    name = answer.shelved.model.name
    return plain(
        {
            PREDICTIONS: answers_of(answer),
            "deployedModelId": answer.version.name,
            "model": f"projects/{project}/locations/{location}/models/{name}",
            "modelDisplayName": answer.shelved.model.title or name,
            "modelVersionId": _number(answer.version.name),
            "metadata": {IDS: ids_of(answer)},
        }
    )


@GOOGLE.at("POST", f"/v1{_ENDPOINT}:rawPredict", f"/v1beta1{_ENDPOINT}:rawPredict", needs=ANYONE)
def predict_raw(endpoint: str, **_place: str) -> Response:
    """Score rows and answer as a container does behind an endpoint."""
    answer = _scored(_of_endpoint(endpoint), None, _body())
    return plain({PREDICTIONS: answers_of(answer), IDS: ids_of(answer)})


def _of_endpoint(endpoint: str) -> str | None:
    """Return the model of an endpoint: of that name, else of any number the default."""
    is_name = endpoint in service().catalogue().models
    return None if endpoint.isdigit() and not is_name else endpoint
