"""The command line: each command reads its arguments, calls one use case and prints.

What is heavy (scikit-learn, the demos) is imported by the command that needs it, so that the
others start at once.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from unrot import upkeep_commands
from unrot.bootstrap import open_service, writer_name
from unrot.caretaker import AlreadyRunning, Caretaker, stop_with_parent
from unrot.errors import Invalid, UnrotError
from unrot.records import Model, Version
from unrot.run import run
from unrot.settings import Settings, load
from unrot.terminal import Progress, table

DEMOS = ("iris", "zombies", "heart")
ESTIMATORS = ("mlp", "sgd", "logistic", "tree", "forest", "hgb")


def main(arguments: Sequence[str]) -> int:
    """Run one command; return the exit status."""
    options = parser().parse_args(arguments)
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.WARNING)
    try:
        status: int = options.command(options, load())
        return status
    except UnrotError as error:
        print(error.message, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130


def train(options: argparse.Namespace, settings: Settings) -> int:
    """Train a demo model and register it; the first version becomes champion."""
    from unrot import demos
    from unrot.models.training import train as fit

    if options.csv is not None and options.name != "heart":
        raise Invalid(f"--csv is for the heart demo; {options.name} brings its own data.")

    service = open_service(settings)
    service.store.check()
    progress = Progress(f"Training {options.name}")
    try:
        progress(0.0, "reading the data")
        given = {} if options.csv is None else {"csv": options.csv}
        data = demos.DEMOS[options.name](**given)
        candidate = fit(data, options.estimator, progress)
        progress(0.95, "registering")
        model = Model(data.name, 0, data.title, data.description, data.schema, service.clock())
        version = service.publish(model, candidate)
        progress(1.0, "done")
    finally:
        progress.close()
    _print_trained(version, service.aliases(model.name))
    return 0


def versions(options: argparse.Namespace, settings: Settings) -> int:
    """List the versions of a model."""
    service = open_service(settings)
    listed = service.versions(options.name)
    pointed = service.aliases(options.name)
    head = ("version", "alias", "estimator", "origin", "accuracy", "served by", "made")
    print(table([head, *(_version_row(version, pointed) for version in listed)]))
    return 0


def caretaker(options: argparse.Namespace, settings: Settings) -> int:
    """Look after this home folder until told to stop."""
    service = open_service(settings)
    keeper = Caretaker(service, writer_name(settings))
    if options.with_parent:
        stop_with_parent(keeper)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: keeper.stop())
    try:
        keeper.run(wait=options.with_parent)
    except AlreadyRunning as error:
        print(error.message)
    return 0


def serve(_options: argparse.Namespace, settings: Settings) -> int:
    """Train what is missing, start the server and wait."""
    return run(settings)


def check(_options: argparse.Namespace, settings: Settings) -> int:
    """Verify the settings and the store, bringing its tables up to date."""
    service = open_service(settings)
    service.store.check()
    print("The settings parse, and the store answers with its tables up to date.")
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(prog="unrot", description="Deploy a model; see it rot.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    command = commands.add_parser("run", help="train the missing demos and serve")
    command.set_defaults(command=serve)

    command = commands.add_parser("train", help="train a demo model")
    command.add_argument("name", choices=DEMOS)
    command.add_argument("--estimator", choices=ESTIMATORS, default="mlp")
    command.add_argument("--csv", type=Path, metavar="PATH", help="the file of the heart demo")
    command.set_defaults(command=train)

    command = commands.add_parser("versions", help="list the versions of a model")
    command.add_argument("name", metavar="MODEL")
    command.set_defaults(command=versions)

    command = commands.add_parser("check", help="verify the settings and the store")
    command.set_defaults(command=check)

    command = commands.add_parser("caretaker", help="ship the journal until stopped")
    command.add_argument("--with-parent", action="store_true", help="end with the parent process")
    command.set_defaults(command=caretaker)

    upkeep_commands.add_to(commands)
    return parser


def _print_trained(version: Version, aliases: dict[str, str]) -> None:
    rows = [(name, f"{value:.4f}") for name, value in version.metrics.items()]
    print(table([("metric", "on the holdout"), *rows]))
    role = _role(version, aliases)
    print(f"{version.model} {version.name} is registered{f' as {role}' if role else ''}.")
    if version.serving.by == "onnx":
        print(
            f"Served by ONNX: on {version.serving.compared_rows:,} rows it differs from "
            f"scikit-learn by at most {version.serving.largest_difference:.1e}."
        )
    else:
        print(f"Served by scikit-learn: {version.serving.reason}")


def _role(version: Version, aliases: dict[str, str]) -> str:
    return ", ".join(alias for alias, name in aliases.items() if name == version.name)


def _version_row(version: Version, aliases: dict[str, str]) -> tuple[str, ...]:
    accuracy = version.metrics.get("accuracy")
    return (
        version.name,
        _role(version, aliases) or "-",
        version.estimator,
        version.origin,
        "-" if accuracy is None else f"{accuracy:.4f}",
        version.serving.by,
        datetime.fromtimestamp(version.created_at, UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )
