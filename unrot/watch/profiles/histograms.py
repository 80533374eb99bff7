"""How the numbers lay in the training of a version, as few bars as fit behind a field of a form.

They are counted from the version's reference on the shelf, so that no store is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from unrot.core.artefacts import REFERENCE
from unrot.core.errors import UnrotError
from unrot.core.newest import Newest
from unrot.core.records import Feature, Version
from unrot.serve.shelf import Shelf, ShelvedModel
from unrot.watch.profiles import baseline

BARS = 24
KEPT_AT_ONCE = 64

Heights = Sequence[int]
"""Of each bar, in percent of the highest; they part the range of the feature evenly."""

_KEPT: Newest[tuple[str, str], Mapping[str, Heights]] = Newest(KEPT_AT_ONCE)


def histograms(shelf: Shelf, shelved: ShelvedModel, version: Version) -> Mapping[str, Heights]:
    """Return the bars of each feature of numbers; none where the reference cannot be had."""
    key = (version.schema_hash, version.artefacts.get(REFERENCE, ""))
    known = _KEPT.get(key)
    return _KEPT.keep(key, _counted(shelf, shelved, version)) if known is None else known


def _counted(shelf: Shelf, shelved: ShelvedModel, version: Version) -> Mapping[str, Heights]:
    try:
        file = shelf.file(shelved.model, version, REFERENCE)
    except UnrotError:
        file = None
    if file is None:
        return {}
    points = baseline.unpack(file).points
    ranged = [one for one in shelved.model.schema.features if _has_range(one)]
    return {
        feature.name: heights(feature, points[feature.name])
        for feature in ranged
        if feature.name in points
    }


def _has_range(feature: Feature) -> bool:
    low, high = feature.low, feature.high
    return low is not None and high is not None and low < high and not feature.choices


def heights(feature: Feature, values: Sequence[float] | NDArray[np.float64]) -> Heights:
    """Count values on bars from the least to the largest that the feature had.

    >>> heights(Feature("rooms", "integer", low=1, high=3), [1, 2, 2, 3])
    [50, 100, 50]
    """
    low, high = feature.low or 0.0, feature.high or 0.0
    bars, edges = BARS, (low, high)
    if feature.kind == "integer" and high - low < BARS:
        bars, edges = round(high - low) + 1, (low - 0.5, high + 0.5)
    counts, _ = np.histogram(values, bins=bars, range=edges)
    shares: list[int] = np.ceil(100 * counts / max(1, counts.max())).astype(int).tolist()
    return shares
