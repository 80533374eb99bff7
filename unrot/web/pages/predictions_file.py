"""The predictions that are shown, as CSV: written while they are read, in bounded memory."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from itertools import chain, islice

from flask import Response, request

from unrot.core.errors import UnrotError
from unrot.core.records import JudgedPrediction, Model
from unrot.core.time import iso_time
from unrot.make.csv.writing import csv_lines
from unrot.run.exporting import Column, columns_of, parts_of
from unrot.run.table_files import csv_stream
from unrot.serve.service import Service
from unrot.watch.reports.predictions import (
    Look,
    Sought,
    find_predictions,
    matching,
    open_look,
    worst_first,
)
from unrot.web.current import service
from unrot.web.pages.models import blueprint
from unrot.web.pages.predictions import choose_columns
from unrot.web.predictions_query import sought_of
from unrot.web.routes import VIEWER
from unrot.web.uploads import attachment

LOOKS = 20
"""A file goes through so many times as much as a page: a million predictions, or 40 seconds."""
MOST_WORST, MOST_CELLS = 5_000, 200_000
"""So many mistakes a file has that is in their order: they are ordered in memory."""

_log = logging.getLogger(__name__)


@blueprint.page("GET", "/models/<model>/predictions.csv", needs=VIEWER)
def predictions_file(model: str) -> Response:
    """Send the predictions that are looked for, in the columns that are shown."""
    of = service().catalogue().model(model).model
    sought = sought_of(request.args, of.schema, service().clock())
    columns = [one.column for one in choose_columns(of.schema) if one.is_shown]
    columns = columns or list(columns_of(of.schema, with_probabilities=False)[0])
    look = open_look(of.schema, LOOKS)
    rows = _rows(service(), of, sought, look)
    first = list(islice(rows, 1))  # while it can still be said that the store is away
    answer = Response(_lines(chain(first, rows), look, columns), mimetype="text/csv")
    answer.headers["Content-Disposition"] = attachment(f"{of.name}-predictions.csv")
    return answer


def _lines(
    rows: Iterator[JudgedPrediction], look: Look, columns: Sequence[Column]
) -> Iterator[bytes]:
    """Write the file; one that ends early says so in its last line."""
    try:
        yield from csv_stream(columns, parts_of(rows, columns))
    except UnrotError as error:
        yield _last(error.message)
    except Exception:
        _log.exception("A file of predictions ended early.")
        yield _last("Something went wrong here. It was written to the log.")
    if look.is_cut and look.last:
        yield _last(f"Older ones were not looked at: ask again up to {iso_time(look.last[0])}.")


def _last(said: str) -> bytes:
    return csv_lines([[f"The file ends here. {said}"]], ",")


def _rows(unrot: Service, model: Model, sought: Sought, look: Look) -> Iterator[JudgedPrediction]:
    if sought.id is not None or sought.key is not None:
        return iter(find_predictions(unrot, model.name, sought, limit=1).rows)
    fitting = matching(unrot, model, sought, look)
    if sought.order == "newest":
        return fitting
    return iter(worst_first(fitting, min(MOST_WORST, MOST_CELLS // len(model.schema.features))))
