"""Pages, scripts and styles are sent compressed, a fifth of their bytes, to whoever takes that.

Answers of the API are not: a prediction is a few hundred bytes, and every microsecond of it counts.
"""

from __future__ import annotations

import gzip

from flask import Flask, Response, request

from unrot.core.newest import Newest

LEAST_BYTES = 1_000
EFFORT = 5
TYPES = ("text/html", "text/css", "text/javascript", "application/javascript", "image/svg+xml")
KEPT_BYTES = 4_000_000
"""Of files, which are compressed once; a page is another each time."""

_KEPT: Newest[tuple[str, str], bytes] = Newest(KEPT_BYTES, len)


def register(app: Flask) -> None:
    """Compress what is worth it, after everything else was done to an answer."""
    app.after_request_funcs.setdefault(None, []).insert(0, compress)


def compress(answer: Response) -> Response:
    """Compress an answer, if it may be."""
    if answer.mimetype not in TYPES or answer.status_code == 206:
        return answer
    answer.vary.add("Accept-Encoding")
    if not _is_worth_it(answer):
        return answer
    if answer.direct_passthrough:
        _compress_file(answer)
    else:
        answer.set_data(_packed(answer.get_data()))
    answer.headers["Content-Encoding"] = "gzip"
    answer.headers.pop("Accept-Ranges", None)
    if tag := answer.get_etag()[0]:
        answer.set_etag(tag, weak=True)
    return answer


def _is_worth_it(answer: Response) -> bool:
    takes = request.accept_encodings.quality("gzip") > 0
    is_plain = "Content-Encoding" not in answer.headers and request.method == "GET"
    is_whole = answer.status_code == 200 and (answer.content_length or 0) >= LEAST_BYTES
    return takes and is_plain and is_whole


def _compress_file(answer: Response) -> None:
    key, file = (request.path, str(answer.headers.get("ETag", ""))), answer.response
    answer.direct_passthrough = False
    known = _KEPT.get(key)
    answer.set_data(_KEPT.keep(key, _packed(answer.get_data())) if known is None else known)
    file.close()  # type: ignore[union-attr]


def _packed(data: bytes) -> bytes:
    return gzip.compress(data, EFFORT, mtime=0)
