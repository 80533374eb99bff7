"""The rule that holds an answer, and the rows that are like its own, of a version on the shelf.

Both go by the examples that are kept beside the version, and are found one request at a time.
"""

from __future__ import annotations

from collections.abc import Sequence

from unrot.core.errors import Invalid
from unrot.core.records import Row, Schema, Version
from unrot.core.threads import on_one_thread
from unrot.explain.anchors import Rule, find_rule
from unrot.explain.examples import examples_of
from unrot.explain.explaining import turn
from unrot.explain.neighbours import Neighbour, find_neighbours
from unrot.serve.shelf import Contents, Shelf, ShelvedModel

SECONDS = 1.5
"""For a rule: what is not found by then is told as not found."""


def rule_of(
    shelf: Shelf,
    contents: Contents,
    shelved: ShelvedModel,
    version: Version,
    row: Row,
    *,
    seconds: float = SECONDS,
) -> Rule:
    """Find the rule that holds what a version answers to a row that the schema has checked."""
    schema = shelved.model.schema
    check_has_rules(schema)
    with turn(), on_one_thread():
        table = examples_of(shelf, shelved, version).table
        predictor = shelf.predictor(contents, version)
        return find_rule(predictor, schema, table, row, seconds=seconds)


def check_has_rules(schema: Schema) -> None:
    """Return for a classifier; of a number no rule says that it stays."""
    if not schema.is_classifier:
        raise Invalid("Rules are for classes: the answer of this model is a number.")


def neighbours_of(
    shelf: Shelf, shelved: ShelvedModel, version: Version, row: Row
) -> Sequence[Neighbour]:
    """Find the rows of the training that are most like a row that the schema has checked."""
    with turn():
        return find_neighbours(shelved.model.schema, examples_of(shelf, shelved, version), row)
