"""How gunicorn serves the app: web workers, in which granian speaks HTTP, and the caretaker.

Everything an operator may decide comes from unrot/core/settings.py.
"""

import gc
import hashlib
import os
import signal
import socket
import struct
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules


def _forget_old_code():
    """Forget our modules where the disk has others by now; who imports them then gets those.

    Return them: in a process that shares their memory, to let go of them would copy it.
    """
    ours = import_module("unrot")
    written = {path: path.stat().st_mtime for path in Path(ours.__path__[0]).rglob("*.py")}
    if vars(ours).setdefault("written", written) == written:
        return []
    old = [name for name in sys.modules if name.partition(".")[0] == "unrot"]
    forgotten = [sys.modules.pop(name) for name in old]
    import_module("unrot").written = written
    return forgotten


# This file is read again at a reload, which takes new code.
if _forget_old_code():
    gc.unfreeze()
    gc.collect()

# ruff: noqa: E402
from unrot.core import logs
from unrot.core.errors import BadSetting, UnrotError
from unrot.core.memory import hand_back_memory
from unrot.core.settings import load, prepare_home
from unrot.core.telemetry import silence_onnxruntime
from unrot.serve.shelf import fill_when_empty
from unrot.web.metrics.slots import FOLDER_VARIABLE, Slots


def _worker_class(server):
    """Return who serves, and why that is not the one who was asked for."""
    if server == "gthread":
        return "gthread", ""
    try:
        # granian may be missing here.
        from unrot.run.granian_worker import why_not
    except ImportError as error:
        return "gthread", f"granian cannot be imported ({error})"
    reason = why_not()
    return ("gthread", reason) if reason else ("unrot.run.granian_worker.GranianWorker", "")


try:
    _settings = load()
    prepare_home(_settings)
    logs.set_up(_settings.log)
    logs.log_the_uncaught()
except BadSetting as error:
    sys.exit(error.message)

bind = f"{_settings.host}:{_settings.port}"
workers = _settings.workers
threads = _settings.threads
worker_class, _why_not = _worker_class(_settings.server)
worker_connections = 2_000
keepalive = 15
# Longer than the minute that a client may wait for a job.
timeout = 90
logger_class = "unrot.run.gunicorn_logger.PrivateLogger"
access_log_format = "%(h)s %(t)s %(m)s %(U)s %(s)s %(B)s %(D)s %({x-request-id}o)s"
# A dyno has 30 s to end. Workers answer what they have begun, in 15 s at most; the
# caretaker ships until they are done.
graceful_timeout = 18
control_socket_disable = True
# Who the client is and which address it asked for is told by the proxies that are trusted
# (UNROT_TRUSTED_PROXIES), never by headers that anybody on this machine can send.
forwarder_headers = ""
secure_scheme_headers = {}

# The caretaker. Its arbiter is found again by the process name, so that must tell apart two
# servers on one machine.
dirty_apps = ["unrot.run.gunicorn_app:CaretakerApp"]
dirty_workers = 1
dirty_graceful_timeout = 17
_place = hashlib.sha256(f"{_settings.home.resolve()}\0{bind}".encode()).hexdigest()[:10]
proc_name = f"unrot-{_place}"

# Where the workers count what /metrics tells.
_counts = _settings.home / "metrics"
os.environ[FOLDER_VARIABLE] = str(_counts.resolve())

# What all processes need, read once before the fork: they start sooner and share the memory. Not
# grpc, which survives no fork, and nothing that counts for /metrics, where each has its own slot.
_shared = ["flasgger", "flask", "numpy", "orjson", "prometheus_client", "urllib.request"]
_shared += ["unrot.run.bootstrap", "unrot.run.caretaker", "unrot.web.api", "unrot.web.pages"]
if sys.platform == "linux" and silence_onnxruntime():
    _shared.append("onnxruntime")
if _settings.store_url.startswith("postgres"):
    _shared.append("psycopg")

# Milliseconds after which the system drops a connection whose client takes nothing (Linux).
_UNREAD = 30_000

# Seconds and microseconds after which a half-sent request gives its thread back.
_PATIENCE = struct.pack("ll", 5, 0)

# So many new objects are made before they are searched for garbage.
_YOUNG = 10_000


def on_starting(server):
    """Begin the counts anew; afterwards each worker goes on with those of the one before it.

    Read what the processes share.
    """
    Slots(_counts).clear()
    _share()
    if _why_not:
        server.log.warning(
            "%s: gunicorn's own threads serve, several times slower. Install what "
            "requirements.txt lists, or say so by UNROT_SERVER=gthread.",
            _why_not,
        )


def on_reload(_server):
    """Read it anew: new workers share new code."""
    _share()


def _share():
    for name in _shared:
        module = import_module(name)
        for inside in iter_modules(module.__path__) if name.startswith("unrot.web.") else ():
            import_module(f"{name}.{inside.name}")
    hand_back_memory()
    gc.freeze()  # What is never looked at for garbage is never copied.


def on_dirty_starting(arbiter):
    """Let a reload reach the caretaker too: gunicorn starts no second one, and ends none."""

    async def reload():
        arbiter.forgotten = _forget_old_code()
        for pid in list(arbiter.workers):
            arbiter.kill_worker(pid, signal.SIGHUP)

    arbiter.reload = reload


def post_fork(server, _worker):
    """Let no silent client hold one of gunicorn's own threads, and none keep an answer unread.

    Connections inherit what their listening socket is told.
    """
    for listener in server.LISTENERS:
        if worker_class == "gthread":
            listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _PATIENCE)
        if hasattr(socket, "TCP_USER_TIMEOUT") and listener.sock.family != socket.AF_UNIX:
            listener.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD)


def post_worker_init(worker):
    """Load the champions before the first request, on a new disk from the store.

    An answer to thousands of rows is not searched for garbage while it is being made.
    """
    gc.set_threshold(_YOUNG)
    service = worker.wsgi.extensions["unrot"]
    fill_when_empty(service.shelf.folder, service.store.registry)
    service.catalogue()
    hand_back_memory()
    if _settings.grpc_port:
        worker.grpc = _start_grpc(worker)


def worker_exit(_server, worker):
    """Let what was asked over gRPC be answered."""
    if getattr(worker, "grpc", None) is not None:
        from unrot.web.protocols.oip_grpc import stop_server  # it may be missing

        stop_server(worker.grpc)


def _start_grpc(worker):
    """Listen for gRPC as well; where what it takes is missing, say so and serve without."""
    try:
        # It is an extra, and survives no fork.
        from unrot.web.protocols.oip_grpc import start_server
    except ImportError as error:
        worker.log.warning(
            "UNROT_GRPC_PORT is set and %s is missing, so nobody listens there. Install it: pip "
            "install 'unrot[grpc]'.",
            error.name,
        )
        return None
    try:
        return start_server(worker.wsgi, _settings)
    except UnrotError as error:
        worker.log.error(error.message)
        return None
