"""The bytes that an estimator is kept as: a skops file. Tables are kept by `packed`.

Nothing unpickles. A skops file is a ZIP of arrays and a description of types; a type that neither
skops, nor we in `TRUSTED`, nor the operator in UNROT_TRUSTED_TYPES trust by name stops the load
before anything runs. The trust is written here, never read from the file.

skops trusts scikit-learn's estimators, and would import all of scikit-learn to list them: 8 MB and
a third of a second for a process that needs a few. Here it is not told of any; those that a file
names are looked up one by one.
"""

from __future__ import annotations

import inspect
import io
import json
import zipfile
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import sklearn.utils
from sklearn.base import BaseEstimator

from unrot.core.errors import BadArtefact, error_summary, shown


@contextmanager
def _listing_no_estimators() -> Iterator[None]:
    listing = sklearn.utils.all_estimators
    sklearn.utils.all_estimators = lambda *_, **__: []
    try:
        yield
    finally:
        sklearn.utils.all_estimators = listing


with _listing_no_estimators():
    import skops.io

NO_ESTIMATORS = {"conftest", "estimator_checks", "experimental", "externals", "setup", "tests"}
"""Where scikit-learn itself does not look for estimators."""
TRUSTED = frozenset(
    {
        "functools.partial",
        "numpy.dtype",
        "numpy.mean",
        "scipy._lib.array_api_compat.numpy._aliases.asarray",
        "scipy.interpolate._bsplines.BSpline",
        "sklearn._loss.loss.HalfTweedieLoss",
        "sklearn._loss.loss.HalfTweedieLossIdentity",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.calibration._TemperatureScaling",
        "sklearn.compose._column_transformer.make_column_selector",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.feature_selection._univariate_selection.chi2",
        "sklearn.feature_selection._univariate_selection.f_classif",
        "sklearn.feature_selection._univariate_selection.f_regression",
        "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
        *(
            f"sklearn.gaussian_process.kernels.{kernel}"
            for kernel in ("ConstantKernel", "Matern", "Product", "RBF", "Sum", "WhiteKernel")
        ),
        *(
            f"sklearn.metrics._dist_metrics.{metric}Distance{bits}"
            for metric in ("Euclidean", "Manhattan", "Minkowski", "Chebyshev")
            for bits in (32, 64)
        ),
        "sklearn.metrics._scorer._PassthroughScorer",
        "sklearn.model_selection._split.KFold",
        "sklearn.model_selection._split.StratifiedKFold",
        "sklearn.multiclass._ConstantPredictor",
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
        "sklearn.utils.validation.check_array",
        "unrot.make.recalibrated.Curve",
        "unrot.make.recalibrated.Recalibrated",
    }
)
"""What scikit-learn's own estimators, and what follows them here, hold beyond skops' list:
numbers, and functions on them.

A `partial` brings nothing of its own: the function in it has to be trusted as well.
"""

SCHEMA = "schema.json"
MOST_TIMES, HARMLESS_BYTES = 100, 2**22
"""A file may unpack to so many times its size, and to so much in any case."""


def dump(held: Any) -> bytes:
    """Write what skops can hold; raise BadArtefact, saying why, where it cannot."""
    try:
        return bytes(skops.io.dumps(held, compression=zipfile.ZIP_DEFLATED))
    except Exception as error:
        # skops raises whatever the parts of an estimator make of being written.
        raise BadArtefact(f"skops cannot hold it ({error_summary(error)})") from error


def load(data: bytes, trusted: Collection[str] = ()) -> Any:
    """Read what `dump` wrote; raise BadArtefact, naming the type, for one that is not trusted."""
    try:
        _check_size(data)
        strange = sorted(skops.io.get_untrusted_types(data=data))
        estimators = [name for name in strange if is_estimator(name)]
        _check_types(sorted({*strange}.difference(estimators)), trusted)
        return skops.io.loads(data, trusted=sorted(TRUSTED.union(trusted, estimators)))
    except BadArtefact:
        raise
    except Exception as error:
        # A spoiled file fails anywhere in the ZIP, the JSON or the arrays inside it.
        raise BadArtefact(f"The skops file does not load ({error_summary(error)})") from error


def is_estimator(name: str) -> bool:
    """Tell whether a type is an estimator that scikit-learn gives to everybody."""
    *places, last = name.split(".")
    if places[:1] != ["sklearn"] or NO_ESTIMATORS.intersection(places) or last.startswith("_"):
        return False
    if not all(map(str.isidentifier, places)):
        return False
    public = next((at for at, one in enumerate(places) if one.startswith("_")), len(places))
    try:
        found = getattr(import_module(".".join(places[:public])), last, None)
    except (ImportError, RecursionError):
        return False
    return (
        inspect.isclass(found)
        and f"{found.__module__}.{found.__qualname__}" == name
        and issubclass(found, BaseEstimator)
        and found is not BaseEstimator
        and not inspect.isabstract(found)
    )


def _check_size(data: bytes) -> None:
    """Raise BadArtefact for a file that unpacks to so much more that it could only do harm.

    A part is unpacked for each object that names it.
    """
    objects: dict[Any, set[Any]] = defaultdict(set)

    def note(node: dict[str, Any]) -> None:
        objects[str(node.get("file"))].add(str(node.get("__id__")))

    with zipfile.ZipFile(io.BytesIO(data)) as file:
        sizes = {part.filename: part.file_size for part in file.infolist()}
        if sizes.get(SCHEMA, 0) <= max(MOST_TIMES * len(data), HARMLESS_BYTES):
            json.loads(file.read(SCHEMA), object_hook=note)
    size = sum(sizes[name] * max(1, len(objects[name])) for name in sizes)
    if size > max(MOST_TIMES * len(data), HARMLESS_BYTES):
        raise BadArtefact(
            f"The skops file of {len(data):,} bytes unpacks to {size:,}: refused, because more "
            f"than {MOST_TIMES} times its size is no estimator"
        )


def _check_types(strange: Sequence[str], trusted: Collection[str]) -> None:
    """Raise BadArtefact for a type that skops does not trust, and neither do we."""
    for name in strange:
        if name.startswith("__main__."):
            raise BadArtefact(f"{name} is defined where no worker finds it: move it into a module")
        if name not in TRUSTED and name not in trusted:
            raise BadArtefact(
                f"the type {shown(name)} is not trusted: if it is yours, name it in "
                "UNROT_TRUSTED_TYPES"
            )
