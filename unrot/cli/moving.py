"""The commands that take data elsewhere: copy, all of one store into another."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from unrot.cli.terminal import Progress, table
from unrot.core.errors import Conflict
from unrot.core.plurals import counted
from unrot.core.settings import Settings, check_store_address, shown_store_address
from unrot.core.time import short_time
from unrot.run.bootstrap import open_source, open_target
from unrot.run.copying import GOES_ON, Copied, copy_store


def add_to(commands: Any) -> None:
    """Add the command to the parser's subparsers."""
    command = commands.add_parser("copy", help="copy all of one store into another")
    command.add_argument("--from", dest="source", required=True, metavar="URL", help="where it is")
    command.add_argument("--to", dest="target", required=True, metavar="URL", help="an empty store")
    command.set_defaults(command=copy)


def copy(options: argparse.Namespace, _settings: Settings) -> int:
    """Copy a store, or go on copying it; 1 when both do not hold the same in the end."""
    check_store_address(options.source, "--from")
    check_store_address(options.target, "--to")
    if options.source == options.target:
        raise Conflict("--from and --to are the same store: name another one to copy to.")
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
