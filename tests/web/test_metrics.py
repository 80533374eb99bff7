"""`/metrics`: declared once, documented, and no label that a client can choose."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import OPERATOR, ROOT, VIEWER
from tests.skips import promtool
from unrot.core.records import Check, Drift, Finding, Job
from unrot.core.settings import Settings
from unrot.run.caretaker import Caretaker
from unrot.serve.readiness import Heartbeat, beat
from unrot.serve.service import Service
from unrot.web.metrics.catalogue import declared

IRIS = {
    "sepal_length_cm": 5.1,
    "sepal_width_cm": 3.5,
    "petal_length_cm": 1.4,
    "petal_width_cm": 0.2,
}
OURS = ROOT / "unrot" / "web" / "metrics" / "catalogue.py"
CONSTRUCTORS = {"Counter", "Gauge", "Histogram", "Summary", "Info", "Enum", "Read"}
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scraped(client: FlaskClient) -> str:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {VIEWER}"})
    assert answer.status_code == 200
    return answer.text


def samples(client: FlaskClient) -> Samples:
    return {
        (one.name, frozenset(one.labels.items())): one.value
        for family in text_string_to_metric_families(scraped(client))
        for one in family.samples
    }


def value(found: Samples, name: str, **labels: str) -> float | None:
    return found.get((name, frozenset(labels.items())))


def labels_of(found: Samples, name: str) -> set[tuple[tuple[str, str], ...]]:
    return {tuple(sorted(labels)) for known, labels in found if known == name}


# ── declared in one file ─────────────────────────────────────────────────────────────────────


def made_of_prometheus(file: Path) -> Iterator[str]:
    """Find what a file makes of the words that prometheus_client or our table declares with."""
    tree = ast.parse(file.read_text())
    known = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith(("prometheus_client", "unrot.web.metrics.catalogue"))
        for alias in node.names
        if alias.name in CONSTRUCTORS
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in known or called.startswith(("prometheus_client.", "metrics.Read")):
                yield f"{file.relative_to(ROOT)}:{node.lineno} {called}"


def test_no_metric_is_declared_elsewhere() -> None:
    files = [file for file in (ROOT / "unrot").rglob("*.py") if file != OURS]

    found = [one for file in files for one in made_of_prometheus(file)]

    assert found == []
    assert list(made_of_prometheus(OURS))


def test_names_are_used_once_and_begin_with_ours() -> None:
    names = [one.name for one in declared()]

    assert len(names) == len(set(names))
    assert {name.partition("_")[0] for name in names} == {"unrot"}


def test_every_metric_is_documented_as_it_is_in_the_code() -> None:
    table = re.findall(r"^\| `unrot_.*$", (ROOT / "docs/monitoring.md").read_text(), re.MULTILINE)

    assert table == [
        f"| `{one.name}` | {one.kind} | "
        f"{', '.join(f'`{label}`' for label in one.labels) or 'none'} | {one.help} |"
        for one in declared()
    ]


@pytest.mark.parametrize(
    "file", ["prometheus/alerts.yml", "prometheus/alerts_test.yml", "grafana/dashboard.json"]
)
def test_rules_and_dashboard_speak_of_declared_metrics(file: str) -> None:
    known = {one.name for one in declared()}

    spoken = set(re.findall(r"\bunrot_[a-z_]+", (ROOT / "deploy" / file).read_text()))

    assert spoken
    assert {re.sub(r"_bucket$", "", name) for name in spoken} - known == set()


# ── who may look ─────────────────────────────────────────────────────────────────────────────


def test_scrape_without_a_token_is_told_what_to_send(client: FlaskClient) -> None:
    answer = client.get("/metrics")

    assert answer.status_code == 401
    assert answer.json == {
        "data": None,
        "message": "This needs the token of a viewer: send Authorization: Bearer <token>.",
        "reason": "unauthorized",
    }


def test_operator_may_look_as_well(client: FlaskClient) -> None:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {OPERATOR}"})

    assert answer.status_code == 200
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"


# ── what is counted ──────────────────────────────────────────────────────────────────────────


def test_rows_are_counted_by_model_and_version(client: FlaskClient) -> None:
    before = samples(client)

    client.post("/api/v1/models/iris/predict", json={"inputs": [IRIS, IRIS, IRIS]})

    found = samples(client)
    predictions = "unrot_predictions_total"
    was = value(before, predictions, model="iris", version="v1") or 0
    assert value(found, predictions, model="iris", version="v1") == was + 3


def test_verdicts_are_counted_by_what_became_of_them(client: FlaskClient) -> None:
    before = samples(client)
    id = client.post("/api/v1/models/iris/predict", json={"inputs": IRIS}).json["data"]["id"]  # type: ignore[index]

    for was_correct in (True, True, False):
        client.post("/api/v1/feedback", json={"id": id, "was_correct": was_correct})

    found = samples(client)
    grown = {
        status: (value(found, "unrot_verdicts_total", model="iris", status=status) or 0)
        - (value(before, "unrot_verdicts_total", model="iris", status=status) or 0)
        for status in ("created", "duplicate", "revised", "queued")
    }
    assert grown == {"created": 1, "duplicate": 1, "revised": 1, "queued": 0}


def test_requests_are_counted_by_the_template_of_their_address(client: FlaskClient) -> None:
    labels = {"route": "/api/v1/models/<model>/predict", "method": "POST", "status": "4xx"}
    before = value(samples(client), "unrot_requests_total", **labels) or 0

    client.post("/api/v1/models/nobody/predict", json={"inputs": IRIS})

    assert value(samples(client), "unrot_requests_total", **labels) == before + 1


def test_no_client_can_make_a_label(client: FlaskClient) -> None:
    client.get("/wp-login.php?x=1")
    client.get("/models/x%22%7D%0Aevil")
    client.open("/api/v1/health", method="BREW")
    client.post("/api/v1/models/evil/predict", json={"inputs": IRIS})
    client.post("/api/v1/models/iris/versions/evil/predict", json={"inputs": IRIS})
    client.post("/api/v1/feedback", json={"id": "evil" * 8, "was_correct": True})

    text = scraped(client)

    assert "evil" not in text
    assert "wp-login" not in text
    assert "BREW" not in text
    methods = set(re.findall(r'method="([^"]+)"', text))
    assert methods <= {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "other"}
    assert {"GET", "POST", "other"} <= methods


def test_latency_is_kept_in_the_declared_buckets(client: FlaskClient) -> None:
    client.get("/api/v1/health")

    found = samples(client)
    route = "/api/v1/health"
    counts = value(found, "unrot_request_duration_seconds_count", route=route)
    buckets = value(found, "unrot_request_duration_seconds_bucket", route=route, le="+Inf")
    assert counts == buckets


def test_models_that_are_gone_have_no_series(client: FlaskClient, service: Service) -> None:
    client.post("/api/v1/models/iris/predict", json={"inputs": IRIS})
    service.store.registry.rename_model("iris", "flowers")
    from unrot.serve.shelf import sync

    sync(service.shelf.folder, service.store.registry)
    client.application.extensions["unrot"].shelf._looked_at = 0.0

    names = {
        dict(labels)["model"]
        for name in ("unrot_predictions_total", "unrot_alias_info", "unrot_accuracy_verdicts")
        for labels in labels_of(samples(client), name)
    }

    assert names == {"flowers", "zombies"}


# ── what is read ─────────────────────────────────────────────────────────────────────────────


def test_machine_tells_of_journal_and_caretaker(client: FlaskClient, settings: Settings) -> None:
    beat(settings.home / "caretaker.json", Heartbeat(0.0, 0.0, 4_321, ("journal", "shelf")))

    found = samples(client)

    assert value(found, "unrot_journal_backlog_bytes") == 4_321
    assert value(found, "unrot_journal_limit_bytes") == settings.journal_max
    assert value(found, "unrot_journal_dropped_total") == 0
    assert value(found, "unrot_caretaker_failing_steps") == 2
    silent = value(found, "unrot_caretaker_silent_seconds")
    assert silent is not None and silent > 1e9


def test_machine_without_a_caretaker_has_no_lag(client: FlaskClient) -> None:
    names = {name for name, _ in samples(client)}

    assert not names & {"unrot_caretaker_silent_seconds", "unrot_caretaker_lag_seconds"}
    assert {"unrot_journal_bytes", "unrot_store_up"} <= names


def test_store_tells_of_quality_drift_and_findings(client: FlaskClient, app: Flask) -> None:
    service: Service = app.extensions["unrot"]
    answer = client.post("/api/v1/models/iris/predict", json={"inputs": [IRIS] * 4})
    ids = [one["id"] for one in answer.json["data"]["predictions"]]  # type: ignore[index]
    for number, id in enumerate(ids):
        client.post("/api/v1/feedback", json={"id": id, "was_correct": number > 0})
    Caretaker(service, "tests").go_round()
    drift = Drift("sepal_width_cm", 0.42, "ks", 0.5, 0.0, has_moved=True, is_calm=False)
    strange = replace(drift, column="of another schema")
    service.store.checks.put([Check("iris", "v1", 0, 60, "training", 10, 120, (drift, strange))])
    for number in range(2):
        service.store.findings.put(
            Finding(
                f"f{number}", "iris", f"c{number}", "drift", "warning", 0, 0, 0, "It moved.", ""
            )
        )

    found = samples(client)

    assert value(found, "unrot_store_up") == 1
    assert value(found, "unrot_accuracy_ratio", model="iris") == 0.75
    assert value(found, "unrot_accuracy_verdicts", model="iris") == 4
    assert labels_of(found, "unrot_drift_distance") == {
        (("feature", "sepal_width_cm"), ("model", "iris"))
    }
    feature = {"model": "iris", "feature": "sepal_width_cm"}
    assert value(found, "unrot_drift_distance", **feature) == 0.42
    assert value(found, "unrot_drift_moved", **feature) == 1
    kind = {"model": "iris", "kind": "drift", "gravity": "warning"}
    assert value(found, "unrot_findings_open", **kind) == 2
    assert value(found, "unrot_store_bytes") == service.store.size()


def test_store_that_is_away_leaves_the_rest(client: FlaskClient, settings: Settings) -> None:
    before = samples(client)
    database = settings.home / "unrot.db"
    database.rename(database.with_suffix(".away"))

    found = samples(client)

    assert value(found, "unrot_store_up") == 0
    assert value(found, "unrot_store_errors_total") == (
        (value(before, "unrot_store_errors_total") or 0) + 1
    )
    names = {name for name, _ in found}
    assert not names & {"unrot_accuracy_verdicts", "unrot_store_bytes", "unrot_findings_open"}
    assert {"unrot_alias_info", "unrot_journal_bytes", "unrot_requests_total"} <= names


def test_jobs_are_counted_by_kind_and_state(client: FlaskClient) -> None:
    service: Service = client.application.extensions["unrot"]
    service.store.jobs.add(Job("j1", "iris", "refit", {}, service.clock()))
    service.store.jobs.add(Job("j2", "zombies", "learn", {}, 0.0))
    service.store.jobs.cancel("j2", 1.0)

    found = samples(client)

    assert labels_of(found, "unrot_jobs") == {
        (("kind", "refit"), ("model", "iris"), ("state", "queued"))
    }


# ── promtool ─────────────────────────────────────────────────────────────────────────────────


def run(*command: str, sent: str = "", folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, input=sent, capture_output=True, text=True, cwd=folder)


def test_promtool_passes_the_output(client: FlaskClient) -> None:
    client.post("/api/v1/models/iris/predict", json={"inputs": IRIS})

    done = run(promtool(), "check", "metrics", sent=scraped(client))

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_promtool_passes_rules_and_configuration(tmp_path: Path) -> None:
    folder = tmp_path / "prometheus"
    folder.mkdir()
    for file in (ROOT / "deploy" / "prometheus").glob("*.yml"):
        (folder / file.name).write_text(file.read_text())
    (folder / "viewer-token").write_text(VIEWER)

    for what, file in (("rules", "alerts.yml"), ("config", "prometheus.yml")):
        done = run(promtool(), "check", what, file, folder=folder)
        assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_fire_when_they_should() -> None:
    done = run(promtool(), "test", "rules", "alerts_test.yml", folder=ROOT / "deploy/prometheus")

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_says_how_grave_it_is_and_what_to_do() -> None:
    text = (ROOT / "deploy/prometheus/alerts.yml").read_text()

    rules: list[Any] = text.split("- alert: ")[1:]

    assert len(rules) == 15
    wanted = ("expr: ", "labels: {severity: ", "summary: ", "what_to_do: ")
    assert [rule.split("\n")[0] for rule in rules if not all(word in rule for word in wanted)] == []


def test_dashboard_can_be_read() -> None:
    dashboard = orjson.loads((ROOT / "deploy/grafana/dashboard.json").read_bytes())

    assert dashboard["title"] == "Unrot"
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
