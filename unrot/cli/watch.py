"""The command of watching: what counts as a symptom of a model."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from unrot.cli.learn import opened, pairs
from unrot.cli.terminal import table
from unrot.core.options import as_text
from unrot.core.rules import describe, parse_texts, sentences
from unrot.core.settings import Settings
from unrot.watch import findings


def add_to(commands: Any) -> None:
    """Add this command to the parser's subparsers."""
    command = commands.add_parser("rules", help="say or change what counts as a symptom")
    command.add_argument("name", metavar="MODEL")
    command.add_argument(
        "--set",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        dest="changes",
        help="such as distance=0.2, or features.age.watched=off for one feature",
    )
    command.set_defaults(command=rules)


def rules(options: argparse.Namespace, settings: Settings) -> int:
    """Say what counts as a symptom of a model, after changing it where asked."""
    service = opened(settings)
    if options.changes:
        given = dict(pairs(options.changes))
        now = findings.change_rules(service, options.name, given, read=parse_texts)
    else:
        now = findings.rules(service, options.name)
    said = describe(now)
    rows = [(key, _text(value)) for key, value in said.items() if key != "features"]
    rows += [
        (f"features.{name}.{key}", _text(value))
        for name, rule in said["features"].items()
        for key, value in rule.items()
    ]
    print(table([("rule", options.name), *rows]))
    print("\n".join(sentences(now)))
    return 0


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        value = as_text(value)
    return "none" if value in (None, "") else str(value)
