"""Runs of a benchmark side by side, one process a core, with a progress bar; Ctrl-C ends all."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, TypeVar

from unrot.cli.terminal import Progress

Seen = TypeVar("Seen")


@contextmanager
def workers(processes: int) -> Iterator[ProcessPoolExecutor]:
    """Open a pool whose processes leave Ctrl-C to this one."""
    with ProcessPoolExecutor(
        processes, get_context("spawn"), signal.signal, (signal.SIGINT, signal.SIG_IGN)
    ) as pool:
        yield pool


def see_all(
    pool: ProcessPoolExecutor,
    see: Callable[..., Seen],
    asked: Sequence[Sequence[Any]],
    tell: Callable[[Seen], object] = lambda _: None,
) -> list[Seen]:
    """Call a function once for each set of arguments; each result is told as it comes."""
    progress, done = Progress("Runs"), list[Seen]()
    waiting = [pool.submit(see, *one) for one in asked]
    try:
        for future in as_completed(waiting):
            done.append(future.result())
            tell(done[-1])
            progress(len(done) / len(asked), f"{len(done)} of {len(asked)} runs")
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    finally:
        progress.close()
    return done
