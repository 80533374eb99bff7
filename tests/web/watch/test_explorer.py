"""The explorer over Flask's test client: what it draws, picks and lists, and who may look."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import ROOT, VIEWER, environment
from tests.large_store import judged, predicted, second
from tests.newest import newest
from tests.web.visitor import FRAGMENT, take_store_away, text_of
from unrot.serve.service import Service
from unrot.watch import holdout
from unrot.watch.statistics.class_report import ClassReport

AT = "/models/zombies/explorer"
API = "/api/v1/models/zombies"
TOKEN = {"Authorization": f"Bearer {VIEWER}"}


def told(kept: Service) -> None:
    """Let twelve zombies be predicted, of which two were told wrong."""
    rows = predicted(kept, 12)
    judged(kept, rows[2:])
    judged(kept, rows[:2], was_correct=False)


def data(client: FlaskClient, path: str) -> dict[str, object]:
    answer = client.get(API + path, headers=TOKEN)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found: dict[str, object] = answer.get_json()["data"]
    return found


# ── the page ─────────────────────────────────────────────────────────────────────────────────


def test_explorer_is_for_viewers(app: Flask) -> None:
    answer = app.test_client().get(AT)

    assert (answer.status_code, answer.headers["Location"]) == (
        302,
        "/login?next=/models/zombies/explorer",
    )


def test_two_scatters_are_drawn_with_text_and_tables(viewer: FlaskClient, kept: Service) -> None:
    told(kept)

    page = viewer.get(AT)

    said, html = text_of(page), page.get_data(as_text=True)
    assert "1,000 rows by hunger and shamble:" in said
    assert "12 rows by hunger and shamble: 10 right, 2 wrong." in said
    assert "1,000 rows, drawn evenly from 4,000." in said
    assert html.count('data-brush="explored"') == 2
    assert html.count("<summary>The data as a table</summary>") == 2
    axes = re.findall(r'data-x="([^"]+)" data-y="([^"]+)"', html)
    assert axes[0] == axes[1]


def test_rows_that_a_judge_was_asked_for_are_told(viewer: FlaskClient, kept: Service) -> None:
    told(kept)
    [one] = predicted(kept, 1)
    assert "judged because" not in text_of(viewer.get(AT))

    judged(kept, [one], was_correct=False, asked_token=kept.ids.sign_asked(one.prediction.id or ""))

    said = text_of(viewer.get(AT))
    assert "13 rows by hunger and shamble: 10 right, 3 wrong." in said
    assert "1 row was judged because a judge was asked to: such rows are the hardest" in said


def test_range_is_picked_without_scripts_and_can_be_shared(
    viewer: FlaskClient, kept: Service
) -> None:
    told(kept)

    page = viewer.get(f"{AT}?left=newest&right=newest&x_from=-100&x_to=100&y_from=-100")

    said, html = text_of(page), page.get_data(as_text=True)
    picked = "12 rows, 2 wrong (83.3 % right) on the"
    assert f"In this range: {picked} left; {picked} right." in said
    assert html.count('class="brushed"') == 2
    assert 'name="x_from" form="explore"' in html and 'value="-100"' in html
    assert html.count('class="is-wrong"') >= 4


def test_rows_outside_the_range_are_drawn_faintly(viewer: FlaskClient, kept: Service) -> None:
    told(kept)

    html = viewer.get(f"{AT}?left=newest&right=newest&x_from=1000").get_data(as_text=True)

    assert html.count("is-out") == 24
    assert "In this range: 0 rows on the left; 0 rows on the right." in html


def test_brush_fetches_the_rows_alone(viewer: FlaskClient, kept: Service) -> None:
    told(kept)

    part = viewer.get(f"{AT}?right=newest&x_from=-100&x_to=100", headers=FRAGMENT)

    html = part.get_data(as_text=True)
    assert part.headers["X-Fragment"] == "1"
    assert "In this range:" in html
    assert "<html" not in html and "<svg" not in html


def test_nothing_judged_yet_says_what_to_do(viewer: FlaskClient) -> None:
    said = text_of(viewer.get(AT))

    assert "No row of this time has a verdict. Choose another time, or show the rows" in said
    assert "Nothing is picked yet" in said


def test_period_that_is_not_there_stays_chosen_and_says_so(viewer: FlaskClient) -> None:
    page = viewer.get(f"{AT}?right=since")

    assert "Since the finding: nothing yet" in text_of(page)
    assert "There is no open finding, so there is no time before it or since" in text_of(page)
    assert '<option value="since" selected>' in page.get_data(as_text=True)


def test_unjudged_rows_are_rings(viewer: FlaskClient, kept: Service) -> None:
    predicted(kept, 3)

    page = viewer.get(f"{AT}?unjudged=1")

    assert "3 rows by hunger and shamble: 3 unjudged." in text_of(page)
    assert page.get_data(as_text=True).count('class="dot tone-unjudged ring"') >= 3


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("x=hungar", "expected a feature of the model; the nearest one is hunger"),
        ("x=moss", "expected a feature of the model."),
        ("left=yesterday", "left"),
        ("left=times&left_from=noon", "a time such as 2026-01-02"),
        ("x=hunger&x_from=wide", "expected a number, such as 1.5"),
        ("finding=f9", "zombies has no finding"),
        ("unjudged=perhaps", "1 or 0"),
    ],
)
def test_what_cannot_be_shown_is_said_and_the_usual_is_shown(
    viewer: FlaskClient, asked: str, sentence: str
) -> None:
    page = viewer.get(f"{AT}?{asked}")

    assert page.status_code in (404, 422)
    assert sentence in text_of(page)
    assert "1,000 rows by hunger and shamble:" in text_of(page)


def test_store_that_is_away_is_said_in_a_sentence(viewer: FlaskClient, kept: Service) -> None:
    take_store_away(kept.settings.home)

    page = viewer.get(AT)

    assert page.status_code == 503
    assert "The database file is gone: put it back" in text_of(page)


def test_links_keep_what_was_asked_and_drop_what_was_not(viewer: FlaskClient) -> None:
    html = viewer.get(f"{AT}?x=decay&_scheme=javascript&_external=1").get_data(as_text=True)

    assert 'href="/models/zombies/explorer?x=decay&amp;rows=all#rows"' in html
    assert "javascript" not in html


# ── the holdout ──────────────────────────────────────────────────────────────────────────────


def test_holdout_is_reported_class_by_class(viewer: FlaskClient, kept: Service) -> None:
    said = text_of(viewer.get(AT))

    found = holdout.holdout(kept, "zombies")
    assert found is not None and isinstance(found.report, ClassReport)
    assert "v1 on its test set" in said
    assert f"AUC {found.report.area:.3f}" in said
    assert f"1 to 20 of {len(found.wrong)}" in said
    assert "mean of the classes" in said and "weighted by rows" in said


def test_mistakes_come_page_by_page_and_all_rows_with_them_highlighted(
    viewer: FlaskClient, kept: Service
) -> None:
    second(kept)
    count = len(holdout.holdout(kept, "zombies", "v2").wrong)  # type: ignore[union-attr]
    last = -(-count // 20)

    first = viewer.get(f"{AT}?version=v2")
    end = viewer.get(f"{AT}?version=v2&page={last + 9}")
    every = viewer.get(f"{AT}?version=v2&rows=all&page={last}")

    assert "v2 on its test set" in text_of(first)
    assert first.get_data(as_text=True).count('class="is-wrong"') == 20
    assert f"{20 * (last - 1) + 1} to {count} of {count}" in text_of(end)
    assert every.get_data(as_text=True).count('class="is-wrong"') == count - 20 * (last - 1)


def test_version_that_cannot_answer_says_why(viewer: FlaskClient, kept: Service) -> None:
    second(kept)
    kept.store.lessons.prune("zombies", ["v2"])

    said = text_of(viewer.get(f"{AT}?left=newest&version=v2"))

    assert "The files of v2 were removed by retention: it cannot answer any more." in said


# ── the API ──────────────────────────────────────────────────────────────────────────────────


def test_scatter_says_what_the_page_draws(viewer: FlaskClient, kept: Service) -> None:
    told(kept)

    found = data(viewer, "/scatter?x=hunger&y=output.class&x_from=-100")

    assert found["x"]["picked"] == [-100.0, None]  # type: ignore[index]
    assert found["y"]["choices"] == ["hostile", "friendly"]  # type: ignore[index]
    right = found["right"]
    assert isinstance(right, dict)
    assert (right["period"], right["rows"], right["right"], right["wrong"]) == ("newest", 12, 10, 2)
    point = right["points"][0]
    assert point["y"] == point["answer"]
    assert point["is_picked"] is True
    kept_row = newest(kept, "zombies", 1)[0].prediction
    assert (point["id"], point["x"]) == (kept_row.id, kept_row.inputs[0])


def test_holdout_says_what_the_page_reports(viewer: FlaskClient, kept: Service) -> None:
    found = data(viewer, "/holdout?limit=2&offset=1")

    held = holdout.holdout(kept, "zombies")
    assert held is not None and isinstance(held.report, ClassReport)
    report = found["report"]
    assert isinstance(report, dict)
    assert (found["version"], found["rows"], found["held_out"]) == ("v1", 4_000, 4_000)
    assert (report["auc"], report["accuracy"]) == (held.report.area, held.report.accuracy)
    assert report["confusion"]["rows"] == [list(row) for row in held.report.confusion]
    assert (
        [one["probability"] for one in found["wrong"]]
        == [  # type: ignore[attr-defined]
            one.confidence for one in held.wrong[1:3]
        ]
    )


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/scatter?x=nothing", 422),
        ("/scatter?left=never", 422),
        ("/scatter?right_from=2026-13-01", 422),
        ("/scatter?version=v9", 404),
        ("/holdout?version=v9", 404),
        ("/holdout?limit=0", 422),
        ("/holdout?offset=-1", 422),
    ],
)
def test_api_says_what_is_wrong(viewer: FlaskClient, path: str, code: int) -> None:
    answer = viewer.get(API + path, headers=TOKEN)

    assert answer.status_code == code
    assert answer.get_json()["message"].endswith(".")


def test_api_is_for_viewers(app: Flask) -> None:
    for path in ("/scatter", "/holdout"):
        assert app.test_client().get(API + path).status_code == 401


# ── how light it is ──────────────────────────────────────────────────────────────────────────

PROGRAM = """
import json, sys
from unrot.core.settings import load
from unrot.app import create_app
from unrot.web.masked import masked

client = create_app(load()).test_client()
token = {"Authorization": "Bearer viewer-token-001"}
api = "/api/v1/models/zombies"
codes = [client.get(api + path, headers=token).status_code for path in ("/scatter", "/holdout")]
client.get("/login")
with client.session_transaction() as session:
    csrf = masked(session["csrf"])
client.post("/login", data={"csrf_token": csrf, "token": "viewer-token-001"})
for page in ("explorer", "profiles"):
    codes.append(client.get(f"/models/zombies/{page}").status_code)
heavy = ("sklearn", "pandas", "whylogs", "grpc", "scipy", "skl2onnx", "skops")
print(json.dumps({"codes": codes, "heavy": [name for name in heavy if name in sys.modules]}))
"""


def test_exploring_imports_no_training_code(trained_home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment(trained_home, UNROT_VIEWER_TOKEN=VIEWER),
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"codes": [200] * 4, "heavy": []}
