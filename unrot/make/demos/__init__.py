"""Three models to try: what people know, small enough to train in a second.

`DEMOS` holds a loader for each name. Heart also reads a CSV file: see `heart.load`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from unrot.core.dataset import Dataset
from unrot.make.demos import heart, iris, zombies

DEMOS: Mapping[str, Callable[[], Dataset]] = {
    "iris": iris.load,
    "zombies": zombies.load,
    "heart": heart.load,
}
