"""The API as an OpenAPI 3 document: one entry a route, with its errors and a working example.

The examples speak of the iris demo, which `make run` trains, so that they work when pasted.
"""

from __future__ import annotations

from unrot import __version__
from unrot.web.openapi import (
    accuracy,
    drift,
    explorer,
    findings,
    learning,
    learning_schemas,
    options,
    outliers,
    running,
    trials,
)
from unrot.web.openapi.operations import LOOKING, READING, body, in_path, operation, or_file, paging
from unrot.web.openapi.schemas import Json, schemas

IRIS = {
    "sepal_length_cm": 5.1,
    "sepal_width_cm": 3.5,
    "petal_length_cm": 1.4,
    "petal_width_cm": 0.2,
}
_ID = "aR8tYAECAwQFAAAAAAABAEqk2c0fW3nG"


def spec() -> Json:
    """Return the document."""
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Unrot",
            "version": __version__,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": "serving", "description": "Predict, and say how the service is."},
            {"name": "feedback", "description": "Judge predictions by their ids."},
            {"name": "looking", "description": "What was served. Needs a viewer's token."},
            {
                "name": "learning",
                "description": "Learn, promote, roll back. Needs the operator's token to change "
                "something, a viewer's to look.",
            },
            trials.TAG,
            findings.TAG,
            drift.TAG,
            accuracy.TAG,
            running.TAG,
        ],
        "paths": {
            **_paths(),
            **learning.paths(),
            **trials.paths(),
            **explorer.paths(),
            **findings.paths(),
            **drift.paths(),
            **outliers.paths(),
            **accuracy.paths(),
            **running.paths(),
        },
        "components": {
            "schemas": {
                **schemas(),
                **learning_schemas.schemas(),
                **trials.schemas(),
                **explorer.schemas(),
                **findings.schemas(),
                **options.schemas(),
                **drift.schemas(),
                **outliers.schemas(),
                **accuracy.schemas(),
                **running.schemas(),
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


_DESCRIPTION = (
    "Unrot serves scikit-learn models and hears what became of their predictions.\n\n"
    "Every success is `{data, message}`, every error `{data: null, message, reason}` and "
    "perhaps `details`. A prediction's `id` is what a verdict on it is sent with."
)


def _paths() -> dict[str, Json]:
    model, version = in_path("model", "iris"), in_path("version", "v1")
    return {
        "/api/v1/health": {
            "get": operation("health", "serving", "Say that the process answers.", "State")
        },
        "/api/v1/ready": {
            "get": operation(
                "ready", "serving", "Say how each component is.", "Readiness", errors=(503,)
            )
        },
        "/api/v1/models": {"get": operation("models", "serving", "List the models.", "Models")},
        "/api/v1/models/{model}": {
            "get": operation(
                "model",
                "serving",
                "Describe a model: its schema, classes, aliases and versions.",
                "Model",
                parameters=[model],
                errors=(404,),
            )
        },
        "/api/v1/models/{model}/predict": {
            "post": operation(
                "predict",
                "serving",
                "Score one row, a list of at most 10,000, or a CSV file.",
                "PredictionOrMany",
                parameters=[model, _PROBABILITIES],
                body=or_file(
                    body("Inputs", one={"inputs": IRIS}, many={"inputs": [IRIS, IRIS]}), _ROWS
                ),
                errors=(*READING, 404, 411, 503),
                answers_files=True,
            )
        },
        "/api/v1/models/{model}/versions/{version}/predict": {
            "post": operation(
                "predict_version",
                "serving",
                "Score rows with one version, whoever is champion.",
                "PredictionOrMany",
                parameters=[model, version, _PROBABILITIES],
                body=or_file(body("Inputs", one={"inputs": IRIS}), _ROWS),
                errors=(*READING, 404, 411, 503),
                answers_files=True,
            )
        },
        "/api/v1/predict": {
            "post": operation(
                "predict_default",
                "serving",
                "Score the bare features of the default model, or rows in the older form.",
                "BareAnswer",
                body=body("BareInputs", bare=IRIS, instances=_INSTANCES),
                errors=(*READING, 404, 503),
                is_enveloped=False,
            )
        },
        "/api/v1/predictions": {
            "post": operation(
                "predict_instances",
                "serving",
                "Score rows in the older form: lists in the order of the schema, no envelope.",
                "InstancesAnswer",
                body=body("Instances", instances=_INSTANCES),
                errors=(*READING, 404, 503),
                is_enveloped=False,
            )
        },
        "/api/v1/models/{model}/predictions": {
            "get": operation(
                "kept_predictions",
                "looking",
                "List kept predictions with their verdicts, newest first.",
                "KeptPredictions",
                parameters=[model, *paging("before", "The `next` of the page before.")],
                errors=(*LOOKING, 422),
                is_guarded=True,
            )
        },
        "/api/v1/feedback": {"post": _feedback()},
        "/api/v1/feedback/{id}": {
            "delete": operation(
                "withdraw",
                "feedback",
                "Take a verdict back.",
                "Withdrawal",
                parameters=[in_path("id", _ID, "The id of the prediction.")],
                errors=(401, 403, 404, 410, 503),
                others={202: "Withdrawal"},
            )
        },
    }


def _feedback() -> Json:
    older = {
        "model": "iris",
        "input data": IRIS,
        "prediction": "Iris-setosa",
        "was correct": True,
    }
    made = operation(
        "feedback",
        "feedback",
        "Keep one verdict, a list of at most 1,000, or a CSV file of labels.",
        "FeedbackAnswer",
        body=or_file(
            body(
                "FeedbackBody",
                older=older,
                thumb={"id": _ID, "was_correct": True},
                label={"id": _ID, "label": "Iris-virginica"},
                several=[{"id": _ID, "was_correct": False, "comment": "It was a tulip."}],
            ),
            f"id,label\n{_ID},Iris-virginica\n",
        ),
        errors=(400, 401, 403, 404, 410, 411, 413, 415, 422, 503),
        others={201: "FeedbackAnswer", 202: "FeedbackAnswer"},
    )
    made["description"] = (
        "201: new and committed. 200: the same verdict again (`duplicate`), a changed mind "
        "(`revised`), or a list (`results`, in order). 202: the store is away, the verdict is on "
        "the disk and will be shipped (`queued`). The example in the older form works as it "
        "stands; the others want an `id` that predict answered."
    )
    return made


_ROWS = f"{','.join(IRIS)}\n{','.join(map(str, IRIS.values()))}\n"
_PROBABILITIES = {
    "name": "probabilities",
    "in": "query",
    "description": "For a file: add a column for each class.",
    "allowEmptyValue": True,
    "schema": {"type": "string"},
}
_INSTANCES = {"instances": [[5.1, 3.5, 1.4, 0.2]], "model": "iris"}
