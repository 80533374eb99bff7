"""The catalogue: the estimators that a model can be trained with, by the names people type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from unrot.errors import Invalid, shown


@dataclass(frozen=True, slots=True)
class Estimator:
    """One entry: what it is, how its last step is made, and what has to stand before it."""

    description: str
    maker: Callable[[int], Any]
    is_scaled: bool = False
    takes_gaps: bool = False


def make(name: str, *, seed: int, gaps: bool) -> Pipeline:
    """Return an unfitted pipeline; with `gaps` it can be fitted on rows that have some."""
    if name not in ESTIMATORS:
        known = ", ".join(ESTIMATORS)
        raise Invalid(f"There is no estimator {shown(name)}: expected one of {known}.")
    entry = ESTIMATORS[name]
    steps: list[tuple[str, Any]] = []
    if gaps and not entry.takes_gaps:
        steps.append(("imputer", SimpleImputer(strategy="median")))
    if entry.is_scaled:
        steps.append(("scaler", StandardScaler()))
    return Pipeline([*steps, ("estimator", entry.maker(seed))])


def _mlp(seed: int) -> MLPClassifier:
    return MLPClassifier(
        hidden_layer_sizes=(32, 16),
        alpha=0.1,
        batch_size=32,
        max_iter=100,
        random_state=seed,
    )


def _sgd(seed: int) -> SGDClassifier:
    # The default schedule, "optimal", forgets how far it is and jumps when it learns online.
    return SGDClassifier(
        loss="log_loss", learning_rate="constant", eta0=0.01, average=True, random_state=seed
    )


def _logistic(seed: int) -> LogisticRegression:
    return LogisticRegression(max_iter=1000, random_state=seed)


def _tree(seed: int) -> DecisionTreeClassifier:
    return DecisionTreeClassifier(min_samples_leaf=5, random_state=seed)


def _forest(seed: int) -> RandomForestClassifier:
    return RandomForestClassifier(n_estimators=100, random_state=seed)


def _hgb(seed: int) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(max_iter=100, random_state=seed)


ESTIMATORS: Mapping[str, Estimator] = {
    "mlp": Estimator("neural network, two hidden layers; learns online", _mlp, is_scaled=True),
    "sgd": Estimator("linear, by stochastic gradient; learns online", _sgd, is_scaled=True),
    "logistic": Estimator("logistic regression", _logistic, is_scaled=True),
    "tree": Estimator("one decision tree", _tree),
    "forest": Estimator("random forest of 100 trees", _forest),
    "hgb": Estimator("histogram gradient boosting; takes gaps as they are", _hgb, takes_gaps=True),
}
