"""Bring your own: a fitted estimator and the data that shows a row become a served version.

`add` is the door for notebooks (as `unrot.add`) and for the command of the same name. Nothing is
fitted and nothing is unpickled here: the owner's own code has made the estimator.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from sklearn.exceptions import InconsistentVersionWarning

from unrot.core.descriptions import described, read
from unrot.core.errors import Invalid
from unrot.core.plurals import counted
from unrot.core.records import Model, Schema, Version
from unrot.core.schema import check_name, schema_hash
from unrot.core.settings import Settings, load
from unrot.make import models, owned
from unrot.make.candidate import Brought, make_candidate, read_table, schema_of
from unrot.make.imported import function_named
from unrot.make.publishing import publish
from unrot.serve.service import Service

EXPECTED = "expected package.module:function, a function here that returns a fitted estimator"
Progress = Callable[[float, str], None]


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
    force: bool = False,
    settings: Settings | None = None,
    progress: Progress | None = None,
    opened: Callable[[Settings], Service],
) -> Version:
    """Register a fitted estimator, or a function that loads one, as a model's next version.

    `describe` is a TOML file, or a dict of its shape, with the words for people; `opened` makes
    the service of a home folder.
    """
    check_name(name)
    words = {} if describe is None else read(describe)
    tell = progress or (lambda _share, _step: None)
    tell(0.0, "loading the estimator")
    estimator, fitted_with = loaded(estimator)
    _check_version(fitted_with, force=force)
    owned.check(estimator)
    settings = settings or load()
    tell(0.1, "reading the data")
    brought = _brought(estimator, X, y, holdout, target or str(getattr(y, "name", "") or "target"))
    raw = X if hasattr(X, "iloc") or isinstance(X, np.ndarray) else None
    brought = replace(brought, fitted_with=fitted_with, trusted=settings.trusted_types, raw=raw)
    service = opened(settings)
    service.store.check()
    schema = _as_registered(service, name, schema_of(brought))
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
        except Exception as error:
            # It is the owner's code: whatever it raises is told to them.
            raise Invalid(f"The estimator cannot be loaded: {owned.told(error)}.") from error
    old = [one.message for one in caught if isinstance(one.message, InconsistentVersionWarning)]
    return made, str(old[0].original_sklearn_version) if old else ""


def imported(path: str) -> Callable[[], Any]:
    """Return the function that `package.module:load` names."""
    function = function_named(path, EXPECTED)
    if hasattr(function, "predict"):
        raise Invalid(f"{path} is not a function: {EXPECTED}.")
    return function


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
    kind = owned.name_of(brought.estimator)
    return f"{schema.target}, {answer}, from {columns}: {kind}, brought by its owner."
