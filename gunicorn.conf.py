"""How gunicorn serves the app: threads for requests, the caretaker beside them.

Everything an operator may decide comes from unrot/core/settings.py.
"""

import hashlib
import os
import socket
import struct
import sys

from unrot.core.errors import BadSetting
from unrot.core.settings import load, prepare_home
from unrot.web.metrics.slots import FOLDER_VARIABLE, Slots

try:
    _settings = load()
    prepare_home(_settings)
except BadSetting as error:
    sys.exit(error.message)

bind = f"{_settings.host}:{_settings.port}"
workers = _settings.workers
threads = _settings.threads
worker_class = "gthread"
keepalive = 15
timeout = 60
graceful_timeout = 15
control_socket_disable = True
# Who the client is and which address it asked for is told by the proxies that are trusted
# (UNROT_TRUSTED_PROXIES), never by headers that anybody on this machine can send.
forwarder_headers = ""
secure_scheme_headers = {}

# The caretaker. Its arbiter is found again by the process name, so that must tell apart two
# servers on one machine.
dirty_apps = ["unrot.run.gunicorn_app:CaretakerApp"]
dirty_workers = 1
dirty_graceful_timeout = 12
_place = hashlib.sha256(f"{_settings.home.resolve()}\0{bind}".encode()).hexdigest()[:10]
proc_name = f"unrot-{_place}"

# Where the workers count what /metrics tells.
_counts = _settings.home / "metrics"
os.environ[FOLDER_VARIABLE] = str(_counts.resolve())

# Seconds and microseconds after which a half-sent request gives its thread back.
_PATIENCE = struct.pack("ll", 5, 0)


def on_starting(_server):
    """Begin the counts anew; afterwards each worker goes on with those of the one before it."""
    Slots(_counts).clear()


def post_fork(server, _worker):
    """Let no silent client hold a thread."""
    for listener in server.LISTENERS:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _PATIENCE)


def post_worker_init(worker):
    """Load the champions before the first request."""
    worker.wsgi.extensions["unrot"].catalogue()
