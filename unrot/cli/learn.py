"""The commands of learning: ask for a job and see it done, move aliases, look after jobs.

A command that asks for a job does it itself, in a thread, unless a caretaker's learner is
faster; either way it shows what the store says of the job. Ctrl-C cancels it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unrot.cli import run_job
from unrot.cli.job_outcome import told
from unrot.cli.terminal import Progress, is_agreed, table
from unrot.core.errors import Conflict, Invalid, wrong_field
from unrot.core.policy import describe, parse_texts, sentences
from unrot.core.records import CHALLENGER, CHAMPION, Job, JobKind
from unrot.core.settings import Settings
from unrot.core.time import short_time
from unrot.learn import jobs
from unrot.learn import promote as promotion
from unrot.run.bootstrap import open_service, writer_name
from unrot.run.learner import do_jobs
from unrot.serve.service import Service
from unrot.serve.shelf import sync

BY = "operator"
MOST_LISTED = 50
TITLES: Mapping[JobKind, str] = {
    "learn": "Teaching",
    "train_batch": "Feeding",
    "reset": "Resetting",
    "refit": "Refitting",
    "rebuild": "Rebuilding",
    "weigh": "Weighing",
}


def add_to(commands: Any) -> None:
    """Add these commands to the parser's subparsers."""
    _command(commands, "learn", learn, "learn on from the verdicts that wait")

    command = _command(commands, "refit", refit, "fit afresh on training data and verdicts")
    command.add_argument("--weights", default="", metavar="WEIGHTS", help="trusted=1,training=0.5")

    command = _command(commands, "train-batch", train_batch, "feed a --stream model more rows")
    command.add_argument("--rows", type=int, default=25, metavar="N", help="how many, 25 if unsaid")

    command = _command(commands, "reset", reset, "begin the stream of a --stream model anew")
    command.add_argument("--yes", action="store_true", help="agree without being asked")

    command = _command(commands, "rebuild", rebuild, "make a version again")
    command.add_argument("version", metavar="VERSION")
    command.add_argument(
        "--without", action="append", default=[], metavar="ID", help="a verdict to leave out"
    )
    command.add_argument("--without-file", type=Path, metavar="FILE", help="one id a line")

    command = _command(commands, "weigh", weigh, "let the gate judge a version once more")
    command.add_argument("version", metavar="VERSION")

    _add_choices(commands)

    command = commands.add_parser("jobs", help="list the jobs, or cancel one")
    command.add_argument("name", metavar="MODEL", nargs="?")
    command.add_argument("--cancel", metavar="JOB", help="end this one")
    command.set_defaults(command=list_jobs)

    command = _command(commands, "policy", policy, "say or change what a model may do by itself")
    command.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", dest="changes")

    command = commands.add_parser("learner", help="do the jobs that wait, then end")
    command.add_argument(
        "--with-parent", nargs="?", type=int, const=0, metavar="PID", help="end with the parent"
    )
    command.set_defaults(command=learner)


def _add_choices(commands: Any) -> None:
    """Add the commands that choose which version answers, or is kept."""
    command = _command(commands, "promote", promote, "let a version answer")
    command.add_argument("version", metavar="VERSION")
    command.add_argument(
        "--challenger", action="store_true", help="as challenger: it is scored, and answers nobody"
    )
    command.add_argument("--force", action="store_true", help="against the gate")
    command.add_argument("--reason", default="", metavar="TEXT", help="why")

    command = _command(commands, "rollback", rollback, "take the champion back to the one before")
    command.add_argument("--reason", default="", metavar="TEXT", help="why")

    command = _command(commands, "pin", pin, "never remove a version's files")
    command.add_argument("version", metavar="VERSION")
    command.add_argument(
        "--off",
        action="store_const",
        const="unpin",
        dest="called",
        default=argparse.SUPPRESS,
        help="allow that again",
    )


def _command(commands: Any, name: str, run: Any, said: str) -> Any:
    command = commands.add_parser(name, help=said)
    command.add_argument("name", metavar="MODEL")
    command.set_defaults(command=run)
    return command


# ── jobs that are done here ──────────────────────────────────────────────────────────────────


def learn(options: argparse.Namespace, settings: Settings) -> int:
    """Learn on from the verdicts that the champion has not learnt."""
    return _work(options, settings, "learn", {})


def refit(options: argparse.Namespace, settings: Settings) -> int:
    """Fit afresh on training data and verdicts."""
    weights = {name: _number(name, text) for name, text in pairs(options.weights.split(","))}
    return _work(options, settings, "refit", {"weights": weights} if weights else {})


def train_batch(options: argparse.Namespace, settings: Settings) -> int:
    """Feed the next rows of the training stream."""
    return _work(options, settings, "train_batch", {"n": options.rows})


def reset(options: argparse.Namespace, settings: Settings) -> int:
    """Begin the training stream anew, after a question."""
    question = (
        f"{options.name} will be answered by an untrained version at once, without the gate: its "
        "training stream begins anew."
    )
    if not is_agreed(question, options.name, yes=options.yes):
        return 1
    return _work(options, settings, "reset", {})


def rebuild(options: argparse.Namespace, settings: Settings) -> int:
    """Make a version again, perhaps without some verdicts."""
    without = [*options.without, *_lines_of(options.without_file)]
    asked = {"version": options.version, **({"without": without} if without else {})}
    return _work(options, settings, "rebuild", asked)


def weigh(options: argparse.Namespace, settings: Settings) -> int:
    """Let the gate judge a version once more."""
    return _work(options, settings, "weigh", {"version": options.version})


def _work(
    options: argparse.Namespace, settings: Settings, kind: JobKind, asked: Mapping[str, Any]
) -> int:
    """Ask for a job, see it done and say what came of it."""
    service = opened(settings)
    model = service.catalogue().model(options.name).model.name
    try:
        made = jobs.ask(service, model, kind, asked, by=BY)
    except jobs.Busy as error:
        advice = f"python -m unrot jobs {model} --cancel {error.job.id}"
        raise Conflict(f"{error.message} To cancel it: {advice}", reason="busy") from error
    progress = Progress(f"{TITLES[kind]} {model}")
    try:
        ended = run_job.see_done(service, made, progress, holder=_holder(settings))
    finally:
        progress.close()
    if ended.state == "done":
        print("\n".join(told(service, ended)))
        return 0
    print(ended.error or f"It still ends: python -m unrot jobs {model}", file=sys.stderr)
    return 130 if ended.is_active or ended.reason == "cancelled" else 1


def _holder(settings: Settings) -> str:
    return f"{writer_name(settings)}/terminal {os.getpid()}"


def opened(settings: Settings) -> Service:
    """Open a service whose store answers and whose shelf is up to it."""
    service = open_service(settings)
    service.store.check()
    sync(service.shelf.folder, service.store.registry)
    return service


# ── aliases, jobs, policy ────────────────────────────────────────────────────────────────────


def promote(options: argparse.Namespace, settings: Settings) -> int:
    """Let a version answer, or run in the shadow."""
    promotion.promote(
        opened(settings),
        options.name,
        options.version,
        alias=CHALLENGER if options.challenger else CHAMPION,
        force=options.force,
        reason=options.reason,
        by=BY,
    )
    if options.challenger:
        print(f"{options.version} is the challenger of {options.name}: scored in the shadow.")
    else:
        print(f"{options.version} answers for {options.name}, everywhere within two seconds.")
    return 0


def pin(options: argparse.Namespace, settings: Settings) -> int:
    """Keep the files of a version, or no longer."""
    is_pinned = options.called == "pin"
    promotion.pin(open_service(settings), options.name, options.version, is_pinned=is_pinned)
    print(f"{options.version} is {'pinned: its files are kept.' if is_pinned else 'not pinned.'}")
    return 0


def rollback(options: argparse.Namespace, settings: Settings) -> int:
    """Take the champion back to the one before."""
    aliases = promotion.rollback(opened(settings), options.name, by=BY, reason=options.reason)
    print(f"{aliases[CHAMPION]} answers for {options.name} again, everywhere within two seconds.")
    return 0


def list_jobs(options: argparse.Namespace, settings: Settings) -> int:
    """List the newest jobs, or cancel one."""
    service = opened(settings)
    if options.cancel:
        found = jobs.cancel(service, options.cancel)
        print("It ends at its next step." if found.is_active else found.error)
        return 0
    found_jobs = jobs.listed(service, options.name, MOST_LISTED)
    if not found_jobs:
        print("No job was asked for yet.")
        return 0
    head = ("job", "model", "kind", "state", "done", "step", "asked by", "asked at")
    contents = service.catalogue()
    print(table([head, *(_job_row(job, contents.name_of(job.model)) for job in found_jobs)]))
    return 0


def policy(options: argparse.Namespace, settings: Settings) -> int:
    """Say what a model may do by itself, after changing it where asked."""
    service = opened(settings)
    if options.changes:
        given = dict(pairs(options.changes))
        now = promotion.change_policy(service, options.name, given, read=parse_texts)
    else:
        now = promotion.policy(service, options.name)
    said = describe(now).items()
    rows = [(key, "none" if value is None else str(value)) for key, value in said]
    print(table([("policy", options.name), *rows]))
    print("\n".join(sentences(now, service.catalogue().model(options.name).model.schema)))
    return 0


def _job_row(job: Job, name: str) -> tuple[str, ...]:
    return (
        job.id,
        name,
        job.kind,
        job.state,
        f"{100 * job.progress:.0f} %",
        job.error or job.step,
        job.asked_by or "-",
        short_time(job.created_at),
    )


# ── the learner ──────────────────────────────────────────────────────────────────────────────


def learner(options: argparse.Namespace, settings: Settings) -> int:
    """Do the jobs that wait; end when none comes, when told to, or with the parent."""
    do_jobs(settings, options.with_parent)
    return 0


# ── reading arguments ────────────────────────────────────────────────────────────────────────


def pairs(texts: list[str]) -> list[tuple[str, str]]:
    """Read NAME=VALUE texts."""
    read = []
    for text in filter(None, (text.strip() for text in texts)):
        name, equals, value = text.partition("=")
        if not equals:
            raise wrong_field("argument", text, "NAME=VALUE")
        read.append((name.strip(), value.strip()))
    return read


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise wrong_field(name, text, "a number") from error


def _lines_of(file: Path | None) -> list[str]:
    if file is None:
        return []
    try:
        return [line.strip() for line in file.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Invalid(f"{file} cannot be read: {said}.") from error
