"""`make demo`: a model rots before one's eyes, is found out, refitted, and recovers.

The story is in `make/demos/rotting.py`, where it plays in `temporary_server.py`. Here it is told:
line by line with the time, and on a terminal with a bar while it waits. Ctrl-C, kill and a closed
terminal end it between two steps, never inside one, so that what cleans up is never broken off.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import textwrap
import threading
import time
import webbrowser
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any

from unrot.cli.temporary_server import Stage, set_up
from unrot.cli.terminal import Progress
from unrot.core.errors import Unavailable
from unrot.core.places import command_of
from unrot.core.settings import Settings
from unrot.run.serve import address, sign_in_link

if TYPE_CHECKING:
    # It brings in scikit-learn.
    from unrot.make.demos.rotting import Pace

MODEL, JUDGE = "zombies", "demo"
MONITOR = f"/models/{MODEL}/monitor"
WIDTH, INDENT = 100, 7
LOOK_SECONDS = 0.5
INTERRUPTED = 130


class Stopped(Exception):
    """Somebody has asked the demo to end."""


def add_to(commands: Any) -> None:
    """Add this command to the parser's subparsers."""
    command = commands.add_parser("demo", help="see a model rot and recover, in two minutes")
    command.add_argument("--port", metavar="N", help="where; if unsaid PORT, else a free one")
    command.add_argument("--fast", action="store_true", help="more traffic, less time to look")
    command.add_argument("--once", action="store_true", help="end when the story does")
    command.add_argument("--open", action="store_true", help="open the monitor in a browser")
    command.set_defaults(command=demo, load=Settings)


def demo(options: argparse.Namespace, _settings: Settings) -> int:
    """Tell the story of a model that rots; return the exit status."""
    # It brings in scikit-learn.
    from unrot.make.demos import rotting

    ending = Ending()
    teller = Teller(ending)
    pace = rotting.FAST if options.fast else rotting.CALM
    listening = {**os.environ, **({"PORT": options.port} if options.port else {})}
    try:
        with set_up(
            listening,
            command=command_of("demo"),
            rotation_seconds=pace.rotation_seconds,
            judge=JUDGE,
            pause=ending.pause,
        ) as stage:
            status = _play(stage, teller, pace, options)
    except Stopped:
        status = INTERRUPTED if options.once else 0
    teller.say("The demo has ended: its server has stopped, and its folder is removed.")
    return status


def _play(stage: Stage, teller: Teller, pace: Pace, options: argparse.Namespace) -> int:
    """Train, serve, let zombies walk by, and tell what happens."""
    # Other commands start without it.
    from unrot.make.demos.online import Online
    from unrot.make.demos.rotting import Scene, story
    from unrot.make.demos.traffic import Traffic

    teller.say(f"Training a model to tell hostile zombies, in a folder of its own: {stage.home}")
    stage.train(MODEL, "--estimator", pace.estimator)
    stage.serve()
    link = sign_in_link(stage.settings, stage.operator_token, then=MONITOR)
    teller.say(f"Unrot is ready. Open this link and keep the page beside you:\n{link}")
    if options.open:
        webbrowser.open(link)
    url = address(stage.settings)
    traffic = Traffic(Online(url, MODEL, stage.judge_token), rows_a_second=pace.rows_a_second)
    scene = Scene(
        town=Online(url, MODEL, stage.operator_token),
        traffic=traffic,
        pace=pace,
        token_file=str(stage.token_file),
        pause=stage.pause,
        show=teller.show,
    )
    traffic.start()
    try:
        return _tell(story(scene), stage, teller, is_once=options.once)
    finally:
        traffic.stop()


def _tell(story: Iterator[str], stage: Stage, teller: Teller, *, is_once: bool) -> int:
    """Tell the story, and then stay until told to end."""
    status = 0
    try:
        for said in story:
            teller.say(said)
    except Unavailable as error:
        stage.check()
        teller.say(error.message)
        status = 1
    if is_once:
        return status
    teller.say("The app stays up, and predictions go on. Ctrl-C ends all of it.")
    while True:
        stage.pause(LOOK_SECONDS)


class Ending:
    """Whether somebody has asked the demo to end."""

    def __init__(self) -> None:
        self._is_asked = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self.ask)

    def ask(self, _number: int = 0, _frame: FrameType | None = None) -> None:
        """Ask for the end."""
        self._is_asked.set()

    def pause(self, seconds: float) -> None:
        """Sleep; raise Stopped as soon as the end was asked for."""
        if self._is_asked.wait(seconds):
            raise Stopped


class Teller:
    """Says what happens, with the time since the demo began."""

    def __init__(self, ending: Ending) -> None:
        self._ending = ending
        self._began_at = time.monotonic()
        self._bar = Progress("Waiting") if sys.stderr.isatty() else None

    def say(self, text: str) -> None:
        """Say one thing, wrapped to the terminal; lines that may be pasted are left whole."""
        minutes, seconds = divmod(int(time.monotonic() - self._began_at), 60)
        first, *others = text.splitlines()
        width = min(shutil.get_terminal_size().columns, WIDTH) - INDENT
        lines = textwrap.wrap(first, width, break_long_words=False, break_on_hyphens=False)
        margin = "\n" + " " * INDENT
        self._write(f"{minutes:2}:{seconds:02}  {margin.join([*lines, *others])}")

    def show(self, done: float, step: str) -> None:
        """Show a bar until something is said."""
        if self._bar is not None:
            self._bar(done, step)

    def _write(self, text: str) -> None:
        try:
            if self._bar is not None:
                self._bar.clear()
            print(text, flush=True)
        except OSError:
            # Nobody reads any longer: the terminal was closed, or the pipe.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            self._ending.ask()
