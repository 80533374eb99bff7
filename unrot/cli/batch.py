"""The commands that go through whole files: predict, and feedback on what was predicted."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any

from unrot.cli.temporary_caretaker import shipped
from unrot.cli.terminal import Progress, table
from unrot.cli.whole_files import STANDARD_OUTPUT, check_free, written
from unrot.core.errors import UnrotError
from unrot.core.plurals import counted
from unrot.core.records import Caller
from unrot.core.settings import Settings
from unrot.make.csv.batches import Batch
from unrot.make.truth_files import open_ground_truth, open_truths
from unrot.run.bootstrap import open_service

OPERATOR = Caller(role="operator", judge="operator")
"""Who can write to the home folder can read the operator's token in it."""


def add_to(commands: Any) -> None:
    """Add these commands to the parser's subparsers."""
    command = commands.add_parser("predict", help="predict each row of a CSV file")
    command.add_argument("name", metavar="MODEL")
    command.add_argument("source", type=Path, metavar="IN.csv", help="the rows")
    command.add_argument("out", type=Path, metavar="OUT.csv", help="the answer; - prints it")
    command.add_argument("--version", metavar="VERSION", help="a version; unsaid, the champion")
    command.add_argument("--probabilities", action="store_true", help="add a column for each class")
    command.add_argument("--force", action="store_true", help="replace a file that is there")
    command.set_defaults(command=predict)

    command = commands.add_parser("feedback", help="judge predictions by a file of true labels")
    command.add_argument(
        "labels", type=Path, metavar="FILE", help="CSV, JSON lines or Parquet: id or key, and label"
    )
    command.add_argument("--model", metavar="MODEL", help="whose keys those of the file are")
    command.add_argument(
        "--ground-truth", metavar="MODEL", help="the file is SageMaker's JSON lines, of this model"
    )
    command.add_argument("--out", type=Path, metavar="FILE", help="each row with its status")
    command.add_argument("--force", action="store_true", help="replace a file that is there")
    command.set_defaults(command=feedback)


def predict(options: argparse.Namespace, settings: Settings) -> int:
    """Predict a file; a row that is none is kept in its place, with the reason."""
    service = open_service(settings)
    batch = Batch(
        service,
        options.name,
        options.source,
        version=options.version,
        with_probabilities=options.probabilities,
    )
    check_free(options.out, force=options.force, source=options.source)
    progress = Progress(f"Predicting {options.source.name}")
    is_whole = False
    try:
        with shipped(settings.home, service.journal, progress):
            with written(options.out, force=options.force, source=options.source) as out:
                for part in batch.parts(progress):
                    out.write(part)
            is_whole = True
    except (KeyboardInterrupt, UnrotError):
        progress.close()
        _say(*_interrupted(batch, options.out, is_whole))
        raise
    finally:
        progress.close()
    _say(*_told(batch, options.out))
    return 0 if batch.predicted or not batch.bad else 1


def _interrupted(batch: Batch, out: Path, is_whole: bool) -> Iterator[str]:
    if is_whole:
        yield (
            f"{out} is complete; what is not in the store yet waits in the journal for the "
            "background worker."
        )
    elif batch.predicted:
        yield (
            f"{out} was not written. What was made is kept "
            f"({counted(batch.predicted, 'prediction')}); a second run begins again, with new ids."
        )


def feedback(options: argparse.Namespace, settings: Settings) -> int:
    """Keep the verdicts of a file as the operator's own; 1 when some had to be refused."""
    service = open_service(settings)
    truths = (
        open_ground_truth(service, options.labels, options.ground_truth)
        if options.ground_truth
        else open_truths(service, options.labels, options.model)
    )
    progress = Progress(f"Judging by {options.labels.name}")
    try:
        with _statuses(options) as out:
            for part in truths.parts(OPERATOR, progress):
                out.write(part)
    except (KeyboardInterrupt, UnrotError):
        progress.close()
        _say(f"Stopped after line {truths.judged.line:,}: what was kept until there stays kept.")
        raise
    finally:
        progress.close()
        if told := truths.judged.told():
            print(table([("what became of the labels", "rows", "where"), *told]))
    if not truths.judged.rows:
        _say(f"{options.labels} holds no rows.")
    return 1 if truths.judged.refused else 0


def _statuses(options: argparse.Namespace) -> AbstractContextManager[IO[bytes]]:
    """Open the file that takes each row with what became of it, if one was asked for."""
    out = Path(os.devnull) if options.out is None else options.out
    return written(out, force=options.force, source=options.labels)


def _told(batch: Batch, out: Path) -> Iterator[str]:
    yield from batch.notes
    said = (
        f"{counted(batch.predicted, 'row is', 'rows are')} predicted by {batch.model.name} "
        f"{batch.version.name}"
    )
    yield f"{said}, {batch.bad:,} could not be:" if batch.bad else f"{said}."
    yield from (f"  {problem}" for problem in batch.first_problems)
    if batch.bad > len(batch.first_problems):
        yield f"  and {batch.bad - len(batch.first_problems):,} more, each with its reason."
    if out != STANDARD_OUTPUT:
        yield f"The answer is in {out}."
    if batch.predicted:
        yield (
            "When the truth is known, put it beside the ids in a column called label and send it: "
            f"python -m unrot feedback {'FILE' if out == STANDARD_OUTPUT else out}"
        )


def _say(*sentences: str) -> None:
    """Print where it can never mix with an answer that is printed."""
    for sentence in sentences:
        print(sentence, file=sys.stderr)
