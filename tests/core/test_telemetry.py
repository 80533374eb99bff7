"""onnxruntime that reports nothing: nobody's choice is overruled, and a fork takes it along."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import ROOT
from unrot.core.telemetry import silence_onnxruntime

FORKED = """
import os, signal, sys
from unrot.core.telemetry import silence_onnxruntime
assert silence_onnxruntime()
import numpy, onnxruntime
from onnx import TensorProto, helper
given, told = ([helper.make_tensor_value_info(name, TensorProto.DOUBLE, [1])] for name in "xy")
graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "negative", given, told)
opset = helper.make_opsetid("", 13)
model = helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()
child = os.fork()
if child == 0:
    signal.alarm(60)  # a child that hangs is ended, and seen by its status
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    print(*session.run(None, {"x": numpy.array([2.5])})[0], flush=True)
    sys.exit(0)
print(os.waitpid(child, 0)[1])
"""


def test_onnxruntime_is_silent_where_nobody_has_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)

    assert silence_onnxruntime()
    assert silence_onnxruntime()


def test_operator_who_lets_it_report_is_not_overruled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")

    assert not silence_onnxruntime()


@pytest.mark.skipif(sys.platform != "linux", reason="it is shared by a fork on Linux alone")
def test_silent_onnxruntime_survives_a_fork() -> None:
    """With the thread that reports, a child waits at its exit for ever."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED], cwd=ROOT, capture_output=True, text=True
    )

    assert done.stdout.split() == ["-2.5", "0"], done.stderr
