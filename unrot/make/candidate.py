"""Make a candidate of an owner's fitted estimator and the data that came with it.

The data says what a row looks like; the holdout, if there is one, says what the estimator is
worth. Nothing is fitted here. What each part of the product can and cannot do with the estimator
is written into the candidate's reason, for the page and the terminal.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import sklearn

from unrot.core.artefacts import GOLDEN, HOLDOUT, ONNX, SKOPS, TRAINING
from unrot.core.encoding import Encoder
from unrot.core.errors import BadArtefact, Invalid, shown
from unrot.core.plurals import counted
from unrot.core.records import Candidate, Outputs, Row, Schema
from unrot.make import inputs as given
from unrot.make import owned, packed
from unrot.make.forms import FRAME, Form
from unrot.make.inputs import Given
from unrot.make.metrics import calibrate, measure_answers
from unrot.make.online import learns
from unrot.make.onnx.owned_export import Compiled, compile_owned, parted
from unrot.make.owned import Owned, OwnedPredictor
from unrot.make.predictors import load
from unrot.make.repeatable import on_one_thread
from unrot.make.train import GOLDEN_ROWS, MOST_COMPARED_ROWS, MOST_REFERENCE_ROWS, libraries
from unrot.serve.parity import TOLERANCE, differing_rows, largest_difference
from unrot.serve.predictor import pack_golden

Server = Literal["onnx", "scikit-learn"]
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


def read_table(estimator: Any, table: Any) -> Given:
    """Read a table as the estimator takes it."""
    read = given.read(table, owned.names_of(estimator))
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
    classes = tuple(str(label) for label in owned.classes_of(brought.estimator))
    if len(set(classes)) < len(classes):
        raise Invalid(f"Two classes of the estimator read alike: {', '.join(classes[:12])}.")
    known = owned.known_texts(brought.estimator)
    features = given.features_of(brought.table, brought.holdout, known)
    return Schema(features, brought.target, classes)


def make_candidate(brought: Brought, schema: Schema) -> Candidate:
    """Keep, compile, compare and measure what was brought."""
    # Thousands of small questions are asked: threads would cost more than they bring, and what
    # the libraries warn of at each is not the owner's to mend.
    with on_one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _made(brought, schema)


def _made(brought: Brought, schema: Schema) -> Candidate:
    rows = _sample(brought.table.rows, MOST_REFERENCE_ROWS)
    held = Owned(brought.estimator, brought.table.form)
    predictor = OwnedPredictor(held, schema)
    compared = _sample(rows, MOST_COMPARED_ROWS)
    _check_rows(predictor, compared)
    _check_form(predictor, brought)
    made = compiled(held, schema, rows, compared, brought.trusted)
    answered = _held_out(made, brought, schema)
    metrics, calibrating = _measured(answered, brought, schema)
    return replace(
        made,
        estimator=owned.name_of(brought.estimator),
        origin="added",
        metrics=metrics,
        calibrating=calibrating,
        held_out_outputs=answered,
        artefacts={**made.artefacts, **_tables(brought, schema)},
        libraries={**made.libraries, **_fitted_with(brought)},
        reason=" ".join([*([made.reason] if made.reason else []), *_said(brought)]),
        made={"learns": learns(brought.estimator)},
    )


def compiled(
    held: Owned,
    schema: Schema,
    rows: Sequence[Row],
    compared: Sequence[Row],
    trusted: Collection[str],
) -> Candidate:
    """Compile an owner's estimator, compare it and let what serves answer the reference rows.

    Its name, origin, metrics and tables are for the caller to add.
    """
    predictor = OwnedPredictor(held, schema)
    graph = compile_owned(predictor, schema, compared)
    skops, refusal = _kept(held, trusted, predictor, graph)
    if graph.onnx is None and skops is None:
        raise Invalid(f"It cannot be served: {refusal}. {graph.reason}")
    kept = {
        GOLDEN: _golden(predictor, graph),
        **({} if skops is None else {SKOPS: skops}),
        **({} if graph.onnx is None else {ONNX: graph.onnx}),
    }
    by: Server = "scikit-learn" if graph.onnx is None else "onnx"
    artefact = SKOPS if graph.onnx is None else ONNX
    return Candidate(
        estimator="",
        origin="",
        metrics={},
        artefacts=kept,
        libraries=libraries(),
        served_by=by,
        serving_artefact=artefact,
        largest_difference=graph.largest_difference,
        compared_rows=len(graph.compared),
        reason=_reason(graph, refusal, held.form),
        form=graph.form,
        reference_rows=rows,
        reference_outputs=load(by, kept[artefact], schema, graph.form, trusted=trusted).predict(
            rows
        ),
    )


def _check_rows(predictor: OwnedPredictor, rows: Sequence[Row]) -> None:
    _, refused = parted(predictor, rows)
    if refused:
        try:
            predictor.predict(refused[:1])
        except Invalid as error:
            raise Invalid(f"The estimator does not answer the data: {error.message}") from error


def _check_form(predictor: OwnedPredictor, brought: Brought) -> None:
    """Raise Invalid when rows do not come back to the estimator as they were given."""
    if brought.raw is None:
        return
    raw, rows = _first(brought.raw, brought.table), brought.table.rows[:MOST_COMPARED_ROWS]
    expected, answered = predictor.answer(raw), predictor.predict(rows)
    if largest_difference(expected, answered) > TOLERANCE:
        raise Invalid(
            "The estimator answers other than it does to the data itself when a row is written "
            "as JSON and read back: make plain numbers, texts or yes and no of the columns."
        )


def _first(raw: Any, table: Given) -> Any:
    if hasattr(raw, "iloc"):
        return raw[[column.label for column in table.form.columns]].iloc[:MOST_COMPARED_ROWS]
    return raw[:MOST_COMPARED_ROWS]


def _kept(
    held: Owned, trusted: Collection[str], predictor: OwnedPredictor, compiled: Compiled
) -> tuple[bytes | None, str]:
    """Write the estimator as a skops file that answers the same, or say why there is none."""
    try:
        data = owned.dump(held, trusted)
        again = OwnedPredictor(owned.load(data, trusted), predictor.schema)
        given = again.predict(compiled.compared)
    except (BadArtefact, Invalid) as error:
        return None, error.message.rstrip(".")
    if differing_rows(compiled.expected, given) or (
        largest_difference(compiled.expected, given) > TOLERANCE
    ):
        return None, "skops reads another model back than it wrote"
    return data, ""


def _reason(graph: Compiled, refusal: str, form: Form) -> str:
    said: list[str] = []
    if graph.onnx is None:
        said.append(graph.reason)
        if form.container == FRAME:
            said.append("It takes DataFrames, so the server needs pandas.")
    if refusal:
        said.append(f"It is served only and cannot learn here: {refusal}.")
    return " ".join(said)


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


def _held_out(made: Candidate, brought: Brought, schema: Schema) -> Outputs | None:
    """Let what serves answer the holdout, if there is one."""
    if brought.holdout is None:
        return None
    artefact = made.artefacts[made.serving_artefact]
    serving = load(made.served_by, artefact, schema, made.form, trusted=brought.trusted)
    return serving.predict(brought.holdout.rows)


def _measured(
    answered: Outputs | None, brought: Brought, schema: Schema
) -> tuple[dict[str, float], list[tuple[float, bool]]]:
    """Measure what was answered to the holdout, beside what guessing would reach."""
    if answered is None:
        return {}, []
    truth = np.array(labels_of(brought.estimator, brought.holdout_labels, schema))
    known = np.array(labels_of(brought.estimator, brought.labels, schema))
    return measure_answers(answered, truth, known, schema), calibrate(answered, truth, schema)


def _fitted_with(brought: Brought) -> Mapping[str, str]:
    return {"fitted with scikit-learn": brought.fitted_with} if brought.fitted_with else {}


# ── tables and labels ────────────────────────────────────────────────────────────────────────


def _tables(brought: Brought, schema: Schema) -> dict[str, bytes]:
    rows = _sample(brought.table.rows, MOST_REFERENCE_ROWS)
    labels = _sample(list(brought.labels), MOST_REFERENCE_ROWS)
    tables = {TRAINING: _packed(rows, labels_of(brought.estimator, labels, schema), schema)}
    if brought.holdout is not None:
        truth = labels_of(brought.estimator, brought.holdout_labels, schema)
        tables[HOLDOUT] = _packed(brought.holdout.rows, truth, schema)
    return tables


def _packed(rows: Sequence[Row], labels: Sequence[Any], schema: Schema) -> bytes:
    return packed.pack_table(Encoder(schema).encode(rows), np.array(labels))


def labels_of(estimator: Any, labels: Sequence[Any], schema: Schema) -> list[str | float]:
    """Read true labels: classes as the schema spells them, or numbers."""
    if not schema.is_classifier:
        return [_value(label, number, schema) for number, label in enumerate(labels)]
    spelt: dict[Any, str] = {}
    for label, name in zip(owned.classes_of(estimator), schema.classes, strict=True):
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


def _golden(predictor: OwnedPredictor, compiled: Compiled) -> bytes:
    """Keep rows that are spread over all that was compared, so that they would tell."""
    places = np.linspace(0, len(compiled.compared) - 1, GOLDEN_ROWS).astype(int).tolist()
    rows = [compiled.compared[place] for place in dict.fromkeys(places)]
    return pack_golden(rows, predictor.predict(rows))


def _sample(rows: Sequence[Any], most: int) -> list[Any]:
    if len(rows) <= most:
        return list(rows)
    return [rows[place] for place in np.linspace(0, len(rows) - 1, most).astype(int).tolist()]
