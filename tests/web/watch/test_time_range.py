"""One range of time for the pages of a model: kept in the address, handed on by tabs and links."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import VIEWER
from tests.large_store import judged, predicted
from tests.web.visitor import text_of
from tests.web.watch.findings import DRIFT, NOON, ROT, past, put
from unrot.core.records import Oddity, Prediction, Shipment
from unrot.core.time import iso_time
from unrot.serve.service import Service

OLD = 1_600_000_000.0  # 13 September 2020 at 12:26
THEN = "from=2020-09-13T12:00&to=2020-09-13T13:00"
PAGES = ("monitor", "findings", "explorer", "versions", "predictions", "settings")


@pytest.fixture
def old(app: Flask, kept: Service) -> Service:
    """Two zombies of long ago, one of them odd, and four of now, all judged wrong."""
    rows = [
        Prediction(f"z{n}", "zombies", "v1", OLD + n, [1.0, 2.0, 3.0, 4.0], "hostile", None, None)
        for n in range(2)
    ]
    odd = Oddity("z1", "zombies", "v1", OLD + 1, 3.0)
    kept.store.traffic.ship(Shipment("s", 0, 1, "me", rows, oddities=[odd], looked_at={"z1"}))
    made = predicted(kept, 4)
    judged(kept, made, was_correct=False)
    return kept


@pytest.mark.parametrize("page", ["", *(f"/{page}" for page in PAGES[:-1]), "/outliers"])
def test_tabs_hand_the_range_on(viewer: FlaskClient, page: str) -> None:
    text = viewer.get(f"/models/zombies{page}?range=week&before=&x=1").text

    tabs = re.search(r'<nav class="tabs".*?</nav>', text, re.S)
    assert tabs
    assert re.findall(r'href="([^"]+)"', tabs[0]) == [
        f"/models/zombies{path}?range=week" for path in ("", *(f"/{page}" for page in PAGES))
    ]


def test_predictions_are_those_of_the_range(viewer: FlaskClient, old: Service) -> None:
    path = "/models/zombies/predictions"

    assert viewer.get(f"{path}?show=id").text.count('data-label="Id"') == 6
    assert viewer.get(f"{path}?show=id&range=hour").text.count('data-label="Id"') == 4
    assert viewer.get(f"{path}?show=id&{THEN}").text.count('data-label="Id"') == 2
    assert viewer.get(f"{path}?show=id&to=2020-09-13").text.count('data-label="Id"') == 0


def test_findings_are_those_that_were_open_in_the_range(viewer: FlaskClient, kept: Service) -> None:
    path, day = "/models/iris/findings", "2023-11-15"
    put(kept, replace(DRIFT, closed_at=NOON + 1_800), past(3), ROT)

    def listed(query: str) -> list[str]:
        text = viewer.get(f"{path}?{query}").text
        return sorted(re.findall(r'href="/models/iris/findings/([^"?]+)', text))

    assert listed("") == ["a07e", "d1f7", "old03"]
    assert listed(f"from={day}T11:00&to={day}T11:59") == []
    assert listed(f"from={day}T12:10&to={day}T12:20") == ["a07e", "d1f7"]
    assert listed(f"from={day}T14:00&to={day}T16:00") == ["a07e", "old03"]
    assert listed(f"show=closed&from={day}T14:00&to={day}T16:00") == ["old03"]
    assert listed("range=hour") == ["a07e"]
    assert listed("from=never") == listed("")


def test_findings_of_a_range_say_so_and_keep_it(viewer: FlaskClient, kept: Service) -> None:
    put(kept, *(past(number) for number in range(27)))
    then = "from=2023-11-15T00:00&to=2023-11-17T00:00"

    page = viewer.get(f"/models/iris/findings?show=closed&{then}").text
    none = text_of(viewer.get("/models/iris/findings?range=hour"))

    [older] = re.findall(r'href="([^"]+)">Older', page)
    assert {"show=closed", "before=old02", "to=2023-11-17T00%3A00"} <= set(
        older.partition("?")[2].split("&amp;")
    )
    assert "No finding was open in this time. All time" in none
    assert "Nothing is wrong" not in none


def test_outliers_and_their_rate_are_those_of_the_range(viewer: FlaskClient, old: Service) -> None:
    path = "/models/zombies/outliers"

    assert "3.0 times the usual" in text_of(viewer.get(path))
    then = viewer.get(f"{path}?{THEN}")
    assert "3.0 times the usual" in text_of(then)
    assert re.search(r"Outliers .* 2020-09-13 12:2", text_of(then))
    assert 'id="chart-outliers"' not in viewer.get(path).text
    assert "None in this time." in text_of(viewer.get(f"{path}?range=hour"))
    assert "is no time" in text_of(viewer.get(f"{path}?from=soon"))


def test_range_is_the_right_side_of_the_explorer(viewer: FlaskClient, old: Service) -> None:
    path = "/models/zombies/explorer"
    shown = viewer.get(f"{path}?{THEN}&unjudged=1")

    assert re.search(
        r'<option value="times" selected>.*?name="right_from" value="2020-09-13T12:00"'
        r'.*?name="right_until" value="2020-09-13T13:00"',
        shown.text,
        re.S,
    )
    assert "2 rows by" in text_of(shown)
    own = viewer.get(f"{path}?{THEN}&unjudged=1&right=newest")
    assert "6 rows by" in text_of(own)
    assert viewer.get(f"{path}?range=aeon").status_code == 422


def test_explorer_drops_the_right_side_for_another_range(viewer: FlaskClient, old: Service) -> None:
    text = viewer.get("/models/zombies/explorer?x=hunger&right=newest&left=holdout").text

    assert 'href="/models/zombies/explorer?x=hunger&amp;left=holdout&amp;range=hour"' in text


def test_scatter_over_http_takes_the_range(viewer: FlaskClient, old: Service) -> None:
    found = viewer.get(
        f"/api/v1/models/zombies/scatter?{THEN}&unjudged=1",
        headers={"Authorization": f"Bearer {VIEWER}"},
    ).json

    assert found is not None
    right = found["data"]["right"]
    assert (right["period"], right["rows"]) == ("times", 2)
    assert right["from"] == iso_time(OLD // 3_600 * 3_600)


@pytest.mark.parametrize(
    ("was", "back"),
    [
        ("day", [("range=day", "the last 24 hours")]),
        (
            "2020-09-12T01:00/2020-09-14T02:30",
            [
                (
                    "from=2020-09-12T01%3A00&to=2020-09-14T02%3A30",
                    "2020-09-12 01:00 to 2020-09-14 02:30 UTC",
                )
            ],
        ),
        ("2020-09-14/2020-09-12", []),
        ("soon/later", []),
        ("aeon", []),
    ],
)
@pytest.mark.parametrize("page", ["monitor", "outliers"])
def test_who_zoomed_is_led_back(
    viewer: FlaskClient, page: str, was: str, back: list[tuple[str, str]]
) -> None:
    text = viewer.get(f"/models/zombies/{page}?{THEN}&was={was}").text

    found = re.findall(r'href="[^"?]+\?([^"]+)">Back to ([^<]+)<', text)
    assert [(query.replace("&amp;", "&"), words) for query, words in found] == back


def test_chart_says_what_time_it_shows_and_where_a_part_of_it_leads(
    viewer: FlaskClient, old: Service
) -> None:
    text = viewer.get(f"/models/zombies/monitor?{THEN}&version=v1").text

    first, last = OLD // 3_600 * 3_600, (OLD // 3_600 + 1) * 3_600
    assert f'data-times="{first} {last}"' in text
    assert (
        'data-zooms="/models/zombies/monitor?version=v1&amp;'
        'was=2020-09-13T12%3A00%2F2020-09-13T13%3A00"'
    ) in text
