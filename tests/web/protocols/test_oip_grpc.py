"""The Open Inference Protocol over gRPC: what is wrong is said by a code and a sentence."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from flask import Flask

from tests.conftest import Server, free_port
from unrot.core.errors import Unavailable
from unrot.core.settings import Settings
from unrot.web.protocols import open_inference_pb2 as told
from unrot.web.protocols.oip_grpc import SERVICE, start_server, stop_server

ROW = [5.1, 3.5, 1.4, 0.2]
Call = Callable[..., Any]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def call(app: Flask, settings: Settings, port: int) -> Iterator[Call]:
    """Call a method; return its answer, or the code and the sentence of what is wrong."""
    server = start_server(app, replace(settings, grpc_port=port))
    channel = grpc.insecure_channel(f"127.0.0.1:{port}")

    def called(method: str, request: Any, answer: Any) -> Any:
        write = request if isinstance(request, bytes) else request.SerializeToString()
        ask = channel.unary_unary(f"/{SERVICE}/{method}", response_deserializer=answer.FromString)
        try:
            return ask(write, timeout=20)
        except grpc.RpcError as error:
            return error.code().name, error.details()

    yield called
    channel.close()
    stop_server(server)


def table(**more: Any) -> Any:
    contents = {"contents": told.InferTensorContents(fp64_contents=ROW)}
    given = {"name": "table", "datatype": "FP64", "shape": [1, 4], **contents, **more}
    return told.ModelInferRequest.InferInputTensor(**given)


def asked(*inputs: Any, model: str = "iris", **more: Any) -> Any:
    return told.ModelInferRequest(model_name=model, inputs=inputs, **more)


def test_typed_contents_are_answered_in_kind(call: Call) -> None:
    answer = call("ModelInfer", asked(table(), id="mine"), told.ModelInferResponse)
    raw = asked(table(contents=None), raw_input_contents=[b"\0" * 32])
    in_bytes = call("ModelInfer", raw, told.ModelInferResponse)

    assert answer.outputs[0].contents.bytes_contents == [b"Iris-setosa"]
    assert sum(answer.outputs[1].contents.fp64_contents) == pytest.approx(1.0)
    assert (answer.id, len(answer.parameters["prediction_id"].string_param)) == ("mine", 32)
    assert len(in_bytes.raw_output_contents) == 2


def test_what_is_wrong_is_told_by_code_and_sentence(call: Call) -> None:
    empty, text = told.InferTensorContents(), told.InferTensorContents(bytes_contents=[b"\xff"] * 4)
    number = told.InferParameter(int64_param=7)
    wrong = {
        "no such model": (asked(table(), model="nobody"), "NOT_FOUND"),
        "no such version": (asked(table(), model_version="v9"), "NOT_FOUND"),
        "no model": (asked(table(), model=""), "NOT_FOUND"),
        "no inputs": (asked(), "INVALID_ARGUMENT"),
        "no name": (asked(table(name="")), "INVALID_ARGUMENT"),
        "unknown type": (asked(table(datatype="FP8")), "INVALID_ARGUMENT"),
        "no shape": (asked(table(shape=[])), "INVALID_ARGUMENT"),
        "negative shape": (asked(table(shape=[-1, 4])), "INVALID_ARGUMENT"),
        "huge shape": (asked(table(shape=[2**40, 2**40])), "INVALID_ARGUMENT"),
        "other shape": (asked(table(shape=[2, 2])), "INVALID_ARGUMENT"),
        "nothing in it": (asked(table(contents=empty)), "INVALID_ARGUMENT"),
        "another type in it": (asked(table(datatype="INT32")), "INVALID_ARGUMENT"),
        "no text": (asked(table(datatype="BYTES", contents=text)), "INVALID_ARGUMENT"),
        "bytes of more": (asked(table(), raw_input_contents=[b"", b""]), "INVALID_ARGUMENT"),
        "bytes too few": (asked(table(), raw_input_contents=[b"123"]), "INVALID_ARGUMENT"),
        "no such output": (
            asked(
                table(), outputs=[told.ModelInferRequest.InferRequestedOutputTensor(name="nothing")]
            ),
            "INVALID_ARGUMENT",
        ),
        "number as key": (asked(table(), parameters={"key": number}), "INVALID_ARGUMENT"),
        "too large": (asked(table(), raw_input_contents=[b"0" * 2**23]), "RESOURCE_EXHAUSTED"),
    }

    seen = {
        what: call("ModelInfer", request, told.ModelInferResponse)
        for what, (request, _) in wrong.items()
    }

    assert {what: code for what, (code, _) in seen.items()} == {
        what: code for what, (_, code) in wrong.items()
    }
    assert all(sentence for _, sentence in seen.values())
    assert call("ModelInfer", b"\xff\xff", told.ModelInferResponse)[0] == "INTERNAL"  # by gRPC


@pytest.mark.parametrize(
    ("method", "request_of", "answer"),
    [
        ("RepositoryIndex", told.RepositoryIndexRequest, told.RepositoryIndexResponse),
        ("RepositoryModelLoad", told.RepositoryModelLoadRequest, told.RepositoryModelLoadResponse),
        (
            "RepositoryModelUnload",
            told.RepositoryModelUnloadRequest,
            told.RepositoryModelUnloadResponse,
        ),
    ],
)
def test_repository_is_for_operators(call: Call, method: str, request_of: Any, answer: Any) -> None:
    assert call(method, request_of(), answer)[0] == "UNAUTHENTICATED"


def test_port_that_is_taken_is_said(call: Call, app: Flask, settings: Settings) -> None:

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = replace(settings, grpc_port=other.getsockname()[1])
        with pytest.raises(Unavailable, match="is the port taken"):
            start_server(app, taken)


def test_server_without_the_extra_starts_and_says_so(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    (tmp_path / "grpc_health.py").write_text("raise ModuleNotFoundError(name='grpc_health')\n")

    served = start_server(UNROT_GRPC_PORT=str(free_port()), PYTHONPATH=str(tmp_path))

    assert "pip install 'unrot[grpc]'" in served.log.read_text()
