"""The command `compare`: two versions side by side, as a table."""

from __future__ import annotations

import argparse
from typing import Any

from unrot.cli.terminal import table
from unrot.core.numbers import rough
from unrot.core.percent import percent
from unrot.core.plurals import counted
from unrot.core.records import Version
from unrot.core.settings import Settings
from unrot.learn import compare as comparison
from unrot.learn.compare import Beside, Comparison
from unrot.run.bootstrap import open_service
from unrot.serve.shelf import sync

MOST_MISTAKES = 5


def add_to(commands: Any) -> None:
    """Add the command to the parser's subparsers."""
    command = commands.add_parser("compare", help="put two versions side by side")
    command.add_argument("name", metavar="MODEL")
    command.add_argument("first", metavar="VERSION")
    command.add_argument("second", metavar="VERSION")
    command.set_defaults(command=compare)


def compare(options: argparse.Namespace, settings: Settings) -> int:
    """Let both answer the anchor and the verdicts that only judge; print how they differ."""
    service = open_service(settings)
    sync(service.shelf.folder, service.store.registry)
    found = comparison.compare(service, options.name, options.first, options.second)
    is_classifier = service.catalogue().model(options.name).model.schema.is_classifier
    for ground, beside in found.grounds:
        print(f"\n{_on(found, beside) if ground == 'anchor' else _judging(beside)}:")
        print(table(_rows(found.first, found.second, beside, is_classifier=is_classifier)))
        print(_said(beside))
    for sentence in found.missing:
        print(f"\n{sentence}")
    return 0


def _on(found: Comparison, beside: Beside) -> str:
    """Say which rows the anchor is, and how many of them were answered."""
    if found.on is None:
        return f"On the test set, {counted(beside.rows, 'row')}"
    drawn = f"{beside.rows:,} of the " if beside.rows < found.on.rows else ""
    return f"On test set {found.on.name}, {drawn}{found.on.sentence}"


def _judging(beside: Beside) -> str:
    return f"On recent verdicts that only judge, {counted(beside.rows, 'row')}"


def _rows(
    first: Version, second: Version, beside: Beside, *, is_classifier: bool
) -> list[tuple[str, str, str]]:
    judged = beside.judged
    score, alone = ("accuracy", "alone right") if is_classifier else ("mean error", "closer")
    rows = [
        ("", first.name, second.name),
        (score, _spelt(judged.first_score), _spelt(judged.second_score)),
        (alone, f"{judged.first_only_right:,}", f"{judged.second_only_right:,}"),
    ]
    rows += [
        (f"finds {recall.label}"[:40], _spelt(recall.first), _spelt(recall.second))
        for recall in judged.recalls[:MOST_MISTAKES]
    ]
    return rows


def _said(beside: Beside) -> str:
    if beside.apart is not None:
        return f"Their answers lie {rough(beside.apart)} apart in the mean."
    judged = beside.judged
    differ = counted(beside.differ, "row")
    said = f"They agree on {percent(beside.agreement or 0)} and differ on {differ}."
    if judged.first_only_right + judged.second_only_right and judged.chance > 0.05:
        said += f" These rows do not tell them apart (p = {judged.chance:.2g})."
    return said


def _spelt(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
