"""Files that are sent here, and the answers to them: in bounded memory, from the disk and in parts.

A file may be larger than an ordinary body (UNROT_MAX_UPLOAD). It goes to a temporary folder under
the name that its owner gave it, so that every sentence names it so, and is gone with the answer.
"""

from __future__ import annotations

import fcntl
import logging
import shutil
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any
from urllib.parse import quote

from flask import Response, request
from werkzeug.exceptions import LengthRequired
from werkzeug.http import dump_options_header

from unrot.core.errors import Invalid, TooLarge, TooMany, Unavailable, UnrotError
from unrot.core.records import Caller
from unrot.make.csv.batches import Batch
from unrot.make.csv.labels import TruthFile
from unrot.run.lanes import PARQUET
from unrot.web.current import service
from unrot.web.errors import drain
from unrot.web.security import doorkeeper

PATIENCE_SECONDS = 15.0
"""How long an answer waits for the journal: a router gives up on one that is silent for longer."""

PREDICTING_SECONDS = 60.0
"""How long a file is predicted: one visitor's is not to keep a thread from all others."""

JUDGING_SECONDS = 20.0
"""How long labels are taken before the page is answered, for the same reason."""

AT_ONCE, OF_ONE = 4, 2
"""So many files are taken at the same time, by all workers of a machine together, and of one
sender: who takes an answer slowly keeps none of the others out."""

TURN_SECONDS, LOOK_SECONDS = 1.0, 0.02
"""How long one file waits for a turn, so that who reloads a page need not ask twice: an answer that
nobody takes any more ends with the next part that is made of it."""

LONGEST_NAME = 60
TRUTHS = (
    "text/csv",
    "application/jsonlines",
    "application/x-jsonlines",
    "application/x-ndjson",
    PARQUET,
)
_log = logging.getLogger(__name__)


class Upload:
    """A file that somebody sent, for as long as it takes to answer."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="unrot-", ignore_cleanup_errors=True)
        self.path = Path(self._folder.name) / "table.csv"
        self.turn: IO[bytes] | None = None
        """The lock that says that it is one of the few that are taken at once."""

    def take_form(self) -> None:
        """Keep the file of a form."""
        sent = request.files.get("file")
        if sent is None or not sent.filename:
            raise Invalid("Choose a file first.")
        self.path = self.path.with_name(own_name(sent.filename))
        sent.save(self.path)
        sent.close()

    def take_body(self) -> None:
        """Keep the body of the request."""
        with self.path.open("wb") as file:
            shutil.copyfileobj(request.stream, file)

    def forget(self) -> None:
        """Delete the file, and let the next one in."""
        self._folder.cleanup()
        if self.turn is not None:
            self.turn.close()


def admit() -> None:
    """Let this request be as large as an upload may be; refuse one that is larger or has no end."""
    most = service().settings.max_upload
    if "Transfer-Encoding" in request.headers:
        raise LengthRequired("Send the file with its length, as browsers and curl do.")
    if (request.content_length or 0) > most:
        drain()
        raise TooLarge(
            f"The file is larger than the {most:,} bytes that are taken (UNROT_MAX_UPLOAD): send "
            "it in parts, or have it predicted on the machine itself by python -m unrot predict."
        )
    request.max_content_length = most


def take_turn() -> IO[bytes]:
    """Be one of the few files that are taken at once on this machine; the lock goes with us."""
    folder = service().settings.home / "uploads"
    folder.mkdir(exist_ok=True)
    turn, problem = _find_turn(folder)
    ends_at = time.monotonic() + TURN_SECONDS
    with (folder / "next").open("wb") as queue:  # It has one place: the others keep no thread.
        while turn is None and time.monotonic() < ends_at and _is_free(queue):
            time.sleep(LOOK_SECONDS)
            turn, problem = _find_turn(folder)
    if turn is None:
        drain()
        raise TooMany(problem, 5.0)
    return turn


def _find_turn(folder: Path) -> tuple[IO[bytes] | None, str]:
    """Take a turn if there is one; else say why there is none. One looks at a time."""
    with (folder / "door").open("wb") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        return _take_place([folder / str(number) for number in range(AT_ONCE)])


def _take_place(places: Sequence[Path]) -> tuple[IO[bytes] | None, str]:
    """Lock a free place and write there who has it; else say why there is none."""
    sender = doorkeeper().subject(request.remote_addr).encode()
    turn, own = None, 0
    for path in places:
        place = path.open("a+b")
        is_free = _is_free(place)
        if is_free and turn is None:
            turn = place
            continue
        place.seek(0)
        if sender and not is_free and place.read() == sender:
            own += 1
        place.close()
    if turn is None:
        return None, f"{AT_ONCE} files are being taken already: try again in a moment."
    if own >= OF_ONE:
        turn.close()
        return None, f"{OF_ONE} files from your network are being taken already: wait for one."
    turn.truncate(0)
    turn.write(sender)
    turn.flush()
    return turn, ""


def _is_free(place: IO[bytes]) -> bool:
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def own_name(given: str) -> str:
    """Return a file's name as it can stand in a folder and a sentence.

    >>> own_name('C:\\\\my data\\\\häuser "neu".csv'), own_name("../..")
    ('häuser "neu".csv', 'table.csv')
    """
    name = given.replace("\\", "/").rpartition("/")[2]
    name = "".join(char for char in name if char.isprintable()).strip()
    stem, dot, ending = name.rpartition(".")
    name = f"{stem[:LONGEST_NAME]}{dot}{ending[:10]}" if stem else name[:LONGEST_NAME]
    name = name.encode("utf-8", "ignore").decode()
    return name if name.strip(".") else "table.csv"


def is_csv() -> bool:
    """Tell whether a program sends a whole file."""
    return request.mimetype == "text/csv"


def is_truths() -> bool:
    """Tell whether a program sends a whole file of what is true."""
    return request.mimetype in TRUTHS


@contextmanager
def taken(take: Callable[[Upload], None]) -> Iterator[Upload]:
    """Take a file from a request; forget it again when something is wrong with it."""
    upload = Upload()
    try:
        admit()
        upload.turn = take_turn()
        take(upload)
        yield upload
    except OSError as error:
        upload.forget()
        raise Unavailable(
            f"The file could not be taken ({error.strerror}): try again; perhaps the disk for "
            "temporary files is full."
        ) from error
    except BaseException:
        upload.forget()
        raise


def predicted(
    upload: Upload, model: str, version: str | None, *, shares: bool, caller: Caller
) -> Response:
    """Answer a file with its rows and what is predicted of them, as they are predicted."""
    service().limits.admit(caller, 1)  # Who has nothing left is told before the answer begins.
    batch = Batch(
        *(service(), model, upload.path),
        version=version,
        with_probabilities=shares,
        caller=caller,
    )
    answer = Response(_parts(batch), mimetype="text/csv")
    answer.headers["Content-Disposition"] = attachment(f"{upload.path.stem}-predicted.csv")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Delimiter"] = str(ord(batch.file.delimiter))
    answer.call_on_close(upload.forget)
    return answer


def attachment(name: str) -> str:
    """Tell a browser to save the answer under a name, which need not be ASCII.

    >>> attachment('häuser.csv')
    "attachment; filename=hauser.csv; filename*=UTF-8''h%C3%A4user.csv"
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    options = {"filename": plain.replace('"', "_")}
    if options["filename"] != name:
        options["filename*"] = f"UTF-8''{quote(name, safe='')}"
    return dump_options_header("attachment", options)


def judged(truths: TruthFile, caller: Caller) -> str:
    """Keep the verdicts of a file; return why it was not read to its end, nothing if it was."""
    ends_at = time.monotonic() + JUDGING_SECONDS
    try:
        for _ in truths.parts(caller):
            if truths.judged.rows and time.monotonic() > ends_at:
                return (
                    f"The file is long: it was taken to line {truths.judged.line:,}. Send the rows "
                    "below that line in a file of their own, with the header."
                )
    except UnrotError as error:
        if not truths.judged.rows:
            raise
        return f"The file was taken to line {truths.judged.line:,}: {error.message}"
    return ""


def told(truths: TruthFile, problem: str) -> dict[str, Any]:
    """What became of the labels, for programs."""
    counted = truths.judged
    return {
        "rows": counted.rows,
        "counts": dict(counted.counts),
        "lines": dict(counted.lines),
        "last_line": counted.line,
        "problem": problem or None,
    }


def _parts(batch: Batch) -> Iterator[bytes]:
    """Write the answer; one that has to end before the file does says so in its last row."""
    try:
        yield from batch.parts(patience_seconds=PATIENCE_SECONDS, seconds=PREDICTING_SECONDS)
    except UnrotError as error:
        yield batch.last_part(error.message)
    except Exception:
        _log.exception("A batch ended early.")
        yield batch.last_part("Something went wrong here. It was written to the log.")
