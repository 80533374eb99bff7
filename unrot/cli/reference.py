"""The command `reference`: let a whylogs profile be what drift is compared with."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from unrot.core.errors import Invalid
from unrot.core.plurals import counted
from unrot.core.settings import Settings
from unrot.run.bootstrap import open_service
from unrot.serve.service import Service
from unrot.serve.shelf import sync
from unrot.watch.profiles import references

MOST_BYTES = 100_000_000


def add_to(commands: Any) -> None:
    """Add the command to the parser's subparsers."""
    command = commands.add_parser("reference", help="compare drift with a profile of elsewhere")
    command.add_argument("name", metavar="MODEL")
    command.add_argument("file", nargs="?", type=Path, metavar="FILE.bin", help="by whylogs")
    command.add_argument("--version", metavar="VERSION", help="for this one only")
    command.add_argument("--reset", action="store_true", help="go back to the training")
    command.set_defaults(command=reference)


def reference(options: argparse.Namespace, settings: Settings) -> int:
    """Keep a profile as the reference, go back to the training, or say what is compared with."""
    if options.reset and options.file is not None:
        raise Invalid("--reset goes back to the training: give it without a file.")
    service = open_service(settings)
    sync(service.shelf.folder, service.store.registry)
    if options.reset:
        return _reset(service, options.name, options.version)
    if options.file is None:
        return _show(service, options.name, options.version)
    kept = references.stand(
        service,
        options.name,
        _read(options.file),
        file=options.file.name,
        version=options.version,
    )
    rows = max((one.rows for one in kept.sketches.values()), default=0)
    whose = options.version or "every version"
    print(
        f"From now on the traffic of {whose} is compared with {kept.file}: {counted(rows, 'row')}."
    )
    return 0


def _reset(service: Service, name: str, version: str | None) -> int:
    if references.reset(service, name, version=version):
        print("From now on traffic is compared with what its version was trained on.")
    else:
        print("Traffic is compared with the training already: nothing stood in its place.")
    return 0


def _show(service: Service, name: str, version: str | None) -> int:
    shelved = service.catalogue().model(name)
    made = shelved.version(version)
    standing = references.standing_for(service, shelved.model.key, made.name)
    if standing is not None:
        print(f"The traffic of {made.name} is compared with {standing.file}.")
    elif references.bins_of(service, shelved.model.key, made.name) is not None:
        print(f"The traffic of {made.name} is compared with what it was trained on.")
    else:
        print(
            f"{made.name} keeps no reference, so its traffic is compared with nothing: train it "
            "again, or name a whylogs profile."
        )
    return 0


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Invalid(f"{path} is larger than {MOST_BYTES // 1_000_000} MB: no profile is.")
        return path.read_bytes()
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.") from error
