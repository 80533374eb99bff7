"""The bytes that an estimator is kept as: a skops file. Tables are kept by `packed`.

Nothing unpickles. A skops file is a ZIP of arrays and a description of types; a type that neither
skops, nor we in `TRUSTED`, nor the operator in UNROT_TRUSTED_TYPES trust by name stops the load
before anything runs. The trust is written here, never read from the file.
"""

from __future__ import annotations

import zipfile
from collections.abc import Collection
from typing import Any

import skops.io

from unrot.core.errors import BadArtefact, error_summary, shown

TRUSTED = frozenset(
    {
        "functools.partial",
        "numpy.dtype",
        "numpy.mean",
        "scipy._lib.array_api_compat.numpy._aliases.asarray",
        "scipy.interpolate._bsplines.BSpline",
        "sklearn._loss.loss.HalfTweedieLossIdentity",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
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
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
        "sklearn.utils.validation.check_array",
    }
)
"""What scikit-learn's own estimators hold beyond skops' list: numbers, and functions on them.

A `partial` brings nothing of its own: the function in it has to be trusted as well.
"""


def dump(held: Any) -> bytes:
    """Write what skops can hold; raise BadArtefact, saying why, where it cannot."""
    try:
        data = bytes(skops.io.dumps(held, compression=zipfile.ZIP_DEFLATED))
    except Exception as error:
        # skops raises whatever the parts of an estimator make of being written.
        raise BadArtefact(f"skops cannot hold it ({error_summary(error)})") from error
    here = [name for name in _strangers(data, ()) if name.startswith("__main__.")]
    if here:
        raise BadArtefact(
            f"skops cannot hold it ({here[0]} is defined where no worker finds it: move it into "
            "a module)"
        )
    return data


def load(data: bytes, trusted: Collection[str] = ()) -> Any:
    """Read what `dump` wrote; raise BadArtefact, naming the type, for one that is not trusted."""
    strangers = _strangers(data, trusted)
    if strangers:
        raise BadArtefact(
            f"the type {shown(strangers[0])} is not trusted: if it is yours, name it in "
            "UNROT_TRUSTED_TYPES"
        )
    try:
        return skops.io.loads(data, trusted=sorted(TRUSTED.union(trusted)))
    except Exception as error:
        raise _spoiled(error) from error


def _strangers(data: bytes, trusted: Collection[str]) -> list[str]:
    try:
        held = skops.io.get_untrusted_types(data=data)
    except Exception as error:
        # A spoiled file fails anywhere in the ZIP, the JSON or the arrays inside it.
        raise _spoiled(error) from error
    return sorted(set(held).difference(TRUSTED, trusted))


def _spoiled(error: Exception) -> BadArtefact:
    return BadArtefact(f"The skops file does not load ({error_summary(error)})")
