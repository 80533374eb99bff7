"""The page of profiles over Flask's test client: the list, the files, three over each other."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.large_store import predicted, ship
from tests.web.visitor import take_store_away, text_of
from unrot.serve.service import Service

AT = "/models/zombies/profiles"
NOON = 1_800_000_000.0


def profiled(kept: Service, *hours: int, rows: int = 40) -> None:
    """Let zombies be predicted in some hours, and their profiles be written."""
    for hour in hours:
        predicted(replace(kept, clock=lambda hour=hour: NOON + hour * 3_600), rows)
    ship(kept)


def test_page_is_for_viewers(app: Flask) -> None:
    for path in (AT, f"{AT}/any.bin"):
        assert app.test_client().get(path).status_code == 302


def test_newest_period_is_laid_over_the_training(viewer: FlaskClient, kept: Service) -> None:
    profiled(kept, 0, 1)

    page = viewer.get(AT)

    said, html = text_of(page), page.get_data(as_text=True)
    assert "training of v1 · 2027-01-15 09:00 to 09:05" in said
    assert html.count('type="checkbox" name="pick"') == 3
    assert html.count(" checked>") == 2
    assert html.count('<figure class="chart"') == 6
    for word in ("Distance", "Missing", "Unseen", "Median", "Largest", "Types", "fractional 40"):
        assert word in said


def test_three_are_laid_over_each_other(viewer: FlaskClient, kept: Service) -> None:
    profiled(kept, 0, 1)
    words = re.findall(r'name="pick" value="([^"]+)"', viewer.get(AT).get_data(as_text=True))

    page = viewer.get(AT, query_string=[("pick", word) for word in words])

    assert "training of v1 · 2027-01-15 09:00 to 09:05 · 2027-01-15 08:00 to 08:05" in text_of(page)
    assert page.get_data(as_text=True).count(" checked>") == 3


def test_periods_are_put_together(viewer: FlaskClient, kept: Service) -> None:
    profiled(kept, 0, 1)

    said = text_of(viewer.get(f"{AT}?by=day"))

    assert "training of v1 · 2027-01-15" in said
    assert "80" in said


def test_any_other_time_is_shown(viewer: FlaskClient, kept: Service) -> None:
    profiled(kept, 0, 1)

    said = text_of(viewer.get(f"{AT}?from=2027-01-15T08:00&until=2027-01-15T08:30"))

    assert "2027-01-15 08:00 to 08:30: 40 rows." in said


def test_long_list_and_many_columns_come_in_pages(viewer: FlaskClient, kept: Service) -> None:
    profiled(kept, *range(14), rows=5)

    first = viewer.get(AT)
    older = re.search(r'href="([^"]+before=[^"]+)">Older', first.get_data(as_text=True))
    assert older is not None
    rest = viewer.get(older[1].replace("&amp;", "&"))

    assert first.get_data(as_text=True).count('name="pick"') == 13
    assert rest.get_data(as_text=True).count('name="pick"') == 3
    assert "Newest" in text_of(rest)


def test_profile_is_handed_out_as_its_file(viewer: FlaskClient, kept: Service) -> None:
    profiled(kept, 0)
    [profile] = kept.store.profiles.of_model("zombies")

    answer = viewer.get(f"{AT}/{profile.id}.bin")
    missing = viewer.get(f"{AT}/none.bin")

    assert f"{AT}/{profile.id}.bin" in viewer.get(AT).get_data(as_text=True)
    assert kept.profiler.read(answer.data)["decay"].rows == 40
    assert answer.headers["Content-Disposition"] == f"attachment; filename={profile.id}.bin"
    assert missing.status_code == 404


def test_no_traffic_yet_shows_the_training_alone(viewer: FlaskClient) -> None:
    said = text_of(viewer.get(AT))

    assert "No traffic has been profiled yet." in said
    assert "training of v1: 4,000 rows." in said
    assert "the answered class Test set of v1: " in said


@pytest.mark.parametrize(
    ("asked", "code", "sentence"),
    [
        ("pick=no-such-profile", 200, "no such profile"),
        ("pick=training:v9", 200, "v9"),
        ("from=noon", 422, "expected a time such as"),
        ("page=999", 200, "No traffic has been profiled yet."),
        ("by=moon&page=-1&before=0", 200, "No traffic has been profiled yet."),
    ],
)
def test_what_cannot_be_shown_is_said(
    viewer: FlaskClient, asked: str, code: int, sentence: str
) -> None:
    page = viewer.get(f"{AT}?{asked}")

    assert (page.status_code, sentence in text_of(page)) == (code, True)


def test_store_that_is_away_is_said_in_a_sentence(viewer: FlaskClient, kept: Service) -> None:
    take_store_away(kept.settings.home)

    page = viewer.get(AT)

    assert page.status_code == 503
    assert "The database file is gone" in text_of(page)
