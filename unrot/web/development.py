"""A caretaker beside `flask run`, so that predictions made while developing are kept as well."""

from __future__ import annotations

import os
import subprocess
import sys


def start_caretaker() -> None:
    """Start a caretaker that ends with this process, if this is Flask's development server."""
    is_flask_run = os.environ.get("FLASK_RUN_FROM_CLI") == "true"
    is_reloader_parent = (
        os.environ.get("FLASK_DEBUG") == "1" and os.environ.get("WERKZEUG_RUN_MAIN") != "true"
    )
    if is_flask_run and not is_reloader_parent:
        subprocess.Popen(
            [sys.executable, "-m", "unrot", "caretaker", "--with-parent", str(os.getpid())]
        )
