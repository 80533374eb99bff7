"""What makes a fit come out the same again: one thread, and chance that begins at a seed.

Sums that threads share come out otherwise each time. An estimator whose `random_state` is None
draws from numpy's common source, which nobody has seeded; one with a whole number draws from its
own and needs nothing.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from unrot.core.threads import on_one_thread


@contextmanager
def quietly() -> Iterator[None]:
    """Run on one thread, warnings unheard, where thousands of small questions are asked.

    Threads would cost more than they bring, and what the libraries warn of at each is nobody's
    here to mend.
    """
    with on_one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def from_seed(seed: int) -> Iterator[None]:
    """Run on one thread with numpy's common source at a seed, and put it back afterwards."""
    before = np.random.get_state()
    np.random.seed(seed % 2**32)
    try:
        with on_one_thread():
            yield
    finally:
        np.random.set_state(before)
