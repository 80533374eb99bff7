"""Rows that other people's clients ask the reasons of: explained, and not kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from unrot.core.records import Schema
from unrot.core.schema import parse_rows
from unrot.serve.shelf import ShelvedModel
from unrot.web.api.explanations import Explained, written
from unrot.web.current import service
from unrot.web.protocols.tables import Given, fitted, version_of
from unrot.web.security import caller_where_all_may


def explain_given(
    shelved: ShelvedModel, version: str | None, read: Callable[[Schema], Sequence[Given]]
) -> list[Explained]:
    """Say why rows are answered as they are."""
    # It is loaded when somebody asks why: no plain prediction needs it.
    from unrot.explain.explaining import check_count, explain_rows

    of, schema = service(), shelved.model.schema
    named = shelved.version(version_of(shelved, version))
    rows = fitted(schema, read(schema))
    check_count(len(rows))
    of.limits.admit_explaining(caller_where_all_may(), len(rows))
    found = explain_rows(of.shelf, of.catalogue(), shelved, named, parse_rows(schema, rows))
    return [written(one, shelved.model.schema) for one in found]
