"""The commands that take data elsewhere: copy a store into another, export rows to a file."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from unrot.cli.terminal import Progress, table
from unrot.cli.whole_files import STANDARD_OUTPUT, check_free, written
from unrot.core.errors import Conflict, wrong_field
from unrot.core.plurals import counted
from unrot.core.settings import Settings, check_store_address, shown_store_address
from unrot.core.time import MOMENT_EXPECTED, read_moment, short_time
from unrot.run.bootstrap import open_service, open_source, open_target
from unrot.run.copying import GOES_ON, Copied, copy_store
from unrot.run.exporting import WORDS, open_export
from unrot.run.table_files import check_ending, write_table


def add_to(commands: Any) -> None:
    """Add the command to the parser's subparsers."""
    command = commands.add_parser("copy", help="copy all of one store into another")
    command.add_argument(
        "--from",
        dest="source",
        required=True,
        metavar="URL",
        help="the old store: sqlite:///PATH, postgresql://… or datastore://PROJECT/NAMESPACE",
    )
    command.add_argument(
        "--to", dest="target", required=True, metavar="URL", help="the new store, an empty one"
    )
    command.set_defaults(command=copy)

    command = commands.add_parser("export", help="write predictions or verdicts to a file")
    command.add_argument("name", metavar="MODEL")
    command.add_argument(
        "file", metavar="FILE", type=Path, help=".csv, .jsonl or .parquet; - prints JSON lines"
    )
    command.add_argument(
        "--what",
        choices=("predictions", "feedback"),
        default="predictions",
        help="one row for each prediction, or for each verdict; predictions if unsaid",
    )
    command.add_argument(
        "--since", metavar="TIME", help="from this date or time on, in UTC if it has no zone"
    )
    command.add_argument("--until", metavar="TIME", help="up to, not with, this time")
    command.add_argument("--probabilities", action="store_true", help="add a column for each class")
    command.add_argument("--force", action="store_true", help="replace a file that is there")
    command.set_defaults(command=export)


def copy(options: argparse.Namespace, _settings: Settings) -> int:
    """Copy a store, or go on copying it; 1 when both do not hold the same in the end."""
    check_store_address(options.source, "--from")
    check_store_address(options.target, "--to")
    if options.source == options.target:
        raise Conflict("--from and --to are the same store: name another one to copy to.")
    os.umask(0o077)
    source, target = open_source(options.source), open_target(options.target)
    progress = Progress("Copying")
    try:
        copied = copy_store(source, target, progress)
    except KeyboardInterrupt:
        progress.close()
        print(GOES_ON, file=sys.stderr)
        raise
    finally:
        progress.close()
        for store in (source, target):
            store.close()
    _print_counts(copied)
    print(_told(copied, shown_store_address(options.target)))
    return 0 if copied.agrees else 1


def _print_counts(copied: Copied) -> None:
    head = ("kind", "in the old store", "in the new store")
    rows = [(one.kind, f"{one.there:,}", f"{one.here:,}") for one in copied.counts]
    print(table([head, *rows]))


def _told(copied: Copied, target: str) -> str:
    differing = ", ".join(one.kind for one in copied.counts if one.there != one.here)
    if copied.finished_before is not None:
        said = (
            f"The copy was finished on {short_time(copied.finished_before)}: nothing was changed."
        )
        if not differing:
            return said
        return f"{said} One of the two was written since, and they differ in {differing}."
    if differing:
        return (
            f"The counts do not agree: {differing}. Somebody writes one of the two: stop the app "
            "on all machines and copy into another, empty place."
        )
    again = f" ({copied.resumed_after:,} were there already)" if copied.resumed_after else ""
    return (
        f"{counted(copied.documents, 'document')} copied{again}, and all counts agree. To move, "
        f"set UNROT_STORE to the address of {target} and start the app: the home folder, its keys "
        "and its journal stay as they are."
    )


def export(options: argparse.Namespace, settings: Settings) -> int:
    """Write what was answered and said to a file that is whole or not there."""
    since, until = _moment("--since", options.since), _moment("--until", options.until)
    if since is not None and until is not None and since >= until:
        raise wrong_field("--until", options.until, "a time after --since")
    is_output = options.file == STANDARD_OUTPUT
    ending = check_ending(options.file, is_output=is_output)
    check_free(options.file, force=options.force)
    progress = Progress(f"Exporting {options.name}")
    service = open_service(settings)
    try:
        made = open_export(
            service,
            options.name,
            progress,
            what=options.what,
            since=since,
            until=until,
            with_probabilities=options.probabilities,
        )
        with written(options.file, force=options.force) as file:
            rows = write_table(file, ending, made.columns, made.parts)
    finally:
        progress.close()
        service.store.close()
    for word, name in made.renamed.items():
        print(f'A feature is called "{word}": what we call so is "{name}" here.', file=sys.stderr)
    where = "the standard output" if is_output else options.file
    print(
        f"{counted(rows, WORDS[options.what])} of {made.model.name} written to {where}.",
        file=sys.stderr,
    )
    return 0


def _moment(option: str, given: str | None) -> float | None:
    try:
        return None if given is None else read_moment(given)
    except ValueError:
        raise wrong_field(option, given, MOMENT_EXPECTED) from None
