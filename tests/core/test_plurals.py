"""A number and its noun agree: 1 row, never 1 rows, in no sentence of the product."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from unrot.core.plurals import counted

ROOT = Path(__file__).resolve().parents[2]
NOUNS = (
    "batches|bins|candidates|cells|changes|characters|choices|classes|columns|days|entries|errors|"
    "features|fields|files|findings|gaps|hours|jobs|labels|lines|minutes|mistakes|models|parts|"
    "periods|predictions|profiles|recipes|rows|samples|seconds|steps|stretches|times|tries|values|"
    "verdicts|versions|voters|weeks|windows|workers"
)
SEVERAL = re.compile(rf"\s(?:[a-z-]+ ){{0,2}}(?:{NOUNS})\b")
NO_COUNT = re.compile(
    r"^[A-Z][A-Z_.]+$|[pP]ercent|clip|waited|score|\b(name|id|most|version)$|"
    r"\.(candidate|labels|value)$"
)
"""Constants above 1, shares and other things that do not count the noun behind them."""
IN_TEMPLATES = re.compile(
    rf"{{{{ ?([^{{}}]*(?:\|number|\|length|format\([^{{}}]*\)|[a-z_.]+)) ?}}}}{SEVERAL.pattern}"
)
NEVER_ONE = {
    "unrot/watch/audit.py": {"more"},  # 10 at least
    "unrot/make/demos/tables.py": {"len(names)"},  # the heart table
    "unrot/make/csv/pasted.py": {"len(cells)", "rows", "len(text)"},  # several
    "unrot/make/trainable.py": {"len(labels)"},  # of two classes
    "unrot/watch/reports/periods.py": {"len(found)"},
    "unrot/core/schema.py": {"len(rows)"},  # too many
    "unrot/make/csv/columns.py": {"len(places)"},  # too many
    "unrot/make/csv/schema_inference.py": {"rows"},  # free text
    "unrot/make/csv/summary.py": {"len(classes)"},
    "unrot/make/csv/__init__.py": {"len(schema.classes)"},
    "unrot/make/external.py": {"len(schema.classes)"},
    "unrot/hear/verdicts.py": {"count"},  # too many
    "unrot/web/protocols/tables.py": {"rows"},  # too many
    "unrot/web/protocols/tensors.py": {"len(rows)", "count"},
    "unrot/watch/monitors/estimate/look.py": {
        "period.estimated.rows",
        "period.realised.count",
    },  # 30 at least
    "unrot/watch/monitors/outliers/look.py": {"rate.looked_at"},
    "unrot/learn/gate/gate.py": {"pair.rows", "recall.rows"},
    "unrot/learn/rollback.py": {"len(errors)"},
    "unrot/watch/monitors/slices/look.py": {"tally.predictions"},  # more than were judged
    "unrot/watch/monitors/rot/cause/rule.py": {"len(self.evidence.after)"},  # 100 at least
    "unrot/watch/reports/health.py": {"signs.judged", "all_of_them", "times"},
    "unrot/watch/monitors/slices/words.py": {"one.count"},  # 20 at least
    "unrot/watch/monitors/quality/words.py": {"piece.rows"},
    "unrot/watch/monitors/rot/words.py": {"now.predicted"},  # more than were judged
    "unrot/watch/reports/accuracy.py": {"least"},  # 60 at least
    "unrot/store/operations.py": {"len(changes)"},  # more than 400
    "unrot/make/demos/rotting.py": {"seconds"},
    "unrot/web/charts/curve.py": {"metric"},  # a word
}
"""What counts something that there are always several of, where the sentence is said."""


WRITTEN = ("counted(", "roughly(", "percent(")
"""What writes its number with what it counts."""


def unsure(file: Path) -> Iterator[str]:
    """Find a plural that follows a number in a text that is filled in."""
    for node in ast.walk(ast.parse(file.read_text())):
        if not isinstance(node, ast.JoinedStr):
            continue
        for value, text in pairwise(node.values):
            if isinstance(value, ast.FormattedValue) and isinstance(text, ast.Constant):
                said = ast.unparse(value.value)
                is_number = not NO_COUNT.search(said) and "*" not in said
                if is_number and SEVERAL.match(str(text.value)) and not said.startswith(WRITTEN):
                    yield said


def test_no_sentence_says_one_rows() -> None:
    found = {
        str(file.relative_to(ROOT)): set(unsure(file))
        - NEVER_ONE.get(str(file.relative_to(ROOT)), set())
        for file in (ROOT / "unrot").rglob("*.py")
        if file.name != "plurals.py"
    }

    assert {file: said for file, said in found.items() if said} == {}


def test_no_page_says_one_rows() -> None:
    found = {
        str(file.relative_to(ROOT)): [
            match[0]
            for match in IN_TEMPLATES.finditer(file.read_text())
            if not re.search("percent|counted|100|model.schema.classes", match[1])
        ]
        for file in (ROOT / "templates").rglob("*.html")
    }

    assert {file: said for file, said in found.items() if said} == {}


@pytest.mark.parametrize(
    ("noun", "one", "two"),
    [
        ("row", "1 row", "2 rows"),
        ("class", "1 class", "2 classes"),
        ("try", "1 try", "2 tries"),
        ("entry", "1 entry", "2 entries"),
        ("recent prediction", "1 recent prediction", "2 recent predictions"),
        ("stretch", "1 stretch", "2 stretches"),
    ],
)
def test_number_and_noun_agree(noun: str, one: str, two: str) -> None:
    assert (counted(1, noun), counted(1.0, noun), counted(2, noun)) == (one, one, two)
