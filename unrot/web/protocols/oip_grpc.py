"""The Open Inference Protocol over gRPC, at a port of its own: `UNROT_GRPC_PORT`.

Each web worker has a server of its own at that port, between which the system parts connections.
Beside the protocol stand gRPC's own services of health and reflection. A method says who may call
it; one that does not is not served.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import grpc
from flask import Flask
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from unrot import __version__
from unrot.core.errors import Invalid, Unavailable, UnrotError, wrong_field
from unrot.core.records import Caller
from unrot.core.settings import Settings
from unrot.hear.key_store import read_key
from unrot.serve.answer import Answer
from unrot.serve.service import Service
from unrot.web import errors, security
from unrot.web.metrics.counting import GATHERED
from unrot.web.protocols import oip
from unrot.web.protocols import open_inference_pb2 as told
from unrot.web.protocols.tensors import BYTES, Tensor, outputs_of, packed, read_tensor
from unrot.web.routes import ANYONE, OPERATOR
from unrot.web.security import Role

SERVICE = "inference.GRPCInferenceService"
THREADS = 4
GRACE_SECONDS = 10.0
CODES = {
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.FAILED_PRECONDITION,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
}
"""How gRPC says what HTTP says by a number; the rest is INVALID_ARGUMENT."""

CONTENTS: Mapping[str, str] = {
    "BOOL": "bool_contents",
    **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
    "INT64": "int64_contents",
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    BYTES: "bytes_contents",
}

Work = Callable[[Service, Any, Caller], Any]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Method:
    """What a method reads, who may call it, and what it answers."""

    request: Any
    needs: Role
    work: Work


def start_server(app: Flask, settings: Settings) -> grpc.Server:
    """Listen; return the server, which `stop_server` ends."""
    options = [("grpc.max_receive_message_length", settings.max_body), ("grpc.so_reuseport", 1)]
    server = grpc.server(
        ThreadPoolExecutor(THREADS, thread_name_prefix="grpc"),
        options=options,
        maximum_concurrent_rpcs=settings.threads * 8,
    )
    handlers = {name: _handler(app, name, method) for name, method in METHODS.items()}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    health_pb2_grpc.add_HealthServicer_to_server(Health(app), server)
    names = (SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)
    address = f"{settings.host}:{settings.grpc_port}"
    try:
        server.add_insecure_port(address)
    except RuntimeError as error:
        raise Unavailable(f"gRPC cannot listen at {address}: is the port taken?") from error
    server.start()
    return server


def stop_server(server: grpc.Server) -> None:
    """End when what was begun is answered."""
    server.stop(GRACE_SECONDS).wait()


class Health(health.HealthServicer):  # type: ignore[misc]
    """gRPC's own service of health, which looks when it is asked."""

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self._app = app

    def Check(self, request: Any, context: Any) -> Any:  # gRPC's name
        """Say whether all that is needed works."""
        states = health_pb2.HealthCheckResponse
        is_ready = oip.is_all_ready(self._app.extensions["unrot"])
        for name in ("", SERVICE):
            self.set(name, states.SERVING if is_ready else states.NOT_SERVING)
        return super().Check(request, context)


def _handler(app: Flask, name: str, method: Method) -> Any:
    def answer(request: Any, context: Any) -> Any:
        began, status = time.perf_counter(), 500
        try:
            of: Service = app.extensions["unrot"]
            made = method.work(of, request, _caller(app, of, method.needs, context))
            status = 200
            return made
        except UnrotError as error:
            status = errors.status_of(error)
            context.abort(CODES.get(status, grpc.StatusCode.INVALID_ARGUMENT), error.message)
        except Exception:
            _log.exception("Unexpected error in %s", name)
            context.abort(grpc.StatusCode.INTERNAL, errors.UNEXPECTED[1])
        finally:
            GATHERED.request(f"/{SERVICE}/{name}", "POST", status, time.perf_counter() - began)

    return grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=method.request.FromString,
        response_serializer=lambda made: made.SerializeToString(),
    )


def _caller(app: Flask, of: Service, needs: Role, context: Any) -> Caller:
    """Return who calls, if they may; their token is in the metadata, under `authorization`."""
    header = dict(context.invocation_metadata()).get("authorization")
    keeper, address = app.extensions["doorkeeper"], _address(context.peer())
    if needs == ANYONE:
        visitor: Caller = keeper.visitor(address, header, lambda: of)
        return visitor
    caller = security.caller_of(lambda: of, keeper, address, header)
    with app.app_context():
        security.admit(caller, needs)
    return caller


def _address(peer: str) -> str:
    """Return the address in what gRPC says of a peer.

    >>> _address("ipv4:192.0.2.7:5123"), _address("ipv6:%5B::1%5D:5123")
    ('192.0.2.7', '::1')
    """
    return unquote(peer).partition(":")[2].rpartition(":")[0].strip("[]")


# ── methods ──────────────────────────────────────────────────────────────────────────────────


def _metadata(of: Service, request: Any, _caller: Caller) -> Any:
    found = oip.described(of, request.name, request.version or None)
    tensor = told.ModelMetadataResponse.TensorMetadata
    inputs, outputs = (
        [
            tensor(name=one["name"], datatype=one["datatype"], shape=one["shape"])
            for one in found[way]
        ]
        for way in ("inputs", "outputs")
    )
    return told.ModelMetadataResponse(
        name=found["name"],
        versions=found["versions"],
        platform=found["platform"],
        inputs=inputs,
        outputs=outputs,
    )


def _infer(of: Service, request: Any, caller: Caller) -> Any:
    tensors = _tensors(request)
    named = _parameter(request.parameters, "key")
    keys = [] if named is None else [read_key(named)]
    model, version = request.model_name, request.model_version or None
    answer = oip.scored(of, model, version, tensors, keys, caller)
    wanted = [one.name for one in request.outputs]
    return _written(answer, request, oip.chosen(outputs_of(answer), wanted))


def _tensors(request: Any) -> Sequence[Tensor]:
    if not request.inputs:
        raise wrong_field("inputs", None, "one tensor or more", is_missing=True)
    raw = list(request.raw_input_contents)
    if raw and len(raw) != len(request.inputs):
        raise Invalid("raw_input_contents: expected the bytes of every input, or of none.")
    return [_tensor(one, raw[at] if raw else None) for at, one in enumerate(request.inputs)]


def _tensor(given: Any, raw: bytes | None) -> Tensor:
    described: dict[str, Any] = {
        "name": given.name,
        "datatype": given.datatype,
        "shape": list(given.shape),
    }
    if raw is None and given.datatype in CONTENTS:
        described["data"] = _values(given)
    return read_tensor(described, raw)


def _values(given: Any) -> list[Any]:
    values = list(getattr(given.contents, CONTENTS[given.datatype]))
    if given.datatype != BYTES:
        return values
    try:
        return [value.decode() for value in values]
    except UnicodeDecodeError:
        raise wrong_field(given.name, None, "texts in UTF-8") from None


def _parameter(parameters: Any, name: str) -> Any:
    if name not in parameters:
        return None
    chosen = parameters[name].WhichOneof("parameter_choice")
    return getattr(parameters[name], chosen) if chosen else None


def _written(answer: Answer, request: Any, tensors: Sequence[Tensor]) -> Any:
    """Write the answer, its values in binary form where the request has them so."""
    made = told.ModelInferResponse(
        model_name=answer.shelved.model.name,
        model_version=answer.version.name,
        id=request.id or answer.ids[0] or "",
    )
    for name, text in oip.ids_told(answer).items():
        made.parameters[name].string_param = text
    for tensor in tensors:
        output = made.outputs.add(
            name=tensor.name, datatype=tensor.datatype, shape=list(tensor.shape)
        )
        if request.raw_input_contents:
            made.raw_output_contents.append(packed(tensor))
            continue
        is_text = tensor.datatype == BYTES
        values = [str(one).encode() for one in tensor.values] if is_text else tensor.values
        getattr(output.contents, CONTENTS[tensor.datatype]).extend(values)
    return made


def _index(of: Service, request: Any, _caller: Caller) -> Any:
    model = told.RepositoryIndexResponse.ModelIndex
    found = oip.indexed(of, only_ready=request.ready)
    return told.RepositoryIndexResponse(models=[model(**one) for one in found])


def _load(of: Service, request: Any, _caller: Caller) -> Any:
    oip.load(of, request.model_name, has_more=bool(request.parameters))
    return told.RepositoryModelLoadResponse()


def _unload(of: Service, request: Any, _caller: Caller) -> Any:
    oip.unload(of, request.model_name)
    return told.RepositoryModelUnloadResponse()


METHODS: Mapping[str, Method] = {
    "ServerLive": Method(
        told.ServerLiveRequest,
        ANYONE,
        lambda _of, _asked, _caller: told.ServerLiveResponse(live=True),
    ),
    "ServerReady": Method(
        told.ServerReadyRequest,
        ANYONE,
        lambda of, _asked, _caller: told.ServerReadyResponse(ready=oip.is_all_ready(of)),
    ),
    "ModelReady": Method(
        told.ModelReadyRequest,
        ANYONE,
        lambda of, asked, _caller: told.ModelReadyResponse(
            ready=oip.is_model_ready(of, asked.name, asked.version or None)
        ),
    ),
    "ServerMetadata": Method(
        told.ServerMetadataRequest,
        ANYONE,
        lambda _of, _asked, _caller: told.ServerMetadataResponse(
            name=oip.NAME, version=__version__, extensions=["model_repository"]
        ),
    ),
    "ModelMetadata": Method(told.ModelMetadataRequest, ANYONE, _metadata),
    "ModelInfer": Method(told.ModelInferRequest, ANYONE, _infer),
    "RepositoryIndex": Method(told.RepositoryIndexRequest, OPERATOR, _index),
    "RepositoryModelLoad": Method(told.RepositoryModelLoadRequest, OPERATOR, _load),
    "RepositoryModelUnload": Method(told.RepositoryModelUnloadRequest, OPERATOR, _unload),
}
