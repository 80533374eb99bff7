"""Learning in the OpenAPI document: jobs, versions, aliases, policy."""

from __future__ import annotations

from typing import Any

from unrot.web.openapi.operations import LOOKING, READING, body, in_path, operation, paging
from unrot.web.openapi.schemas import Json

_ASKING = (*READING, 401, 403, 404, 409, 503)
_CHANGING = (401, 403, 404, 409, 503)
_MODEL = in_path("model", "iris")
_VERSION = in_path("version", "v1")
_JOB = in_path("job", "0123456789abcdef", "The id that the job was answered with.")
_WAIT = {
    "name": "wait",
    "in": "query",
    "description": "Wait for the end so many seconds, 0 to 60; 200 if it has come.",
    "schema": {"type": "number", "minimum": 0, "maximum": 60},
}
_LIMIT = paging("after", "")[:1]


def paths() -> dict[str, Json]:
    """Return the routes of learning."""
    batch, nothing = {"n": 25}, _optional("Nothing", nothing={})
    feeding = _optional("BatchBody", batch=batch)
    model = "/api/v1/models/{model}"
    return {
        f"{model}/learn": {
            "post": _asking("learn", "Learn on from the verdicts that wait.", nothing)
        },
        f"{model}/train_batch": {
            "post": _asking("train_batch", "Feed the next rows of the training stream.", feeding)
        },
        f"{model}/reset": {"post": _asking("reset", "Begin the training stream anew.", nothing)},
        f"{model}/refit": {
            "post": _asking(
                "refit",
                "Fit afresh on training data and verdicts.",
                _optional("RefitBody", plain={}, weighted={"weights": {"training": 0.5}}),
            )
        },
        f"{model}/rebuild": {
            "post": _asking(
                "rebuild",
                "Make a version again, perhaps without some verdicts.",
                body("RebuildBody", again={"version": "v1"}),
            )
        },
        f"{model}/versions/{{version}}/weigh": {
            "post": _asking("weigh", "Let the gate judge a version once more.", nothing, _VERSION)
        },
        "/train_batch": {
            "post": _asking_default("train_batch_default", "Feed the default model.", feeding)
        },
        "/reset": {
            "post": _asking_default("reset_default", "Reset the default model.", nothing),
        },
        **_job_paths(model),
        **_version_paths(model),
        **_alias_paths(model),
        f"{model}/policy": {
            "get": _looking("policy", "Say what a model may do by itself.", "Policy", [_MODEL]),
            "put": operation(
                "change_policy",
                "learning",
                "Change some of what a model may do by itself.",
                "Policy",
                parameters=[_MODEL],
                body=body("PolicyBody", some={"promote": "manual", "batch": 50}),
                errors=(*READING, *_CHANGING),
                is_guarded=True,
            ),
        },
    }


def _job_paths(model: str) -> dict[str, Json]:
    return {
        "/api/v1/jobs/{job}": {
            "get": _looking("job", "Say how far a job is.", "JobAnswer", [_JOB]),
            "delete": operation(
                "cancel",
                "learning",
                "Cancel a job: a running one ends at its next step.",
                "JobAnswer",
                parameters=[_JOB],
                errors=_CHANGING,
                is_guarded=True,
            ),
        },
        f"{model}/jobs": {
            "get": _looking("jobs", "List jobs, newest first.", "Jobs", [_MODEL, *_LIMIT], 422)
        },
    }


def _version_paths(model: str) -> dict[str, Json]:
    after = paging("after", "The `next` of the page before.")
    return {
        f"{model}/versions": {
            "get": _looking("versions", "List a model's versions.", "Versions", [_MODEL])
        },
        f"{model}/versions/{{version}}": {
            "get": _looking(
                "version",
                "Tell how one version came about: its line, its metrics, what the gate said of "
                "it, what became of all verdicts, and a page of those that it learnt from.",
                "Origin",
                [_MODEL, _VERSION, *after],
                422,
            )
        },
    }


def _alias_paths(model: str) -> dict[str, Json]:
    return {
        f"{model}/promote": {
            "post": _moving(
                "promote",
                "Let a version answer, or run in the shadow as challenger.",
                body("PromoteBody", champion={"version": "v1"}),
            )
        },
        f"{model}/rollback": {
            "post": _moving(
                "rollback",
                "Take the champion back to what it was before.",
                _optional("ReasonBody", plain={}, why={"reason": "It was worse on Mondays."}),
            )
        },
        f"{model}/versions/{{version}}/pin": {
            "put": _pinning("pin", "Keep the files of a version whatever retention says."),
            "delete": _pinning("unpin", "Keep them no longer than others."),
        },
        f"{model}/aliases/challenger": {
            "delete": _moving("dismiss", "Take the challenger out of the shadow.", None)
        },
    }


def _pinning(name: str, summary: str) -> Json:
    return operation(
        name,
        "learning",
        summary,
        "Pin",
        parameters=[_MODEL, in_path("version", "v1")],
        errors=(*LOOKING, 409),
        is_guarded=True,
    )


def _asking(name: str, summary: str, given: Json, *more: Json) -> Json:
    return _job_operation(name, summary, given, [_MODEL, *more, _WAIT])


def _asking_default(name: str, summary: str, given: Json) -> Json:
    return _job_operation(name, summary, given, [_WAIT])


def _job_operation(name: str, summary: str, given: Json, parameters: list[Json]) -> Json:
    made = operation(
        name,
        "learning",
        summary,
        "JobAnswer",
        parameters=parameters,
        body=given,
        errors=_ASKING,
        others={202: "JobAnswer"},
        is_guarded=True,
    )
    made["description"] = (
        "202: the job waits or runs, and `Location` is its address. 200: it has ended while you "
        "waited, done or failed. 409: it cannot be done as things stand; with the reason `busy` "
        "the answer has the `job` that runs."
    )
    return made


def _looking(name: str, summary: str, answer: str, parameters: list[Json], *errors: int) -> Json:
    return operation(
        name,
        "learning",
        summary,
        answer,
        parameters=parameters,
        errors=(*LOOKING, *errors),
        is_guarded=True,
    )


def _moving(name: str, summary: str, given: Json | None) -> Json:
    return operation(
        name,
        "learning",
        summary,
        "Aliases",
        parameters=[_MODEL],
        body=given,
        errors=(*(READING if given else ()), *_CHANGING),
        is_guarded=True,
    )


def _optional(schema: str, **examples: Any) -> Json:
    return {**body(schema, **examples), "required": False}
