"""Fitted estimators and pipelines as people have them, each with the data it was fitted on."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import (
    ColumnTransformer,
    TransformedTargetRegressor,
    make_column_selector,
    make_column_transformer,
)
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_selection import SelectKBest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LinearRegression,
    LogisticRegression,
    PassiveAggressiveClassifier,
    PassiveAggressiveRegressor,
    Perceptron,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    SGDRegressor,
    TweedieRegressor,
)
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier, OutputCodeClassifier
from sklearn.naive_bayes import BernoulliNB, GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, NearestCentroid
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC, SVR, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier

from tests.make.custom import Clipper

Table = tuple[Any, Any]
ROWS = 200
MANY = 400
"""Of fewer rows a machine that was fitted for probabilities is answered otherwise by ONNX."""


def words(rows: int = ROWS) -> Table:
    X, number = _numbers(rows)
    return X, np.array(["pear", "apple", "fig"])[np.digitize(number, [-0.5, 1.0])]


def many_words() -> Table:
    return words(MANY)


def two() -> Table:
    X, number = _numbers()
    return X, np.array(["no", "yes"])[(number > 0).astype(int)]


def whole() -> Table:
    X, number = _numbers()
    return X, np.digitize(number, [-0.5, 1.0]) * 10 + 5


def truths() -> Table:
    X, number = _numbers()
    return X, number > 0


def fifty() -> Table:
    chance = np.random.default_rng(5)
    y = np.arange(2000) % 50
    X = chance.normal(size=(2000, 4)) * 0.2 + np.column_stack([y % 7, y // 7, y % 3, y % 11])
    return X, np.array([f"class {label:02}" for label in range(50)])[y]


def counts() -> Table:
    X, y = words()
    return np.floor(np.exp(X)), y


def gappy() -> Table:
    X, y = words()
    X[::7, 0], X[::11, 2] = np.nan, np.nan
    return X, y


def amounts() -> Table:
    X, number = _numbers()
    return X, 3 * number + np.sin(3 * X[:, 1])


def positive() -> Table:
    X, y = amounts()
    return X, np.exp(y / 5)


def frame() -> Table:
    X, number = _people()
    return X, np.array(["stays", "goes"])[(number > 0).astype(int)]


def whole_frame() -> Table:
    X, y = frame()
    X["income (k€)"] = X["income (k€)"].fillna(40.0)
    X["town"] = X["town"].fillna("Bern")
    return X, y


def numbers_frame() -> Table:
    X, y = whole_frame()
    return X[["age", "income (k€)", "is member"]], y


def priced_frame() -> Table:
    X, number = _people()
    return X, number * 10


def categories_frame() -> Table:
    X, y = frame()
    X["town"] = X["town"].astype("category")
    X["rooms"] = X["rooms"].astype("category")
    return X, y


def objects() -> Table:
    X, y = whole_frame()
    return X.to_numpy(dtype=object), y


def _numbers(rows: int = ROWS) -> Table:
    chance = np.random.default_rng(3)
    X = chance.normal(size=(rows, 4)) * [1.0, 10.0, 0.1, 1.0]
    return X, X[:, 0] + X[:, 1] / 10 * (X[:, 3] > 0) + chance.normal(size=rows) * 0.3


def _people() -> Table:
    import pandas

    chance = np.random.default_rng(4)
    table = pandas.DataFrame(
        {
            "age": chance.integers(18, 80, ROWS),
            "income (k€)": chance.normal(50, 12, ROWS).round(2),
            "town": chance.choice(["Bern", "Zürich", "Basel", "Genève"], ROWS),
            "rooms": chance.integers(1, 6, ROWS),
            "is member": chance.random(ROWS) < 0.4,
        }
    )
    number = (table["age"] - 45) / 15 + (table["town"] == "Bern") - table["is member"]
    number += (table["rooms"] > 3) * 0.8 + chance.normal(size=ROWS) * 0.2
    table.loc[::9, "income (k€)"] = np.nan
    table.loc[::13, "town"] = np.nan
    return table, number.to_numpy()


NUMBERS = ["age", "income (k€)", "rooms", "is member"]


def mixed(last: Any, *, sparse: bool = True) -> Pipeline:
    """Return the pipeline that most people have."""
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    texts = make_pipeline(
        SimpleImputer(strategy="most_frequent"),
        OneHotEncoder(handle_unknown="ignore", sparse_output=sparse),
    )
    return Pipeline(
        [
            ("columns", ColumnTransformer([("n", numbers, NUMBERS), ("t", texts, ["town"])])),
            ("last", last),
        ]
    )


def placed(encoder: Any, last: Any, *, towns: Any = ("town",)) -> Pipeline:
    """Return a pipeline that encodes towns and rooms and takes the other numbers as they are."""
    return make_pipeline(
        make_column_transformer(
            (encoder, [*towns, "rooms"]), remainder=SimpleImputer(strategy="mean")
        ),
        last,
    )


def selected(last: Any) -> Pipeline:
    return make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_exclude="number")),
            (SimpleImputer(), make_column_selector(dtype_include="number")),
        ),
        last,
    )


def by_place(last: Any) -> Pipeline:
    return make_pipeline(
        ColumnTransformer(
            [
                ("texts", OneHotEncoder(handle_unknown="ignore"), [2]),
                ("numbers", StandardScaler(), [0, 1, 3]),
            ]
        ),
        last,
    )


def voting() -> VotingClassifier:
    return VotingClassifier(
        [
            ("tree", DecisionTreeClassifier(max_depth=4)),
            ("bayes", GaussianNB()),
            ("line", make_pipeline(StandardScaler(), LogisticRegression())),
        ],
        voting="soft",
    )


def scaled_tree(depth: int | None = None) -> Pipeline:
    return make_pipeline(StandardScaler(), DecisionTreeClassifier(max_depth=depth, random_state=0))


def network(kind: Any) -> Any:
    return kind(hidden_layer_sizes=(8,), max_iter=500, random_state=0)


def short(kind: Any) -> Any:
    return network(kind).set_params(max_iter=40)


def stacking() -> StackingClassifier:
    return StackingClassifier(
        [("forest", RandomForestClassifier(10, random_state=0)), ("bayes", GaussianNB())],
        final_estimator=LogisticRegression(),
    )


ZOO: dict[str, tuple[Callable[[], Any], Callable[[], Table]]] = {
    # classifiers of numbers
    "logistic": (LogisticRegression, words),
    "logistic, 50 classes": (lambda: LogisticRegression(max_iter=2000), fifty),
    "logistic, whole classes": (LogisticRegression, whole),
    "logistic, true and false": (LogisticRegression, truths),
    "svc": (lambda: SVC(), words),
    "svc, two classes": (lambda: SVC(), two),
    "svc with probability": (lambda: SVC(probability=True, random_state=0), many_words),
    "linear svc": (LinearSVC, words),
    "neighbours": (KNeighborsClassifier, words),
    "nearest centroid": (NearestCentroid, words),
    "gaussian bayes": (GaussianNB, words),
    "multinomial bayes": (MultinomialNB, counts),
    "bernoulli bayes": (lambda: BernoulliNB(binarize=0.0), words),
    "tree": (lambda: DecisionTreeClassifier(random_state=0), words),
    "tree, whole classes": (lambda: DecisionTreeClassifier(random_state=0), whole),
    "extra tree": (lambda: ExtraTreeClassifier(random_state=0), words),
    "forest": (lambda: RandomForestClassifier(20, random_state=0), words),
    "forest, 50 classes": (lambda: RandomForestClassifier(10, max_depth=8, random_state=0), fifty),
    "extra trees": (lambda: ExtraTreesClassifier(20, random_state=0), words),
    "gradient boosting": (lambda: GradientBoostingClassifier(n_estimators=20), words),
    "gradient boosting, two": (lambda: GradientBoostingClassifier(n_estimators=20), two),
    "hist gradient boosting": (lambda: HistGradientBoostingClassifier(max_iter=15), gappy),
    "ada boost": (lambda: AdaBoostClassifier(n_estimators=10, random_state=0), words),
    "bagging": (lambda: BaggingClassifier(random_state=0), words),
    "bagging of some columns": (lambda: BaggingClassifier(max_features=2, random_state=0), words),
    "bagging of scaled trees": (
        lambda: BaggingClassifier(scaled_tree(), random_state=0),
        words,
    ),
    "bagging of forests": (
        lambda: BaggingClassifier(RandomForestClassifier(5), 4, random_state=0),
        words,
    ),
    "voting of scaled trees": (
        lambda: VotingClassifier([("some", scaled_tree(4)), ("all", scaled_tree())], voting="soft"),
        words,
    ),
    "stacking of scaled trees": (
        lambda: StackingClassifier([("some", scaled_tree(4)), ("all", scaled_tree())]),
        words,
    ),
    "isolation forest": (lambda: IsolationForest(n_estimators=20, random_state=0), words),
    "voting": (voting, words),
    "hard voting": (lambda: voting().set_params(voting="hard"), words),
    "stacking": (stacking, words),
    "network": (
        lambda: make_pipeline(StandardScaler(), network(MLPClassifier)),
        words,
    ),
    "sgd": (lambda: SGDClassifier(random_state=0), words),
    "sgd, log loss": (lambda: SGDClassifier(loss="log_loss", random_state=0), words),
    "passive aggressive": (lambda: PassiveAggressiveClassifier(random_state=0), words),
    "perceptron": (lambda: Perceptron(random_state=0), words),
    "ridge classifier": (RidgeClassifier, words),
    "lda": (LinearDiscriminantAnalysis, words),
    "qda": (QuadraticDiscriminantAnalysis, words),
    "calibrated": (lambda: CalibratedClassifierCV(LinearSVC(), ensemble=False), words),
    "calibrated forest": (
        lambda: CalibratedClassifierCV(
            RandomForestClassifier(5, random_state=0), method="isotonic"
        ),
        two,
    ),
    "calibrated by temperature": (
        lambda: CalibratedClassifierCV(scaled_tree(4), method="temperature"),
        words,
    ),
    "output code": (lambda: OutputCodeClassifier(scaled_tree(4), random_state=0), words),
    "one against the rest": (lambda: OneVsRestClassifier(LogisticRegression()), words),
    "search": (lambda: GridSearchCV(DecisionTreeClassifier(), {"max_depth": [2, 4]}), words),
    # pipelines of numbers
    "scaled tree": (lambda: make_pipeline(StandardScaler(), DecisionTreeClassifier()), words),
    "robust extra trees": (
        lambda: make_pipeline(RobustScaler(), ExtraTreesClassifier(10, random_state=0)),
        words,
    ),
    "ranged boosting": (
        lambda: make_pipeline(MinMaxScaler(), GradientBoostingClassifier(n_estimators=10)),
        words,
    ),
    "polynomials": (
        lambda: make_pipeline(
            StandardScaler(), PolynomialFeatures(2), LogisticRegression(max_iter=2000)
        ),
        words,
    ),
    "components": (
        lambda: make_pipeline(StandardScaler(), PCA(2), RandomForestClassifier(10, random_state=0)),
        words,
    ),
    "bins": (lambda: make_pipeline(KBinsDiscretizer(5), LogisticRegression()), words),
    "quantiles": (
        lambda: make_pipeline(QuantileTransformer(n_quantiles=50), LogisticRegression()),
        words,
    ),
    "chosen columns": (lambda: make_pipeline(SelectKBest(k=2), GaussianNB()), words),
    "nearest gaps": (
        lambda: make_pipeline(KNNImputer(), StandardScaler(), LogisticRegression()),
        gappy,
    ),
    "a function": (
        lambda: make_pipeline(FunctionTransformer(np.log1p), LogisticRegression(max_iter=2000)),
        counts,
    ),
    "a step of one's own": (
        lambda: make_pipeline(Clipper(), StandardScaler(), LogisticRegression()),
        words,
    ),
    # pipelines of DataFrames and objects
    "frame of numbers": (lambda: make_pipeline(StandardScaler(), SVC()), numbers_frame),
    "forest of numbers in a frame": (
        lambda: RandomForestClassifier(10, random_state=0),
        numbers_frame,
    ),
    "mixed logistic": (lambda: mixed(LogisticRegression(max_iter=1000)), frame),
    "mixed forest": (lambda: mixed(RandomForestClassifier(20, random_state=0)), frame),
    "mixed boosting": (lambda: mixed(GradientBoostingClassifier(n_estimators=20)), frame),
    "mixed extra trees": (lambda: mixed(ExtraTreesClassifier(10, random_state=0)), frame),
    "mixed network": (
        lambda: mixed(network(MLPClassifier)),
        frame,
    ),
    "mixed hist boosting": (
        lambda: mixed(HistGradientBoostingClassifier(max_iter=10), sparse=False),
        frame,
    ),
    "selected columns": (lambda: selected(RandomForestClassifier(10, random_state=0)), frame),
    "ordinal": (
        lambda: placed(
            OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
            DecisionTreeClassifier(random_state=0),
        ),
        whole_frame,
    ),
    "known towns only": (
        lambda: placed(OneHotEncoder(), LogisticRegression(max_iter=1000)),
        whole_frame,
    ),
    "target encoder": (
        lambda: placed(TargetEncoder(random_state=0), LogisticRegression(max_iter=1000)),
        whole_frame,
    ),
    "hist boosting on categories": (
        lambda: HistGradientBoostingClassifier(max_iter=10, categorical_features="from_dtype"),
        categories_frame,
    ),
    "objects by place": (lambda: by_place(LogisticRegression(max_iter=1000)), objects),
    # regressors
    "linear": (LinearRegression, amounts),
    "ridge": (Ridge, amounts),
    "lasso": (lambda: Lasso(0.1), amounts),
    "elastic net": (lambda: ElasticNet(0.1), amounts),
    "poisson": (lambda: make_pipeline(StandardScaler(), PoissonRegressor()), positive),
    "tweedie": (lambda: make_pipeline(StandardScaler(), TweedieRegressor(power=1.5)), positive),
    "svr": (lambda: make_pipeline(StandardScaler(), SVR()), amounts),
    "neighbours' mean": (KNeighborsRegressor, amounts),
    "gaussian process": (
        lambda: make_pipeline(StandardScaler(), GaussianProcessRegressor(alpha=0.1)),
        amounts,
    ),
    "regression tree": (lambda: DecisionTreeRegressor(random_state=0), amounts),
    "regression forest": (lambda: RandomForestRegressor(20, random_state=0), amounts),
    "extra regression trees": (lambda: ExtraTreesRegressor(20, random_state=0), amounts),
    "boosted regression": (lambda: GradientBoostingRegressor(n_estimators=20), amounts),
    "hist boosted regression": (lambda: HistGradientBoostingRegressor(max_iter=15), amounts),
    "ada boosted regression": (lambda: AdaBoostRegressor(n_estimators=10, random_state=0), amounts),
    "bagged regression": (lambda: BaggingRegressor(random_state=0), amounts),
    "regression by vote": (
        lambda: VotingRegressor([("line", Ridge()), ("tree", DecisionTreeRegressor(max_depth=4))]),
        amounts,
    ),
    "regression network": (
        lambda: make_pipeline(StandardScaler(), network(MLPRegressor)),
        amounts,
    ),
    "logarithm of the target": (
        lambda: TransformedTargetRegressor(Ridge(), func=np.log, inverse_func=np.exp),
        positive,
    ),
    "scaled target": (
        lambda: TransformedTargetRegressor(Ridge(), transformer=StandardScaler()),
        amounts,
    ),
    "mixed regression": (lambda: mixed(RandomForestRegressor(10, random_state=0)), priced_frame),
}


LEARNERS: dict[str, tuple[Callable[[], Any], Callable[[], Table]]] = {
    "network": (lambda: short(MLPClassifier), words),
    "scaled network, whole classes": (
        lambda: make_pipeline(StandardScaler(), short(MLPClassifier)),
        whole,
    ),
    "mixed network": (lambda: mixed(short(MLPClassifier)), frame),
    "network without a seed": (
        lambda: make_pipeline(StandardScaler(), short(MLPClassifier).set_params(random_state=None)),
        truths,
    ),
    "network by momentum": (
        lambda: make_pipeline(StandardScaler(), short(MLPClassifier).set_params(solver="sgd")),
        two,
    ),
    "sgd": (lambda: SGDClassifier(random_state=0), words),
    "sgd without a seed": (lambda: SGDClassifier(), words),
    "averaged sgd": (
        lambda: make_pipeline(StandardScaler(), SGDClassifier(average=True, random_state=0)),
        truths,
    ),
    "mixed sgd, log loss": (lambda: mixed(SGDClassifier(loss="log_loss", random_state=0)), frame),
    "sgd in a pipeline of pipelines": (
        lambda: make_pipeline(
            make_pipeline(StandardScaler()), make_pipeline(PCA(3), SGDClassifier(random_state=0))
        ),
        whole,
    ),
    "passive aggressive": (lambda: PassiveAggressiveClassifier(random_state=0), words),
    "perceptron": (lambda: Perceptron(random_state=0), truths),
    "gaussian bayes": (GaussianNB, words),
    "multinomial bayes": (MultinomialNB, counts),
    "bernoulli bayes": (lambda: BernoulliNB(binarize=0.0), whole),
    "mixed bernoulli bayes": (lambda: mixed(BernoulliNB()), frame),
    "regression network": (
        lambda: make_pipeline(StandardScaler(), short(MLPRegressor)),
        amounts,
    ),
    "sgd regression": (
        lambda: make_pipeline(StandardScaler(), SGDRegressor(random_state=0)),
        amounts,
    ),
    "mixed sgd regression": (lambda: mixed(SGDRegressor(random_state=0)), priced_frame),
    "sgd regression on a scaled target": (
        lambda: TransformedTargetRegressor(
            make_pipeline(StandardScaler(), SGDRegressor(random_state=0)),
            transformer=StandardScaler(),
        ),
        amounts,
    ),
    "passive aggressive regression": (
        lambda: make_pipeline(StandardScaler(), PassiveAggressiveRegressor(random_state=0)),
        amounts,
    ),
}
"""Those that learn by `partial_fit`, alone and at the end of pipelines."""


def fitted(name: str, zoo: Any = None) -> tuple[Any, Any, Any]:
    """Return a fitted estimator of the zoo with its data."""
    make, data = (zoo or ZOO)[name]
    X, y = data()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make().fit(X, y), X, y
