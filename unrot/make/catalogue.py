"""The catalogue: the estimators that a model can be trained with, by the names people type.

Each is fitted on the table of numbers that `encoding` makes, and stands behind what it needs:

- gaps in numbers and booleans become the median, unless the estimator takes gaps itself;
- a category becomes one column a choice; a gap and a choice that training never saw are both
  all zeros there, so that a stranger is scored as if nothing had been said;
- hist-gradient boosting gets the places of the choices as they are, strangers as gaps: it cuts
  an order as often as it needs, and a column a choice would cost it memory.

`package.module:function` names an estimator of one's own, which gets the same table: gaps
filled and categories as columns, nothing scaled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    Ridge,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from unrot.core.errors import Invalid, shown
from unrot.core.records import Feature, Schema
from unrot.make.imported import make_imported

Maker = Callable[[int, Schema], Any]
Step = tuple[str, Any]

FORESTS = (RandomForestClassifier, RandomForestRegressor)
NETWORK: Mapping[str, Any] = {
    "hidden_layer_sizes": (32, 16),
    "alpha": 0.1,
    "batch_size": 32,
    "max_iter": 100,
}
SMALLEST_LEAF = 1e-4
"""A share of the training rows: it keeps a forest on many rows small enough to serve."""

MOST_ROWS_A_TREE = 100_000
LARGE_FOREST: Mapping[str, Any] = {"max_samples": MOST_ROWS_A_TREE, "min_samples_leaf": 20}
"""On larger tables each tree learns a part by chance. On 800,000 rows whole trees took six minutes
for two classes and over a quarter of an hour for a number; so it is two and six, for 0.867 instead
of 0.874 of the held-out rows right."""

MOST_BOOSTED_TREES = 5000


@dataclass(frozen=True, slots=True)
class Estimator:
    """One entry: what it is, how its last step is made, and what has to stand before it."""

    description: str
    classifier: Maker | None = None
    regressor: Maker | None = None
    is_scaled: bool = False
    takes_gaps: bool = False

    def maker(self, schema: Schema) -> Maker | None:
        """Return what makes the last step for a schema's target, if there is such a one."""
        return self.classifier if schema.is_classifier else self.regressor


def make(name: str, *, seed: int, schema: Schema, rows: int = 0) -> Pipeline:
    """Return an unfitted pipeline for the encoded rows of a schema, and for about so many."""
    if ":" in name:
        entry = Estimator("one's own")
        return Pipeline([*_preparation(schema, entry), ("estimator", make_imported(name, schema))])
    fitting = ", ".join(names_for(schema))
    if name not in ESTIMATORS:
        raise Invalid(
            f"There is no estimator {shown(name)}: expected one of {fitting}, or your own as "
            "package.module:function."
        )
    maker = ESTIMATORS[name].maker(schema)
    if maker is None:
        answer = "a class" if schema.is_classifier else "a number"
        raise Invalid(
            f'The estimator "{name}" does not answer {answer}, which {shown(schema.target)} is: '
            f"expected one of {fitting}."
        )
    last = maker(seed, schema)
    if isinstance(last, FORESTS) and rows > MOST_ROWS_A_TREE:
        last.set_params(**LARGE_FOREST)
    return Pipeline([*_preparation(schema, ESTIMATORS[name]), ("estimator", last)])


def names_for(schema: Schema) -> tuple[str, ...]:
    """List the estimators that answer what a schema asks for."""
    return tuple(name for name, entry in ESTIMATORS.items() if entry.maker(schema))


def _preparation(schema: Schema, entry: Estimator) -> list[Step]:
    places: dict[bool, list[int]] = {True: [], False: []}
    for place, feature in enumerate(schema.features):
        places[feature.kind == "category"].append(place)
    numbers = [schema.features[place] for place in places[False]]
    categories = [schema.features[place] for place in places[True]]
    if not categories:
        return _number_steps(numbers, entry)
    steps = _number_steps(numbers, entry, copy=False)
    parts = [
        ("numbers", Pipeline(steps) if steps else "passthrough", places[False]),
        ("categories", _encoder(categories, entry), places[True]),
    ]
    return [("columns", ColumnTransformer([part for part in parts if part[2]]))]


def _number_steps(numbers: list[Feature], entry: Estimator, *, copy: bool = True) -> list[Step]:
    """Return the steps for numbers; without `copy` they may write into the rows they are given."""
    steps: list[Step] = []
    if any(feature.nullable for feature in numbers) and not entry.takes_gaps:
        imputer = SimpleImputer(strategy="median", keep_empty_features=True, copy=copy)
        steps.append(("imputer", imputer))
    if entry.is_scaled:
        steps.append(("scaler", StandardScaler(copy=copy)))
    return steps


def _encoder(categories: list[Feature], entry: Estimator) -> OneHotEncoder | OrdinalEncoder:
    places = [np.arange(float(len(feature.choices))) for feature in categories]
    if entry.takes_gaps:
        return OrdinalEncoder(
            categories=places, handle_unknown="use_encoded_value", unknown_value=np.nan
        )
    return OneHotEncoder(categories=places, handle_unknown="ignore")


def _mlp(seed: int, _schema: Schema) -> MLPClassifier:
    return MLPClassifier(**NETWORK, random_state=seed)


def _mlp_regressor(seed: int, _schema: Schema) -> TransformedTargetRegressor:
    return _on_scaled_target(MLPRegressor(**NETWORK, random_state=seed))


def _sgd(seed: int, _schema: Schema) -> SGDClassifier:
    # The default schedule, "optimal", forgets how far it is and jumps when it learns online. An
    # average stands still: it is of all steps since the fit, some ten thousand, beside which the
    # steps of a lesson are nothing, and it is no more often right.
    return SGDClassifier(loss="log_loss", learning_rate="constant", eta0=0.01, random_state=seed)


def _sgd_regressor(seed: int, schema: Schema) -> TransformedTargetRegressor:
    # A constant step is stable only below 2 / (the squared length of a row), about its width.
    return _on_scaled_target(
        SGDRegressor(
            learning_rate="constant",
            eta0=min(0.01, 0.1 / len(schema.features)),
            average=True,
            tol=1e-4,
            random_state=seed,
        )
    )


def _on_scaled_target(regressor: Any) -> TransformedTargetRegressor:
    """Let what goes by gradients see a target near 1, whatever its unit is."""
    return TransformedTargetRegressor(regressor, transformer=StandardScaler())


def _logistic(seed: int, _schema: Schema) -> LogisticRegression:
    return LogisticRegression(max_iter=1000, random_state=seed)


def _linear(_seed: int, _schema: Schema) -> LinearRegression:
    return LinearRegression()


def _ridge(seed: int, _schema: Schema) -> Ridge:
    return Ridge(random_state=seed)


def _tree(seed: int, schema: Schema) -> Any:
    kind = DecisionTreeClassifier if schema.is_classifier else DecisionTreeRegressor
    return kind(min_samples_leaf=5, random_state=seed)


def _forest(seed: int, schema: Schema) -> Any:
    kind = RandomForestClassifier if schema.is_classifier else RandomForestRegressor
    return kind(n_estimators=100, min_samples_leaf=SMALLEST_LEAF, random_state=seed)


def _hgb(seed: int, schema: Schema) -> Any:
    # Stopping early would hold back rows once more, and fail on a class of one row. Each round
    # grows a tree a class: with 250 classes a hundred rounds take minutes.
    rounds = max(20, min(100, MOST_BOOSTED_TREES // max(1, len(schema.classes))))
    kind = HistGradientBoostingClassifier if schema.is_classifier else HistGradientBoostingRegressor
    return kind(max_iter=rounds, early_stopping=False, random_state=seed)


ESTIMATORS: Mapping[str, Estimator] = {
    "mlp": Estimator(
        "neural network, two hidden layers; learns online", _mlp, _mlp_regressor, is_scaled=True
    ),
    "sgd": Estimator(
        "linear, by stochastic gradient; learns online", _sgd, _sgd_regressor, is_scaled=True
    ),
    "logistic": Estimator("logistic regression", _logistic, is_scaled=True),
    "linear": Estimator("least squares", regressor=_linear, is_scaled=True),
    "ridge": Estimator("least squares with small weights", regressor=_ridge, is_scaled=True),
    "tree": Estimator("one decision tree", _tree, _tree),
    "forest": Estimator("random forest of 100 trees", _forest, _forest),
    "hgb": Estimator(
        "histogram gradient boosting; takes gaps as they are", _hgb, _hgb, takes_gaps=True
    ),
}
