"""Bring your own: a fitted estimator and the data that shows a row become a served version.

`add` is the door for notebooks (as `unrot.add`) and for the command of the same name. Nothing is
fitted and nothing is unpickled here: the owner's own code has made the estimator. The data says
what a row looks like; the holdout, if there is one, says what the estimator is worth.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from sklearn.exceptions import InconsistentVersionWarning

from unrot.core.artefacts import EXAMPLES, HOLDOUT, TRAINING
from unrot.core.descriptions import described, read
from unrot.core.errors import Invalid, error_summary, shown
from unrot.core.plurals import counted
from unrot.core.records import Candidate, Model, Row, Schema, Version
from unrot.core.schema import check_name, schema_hash
from unrot.core.settings import Settings, load
from unrot.explain import examples
from unrot.make import inputs, models, tables
from unrot.make.candidate import MOST_COMPARED_ROWS, MOST_REFERENCE_ROWS, compile_candidate
from unrot.make.fitted import Fitted, check, classes_of, known_texts, name_of, names_of
from unrot.make.imported import function_named
from unrot.make.inputs import FRAME, Given
from unrot.make.metrics import Measured, measure
from unrot.make.online import learns
from unrot.make.onnx.probe_rows import split_refused, spread
from unrot.make.publishing import publish
from unrot.make.repeatable import quietly
from unrot.serve.parity import TOLERANCE, largest_difference
from unrot.serve.service import Service

EXPECTED = "expected package.module:function, a function here that returns a fitted estimator"
Progress = Callable[[float, str], None]
NO_JUDGE = (
    "It was added without a holdout: nothing trusted is there to judge by until judges have given "
    "verdicts."
)


@dataclass(frozen=True, slots=True)
class Brought:
    """What an owner brings: a fitted estimator, data that shows a row, perhaps a holdout."""

    estimator: Any
    table: Given
    labels: Sequence[Any]
    target: str
    holdout: Given | None = None
    holdout_labels: Sequence[Any] = ()
    fitted_with: str = ""
    """The version of scikit-learn that fitted it, where it is another one than ours."""
    trusted: Collection[str] = field(default_factory=frozenset)
    raw: Any = None
    """The data as it was given, where that is a DataFrame or an array."""


def add(
    name: str,
    estimator: Any,
    X: Any,
    y: Any,
    *,
    holdout: tuple[Any, Any] | None = None,
    target: str = "",
    title: str = "",
    description: str = "",
    describe: Path | str | Mapping[str, Any] | None = None,
    optional: Collection[str] = (),
    force: bool = False,
    settings: Settings | None = None,
    progress: Progress | None = None,
    opened: Callable[[Settings], Service],
) -> Version:
    """Register a fitted estimator, or a function that loads one, as a model's next version.

    `describe` is a TOML file, or a dict of its shape, with the words for people; `optional` are
    columns that may have gaps though the data has none; `opened` makes the service of a home.
    """
    check_name(name)
    words = {} if describe is None else read(describe)
    tell = progress or (lambda _share, _step: None)
    tell(0.0, "loading the estimator")
    estimator, fitted_with = loaded(estimator)
    _check_version(fitted_with, force=force)
    check(estimator)
    settings = settings or load()
    tell(0.1, "reading the data")
    brought = _brought(estimator, X, y, holdout, target or str(getattr(y, "name", "") or "target"))
    raw = X if hasattr(X, "iloc") or isinstance(X, np.ndarray) else None
    brought = replace(brought, fitted_with=fitted_with, trusted=settings.trusted_types, raw=raw)
    service = opened(settings)
    service.store.check()
    schema = _as_registered(service, name, with_gaps(schema_of(brought), optional))
    titled = title or name.replace("_", " ").replace("-", " ").capitalize()
    said = description or _description(brought, schema)
    model = described(Model(name, 0, titled, said, schema, service.clock()), words)
    tell(0.3, "compiling and comparing with scikit-learn")
    candidate = make_candidate(brought, schema)
    tell(0.9, "registering")
    version = publish(service, model, candidate)
    if words:
        models.describe(service, name, words)
    tell(1.0, "done")
    return version


def loaded(estimator: Any) -> tuple[Any, str]:
    """Call a function that loads an estimator; tell too which other scikit-learn fitted it."""
    if hasattr(estimator, "predict") or not callable(estimator):
        return estimator, ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            made = estimator()
        except Invalid:
            raise
        except Exception as error:
            # It is the owner's code: whatever it raises is told to them.
            raise Invalid(f"The estimator cannot be loaded: {error_summary(error)}.") from error
    old = [one.message for one in caught if isinstance(one.message, InconsistentVersionWarning)]
    return made, str(old[0].original_sklearn_version) if old else ""


def imported(path: str) -> Callable[[], Any]:
    """Return the function that `package.module:load` names."""
    function = function_named(path, EXPECTED)
    if hasattr(function, "predict"):
        raise Invalid(f"{path} is not a function: {EXPECTED}.")
    return function


def read_table(estimator: Any, table: Any) -> Given:
    """Read a table as the estimator takes it."""
    read = inputs.read(table, names_of(estimator))
    width = getattr(estimator, "n_features_in_", len(read.names))
    if width != len(read.names):
        raise Invalid(
            f"The estimator takes {counted(width, 'column')}, and the data has "
            f"{len(read.names)} beside the "
            f"target: {', '.join(read.names[:8])}."
        )
    if not len(read):
        raise Invalid("The data has no row: give at least one, to show what a row looks like.")
    return read


def schema_of(brought: Brought) -> Schema:
    """Describe what the estimator reads and answers."""
    classes = tuple(str(label) for label in classes_of(brought.estimator))
    if len(set(classes)) < len(classes):
        raise Invalid(f"Two classes of the estimator read alike: {', '.join(classes[:12])}.")
    known = known_texts(brought.estimator)
    features = inputs.features_of(brought.table, brought.holdout, known)
    return Schema(features, brought.target, classes)


def with_gaps(schema: Schema, optional: Collection[str]) -> Schema:
    """Let some features be missing."""
    features = [
        replace(one, nullable=True) if one.name in optional else one for one in schema.features
    ]
    return replace(schema, features=tuple(features))


def _check_version(fitted_with: str, *, force: bool) -> None:
    if fitted_with and not force:
        raise Invalid(
            f"The estimator was fitted with scikit-learn {fitted_with}, and here is "
            f"{sklearn.__version__}: it may answer otherwise. Fit it again with this version, or "
            "insist with --force (force=True)."
        )


def _brought(
    estimator: Any, X: Any, y: Any, holdout: tuple[Any, Any] | None, target: str
) -> Brought:
    table = read_table(estimator, X)
    labels = _labels(y, len(table), "y")
    if holdout is None:
        return Brought(estimator, table, labels, target)
    if not isinstance(holdout, tuple) or len(holdout) != 2:
        raise Invalid("holdout: expected a pair of a table and its labels.")
    judges = read_table(estimator, holdout[0])
    judging = _labels(holdout[1], len(judges), "the y of the holdout")
    return Brought(estimator, table, labels, target, judges, judging)


def _labels(y: Any, rows: int, what: str) -> Sequence[Any]:
    labels = y.tolist() if hasattr(y, "tolist") else list(y)
    if np.ndim(y) == 2 and np.shape(y)[1] == 1:
        labels = [label[0] for label in labels]
    elif np.ndim(y) > 1:
        raise Invalid(f"{what} has the shape {np.shape(y)}: a model has one target.")
    if len(labels) != rows:
        raise Invalid(
            f"{what} has {counted(len(labels), 'label')} for {counted(rows, 'row')}: give one "
            "a row."
        )
    return list(labels)


def _as_registered(service: Service, name: str, schema: Schema) -> Schema:
    """Keep the schema that the model is registered with, where the new one asks for no more.

    Another sample of the same rows has other ranges and may lack a choice: that makes it no other
    model.
    """
    known = {model.name: model.schema for model in service.store.registry.models()}.get(name)
    if known is None or len(known.features) != len(schema.features):
        return schema
    pairs = list(zip(known.features, schema.features, strict=True))
    has_room = all(old.nullable or not new.nullable for old, new in pairs)
    as_known = replace(
        schema,
        features=tuple(
            replace(new, choices=old.choices, nullable=old.nullable) for old, new in pairs
        ),
    )
    is_same = schema_hash(as_known) == schema_hash(known)
    return known if has_room and is_same else schema


def _description(brought: Brought, schema: Schema) -> str:
    answer = f"one of {len(schema.classes)} classes" if schema.is_classifier else "a number"
    count = len(schema.features)
    columns = counted(count, "column")
    kind = name_of(brought.estimator)
    return f"{schema.target}, {answer}, from {columns}: {kind}, brought by its owner."


# ── the candidate ────────────────────────────────────────────────────────────────────────────


def make_candidate(brought: Brought, schema: Schema) -> Candidate:
    """Compile, compare, measure and keep what was brought."""
    fitted = Fitted(brought.estimator, schema, brought.table.form)
    rows = spread(brought.table.rows, MOST_REFERENCE_ROWS)
    compared = spread(rows, MOST_COMPARED_ROWS)
    with quietly():
        _check_rows(fitted, compared)
        _check_form(fitted, brought)
        made = compile_candidate(fitted, rows, compared, brought.trusted)
        made = _measured(fitted, brought).add_to(made)
    older = {"fitted with scikit-learn": brought.fitted_with} if brought.fitted_with else {}
    return replace(
        made,
        estimator=name_of(brought.estimator),
        origin="added",
        artefacts={**made.artefacts, **_tables(brought, schema)},
        libraries={**made.libraries, **older},
        reason=" ".join(filter(None, [made.reason, *_said(brought)])),
        made={"learns": learns(brought.estimator)},
    )


def _check_rows(fitted: Fitted, rows: Sequence[Row]) -> None:
    _, refused = split_refused(fitted, rows)
    if refused:
        try:
            fitted.predict(refused[:1])
        except Invalid as error:
            raise Invalid(f"The estimator does not answer the data: {error.message}") from error


def _check_form(fitted: Fitted, brought: Brought) -> None:
    """Raise Invalid when rows do not come back to the estimator as they were given."""
    is_frame = brought.table.form.container == FRAME
    if brought.raw is None or hasattr(brought.raw, "iloc") != is_frame:
        return  # An array for an estimator of DataFrames: it takes that only as a row comes back.
    answered = fitted.predict(spread(brought.table.rows, MOST_COMPARED_ROWS))
    expected = fitted.answer(_some(brought.raw, brought.table))
    if largest_difference(expected, answered) > TOLERANCE:
        raise Invalid(
            "The estimator answers other than it does to the data itself when a row is written "
            "as JSON and read back: make plain numbers, texts or yes and no of the columns."
        )


def _some(raw: Any, table: Given) -> Any:
    places = spread(range(len(table)), MOST_COMPARED_ROWS)
    if hasattr(raw, "iloc"):
        return raw[[column.label for column in table.form.columns]].iloc[places]
    return raw[places]


def _measured(fitted: Fitted, brought: Brought) -> Measured:
    """Measure what is answered to the holdout, if there is one."""
    if brought.holdout is None:
        return Measured()
    answered, schema = fitted.predict(brought.holdout.rows), fitted.schema
    truth = np.array(labels_of(brought.estimator, brought.holdout_labels, schema))
    known = np.array(labels_of(brought.estimator, brought.labels, schema))
    return measure(answered, truth, known, schema)


def _tables(brought: Brought, schema: Schema) -> dict[str, bytes]:
    rows = spread(brought.table.rows, MOST_REFERENCE_ROWS)
    labels = spread(list(brought.labels), MOST_REFERENCE_ROWS)
    truth = labels_of(brought.estimator, labels, schema)
    packed = {TRAINING: tables.pack(rows, truth, schema), EXAMPLES: examples.pack(rows, truth)}
    if brought.holdout is not None:
        truth = labels_of(brought.estimator, brought.holdout_labels, schema)
        packed[HOLDOUT] = tables.pack(brought.holdout.rows, truth, schema)
    return packed


def _said(brought: Brought) -> list[str]:
    """Say what is to be known of how it was brought."""
    said: list[str] = []
    if brought.fitted_with:
        said.append(
            f"It was fitted with scikit-learn {brought.fitted_with} and runs on "
            f"{sklearn.__version__}, by force."
        )
    if brought.holdout is None:
        said.append(NO_JUDGE)
    return said


def labels_of(estimator: Any, labels: Sequence[Any], schema: Schema) -> list[str | float]:
    """Read true labels: classes as the schema spells them, or numbers."""
    if not schema.is_classifier:
        return [_value(label, number, schema) for number, label in enumerate(labels)]
    spelt: dict[Any, str] = {}
    for label, name in zip(classes_of(estimator), schema.classes, strict=True):
        spelt |= {name.casefold(): name, _key(label): name}
    spelt |= {name: name for name in schema.classes}
    return [_class(label, number, spelt, schema) for number, label in enumerate(labels)]


def _class(label: Any, number: int, spelt: Mapping[Any, str], schema: Schema) -> str:
    plain = label.item() if isinstance(label, np.generic) else label
    tried = (str(plain), _key(plain), str(plain).casefold())
    found = next((spelt[one] for one in tried if one in spelt), None)
    if found is None:
        raise Invalid(
            f"Row {number}: {schema.target} is {shown(str(plain))}, which the estimator does not "
            f"answer: it has {', '.join(schema.classes[:12])}."
        )
    return found


def _key(label: Any) -> Any:
    """Let 1, 1.0 and True be one label, as a file and an array write them differently."""
    return float(label) if isinstance(label, bool | int | float) else str(label).casefold()


def _value(label: Any, number: int, schema: Schema) -> float:
    try:
        value = float(label)
    except (TypeError, ValueError):
        value = np.nan
    if not np.isfinite(value):
        raise Invalid(
            f"Row {number}: {schema.target} is {shown(str(label))}: expected a finite number."
        )
    return value
