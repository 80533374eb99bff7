"""A dozen tables of many shapes, and one more: one command each ends with a page that predicts.

What comes of it beats the constant guess, as plain scikit-learn does on the same rows.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import datasets
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from unrot.app import create_app
from unrot.cli import main
from unrot.core.records import Version
from unrot.core.settings import Settings
from unrot.make import tables
from unrot.serve.service import Service

MOST_COLUMNS = 30
"""On wider tables the plain estimator is a linear one, which is quicker."""


@dataclass(frozen=True)
class Table:
    """A file, and the command that makes a model of it."""

    content: bytes
    target: str
    estimator: str
    kinds: set[str]
    """What its columns have to be found to be."""
    more: tuple[str, ...] = ()


def csv_of(header: Sequence[str], rows: Iterable[Sequence[Any]], delimiter: str = ",") -> bytes:
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter).writerows([header, *rows])
    return written.getvalue().encode()


def bundled(load: Callable[[], Any]) -> tuple[list[str], list[list[Any]]]:
    """Return a table of scikit-learn's own with its target last, classes by name."""
    found = load()
    names = found.get("target_names")
    answers = found.target if names is None else np.array(names)[found.target]
    pairs = zip(found.data.tolist(), answers.tolist(), strict=True)
    return [*found.feature_names, "answer"], [[*row, answer] for row, answer in pairs]


def diabetes() -> bytes:
    """Decimal commas between semicolons, as a German spreadsheet writes them."""
    header, rows = bundled(lambda: datasets.load_diabetes(scaled=False))
    text = [[f"{value:.2f}".replace(".", ",") for value in row] for row in rows]
    return csv_of(header, text, ";")


def two_columns() -> bytes:
    found = datasets.load_linnerud()
    return csv_of(("Weight", "Waist"), found.target[:, :2].tolist())


def mixed() -> bytes:
    """Categories, yes or no, numbers in a unit, and gaps in all of them."""
    chance = np.random.default_rng(1)

    def row() -> list[str]:
        town, heated = chance.choice(["Köln", "Oslo", "Rome"]), chance.choice(["yes", "no"])
        area, share = chance.uniform(20, 200), chance.integers(100)
        score = area / 40 + (town == "Oslo") * 3 + (heated == "yes") * 2 + share / 50
        level = "low" if score < 5 else "middle" if score < 7.5 else "high"
        cells = [town, heated, f"{area:.1f}", f"{share} %"]
        return [*("" if chance.random() < 0.1 else cell for cell in cells), level]

    return csv_of(("town", "heated", "area", "let", "rent"), [row() for _ in range(400)])


def wide() -> bytes:
    rows, labels = datasets.make_classification(
        400, 499, n_informative=20, n_redundant=0, class_sep=2.0, random_state=2
    )
    cells = [[*row, "ab"[label]] for row, label in zip(rows.round(3).tolist(), labels, strict=True)]
    return csv_of([*(f"c{place}" for place in range(499)), "y"], cells)


def fifty_classes() -> bytes:
    chance = np.random.default_rng(3)
    cells = [
        [round(number % 10 + chance.normal() / 8, 3), number // 10, f"type {number:02}"]
        for number in np.tile(np.arange(50), 20).tolist()
    ]
    return csv_of(("width", "legs", "kind"), cells)


def yes_or_no() -> bytes:
    """Tabs and Windows-1252, as an old spreadsheet saves them."""
    chance = np.random.default_rng(4)

    def row() -> list[Any]:
        age, drink = chance.integers(18, 90), chance.choice(["Café", "Thé", "Wein"])
        wants = age / 30 + (drink == "Thé") * 2 + chance.normal() / 2 > 2.5
        return [age, drink, "oui" if chance.random() < 0.5 else "non", "yes" if wants else "no"]

    rows = csv_of(("Âge", "Getränk", "membre", "möchte"), [row() for _ in range(300)], "\t")
    return rows.decode().encode("cp1252")


def skewed() -> bytes:
    """Three rows in a hundred are positive."""
    rows = np.random.default_rng(5).normal(size=(1500, 4)).round(3)
    score = rows[:, 0] + rows[:, 1]
    is_fraud = score > np.quantile(score, 0.97)
    cells = [[*row, int(one)] for row, one in zip(rows.tolist(), is_fraud, strict=True)]
    return csv_of(("amount", "hour", "age", "count", "fraud"), cells)


def outliers() -> bytes:
    """Prices in a currency, one in a hundred ten times too large."""
    chance = np.random.default_rng(6)

    def row() -> list[Any]:
        size = chance.uniform(10, 100)
        price = 1000 + 50 * size + chance.normal() * 100
        price *= 10 if chance.random() < 0.01 else 1
        return [round(size, 2), chance.integers(1, 9), f"${price:,.2f}"]

    return csv_of(("size", "rooms", "price"), [row() for _ in range(600)])


def huge_category() -> bytes:
    """Three hundred shops, each with a level of its own."""
    chance = np.random.default_rng(7)
    levels = chance.normal(size=300) * 10

    def row(shop: int) -> list[Any]:
        x = chance.normal()
        return [f"shop {shop}", round(x, 3), round(levels[shop] + x + chance.normal(), 3)]

    return csv_of(("shop", "footfall", "sales"), [row(number % 300) for number in range(1500)])


NUMBER, WHOLE, WORD = "number", "integer", "category"
TABLES: Mapping[str, Callable[[], Table]] = {
    "iris": lambda: Table(csv_of(*bundled(datasets.load_iris)), "answer", "mlp", {NUMBER}),
    "wine": lambda: Table(
        csv_of(*bundled(datasets.load_wine)), "answer", "logistic", {NUMBER, WHOLE}
    ),
    "breast-cancer": lambda: Table(
        csv_of(*bundled(datasets.load_breast_cancer)), "answer", "forest", {NUMBER}
    ),
    "digits": lambda: Table(csv_of(*bundled(datasets.load_digits)), "answer", "tree", {WHOLE}),
    "diabetes": lambda: Table(diabetes(), "answer", "ridge", {NUMBER, WHOLE}),
    "two-columns": lambda: Table(two_columns(), "Waist", "linear", {WHOLE}),
    "mixed": lambda: Table(mixed(), "rent", "hgb", {WORD, "boolean", NUMBER, WHOLE}),
    "wide": lambda: Table(wide(), "y", "sgd", {NUMBER}),
    "fifty-classes": lambda: Table(fifty_classes(), "kind", "tree", {NUMBER, WHOLE}),
    "yes-or-no": lambda: Table(yes_or_no(), "möchte", "logistic", {WHOLE, WORD}),
    "skewed": lambda: Table(skewed(), "fraud", "hgb", {NUMBER}),
    "outliers": lambda: Table(outliers(), "price", "tree", {NUMBER, WHOLE}),
    "huge-category": lambda: Table(
        huge_category(), "sales", "ridge", {WORD, NUMBER}, ("--categories", "shop")
    ),
}


class Form(HTMLParser):
    """What a browser would send of a page's form for one row as it stands."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._select = ""
        self._is_inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._is_inside = given.get("data-swap") == "try"
        if not self._is_inside:
            return
        if tag == "input" and "name" in given:
            self.fields[given["name"]] = given["value"]
        elif tag == "select":
            self._select = given["name"]
        elif tag == "option" and ("selected" in given or self._select not in self.fields):
            self.fields[self._select] = given["value"]


def said_on(page: str) -> str:
    return page.partition('class="said">')[2].partition("<")[0]


def plain_score(service: Service, version: Version, *, is_classifier: bool) -> float:
    """Fit plain scikit-learn on the rows that the version learnt; score it on its holdout."""
    rows, labels, held, truth = (
        part
        for kind in ("training", "holdout")
        for part in tables.unpack_table(service.store.registry.artefact(version.artefacts[kind]))
    )
    if rows.shape[1] > MOST_COLUMNS:
        last = LogisticRegression(max_iter=300) if is_classifier else Ridge()
        plain = make_pipeline(SimpleImputer(), StandardScaler(), last)
    else:
        kind = HistGradientBoostingClassifier if is_classifier else HistGradientBoostingRegressor
        plain = kind(max_iter=20)
    with threadpool_limits(limits=1):
        guesses = plain.fit(rows, labels).predict(held)
    return float(np.mean(guesses == truth) if is_classifier else -np.mean(np.abs(guesses - truth)))


@pytest.mark.parametrize("name", TABLES)
def test_one_command_ends_with_a_page_that_predicts(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = TABLES[name]()
    home, path = tmp_path / "home", tmp_path / f"{name}.csv"
    path.write_bytes(table.content)
    monkeypatch.setenv("UNROT_HOME", str(home))
    command = ["train", "--csv", str(path), "--target", table.target, "--name", name]

    status = main.main([*command, "--estimator", table.estimator, *table.more])
    app = create_app(Settings(home=home))
    client = app.test_client()
    form = Form(client.get(f"/models/{name}").text).fields
    answer = client.post(f"/models/{name}", data=form)

    service: Service = app.extensions["unrot"]
    shelved = service.catalogue().model(name)
    schema, version = shelved.model.schema, shelved.version(None)
    assert (status, answer.status_code) == (0, 200)
    assert {feature.kind for feature in schema.features} == table.kinds
    assert set(form) == {"csrf_token", *schema.names}
    if schema.is_classifier:
        assert said_on(answer.text) in schema.classes
    else:
        assert np.isfinite(float(said_on(answer.text).replace(",", "")))
    metrics, is_classifier = version.metrics, schema.is_classifier
    ours = metrics["accuracy"] if is_classifier else -metrics["mae"]
    guess = metrics["constant_guess"] if is_classifier else -metrics["constant_guess_mae"]
    plain = plain_score(service, version, is_classifier=is_classifier)
    assert min(ours, plain) > guess
    service.store.close()
