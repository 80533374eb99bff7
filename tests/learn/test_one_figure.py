"""One version has one score on one named set of rows, wherever it is given."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import VIEWER
from tests.large_store import published
from tests.learning_model import School
from tests.web.visitor import sign_in, text_of
from unrot.app import create_app
from unrot.cli import main
from unrot.core.dataset import Dataset
from unrot.core.policy import Policy
from unrot.core.settings import Settings
from unrot.learn import promote
from unrot.make import demos
from unrot.make.publishing import as_version
from unrot.make.train import train
from unrot.run.bootstrap import open_service
from unrot.watch import holdout
from unrot.watch.statistics.class_report import ClassReport
from unrot.web.wording import percent

TOKEN = {"Authorization": f"Bearer {VIEWER}"}
NOON = 1_800_014_400.0


@pytest.fixture
def settings(homes: Callable[[str], Path], tmp_path: Path) -> Settings:
    home = tmp_path / "home"
    shutil.copytree(homes("sgd"), home)
    return Settings(home=home, secret_key="the same key for all", viewer_token=VIEWER)


@pytest.fixture
def school(settings: Settings) -> Iterator[School]:
    service = replace(open_service(settings), clock=lambda: NOON)
    yield School(service)
    service.store.close()


def test_cure_of_a_new_world_has_the_same_figure_everywhere(
    school: School,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    school.taught(600, mutated=True)
    school.done("refit")
    promote.promote(school.service, "zombies", "v2", force=True, reason="a test")
    cured = school.service.version("zombies", "v2")
    share, rows = cured.metrics["accuracy"], int(cured.metrics["rows_held_out"])
    client = create_app(settings).test_client()
    monkeypatch.undo()
    client.get("/models/zombies")
    sign_in(client, VIEWER)
    at = "/api/v1/models/zombies"

    held = holdout.holdout(school.service, "zombies", "v2")
    api = client.get(f"{at}/versions", headers=TOKEN).json["data"]["versions"]  # type: ignore[index]
    answered = client.get(f"{at}/holdout?version=v2", headers=TOKEN).json["data"]  # type: ignore[index]
    scatter = client.get(f"{at}/scatter?left=holdout", headers=TOKEN).json["data"]["left"]  # type: ignore[index]
    main.versions(main.parser().parse_args(["versions", "zombies"]), settings)

    assert held is not None and isinstance(held.report, ClassReport)
    assert (held.report.accuracy, held.score, len(held.rows)) == (share, share, rows)
    assert [one["test_set"]["name"] for one in api] == ["A", "B"]
    assert (api[1]["anchor_score"], api[1]["test_set"]["rows"]) == (share, rows)
    assert api[1]["test_set"]["sentence"] == f"{rows} recent rows that judges went through"
    assert (answered["score"], answered["report"]["accuracy"]) == (share, share)
    assert (scatter["score"], scatter["right"]) == (share, round(share * rows))
    assert scatter["test_set"] == answered["test_set"] == api[1]["test_set"]
    told = capsys.readouterr().out
    assert f"B         accuracy {share:.4f}" in told
    assert "Scores of different test sets cannot be compared." in told
    for page in ("explorer", "versions", "versions/v2"):
        said = text_of(client.get(f"/models/zombies/{page}"))
        assert percent(share) in said, page
        assert f"{rows} recent rows that judges went through" in said, page
    said = text_of(client.get("/models/zombies/versions"))
    assert f"test set B, {rows} recent rows that judges went through" in said
    assert f"{rows} recent rows that judges" in text_of(client.get("/models/zombies"))


def test_version_that_is_weighed_on_other_rows_is_scored_on_those(school: School) -> None:
    apart = trained_apart(school)
    before = apart.metrics["accuracy"]

    school.done("weigh", version="v2")

    first, second = (school.service.version("zombies", name) for name in ("v1", "v2"))
    held = holdout.holdout(school.service, "zombies", "v2")
    assert apart.anchor != first.anchor == second.anchor
    assert second.metrics["rows_held_out"] == 1_000 and second.metrics["accuracy"] != before
    assert second.metrics["accuracy"] == second.anchor_score
    assert held is not None and isinstance(held.report, ClassReport)
    assert held.report.accuracy == second.metrics["accuracy"]
    assert second.metrics["rows_trained"] == apart.metrics["rows_trained"]


def test_version_keeps_its_own_rows_and_score_while_the_gate_is_off(school: School) -> None:
    apart = trained_apart(school)
    school.service.store.registry.set_policy("zombies", Policy(gate=False))

    school.done("weigh", version="v2")

    second = school.service.version("zombies", "v2")
    assert (second.anchor, second.anchor_score) == (apart.anchor, apart.anchor_score)
    assert second.metrics == apart.metrics


def trained_apart(school: School):  # type: ignore[no-untyped-def]
    """Publish a version that was trained with other rows held out."""
    data: Dataset = demos.DEMOS["zombies"]()
    data = replace(
        data, holdout_rows=data.holdout_rows[1_000:1_300],
        holdout_labels=data.holdout_labels[1_000:1_300],
    )  # fmt: skip
    candidate = replace(train(data, "tree", lambda *_: None), parent="v1", origin="trained")
    service = school.service
    model = service.catalogue().model("zombies").model
    version, artefacts = as_version(model, candidate, profiler=service.profiler, now=NOON)
    return published(service, version, artefacts)
