"""The command line: each command reads its arguments, calls one use case and prints.

What is heavy (scikit-learn, the demos) is imported by the command that needs it, so that the
others start at once.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unrot.cli import (
    access,
    add,
    batch,
    compare,
    demo,
    history,
    kafka,
    learn,
    moving,
    reference,
    report,
    upkeep,
    watch,
)
from unrot.cli.report import Render
from unrot.cli.terminal import Progress, table
from unrot.core import descriptions, logs
from unrot.core.acting import Act, acting, from_terminal
from unrot.core.dataset import Dataset
from unrot.core.errors import AlreadyRunning, Invalid, UnrotError
from unrot.core.plurals import counted
from unrot.core.records import Model, Version
from unrot.core.settings import Settings, load
from unrot.core.test_sets import MeasuredOn, measured_on
from unrot.core.time import short_time
from unrot.make import models
from unrot.make.publishing import publish
from unrot.run.bootstrap import open_service, writer_name
from unrot.run.caretaker import Caretaker
from unrot.run.parent import stop_with_parent
from unrot.run.serve import page_address, run
from unrot.serve.service import Service
from unrot.serve.shelf import sync

GROUPS = (
    *(add, batch, kafka, learn, compare, history, reference, watch, report),
    *(upkeep, moving, access, demo),
)
"""Commands of more than a few lines, in the order of the help."""
DEMOS = ("iris", "zombies", "heart")
DEMO_ESTIMATOR = STREAM_ESTIMATOR = "mlp"
TABLE_ESTIMATOR = "hgb"
"""It takes gaps as they are, and columns of any scale."""

OF_TABLES = (
    *("target", "name", "describe", "drop", "categories", "numbers", "decimal"),
    *("holdout", "holdout_csv", "seed", "dry_run"),
)
UNATTENDED = ("run", "caretaker", "learner", "kafka")
"""They go on by themselves: what they change is nobody's at a terminal."""

ESTIMATORS = "mlp, sgd, logistic, tree, forest, hgb, linear, ridge"


def main(arguments: Sequence[str], *, render: Render | None = None) -> int:
    """Run one command; return the exit status. `render` draws a report."""
    options = parser().parse_args(arguments)
    options.render = render
    try:
        settings = options.load()
        logs.set_up(settings.log)
        with acting(_act(options)):
            status: int = options.command(options, settings)
        return status
    except UnrotError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130


def _act(options: argparse.Namespace) -> Act | None:
    """Return what somebody at a terminal has begun."""
    if options.called in UNATTENDED:
        return None
    model = getattr(options, "name", None) or getattr(options, "old", None) or ""
    on = getattr(options, "version", None) or ""
    return from_terminal(options.called.replace("-", " "), model, on)


def train(options: argparse.Namespace, settings: Settings) -> int:
    """Train a demo or a table of one's own and register it; the first version is champion."""
    _check_train(options)
    service = open_service(settings)
    if not options.dry_run:
        service.store.check()
    words = {} if options.describe is None else descriptions.read(options.describe)
    data = _table(options) if options.demo is None else _demo(options)
    model = _model(data, words, service)
    if options.dry_run:
        return 0
    version, aliases = _fitted(data, model, _estimator(options), service, is_stream=options.stream)
    if words:
        models.describe(service, model.name, words)
    _print_trained(model.name, version, aliases)
    page = page_address(settings, f"/models/{model.name}")
    print(f"Its page, while the server runs: {page}")
    return 0


def versions(options: argparse.Namespace, settings: Settings) -> int:
    """List the versions of a model."""
    service = open_service(settings)
    sync(service.shelf.folder, service.store.registry)
    model = service.catalogue().model(options.name).model.key
    listed, pointed = service.versions(model), service.aliases(model)
    sets = measured_on(listed)
    head = ("version", "alias", "estimator", "origin", "test set", "score", "served by", "made")
    print(table([head, *(_version_row(one, pointed, sets.get(one.name)) for one in listed)]))
    for on in dict.fromkeys(sets.values()):
        print(f"Test set {on.name}: {on.sentence}.")
    if len(set(sets.values())) > 1:
        print("Scores of different test sets cannot be compared.")
    return 0


def caretaker(options: argparse.Namespace, settings: Settings) -> int:
    """Look after this home folder until told to stop."""
    service = open_service(settings)
    keeper = Caretaker(service, writer_name(settings), jobs_only=options.jobs_only)
    if options.with_parent is not None:
        stop_with_parent(keeper.stop, options.with_parent)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: keeper.stop())
    try:
        keeper.run(wait=options.with_parent is not None)
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
    parser.set_defaults(load=load)
    subparsers = parser.add_subparsers(
        title="commands", required=True, metavar="COMMAND", dest="called"
    )

    command = subparsers.add_parser("run", help="train the missing demos and serve")
    command.set_defaults(command=serve)

    command = subparsers.add_parser("train", help="train a demo model, or one on your own table")
    _add_train_options(command)
    command.set_defaults(command=train)

    command = subparsers.add_parser("versions", help="list the versions of a model")
    command.add_argument("name", metavar="MODEL")
    command.set_defaults(command=versions)

    command = subparsers.add_parser("check", help="verify the settings and the store")
    command.set_defaults(command=check)

    command = subparsers.add_parser(
        "caretaker", help="copy the journal into the store until stopped"
    )
    command.add_argument(
        "--with-parent", nargs="?", type=int, const=0, metavar="PID", help="end with the parent"
    )
    command.add_argument("--jobs-only", action="store_true", help="for a machine that serves none")
    command.set_defaults(command=caretaker)

    for group in GROUPS:
        group.add_to(subparsers)
    return parser


def _add_train_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("demo", nargs="?", choices=DEMOS)
    command.add_argument(
        "--estimator", metavar="NAME", help=f"{ESTIMATORS}, or your own: package.module:function"
    )
    command.add_argument(
        "--stream", action="store_true", help="see 100 rows now, the others one by one later"
    )
    command.add_argument("--csv", type=Path, metavar="FILE", help="your table, or that of heart")
    command.add_argument("--target", metavar="COLUMN", help="what is to be predicted")
    command.add_argument("--name", help="what the model is to be called")
    command.add_argument("--describe", type=Path, metavar="FILE", help="words for people, in TOML")
    command.add_argument("--drop", action="append", metavar="COLS", help="columns to leave out")
    command.add_argument(
        "--categories", action="append", metavar="COLS", help="columns whose numbers are names"
    )
    command.add_argument(
        "--numbers", action="append", metavar="COLS", help="columns that hold numbers all the same"
    )
    command.add_argument(
        "--decimal", choices=(",", "."), help="how to read 3,504 where the file does not tell"
    )
    judges = command.add_mutually_exclusive_group()
    judges.add_argument("--holdout", type=float, metavar="SHARE", help="held out; 0.2 if unsaid")
    judges.add_argument("--holdout-csv", type=Path, metavar="FILE", help="the rows held out")
    command.add_argument(
        "--seed", type=int, default=0, metavar="N", help="the seed of random choices"
    )
    command.add_argument("--dry-run", action="store_true", help="show the schema, train nothing")


def _check_train(options: argparse.Namespace) -> None:
    """Tell a demo from a table before anything is read."""
    if options.demo is None:
        needed = {"--csv": options.csv, "--target": options.target}
        needed |= {} if options.dry_run else {"--name": options.name}
        missing = [option for option, given in needed.items() if not given]
        if missing:
            raise Invalid(
                f"{', '.join(missing)} missing: name a demo ({', '.join(DEMOS)}), or bring a "
                "table: --csv FILE --target COLUMN --name NAME."
            )
        return
    if options.csv is not None and options.demo != "heart":
        raise Invalid(f"--csv is for the heart demo; {options.demo} brings its own data.")
    given = [f"--{word.replace('_', '-')}" for word in OF_TABLES if getattr(options, word)]
    if given:
        raise Invalid(f"{', '.join(given)}: for a table of your own, without {options.demo}.")


def _demo(options: argparse.Namespace) -> Dataset:
    # It brings in scikit-learn.
    from unrot.make import demos

    given = {} if options.csv is None else {"csv": options.csv}
    return demos.DEMOS[options.demo](**given)


def _table(options: argparse.Namespace) -> Dataset:
    """Read a table of one's own and show what it was found to be."""
    # It brings in numpy.
    from unrot.make import csv
    from unrot.make.csv import summary

    given = csv.TableOptions(
        csv=options.csv,
        target=options.target,
        name=options.name or "table",
        drop=csv.split_names(options.drop),
        categories=csv.split_names(options.categories),
        numbers=csv.split_names(options.numbers),
        decimal=options.decimal,
        holdout=csv.DEFAULT_HOLDOUT if options.holdout is None else options.holdout,
        holdout_csv=options.holdout_csv,
        seed=options.seed,
    )
    progress = Progress(f"Reading {options.csv.name}")
    try:
        loaded = csv.load(given, progress)
    finally:
        progress.close()
    print(table(summary.schema_table(loaded)))
    print("\n".join(["", *summary.sentences(loaded), ""]))
    return loaded.dataset


def _estimator(options: argparse.Namespace) -> str:
    usual = DEMO_ESTIMATOR if options.demo else TABLE_ESTIMATOR
    return options.estimator or (STREAM_ESTIMATOR if options.stream else usual)


def _model(data: Dataset, words: Mapping[str, Any], service: Service) -> Model:
    """Return the model of a dataset, in the words of the one who describes it."""
    model = Model(data.name, 0, data.title, data.description, data.schema, service.clock())
    return descriptions.described(model, words)


def _fitted(
    data: Dataset, model: Model, estimator: str, service: Service, *, is_stream: bool
) -> tuple[Version, dict[str, str]]:
    """Fit on a dataset and register what came of it."""
    # It brings in scikit-learn.
    from unrot.make.stream import start
    from unrot.make.train import train as fit

    progress = Progress(f"Training {data.name}")
    try:
        candidate = (start if is_stream else fit)(data, estimator, progress)
        progress(0.95, "registering")
        version = publish(service, model, candidate)
        progress(1.0, "done")
    finally:
        progress.close()
    return version, service.aliases(version.model)


def _print_trained(name: str, version: Version, aliases: dict[str, str]) -> None:
    rows = [(name, _metric(name, value)) for name, value in version.metrics.items()]
    print(table([("metric", "on the rows held out"), *rows]))
    role = _role(version, aliases)
    print(f"{name} {version.name} is registered{f' as {role}' if role else ''}.")
    if version.serving.by == "onnx":
        print(
            f"Served by ONNX: on {counted(version.serving.compared_rows, 'row')} it differs from "
            f"scikit-learn by at most {version.serving.largest_difference:.1e}."
        )
    else:
        print(f"Served by scikit-learn: {version.serving.reason}")


def _metric(name: str, value: float) -> str:
    if name.startswith("rows"):
        return f"{value:,.0f}"
    return f"{value:g}" if name in ("split", "seed") else f"{value:.4f}"


def _role(version: Version, aliases: dict[str, str]) -> str:
    return ", ".join(alias for alias, name in aliases.items() if name == version.name)


def _score(version: Version) -> str:
    for name, word in (("accuracy", "accuracy"), ("mae", "mean error")):
        if name in version.metrics:
            return f"{word} {version.metrics[name]:.4f}"
    return "-"


def _version_row(
    version: Version, aliases: dict[str, str], on: MeasuredOn | None
) -> tuple[str, ...]:
    return (
        version.name,
        _role(version, aliases) or "-",
        version.estimator,
        version.origin,
        "-" if on is None else on.name,
        _score(version),
        version.serving.by,
        short_time(version.created_at),
    )
