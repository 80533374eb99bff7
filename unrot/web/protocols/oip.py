"""The Open Inference Protocol, version 2, over HTTP: as KServe, Triton and MLServer speak it.

Its request id is echoed; the prediction's own stands in the parameters, and is what a verdict
names. Nothing here moves what the gate protects: `load` reads a champion into memory, `unload` lets
go of other versions there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Response, request

from unrot import __version__
from unrot.core.errors import BadRequest, wrong_field
from unrot.core.records import CHAMPION, Caller
from unrot.hear.key_store import read_key
from unrot.serve.answer import Answer
from unrot.serve.service import Service
from unrot.serve.shelf import ShelvedModel
from unrot.web.api.envelope import as_object, parameters, parsed, plain, whole_body
from unrot.web.current import service
from unrot.web.protocols.protocol import Protocol, sentence_alone
from unrot.web.protocols.scoring import score
from unrot.web.protocols.tables import version_of
from unrot.web.protocols.tensors import (
    Tensor,
    inputs_described,
    outputs_described,
    outputs_of,
    packed,
    read_tensor,
    rows_of,
)
from unrot.web.routes import ANYONE, OPERATOR
from unrot.web.security import caller_where_all_may

OIP = Protocol("oip", ("/v2",), sentence_alone)

NAME, PLATFORM = "unrot", "sklearn"
EXTENSIONS = ["binary_tensor_data", "model_repository"]
JSON_LENGTH = "Inference-Header-Content-Length"
"""How long the JSON is, where tensors in binary form stand behind it."""
BINARY_SIZE, BINARY, ALL_BINARY = "binary_data_size", "binary_data", "binary_data_output"
LONGEST_ID = 256
READY = "READY"


# ── how it is ────────────────────────────────────────────────────────────────────────────────


@OIP.at("GET", "/v2", needs=ANYONE)
def server_metadata() -> Response:
    """Say what serves."""
    return plain({"name": NAME, "version": __version__, "extensions": EXTENSIONS})


@OIP.at("GET", "/v2/health/live", needs=ANYONE)
def server_live() -> Response:
    """Say that it lives."""
    return plain({"live": True})


@OIP.at("GET", "/v2/health/ready", needs=ANYONE)
def server_ready() -> Response:
    """Say whether all that is needed works."""
    is_ready = is_all_ready(service())
    return plain({"ready": is_ready}, 200 if is_ready else 503)


@OIP.at(
    "GET",
    "/v2/models/<model>/ready",
    "/v2/models/<model>/versions/<version>/ready",
    needs=ANYONE,
)
def model_ready(model: str, version: str | None = None) -> Response:
    """Say whether a model answers."""
    is_ready = is_model_ready(service(), model, version)
    return plain({"name": model, "ready": is_ready}, 200 if is_ready else 503)


@OIP.at("GET", "/v2/models/<model>", "/v2/models/<model>/versions/<version>", needs=ANYONE)
def model_metadata(model: str, version: str | None = None) -> Response:
    """Say what a model takes and answers."""
    return plain(described(service(), model, version))


def is_all_ready(of: Service) -> bool:
    """Tell whether all that is needed works."""
    return all(one.state != "down" for one in of.ready().values())


def is_model_ready(of: Service, model: str, version: str | None) -> bool:
    """Tell whether a model has a champion, or the version that is named."""
    shelved = of.catalogue().model(model)
    named = version_of(shelved, version)
    return (named is None and CHAMPION in shelved.aliases) or shelved.version(named) is not None


def described(of: Service, model: str, version: str | None) -> dict[str, Any]:
    """Return the metadata of a model."""
    shelved = of.catalogue().model(model)
    if version is not None:
        shelved.version(version_of(shelved, version))
    schema = shelved.model.schema
    return {
        "name": shelved.model.name,
        "versions": list(shelved.versions),
        "platform": PLATFORM,
        "inputs": inputs_described(schema),
        "outputs": outputs_described(schema),
    }


# ── predict ──────────────────────────────────────────────────────────────────────────────────


@OIP.at(
    "POST",
    "/v2/models/<model>/infer",
    "/v2/models/<model>/versions/<version>/infer",
    needs=ANYONE,
)
def infer(model: str, version: str | None = None) -> Response:
    """Score the rows that tensors hold."""
    asked, caller = _asked(), caller_where_all_may()
    return _written(scored(service(), model, version, asked.tensors, asked.keys, caller), asked)


def scored(
    of: Service,
    model: str,
    version: str | None,
    tensors: Sequence[Tensor],
    keys: Sequence[str | None],
    caller: Caller,
) -> Answer:
    """Score the rows that tensors hold, with the client's keys where it gives some."""
    return score(of, model, version, lambda schema: rows_of(schema, tensors), caller, keys)


@dataclass(frozen=True, slots=True)
class InferenceRequest:
    """What a client asks for."""

    id: str
    tensors: Sequence[Tensor]
    keys: Sequence[str | None]
    outputs: Mapping[str, bool]
    """The outputs that are wanted, all where it is empty, and whether in binary form."""
    is_binary: bool
    """Whether those are that are not named."""


def _asked() -> InferenceRequest:
    """Read the request."""
    given, binary = _parts()
    id, inputs = given.get("id", ""), given.get("inputs")
    if not isinstance(id, str) or len(id) > LONGEST_ID or not id.isprintable():
        raise wrong_field("id", id, f"a text of at most {LONGEST_ID} characters")
    if not isinstance(inputs, list) or not inputs:
        expected = "a list of tensors: name, shape, datatype, data"
        raise wrong_field("inputs", inputs, expected, is_missing="inputs" not in given)
    wanted = _parameters_of(given)
    keys = [read_key(wanted["key"])] if "key" in wanted else []
    is_binary = wanted.get(ALL_BINARY) is True
    outputs = _outputs_wanted(given.get("outputs"), is_binary=is_binary)
    return InferenceRequest(id, list(_tensors(inputs, binary)), keys, outputs, is_binary)


def _parts() -> tuple[dict[str, Any], bytes]:
    """Part the body into its JSON and what stands behind it."""
    raw, length = whole_body(), request.headers.get(JSON_LENGTH)
    if length is None:
        return as_object(parsed(raw)), b""
    if not (length.isascii() and length.isdigit() and int(length[:10]) <= len(raw)):
        raise BadRequest(f"{JSON_LENGTH} is not the length of the JSON in the body.")
    end = int(length[:10])
    return as_object(parsed(raw[:end])), raw[end:]


def _tensors(inputs: Sequence[Any], binary: bytes) -> Iterator[Tensor]:
    at = 0
    for given in inputs:
        size = _parameters_of(given).get(BINARY_SIZE) if isinstance(given, Mapping) else None
        if size is None:
            yield read_tensor(given)
            continue
        if type(size) is not int or not 0 <= size <= len(binary) - at:
            raise wrong_field(BINARY_SIZE, size, "as many bytes as stand behind the JSON")
        yield read_tensor(given, binary[at : at + size])
        at += size
    if at < len(binary):
        raise BadRequest(f"{len(binary) - at:,} bytes behind the JSON are of no input.")


def _outputs_wanted(given: Any, *, is_binary: bool) -> dict[str, bool]:
    if given is None:
        return {}
    if not isinstance(given, list) or not all(isinstance(one, Mapping) for one in given):
        raise wrong_field("outputs", given, "a list of objects, each with a name")
    wanted = {}
    for one in given:
        if not isinstance(one.get("name"), str):
            raise wrong_field("outputs", one.get("name"), "the name of an output")
        wanted[one["name"]] = _parameters_of(one).get(BINARY, is_binary) is True
    return wanted


def _parameters_of(given: Mapping[str, Any]) -> Mapping[str, Any]:
    found = given.get("parameters")
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise wrong_field("parameters", found, "an object")
    return found


def _written(answer: Answer, asked: InferenceRequest) -> Response:
    """Write the answer in the form that was asked for."""
    outputs, behind = [], []
    for tensor in chosen(outputs_of(answer), asked.outputs):
        described: dict[str, Any] = {
            "name": tensor.name,
            "datatype": tensor.datatype,
            "shape": list(tensor.shape),
        }
        if asked.outputs.get(tensor.name, asked.is_binary):
            behind.append(packed(tensor))
            outputs.append({**described, "parameters": {BINARY_SIZE: len(behind[-1])}})
        else:
            outputs.append({**described, "data": tensor.values})
    head = {
        "model_name": answer.shelved.model.name,
        "model_version": answer.version.name,
        "id": asked.id or answer.ids[0] or "",
        "parameters": ids_told(answer),
        "outputs": outputs,
    }
    if not behind:
        return plain(head)
    text = orjson.dumps(head)
    made = Response(b"".join([text, *behind]), mimetype="application/octet-stream")
    made.headers[JSON_LENGTH] = str(len(text))
    return made


def ids_told(answer: Answer) -> dict[str, str]:
    """Return what verdicts name: an id, or of many rows all of them, with commas between."""
    ids = [id or "" for id in answer.ids]
    return {"prediction_id": ids[0]} if len(ids) == 1 else {"prediction_ids": ",".join(ids)}


def chosen(tensors: Sequence[Tensor], wanted: Iterable[str]) -> Sequence[Tensor]:
    """Return the outputs that were asked for by name, else all."""
    there = {one.name: one for one in tensors}
    for name in wanted:
        if name not in there:
            raise wrong_field("outputs", name, f"of {', '.join(there)}")
    return [there[name] for name in wanted] or tensors


# ── the repository ───────────────────────────────────────────────────────────────────────────


@OIP.at("POST", "/v2/repository/index", needs=OPERATOR)
def repository_index() -> Response:
    """List every version, and which of them answers."""
    return plain(indexed(service(), only_ready=parameters().get("ready") is True))


@OIP.at("POST", "/v2/repository/models/<model>/load", needs=OPERATOR)
def load_model(model: str) -> Response:
    """Read a champion into the memory of the worker that answers; which one it is stays."""
    said = load(service(), model, has_more=bool(parameters().get("parameters")))
    return plain({"name": model, "state": READY, "reason": said})


@OIP.at("POST", "/v2/repository/models/<model>/unload", needs=OPERATOR)
def unload_model(model: str) -> Response:
    """Let go of other versions than the champion in the memory of the worker that answers."""
    parameters()
    return plain({"name": model, "state": READY, "reason": unload(service(), model)})


def indexed(of: Service, *, only_ready: bool) -> list[dict[str, str]]:
    """List versions as a repository does."""
    listed = [one for shelved in of.catalogue().models.values() for one in _indexed(shelved)]
    return [one for one in listed if one["state"] == READY or not only_ready]


def load(of: Service, model: str, *, has_more: bool) -> str:
    """Read a champion into memory; say what that means."""
    if has_more:
        raise BadRequest(
            "Nothing is configured or sent here: add a model, or a version of one, by "
            "python -m unrot add."
        )
    contents = of.catalogue()
    version = contents.model(model).version()
    of.shelf.predictor(contents, version)
    return f"{version.name} answers. Which version does is decided by promote, behind the gate."


def unload(of: Service, model: str) -> str:
    """Let go of other versions in memory; say what that means."""
    shelved = of.catalogue().model(model)
    of.shelf.let_go(shelved)
    return (
        f"{shelved.version().name} goes on answering: a model is served until it is removed. Other "
        "versions were let go of, and come back when they are asked for."
    )


def _indexed(shelved: ShelvedModel) -> Iterator[dict[str, str]]:
    champion = shelved.aliases.get(CHAMPION)
    for name in shelved.versions:
        is_champion = name == champion
        yield {
            "name": shelved.model.name,
            "version": name,
            "state": READY if is_champion else "UNAVAILABLE",
            "reason": "" if is_champion else "not the champion; it answers to its own address",
        }
