"""Make the made-up home in a new folder and serve it: `python -m tests.golden.serve`.

It prints its address and, after that, the names that addresses of its pages need; it ends when its
input does.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading

from tests.golden import frozen


def main() -> None:
    """Serve until the input ends."""
    clock = frozen.Clock()
    frozen.seed_chance()
    from werkzeug.serving import make_server

    from tests.golden import home
    from tests.golden.__main__ import ids_in

    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ.update(home.SETTINGS, UNROT_HOME="home")
        made = home.make(clock)
        server = make_server("127.0.0.1", 0, made.app, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(json.dumps({"url": f"http://127.0.0.1:{server.port}", "names": ids_in(made)}))
        sys.stdout.flush()
        sys.stdin.read()
        os._exit(0)


if __name__ == "__main__":
    main()
