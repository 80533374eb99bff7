"""The commands that tidy up: remove, rename, describe, tidy, forget, backup, restore, sign.

Each asks before data go away that the settings do not let go anyhow.
"""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path
from typing import Any

from unrot.cli.terminal import Progress, is_agreed, plain
from unrot.core import descriptions
from unrot.core.plurals import counted
from unrot.core.records import Holdings
from unrot.core.settings import Settings, prepare_home
from unrot.make import models
from unrot.run import backup as backups
from unrot.run import forgetting, retention
from unrot.run.bootstrap import open_copies, open_service
from unrot.run.caretaker import without_caretaker
from unrot.run.forgetting import Erasure
from unrot.serve import signing
from unrot.serve.service import Service
from unrot.serve.shelf import sync


def add_to(commands: Any) -> None:
    """Add these commands to the parser's subparsers."""
    command = commands.add_parser("remove", help="remove a model with all that was kept of it")
    command.add_argument("name", metavar="MODEL")
    _add_yes(command)
    command.set_defaults(command=remove)

    command = commands.add_parser("rename", help="give a model another name")
    command.add_argument("old", metavar="OLD")
    command.add_argument("new", metavar="NEW")
    _add_yes(command)
    command.set_defaults(command=rename)

    command = commands.add_parser("describe", help="change the words on a model's page")
    command.add_argument("name", metavar="MODEL")
    command.add_argument("file", metavar="FILE", type=Path, help="the words, in TOML")
    command.set_defaults(command=describe)

    command = commands.add_parser("tidy", help="remove old rows now, and sum old totals up")
    command.add_argument("--vacuum", action="store_true", help="give free space back to the disk")
    command.set_defaults(command=tidy)

    command = commands.add_parser("forget", help="erase predictions and their verdicts")
    command.add_argument(
        "--id",
        action="append",
        required=True,
        metavar="ID",
        help="of a prediction; may be repeated",
    )
    _add_yes(command)
    command.set_defaults(command=forget)

    command = commands.add_parser("backup", help="write the data and the keys to one file")
    command.add_argument("file", metavar="FILE", type=Path)
    command.add_argument("--force", action="store_true", help="replace a file that is there")
    command.set_defaults(command=backup)

    command = commands.add_parser("restore", help="bring the data and the keys of a backup back")
    command.add_argument("file", metavar="FILE", type=Path)
    _add_yes(command)
    command.set_defaults(command=restore)

    command = commands.add_parser("sign", help="trust what the store holds")
    _add_yes(command)
    command.set_defaults(command=sign)


def remove(options: argparse.Namespace, settings: Settings) -> int:
    """Remove a model after a question; finish what an interrupted removal left."""
    service = open_service(settings)
    if _finish_removals(service, options.name):
        return 0
    held = models.holdings(service, options.name)
    question = (
        f"{_told(held)} of {options.name} will be deleted for good, and its address with them."
    )
    if not is_agreed(question, options.name, yes=options.yes):
        return 1
    progress = Progress(f"Removing {options.name}")
    try:
        models.remove(service, options.name, progress)
    finally:
        progress.close()
    print(f"{options.name} is removed: {_told(held)}.")
    _warn_of_default(settings, options.name, "no such model is left: unset it.")
    return 0


def rename(options: argparse.Namespace, settings: Settings) -> int:
    """Rename a model after a question."""
    service = open_service(settings)
    models.check_rename(service, options.old, options.new)
    question = f"{options.old} will be called {options.new}, on its page and in the API."
    if not is_agreed(question, options.new, yes=options.yes):
        return 1
    models.rename(service, options.old, options.new)
    print(
        f"{options.old} is now {options.new}. Ids that were given out stay good; the old address "
        "goes on answering until another model takes that name."
    )
    _warn_of_default(settings, options.old, f"set it to {options.new}.")
    return 0


def describe(options: argparse.Namespace, settings: Settings) -> int:
    """Change words and nothing else, so there is nothing to ask."""
    words = descriptions.read(options.file)
    model = models.describe(open_service(settings), options.name, words)
    print(
        f"{model.name} is described as {options.file.name} says; its versions are as they were. "
        "Every worker follows within two seconds."
    )
    return 0


def tidy(options: argparse.Namespace, settings: Settings) -> int:
    """Do at once what a caretaker does bit by bit; one that runs is not in the way."""
    service = open_service(settings)
    service.store.check(writing=True)
    progress = Progress("Tidying")
    rows = 0
    try:
        for share, done in retention.sweep_with_share(service):
            rows += done
            progress(share, f"{counted(rows, 'row')} removed or summed up")
        service.store.tidying.drop_files(service.clock())
    finally:
        progress.close()
    print(
        f"Tidied: {counted(rows, 'row was', 'rows were')} removed or summed up. The operations "
        "page says which."
    )
    if options.vacuum:
        _shrink(settings)
    return 0


def forget(options: argparse.Namespace, settings: Settings) -> int:
    """Erase predictions after a question, and say which versions carry them."""
    service = open_service(settings)
    sync(service.shelf.folder, service.store.registry)
    count = counted(len(set(options.id)), "prediction")
    question = f"{count} will be deleted for good, with all verdicts on it."
    if not is_agreed(question, "forget", yes=options.yes):
        return 1
    for one in forgetting.forget(service, options.id):
        print("\n".join(_told_of_erasure(one)))
    print("Totals and profiles stay, which have no rows; your exports and backups are your own.")
    return 0


def _told_of_erasure(one: Erasure) -> list[str]:
    said = f"erased ({', '.join(one.erased)})." if one.erased else "nothing is left of it."
    told = [f"{one.id}: {said}"]
    if one.learnt_by:
        learnt, carried = ", ".join(one.learnt_by), ", ".join(one.carried_by)
        told.append(
            f"  {learnt} of {one.model} learnt from it, and it is in the parameters of {carried}. "
            f"To make it again without: python -m unrot rebuild {one.model} {one.rebuild}"
        )
    return told


def _shrink(settings: Settings) -> None:
    progress = Progress("Giving free space back")
    try:
        saved = open_copies(settings).shrink(progress)
    finally:
        progress.close()
    print(f"The database takes {max(saved, 0):,} bytes less on the disk.")


def backup(options: argparse.Namespace, settings: Settings) -> int:
    """Write a backup; the app may run."""
    progress = Progress("Backing up")
    try:
        made = backups.write(
            open_copies(settings), settings.home, options.file, progress, force=options.force
        )
    finally:
        progress.close()
    print(f"{options.file}: {made.said}, {made.bytes:,} bytes, readable by you alone.")
    if made.keys:
        print(f"It holds keys ({', '.join(made.keys)}): keep it like a password.")
    if settings.secret_key:
        print("UNROT_SECRET_KEY is not in it: keep that too, or no old id or version is good.")
    return 0


def restore(options: argparse.Namespace, settings: Settings) -> int:
    """Verify a backup, ask when data are there, and put it in their place."""
    prepare_home(settings)
    copies = open_copies(settings)
    with without_caretaker(settings.home), backups.unpacked(options.file, copies) as found:
        backups.check_idle(settings.home)
        there = copies.describe()
        question = f"{options.file} ({found.said}) will take the place of {there}."
        if there and not is_agreed(question, "restore", yes=options.yes):
            return 1
        kept = backups.put_in_place(found, settings.home, copies)
        service = open_service(settings)
        with closing(service.store):
            backups.fill_shelf(service)
            service.store.audit_log.forget_end()
            service.store.audit_log.note()
    print(f"Restored {found.said} from {options.file}.")
    if kept is not None:
        print(f"The data of before are in {kept}: delete that when you are sure.")
    if settings.secret_key:
        print("UNROT_SECRET_KEY is set: ids and versions stay good only if it is the backup's.")
    return 0


def sign(options: argparse.Namespace, settings: Settings) -> int:
    """Sign, after a question, all that this app's key did not sign."""
    service = open_service(settings)
    found = signing.find_unsigned(service)
    if not found:
        print("Everything is signed with this app's key: nothing to do.")
        return 0
    said = plain(str(found))
    question = (
        f"{said}: not signed with this app's key. Once signed, versions are loaded and may "
        "answer, tokens let in, and entries count as ours, whoever wrote them into the store."
    )
    if not is_agreed(question, "sign", yes=options.yes):
        return 1
    signing.sign_all(service, found)
    print(f"Signed: {said}.")
    return 0


def _finish_removals(service: Service, name: str) -> bool:
    """Finish what was agreed to and interrupted; tell whether that was all there is to do."""
    left = models.left_behind(service)
    for removed in left:
        progress = Progress(f"Finishing the removal of {removed.name}")
        try:
            models.clear(service, removed, progress)
        finally:
            progress.close()
        print(f"The interrupted removal of {removed.name} is finished.")
    is_there = name in {model.name for model in service.store.registry.models()}
    return not is_there and name in {removed.name for removed in left}


def _add_yes(command: argparse.ArgumentParser) -> None:
    command.add_argument("--yes", action="store_true", help="agree without being asked")


def _warn_of_default(settings: Settings, name: str, advice: str) -> None:
    if settings.default_model == name:
        print(f"UNROT_DEFAULT_MODEL is still {name}: {advice}")


def _told(held: Holdings) -> str:
    return ", ".join(
        f"{count:,} {word if count != 1 else word.removesuffix('s')}"
        for count, word in (
            (held.versions, "versions"),
            (held.predictions, "predictions"),
            (held.verdicts, "verdicts"),
            (held.profiles, "profiles"),
        )
    )
