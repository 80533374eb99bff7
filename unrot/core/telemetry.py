"""onnxruntime reports its use to its makers, unless it is told not to before its import.

The thread that does so is lost in a fork, and the exit of a process waits for it for ever. Without
it, all processes of a server share what onnxruntime holds.
"""

from __future__ import annotations

import os


def silence_onnxruntime() -> bool:
    """Tell it to report nothing, where nobody has decided; return whether it is silent."""
    return os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1") == "1"
