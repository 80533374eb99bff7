"""The page of predictions, its file, and the same question over HTTP."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.conftest import VIEWER
from tests.large_store import ship
from tests.web.visitor import IRIS, sign_in, take_store_away, text_of
from unrot.core.records import Caller
from unrot.serve.service import Service
from unrot.watch.reports import predictions as looking
from unrot.web.pages import predictions as page

PATH = "/models/iris/predictions"
FLOWER = {name: float(value) for name, value in IRIS.items()}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a look take its time, however busy the machine is."""
    monkeypatch.setattr(looking, "SECONDS_A_LOOK", 1e9)


@pytest.fixture
def flowers(kept: Service) -> list[str]:
    """Three flowers, oldest first; the first was a mistake, says ada, and =1+1, says she."""
    ids = []
    for length in (4.9, 5.0, 5.1):
        [one] = kept.predict("iris", [{**FLOWER, "sepal_length_cm": length}]).predictions
        ids.append(one.id or "")
    kept.judge({"id": ids[0], "label": "Iris-virginica", "comment": "=1+1"}, Caller("judge", "ada"))
    kept.judge({"id": ids[1], "was_correct": True}, Caller(subject="here"))
    ship(kept)
    return ids


def look(client: FlaskClient, query: str = "", code: int = 200) -> str:
    sign_in(client, VIEWER)
    answer = client.get(f"{PATH}?{query}")
    assert answer.status_code == code, answer.text
    return answer.text


def lengths(text: str) -> list[str]:
    """Return the sepal lengths of the rows that are listed."""
    return re.findall(r"sepal length <b>([\d.]+)</b>", text)


def rows_of(client: FlaskClient, query: str = "") -> list[dict[str, str]]:
    sign_in(client, VIEWER)
    answer = client.get(f"{PATH}.csv?{query}")
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


def listed(client: FlaskClient, query: str = "", code: int = 200) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {VIEWER}"}
    answer = client.get(f"/api/v1/models/iris/predictions?{query}", headers=headers)
    assert answer.status_code == code, answer.text
    found: dict[str, Any] = answer.json  # type: ignore[assignment]
    return found


# ── the page ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["5.1", "5", "4.9"]),
        ("verdict=wrong", ["4.9"]),
        ("verdict=none&version=v1", ["5.1"]),
        ("truth=Iris-virginica", ["4.9"]),
        ("from.sepal_length_cm=5&to.sepal_length_cm=5%2C05", ["5"]),
        ("order=worst", ["4.9"]),
        ("range=hour&verdict=any", ["5", "4.9"]),
        ("to=2001-01-01", []),
        ("confidence_from=50%25&confidence_to=1", ["5.1", "5", "4.9"]),
        ("confidence_to=50", []),
    ],
)
def test_page_lists_what_is_looked_for(
    client: FlaskClient, flowers: list[str], query: str, found: list[str]
) -> None:
    assert lengths(look(client, query)) == found


def test_one_prediction_is_found_by_its_id(client: FlaskClient, flowers: list[str]) -> None:
    assert lengths(look(client, f"id={flowers[1]}")) == ["5"]
    assert lengths(look(client, f"id={flowers[1]}x")) == []


@pytest.mark.parametrize("columns", ["", "show=predicted_at", "show=id"])
def test_each_row_leads_to_its_prediction(
    client: FlaskClient, flowers: list[str], columns: str
) -> None:
    text = look(client, columns)

    assert re.findall(r'<a href="/p/([\w-]+)">', text) == flowers[::-1]
    assert client.get(f"/p/{flowers[0]}").status_code == 200


def test_filters_stand_above_the_rows_each_with_the_address_that_drops_it(
    client: FlaskClient, flowers: list[str]
) -> None:
    text = look(client, "verdict=wrong&from.sepal_length_cm=4&order=worst&show=id")

    chips = re.findall(r'<a class="chip" href="([^"]+)"><[^>]+>Drop </span>(.*?) <', text)
    rest = "order=worst&amp;show=id"
    assert chips == [
        (f"{PATH}?from.sepal_length_cm=4&amp;{rest}", "verdict: wrong"),
        (f"{PATH}?verdict=wrong&amp;{rest}", "sepal length: from 4"),
    ]


def test_where_nothing_fits_the_filter_to_drop_is_named(
    client: FlaskClient, flowers: list[str]
) -> None:
    text = look(client, "version=v9&verdict=wrong&answer=Iris-setosa")

    said = " ".join(re.sub("<[^>]+>", "", text).split())
    assert "None fits. Some would without one of these: version: v9. Show all" in said


def test_where_every_filter_is_in_the_way_none_is_named(
    client: FlaskClient, flowers: list[str]
) -> None:
    text = look(client, "version=v9&answer=Iris-virginica")

    assert "None fits." in text
    assert "Some would" not in text


def test_page_says_how_much_it_looked_at_and_goes_on(
    client: FlaskClient, flowers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "MOST_LOOKED_AT", 2)

    first = look(client, "verdict=none")
    further = re.search(r'href="([^"]+)">Look further back<', first)
    assert further
    second = client.get(further[1].replace("&amp;", "&"))

    assert lengths(first) == ["5.1"]
    assert "of 2 predictions that were looked at" in first
    assert "Older ones were not: that would take too long at once." in first
    assert (lengths(second.text), "Look further back" in second.text) == ([], False)
    assert "There is nothing older that fits." in text_of(second)


def test_columns_are_chosen_and_stay_chosen(client: FlaskClient, flowers: list[str]) -> None:
    text = look(client, "show=prediction&show=sepal_length_cm&show=truth&show=nonsense")

    table = text[text.index("<table") : text.index("</table>")]
    assert re.findall(r'scope="col">([^<]+)', table) == ["Answer", "sepal length", "Truth"]
    cells = re.findall(r"<td[^>]*>(.*?)</td>", table, re.S)
    assert [re.sub("<[^>]+>", "", cell).strip() for cell in cells] == [
        *("Iris-setosa", "5.1", "–"),
        *("Iris-setosa", "5", "Iris-setosa"),
        *("Iris-setosa", "4.9", "Iris-virginica"),
    ]
    assert "Columns: 3" in text


def test_model_with_many_features_offers_the_fields_that_are_added(
    client: FlaskClient, flowers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "FEW_FEATURES", 3)

    fields = r'name="(?:from|to|is)\.(\w+)"'
    assert re.findall(fields, look(client)) == []
    added = look(client, "add=petal_width_cm&from.sepal_width_cm=3")
    assert sorted(set(re.findall(fields, added))) == ["petal_width_cm", "sepal_width_cm"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("verdict=maybe", "verdict &#34;maybe&#34;: expected one of right, wrong"),
        ("answer=Iris-setose", "the nearest one is Iris-setosa"),
        ("confidence_from=101%25", "a share such as 0.8 or 80 %"),
        ("from.sepal_length_cm=long", "expected a number"),
        ("from=soon", "expected a time such as"),
        ("from=2026-01-02&to=2026-01-01", "expected a time after from"),
        ("outliers=perhaps", "expected 1 or 0"),
        ("range=year", "one of minutes, hour, day, week, month"),
    ],
)
def test_what_cannot_be_looked_for_is_said_and_kept_in_its_field(
    client: FlaskClient, flowers: list[str], query: str, sentence: str
) -> None:
    text = look(client, query, code=422)

    assert sentence in text
    assert "These are the rows without that." in text and "<table" in text
    assert listed(client, query, code=422)["data"] is None


def test_mistakes_wait_for_verdicts(client: FlaskClient, kept: Service) -> None:
    assert "No answer is known to be wrong." in look(client, "order=worst")


# ── the file ─────────────────────────────────────────────────────────────────────────────────


def test_file_has_what_is_shown_and_runs_no_formula(
    client: FlaskClient, flowers: list[str]
) -> None:
    whole = rows_of(client)
    query = "verdict=wrong&show=id&show=truth&show=comment"

    assert [row["id"] for row in whole] == flowers[::-1]
    assert [row["sepal_length_cm"] for row in whole] == ["5.1", "5.0", "4.9"]
    assert rows_of(client, query) == [
        {"id": flowers[0], "truth": "Iris-virginica", "comment": "'=1+1"}
    ]
    assert [row["id"] for row in rows_of(client, f"id={flowers[2]}")] == [flowers[2]]
    assert [row["id"] for row in rows_of(client, "order=worst")] == [flowers[0]]
    assert f'href="{PATH}.csv?{query}"'.replace("&", "&amp;") in look(client, query)


def test_file_that_ends_early_says_so(
    client: FlaskClient, flowers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "MOST_LOOKED_AT", 0.1)

    rows = rows_of(client, "show=id")

    assert [row["id"] for row in rows[:2]] == flowers[:0:-1]
    assert re.fullmatch(
        r"The file ends here. Older ones were not looked at: ask again up to .*\+00:00\.",
        rows[2]["id"],
    )


def test_no_file_begins_while_the_store_is_away(
    client: FlaskClient, flowers: list[str], trained_home: Path
) -> None:
    sign_in(client, VIEWER)
    take_store_away(trained_home)

    answer = client.get(f"{PATH}.csv")

    assert answer.status_code == 503
    assert "text/html" in answer.content_type


def test_file_is_for_viewers(client: FlaskClient, flowers: list[str]) -> None:
    assert client.get(f"{PATH}.csv").status_code == 302


# ── over HTTP ────────────────────────────────────────────────────────────────────────────────


def test_api_takes_the_same_filters(client: FlaskClient, flowers: list[str]) -> None:
    found = listed(client, "verdict=wrong&from.sepal_length_cm=4.5&limit=1")["data"]

    assert [row["id"] for row in found["predictions"]] == [flowers[0]]
    assert (found["looked_at"], found["is_cut"], found["next"]) == (2, False, flowers[0])
    assert listed(client, f"verdict=wrong&before={flowers[0]}")["data"]["predictions"] == []
