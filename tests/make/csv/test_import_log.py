"""Logs of elsewhere brought into a real store and counted by hand; killed, grown, repeated."""

from __future__ import annotations

import csv
import fcntl
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import OPERATOR, ROOT, environment, run_command
from tests.web.visitor import sign_in
from unrot.cli.main import main
from unrot.core.errors import Conflict, Invalid, NotFound
from unrot.core.records import JudgedPrediction, Outputs, Row, Window
from unrot.make import models
from unrot.make.csv import import_log
from unrot.make.csv.import_log import Imported
from unrot.make.csv.log import LogColumns, LoggedRow
from unrot.make.csv.reading import open_table
from unrot.run.caretaker import Caretaker
from unrot.run.retention import sweep
from unrot.serve.service import Service
from unrot.serve.shelf import Shelf

SETOSA, VERSICOLOR, VIRGINICA = "Iris-setosa", "Iris-versicolor", "Iris-virginica"
NOON = 1_767_268_800
"""2026-01-01 12:00 UTC."""

FEATURES = ["sepal_length_cm", "sepal_width_cm", "petal_length_cm", "petal_width_cm"]
HEADER = ["at", *FEATURES, "said", "truth"]
COLUMNS = LogColumns(time="at", label="truth", prediction="said")
UNSORTED = [
    [NOON + 61, 5.9, 3.0, 4.2, 1.5, VERSICOLOR, VIRGINICA],
    [NOON, 5.1, 3.5, 1.4, 0.2, SETOSA, SETOSA],
    [NOON + 300, 6.3, 2.9, 5.6, 1.8, VIRGINICA, ""],
    [NOON + 59, 5.0, 3.4, 1.5, 0.2, SETOSA, SETOSA],
]

Write = Callable[..., Path]
Bring = Callable[..., Imported]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(rows: list[list[object]], name: str = "log.csv") -> Path:
        path = tmp_path / name
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([HEADER, *rows])
        return path

    return write


@pytest.fixture
def bring(service: Service) -> Bring:
    """Import a file; what is refused goes into a list."""

    def bring(
        path: Path,
        columns: LogColumns = COLUMNS,
        *,
        name: str = "iris",
        refused: list[LoggedRow] | None = None,
        progress: Callable[[float, str], None] = lambda _share, _step: None,
        dry_run: bool = False,
        force: bool = False,
    ) -> Imported:
        return import_log.bring_in(
            service,
            open_table(path),
            columns,
            progress,
            name=name,
            refuse=([] if refused is None else refused).append,
            dry_run=dry_run,
            force=force,
        )

    return bring


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_log, "ROWS_AT_ONCE", 3)


def numbered(count: int, first: int = 0) -> list[list[object]]:
    """Return rows a second apart; every other one has a label, every fourth a wrong answer."""
    return [
        [
            NOON + number,
            5.0,
            3.0,
            1.0 + number / 1_000,
            0.2,
            SETOSA,
            "" if number % 2 else (VIRGINICA if number % 4 else SETOSA),
        ]
        for number in range(first, first + count)
    ]


def kept(service: Service, name: str = "iris") -> list[JudgedPrediction]:
    """Return all predictions of a model, oldest first."""
    return service.store.traffic.recent(name, limit=10_000)[::-1]


def windows(service: Service, name: str = "iris") -> list[Window]:
    """Return windows summed over their writers."""
    sums: dict[tuple[int, str], Window] = {}
    for one in service.store.traffic.windows(name, since=0.0, until=2e9):
        before = sums.get((one.minute, one.version), Window(one.minute, name, one.version, ""))
        sums[one.minute, one.version] = replace(
            before,
            predictions=before.predictions + one.predictions,
            verdicts=before.verdicts + one.verdicts,
            judged=before.judged + one.judged,
            correct=before.correct + one.correct,
        )
    return list(sums.values())


def profiles(service: Service, name: str = "iris") -> list[tuple[str, float, float, int]]:
    return [
        (one.version, one.starts_at, one.ends_at, one.rows)
        for one in service.store.profiles.of_model(name)
    ]


def everything(service: Service) -> object:
    """Return all that an import leaves behind."""
    return kept(service), windows(service), profiles(service), service.store.holdings("iris")


# ── what comes in ────────────────────────────────────────────────────────────────────────────


def test_log_comes_in_with_its_own_times_answers_and_truth(
    service: Service, write: Write, bring: Bring
) -> None:
    done = bring(write(UNSORTED))

    assert done == Imported(
        model="iris",
        version="imported",
        rows=4,
        added=4,
        labels=3,
        first_at=NOON,
        last_at=NOON + 300,
        profiles=2,
        profile_seconds=300,
    )
    assert [
        (
            one.prediction.predicted_at,
            one.prediction.version,
            one.prediction.inputs,
            one.prediction.label,
            one.prediction.probabilities,
            one.feedback and (one.feedback.label, one.feedback.was_correct, one.feedback.judge),
        )
        for one in kept(service)
    ] == [
        (NOON, "imported", [5.1, 3.5, 1.4, 0.2], SETOSA, None, (SETOSA, True, "operator")),
        (NOON + 59, "imported", [5.0, 3.4, 1.5, 0.2], SETOSA, None, (SETOSA, True, "operator")),
        (
            NOON + 61,
            "imported",
            [5.9, 3.0, 4.2, 1.5],
            VERSICOLOR,
            None,
            (VIRGINICA, False, "operator"),
        ),
        (NOON + 300, "imported", [6.3, 2.9, 5.6, 1.8], VIRGINICA, None, None),
    ]
    minute = NOON // 60
    assert windows(service) == [
        Window(minute, "iris", "imported", "", predictions=2, verdicts=2, judged=2, correct=2),
        Window(minute + 1, "iris", "imported", "", predictions=1, verdicts=1, judged=1, correct=0),
        Window(minute + 5, "iris", "imported", "", predictions=1),
    ]
    assert profiles(service) == [
        ("imported", NOON, NOON + 300, 3),
        ("imported", NOON + 300, NOON + 600, 1),
    ]


def test_rows_that_are_none_count_in_their_own_minute_and_once(
    service: Service, write: Write, bring: Bring
) -> None:
    rows = numbered(5)
    rows[3][1] = ""

    bring(write(rows))
    bring(write(rows))

    [found] = [one for one in service.store.traffic.windows("iris", since=0, until=1e11)
               if one.rejected]  # fmt: skip
    assert (found.minute * 60, found.rejected) == (int(NOON) // 60 * 60, {"null": 1})
    assert found.refused_for.features == {"sepal_length_cm": {"null": 1}}


def test_verdicts_of_history_are_not_verdicts_of_today_nor_of_the_champion(
    service: Service, write: Write, bring: Bring
) -> None:
    bring(write(UNSORTED))

    tally = service.today("iris")

    assert (tally.predictions, tally.verdicts) == (0, 0)
    assert (tally.last_accuracy, tally.last_accuracy_verdicts) == (None, 0)
    of_log = service.store.traffic.tally("iris", since=0.0, last=50, version="imported")
    assert (of_log.last_accuracy, of_log.last_accuracy_verdicts) == (2 / 3, 3)


def test_profile_holds_what_the_log_holds(service: Service, write: Write, bring: Bring) -> None:
    bring(write(UNSORTED))

    [first, _] = service.store.profiles.of_model("iris")
    found = service.store.profiles.get(first.id)
    assert found is not None
    told = service.profiler.read(found.data)
    assert told["sepal_length_cm"].rows == 3
    assert told["sepal_length_cm"].mean == pytest.approx((5.9 + 5.1 + 5.0) / 3)
    assert told["output.class"].frequent == {SETOSA: 2, VERSICOLOR: 1}


def test_rows_without_an_answer_are_answered_by_the_champion(
    service: Service, write: Write, bring: Bring
) -> None:
    expected = service.predict_instances("iris", [row[1:5] for row in UNSORTED]).predictions

    done = bring(write(UNSORTED), LogColumns(time="at", label="truth"))

    assert (done.version, done.added, done.labels) == ("v1", 4, 3)
    by_time = {one.prediction.predicted_at: one.prediction for one in kept(service)}
    assert [
        (by_time[row[0]].label, by_time[row[0]].probabilities, by_time[row[0]].version)
        for row in UNSORTED
    ] == [(one.label, one.probabilities, "v1") for one in expected]
    assert [one.judged for one in windows(service)] == [2, 1, 0]
    assert [row[0] for row in profiles(service)] == ["v1", "v1"]


def test_row_that_the_champion_cannot_score_is_refused_alone(
    service: Service, write: Write
) -> None:
    class Picky:
        def predict(self, rows: Sequence[Row]) -> Outputs:
            if any(row[2] == 1.003 for row in rows):
                raise Invalid("petal_length_cm 1.003: the model cannot score it.")
            return Outputs(classes=[0] * len(rows))

    picky = Shelf(
        service.shelf.folder,
        load=lambda *_: Picky(),
        check=lambda *_: 0.0,
        signatures=service.signatures,
    )
    refused: list[LoggedRow] = []

    done = import_log.bring_in(
        replace(service, shelf=picky),
        open_table(write(numbered(5))),
        LogColumns(time="at"),
        lambda _share, _step: None,
        name="iris",
        refuse=refused.append,
    )

    assert (done.added, done.refused) == (4, 1)
    assert [(row.line, row.problem) for row in refused] == [
        (5, "petal_length_cm 1.003: the model cannot score it.")
    ]
    assert [one.prediction.predicted_at - NOON for one in kept(service)] == [0, 1, 2, 4]


def test_without_times_rows_count_as_predicted_now(
    service: Service, write: Write, bring: Bring
) -> None:
    before = service.clock()

    done = bring(write(UNSORTED), LogColumns(prediction="said", label="truth"))
    again = bring(write(UNSORTED), LogColumns(prediction="said", label="truth"))

    assert done.first_at == done.last_at
    assert done.first_at is not None
    assert before <= done.first_at <= service.clock()
    assert (done.added, done.labels) == (4, 3)
    assert (again.added, again.labels, again.known) == (0, 0, 4)
    assert sum(one.judged for one in windows(service)) == 3
    assert sum(rows for *_, rows in profiles(service)) == 4


def test_regression_keeps_numbers(service: Service, tmp_path: Path, bring: Bring) -> None:
    table = tmp_path / "t.csv"
    table.write_text("x,y\n" + "".join(f"{n / 2},{n + n % 3}\n" for n in range(60)))
    trained = ["--csv", str(table), "--target", "y", "--name", "line", "--estimator", "ridge"]
    assert run_command(service.settings.home, "train", *trained).returncode == 0
    log = tmp_path / "log.csv"
    log.write_text(f"at;x;said;truth\n{NOON};7;17,5;18,25\n{NOON + 1};8;1.020,5;\n")

    done = bring(log, name="line")

    assert (done.added, done.labels) == (2, 1)
    found = kept(service, "line")
    assert [(one.prediction.label, one.prediction.value) for one in found] == [
        (None, 17.5),
        (None, 1020.5),
    ]
    assert [one.feedback and one.feedback.label for one in found] == [18.25, None]
    assert [(one.predictions, one.verdicts) for one in windows(service, "line")] == [(2, 1)]
    assert profiles(service, "line") == [("imported", NOON, NOON + 300, 2)]


def test_long_history_gets_longer_profiles(
    service: Service, write: Write, bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_log, "MOST_PROFILES", 3)
    rows = [[NOON + 300 * number, *UNSORTED[0][1:]] for number in range(15)]

    done = bring(write(rows))
    more = bring(write([*rows, [NOON + 86_400, *UNSORTED[0][1:]]]))

    assert (done.profiles, done.profile_seconds) == (2, 3_600)
    assert (more.profiles, more.profile_seconds) == (1, 3_600)
    assert profiles(service) == [
        ("imported", NOON, NOON + 3_600, 12),
        ("imported", NOON + 3_600, NOON + 7_200, 3),
        ("imported", NOON + 86_400, NOON + 90_000, 1),
    ]


# ── again, grown, killed ─────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_second_run_adds_nothing(service: Service, write: Write, bring: Bring, count: int) -> None:
    path = write(numbered(count))
    first = bring(path)
    before = everything(service)

    again = bring(path)

    labels = (count + 1) // 2
    assert (first.added, first.labels) == (count, labels)
    assert (again.added, again.known) == (0, count)
    assert (again.labels, again.labels_known, again.profiles) == (0, labels, 0)
    assert everything(service) == before


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize(("first", "then"), [(1, 2), (2, 5), (3, 4), (4, 12), (7, 8)])
def test_log_that_grew_brings_its_new_rows(
    service: Service, write: Write, bring: Bring, first: int, then: int
) -> None:
    bring(write(numbered(first)))

    grown = bring(write(numbered(then)))

    assert (grown.known, grown.added) == (first, then - first)
    assert [one.prediction.predicted_at - NOON for one in kept(service)] == list(range(then))
    assert sum(one.predictions for one in windows(service)) == then
    assert sum(one.verdicts for one in windows(service)) == (then + 1) // 2
    assert profiles(service) == [("imported", NOON, NOON + 300, then)]


@pytest.mark.usefixtures("small_pieces")
def test_log_that_ended_in_half_a_line_goes_on_with_the_whole_line(
    service: Service, write: Write, bring: Bring
) -> None:
    path = write(numbered(5))
    whole = path.read_text()
    path.write_text(whole[:-40])
    torn = bring(path)
    path.write_text(whole)

    done = bring(path)

    assert (torn.added, torn.refused) == (4, 1)
    assert (done.known, done.added) == (4, 1)
    assert len(kept(service)) == 5


@pytest.mark.usefixtures("small_pieces")
def test_log_is_known_by_its_rows_and_not_by_how_it_is_written(
    service: Service, tmp_path: Path, bring: Bring
) -> None:
    rows = [HEADER, *numbered(4), ["torn"], *numbered(3, first=4)]
    as_text = [[str(cell) for cell in row] for row in rows]
    one, other = tmp_path / "log.csv", tmp_path / "renamed.txt"
    one.write_text("".join(",".join(row) + "\n" for row in as_text))
    other.write_text("".join(";".join([*row, "x"]) + "\r\n" for row in as_text))
    first = bring(one)
    before = everything(service)

    again = bring(other)

    assert (first.added, first.refused) == (7, 1)
    assert (again.known, again.added, again.refused) == (7, 0, 1)
    assert everything(service) == before


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("step", ["3 rows read", "6 rows", "0 of 2 profiles", "1 of 2 profiles"])
def test_interrupted_import_goes_on_where_it_was(
    service: Service, write: Write, bring: Bring, step: str
) -> None:
    rows = [*numbered(5), *numbered(5, first=300)]

    def stop(_share: float, said: str) -> None:
        if said.startswith(step):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring(write(rows), progress=stop)
    done = bring(write(rows))

    assert (done.known, done.added) == {"3": (3, 7), "6": (6, 4)}.get(step[0], (10, 0))
    assert [one.predictions for one in windows(service)] == [5, 5]
    assert [one.verdicts for one in windows(service)] == [3, 3]
    assert [one.correct for one in windows(service)] == [2, 2]
    assert [rows for *_, rows in profiles(service)] == [5, 5]


def test_import_that_was_killed_again_and_again_ends_whole(
    service: Service,
    write: Write,
    bring: Bring,
    trained_home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = write(numbered(9))
    script = (
        "import os, signal, sys; from unrot.make.csv import import_log as history; "
        "from unrot.cli.main import main\n"
        "history.ROWS_AT_ONCE, ships = 2, []\n"
        "from unrot.serve.traffic_store import TrafficStore; ship = TrafficStore.ship\n"
        "def once(self, shipment):\n"
        "    if ships: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    ships.append(1); return ship(self, shipment)\n"
        "TrafficStore.ship = once; sys.exit(main(sys.argv[1:]))\n"
    )
    arguments = ["import", str(path), "--model", "iris", "--time", "at", "--label", "truth"]
    arguments += ["--prediction", "said"]

    killed = [
        subprocess.run(
            [sys.executable, "-c", script, *arguments],
            env=environment(trained_home),
            cwd=ROOT,
            capture_output=True,
        ).returncode
        for _ in range(3)
    ]
    monkeypatch.setattr(import_log, "ROWS_AT_ONCE", 2)
    done = bring(path)

    assert killed == [-signal.SIGKILL] * 3
    assert done.known >= 2
    assert [one.prediction.predicted_at - NOON for one in kept(service)] == list(range(9))
    assert [(one.predictions, one.verdicts, one.correct) for one in windows(service)] == [(9, 5, 3)]
    assert profiles(service) == [("imported", NOON, NOON + 300, 9)]


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("line", [2, 4, 7])
def test_log_that_was_changed_is_not_brought_in_twice(
    service: Service, write: Write, bring: Bring, line: int
) -> None:
    rows = numbered(8)
    bring(write(rows))
    before = everything(service)
    rows[line - 1] = [*rows[line - 1][:4], 0.9, *rows[line - 1][5:]]

    with pytest.raises(Conflict, match=r"log\.csv was changed since it was imported"):
        bring(write([*rows, *numbered(3, first=8)]))

    assert everything(service) == before


@pytest.mark.parametrize("columns", [COLUMNS, LogColumns(time="at")])
def test_log_in_another_order_is_not_brought_in_twice(
    service: Service, write: Write, bring: Bring, columns: LogColumns
) -> None:
    bring(write(numbered(30)))
    before = everything(service)
    newest_first = write(numbered(40)[::-1], "newest-first.csv")

    with pytest.raises(Conflict, match=r"Most rows at the start of newest-first\.csv are in"):
        bring(newest_first, columns)

    assert everything(service) == before
    assert bring(newest_first, columns, force=True).added == 40


def test_next_log_of_the_same_times_comes_in(service: Service, write: Write, bring: Bring) -> None:
    bring(write(numbered(30)))
    others = [[*row[:4], 0.9, *row[5:]] for row in numbered(30)]

    assert bring(write(others, "other-server.csv")).added == 30


@pytest.mark.usefixtures("small_pieces")
def test_labels_may_come_later_and_be_corrected(
    service: Service, write: Write, bring: Bring
) -> None:
    rows = numbered(8)
    bring(write(rows), LogColumns(time="at", prediction="said"))
    assert windows(service) == [Window(NOON // 60, "iris", "imported", "", predictions=8)]

    later = bring(write(rows))
    counted = windows(service)
    rows[6][-1] = SETOSA
    corrected = bring(write(rows))

    assert (later.added, later.known, later.labels, later.labels_known) == (0, 8, 4, 0)
    assert counted == [
        Window(NOON // 60, "iris", "imported", "", predictions=8, verdicts=4, judged=4, correct=2)
    ]
    assert (corrected.added, corrected.labels_known) == (0, 3)
    assert [one.correct for one in windows(service)] == [3]
    assert [one.verdicts for one in windows(service)] == [4]


def test_labels_of_rows_that_the_champion_answered_may_come_later(
    service: Service, write: Write, bring: Bring
) -> None:
    bring(write(UNSORTED), LogColumns(time="at"))
    answers = {one.prediction.predicted_at: one.prediction.label for one in kept(service)}

    bring(write(UNSORTED), LogColumns(time="at", label="truth"))

    right = sum(answers[row[0]] == row[-1] for row in UNSORTED if row[-1])
    assert sum(one.correct for one in windows(service)) == right
    assert sum(one.judged for one in windows(service)) == 3


def test_same_row_twice_is_two_predictions(service: Service, write: Write, bring: Bring) -> None:
    done = bring(write([UNSORTED[0]] * 3))

    assert (done.added, done.labels) == (3, 3)
    assert windows(service) == [
        Window(NOON // 60 + 1, "iris", "imported", "", predictions=3, verdicts=3, judged=3)
    ]


def test_dry_run_reads_all_and_changes_nothing(
    service: Service, write: Write, bring: Bring
) -> None:
    before = everything(service)
    bad = [["tomorrow", *UNSORTED[0][1:]]]

    done = bring(write([*UNSORTED, *bad]), dry_run=True)

    assert (done.rows, done.added, done.labels, done.refused) == (5, 4, 3, 1)
    assert everything(service) == before
    assert bring(write(UNSORTED)).added == 4


def test_two_imports_at_once_are_one_too_many(service: Service, write: Write, bring: Bring) -> None:
    with (service.settings.home / "import.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        with pytest.raises(Conflict, match="Another import is running"):
            bring(write(UNSORTED))

    assert kept(service) == []


# ── beside the rest of the house ─────────────────────────────────────────────────────────────


def test_caretaker_counts_and_profiles_nothing_of_an_import_again(
    service: Service, write: Write, bring: Bring
) -> None:
    live = service.predict_instances("iris", [[5.1, 3.5, 1.4, 0.2]])
    now = int(service.clock()) - 10
    bring(write([[now, *UNSORTED[0][1:]]]))
    before = windows(service), profiles(service)

    caretaker = Caretaker(service, "me")
    for _ in range(3):
        caretaker.go_round()
    caretaker._profiles.write_all()

    assert windows(service)[0] == before[0][0]
    assert [row for row in profiles(service) if row[0] == "imported"] == before[1]
    assert [row[-1] for row in profiles(service) if row[0] == "v1"] == [len(live.predictions)]


def test_renamed_model_knows_what_is_in(service: Service, write: Write, bring: Bring) -> None:
    bring(write(UNSORTED))
    models.rename(service, "iris", "flowers")

    again = bring(write(UNSORTED), name="iris")
    grown = bring(write([*UNSORTED, UNSORTED[0]]), name="flowers")

    assert (again.model, again.known, again.added) == ("flowers", 4, 0)
    assert (grown.known, grown.added, grown.profiles) == (4, 1, 1)
    assert [row[-1] for row in profiles(service)] == [4, 1]


def test_model_that_is_removed_meanwhile_gets_nothing(
    service: Service, write: Write, bring: Bring
) -> None:
    def remove(_share: float, said: str) -> None:
        if said.startswith("4 rows"):
            models.remove(service, "iris", lambda _share, _step: None)

    with pytest.raises(NotFound, match="iris was removed while its log was imported"):
        bring(write([*UNSORTED, UNSORTED[0]]), progress=remove)

    assert service.store.holdings("iris").rows == 0


def test_model_that_is_not_there_is_named(write: Write, bring: Bring) -> None:
    with pytest.raises(NotFound, match='There is no model "roses"; there are iris, zombies'):
        bring(write(UNSORTED), name="roses")


def test_pages_and_api_stand_a_version_that_is_in_no_registry(
    app: Flask, service: Service, write: Write, bring: Bring
) -> None:
    bring(write(UNSORTED))
    client = app.test_client()
    head = {"Authorization": f"Bearer {OPERATOR}"}

    listed = client.get("/api/v1/models/iris/predictions", headers=head)
    sign_in(client, OPERATOR)
    page = client.get("/models/iris/predictions")
    versions = client.get("/models/iris/versions")

    found = listed.get_json()["data"]["predictions"]
    assert [(one["version"], one["class"], one["probabilities"]) for one in found] == [
        ("imported", VIRGINICA, None),
        ("imported", VERSICOLOR, None),
        ("imported", SETOSA, None),
        ("imported", SETOSA, None),
    ]
    assert page.status_code == versions.status_code == 200
    assert page.text.count("imported") == 4
    assert "versions/imported" not in page.text + versions.text


# ── the command ──────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def command(
    trained_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Run the command in this process; return its status and what it said."""
    monkeypatch.setenv("UNROT_HOME", str(trained_home))
    monkeypatch.setenv("PORT", "5000")

    def run(*arguments: object) -> tuple[int, str]:
        status = main(["import", *map(str, arguments)])
        said = capsys.readouterr()
        return status, said.out if status == 0 else said.out + said.err

    return run


Command = Callable[..., tuple[int, str]]


def test_command_says_what_came_in_and_what_was_refused(
    command: Command, write: Write, tmp_path: Path
) -> None:
    good = [datetime.fromtimestamp(NOON, UTC).strftime("%Y-%m-%d %H:%M"), *UNSORTED[0][1:]]
    path = write(
        [
            good,
            [*good[:1], "long", *good[2:]],
            [*good[:1], "wide", *good[2:]],
            ["2999-01-01", *good[1:]],
            [*good[:-1], "Iris-rosea"],
        ]
    )
    rejects = tmp_path / "rejects.csv"
    options = ["--model", "iris", "--time", "at", "--label", "truth", "--prediction", "said"]

    status, said = command(path, *options, "--rejects", rejects)

    assert status == 0
    assert said.splitlines() == [
        "Rows: 5 read, 2 new in iris, 0 there already, 3 refused.",
        "Times: 2026-01-01 12:00:00 to 2026-01-01 12:00:00 UTC. 2 have no zone: read as UTC.",
        "Answers: those of the log, under the version imported.",
        "Labels: 1 new, 0 there already, 1 refused.",
        "Profiles: 1 made, one for each 5 minutes.",
        "Refused:",
        "how many  lines  why",
        "2         3, 4   sepal_length_cm: expected a finite number, usually 4.3 to 7.7 cm.",
        "1         5      at: expected a time that is past.",
        "1         6      only the label: truth: expected one of Iris-setosa, Iris-versicolor, "
        "Iris-virginica.",
        "While the server runs: http://127.0.0.1:5000/models/iris/predictions",
    ]
    with rejects.open(newline="") as file:
        written = list(csv.DictReader(file))
    assert [(row["at"][:4], row["sepal_length_cm"], row["problem"]) for row in written] == [
        (
            "2026",
            "long",
            'sepal_length_cm "long": expected a finite number, usually 4.3 to 7.7 cm.',
        ),
        (
            "2026",
            "wide",
            'sepal_length_cm "wide": expected a finite number, usually 4.3 to 7.7 cm.',
        ),
        ("2999", "5.9", 'at "2999-01-01": expected a time that is past.'),
    ]


def test_rejects_that_were_mended_can_be_imported(
    command: Command, write: Write, tmp_path: Path
) -> None:
    rejects = tmp_path / "rejects.csv"
    path = write([UNSORTED[0], [NOON, "5.1O", *UNSORTED[1][2:]]])
    options = ["--model", "iris", "--time", "at", "--prediction", "said"]
    command(path, *options, "--rejects", rejects)
    rejects.write_text(rejects.read_text().replace(",5.1O,", ",5.1,"))

    status, said = command(rejects, *options)

    assert status == 0
    assert said.startswith("Rows: 1 read, 1 new in iris, 0 there already, 0 refused.\n")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--time", "att"], '--time "att": log.csv has no such column. The nearest is "at".'),
        (
            ["--label", "said", "--prediction", "said"],
            '--label and --prediction are both "said": one column cannot be both. Leave one of '
            "them away.",
        ),
        (["--rejects", "log.csv"], "--rejects log.csv is the log itself: name another file."),
        (["--rejects", "no/such"], "no/such cannot be written: No such file or directory."),
        (["--model", "iri"], 'There is no model "iri"; there are iris, zombies.'),
    ],
)
def test_command_that_cannot_be_meant_gets_a_sentence(
    command: Command,
    write: Write,
    options: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write(UNSORTED)
    monkeypatch.chdir(tmp_path)

    status, answer = command("log.csv", "--model", "iris", *options)

    assert (status, answer.strip()) == (1, said)


def test_file_without_a_row_that_can_be_taken_is_no_success(command: Command, write: Write) -> None:
    empty = command(write([], "empty.csv"), "--model", "iris")
    bad = command(write([["never", *UNSORTED[0][1:]]]), "--model", "iris", "--time", "at")

    assert empty == (1, "empty.csv holds no row under its line of names.\n")
    assert bad[0] == 1
    assert "Rows: 1 read, 0 new in iris, 0 there already, 1 refused.\nTimes: none." in bad[1]


@pytest.mark.usefixtures("small_pieces")
def test_log_of_long_ago_is_not_tidied_away_and_may_grow_and_get_labels(
    service: Service, write: Write, bring: Bring
) -> None:
    bring(write(numbered(8)), LogColumns(time="at", prediction="said"))
    tidied = sum(sweep(service))

    later = bring(write(numbered(12)))
    again = sum(sweep(service))

    # Into the hour, then the day; the new rows into the day at once, and then their verdicts.
    assert (tidied, again) == (2, 2)
    assert (later.known, later.added, later.labels) == (8, 4, 6)
    assert len(kept(service)) == 12
    [day] = windows(service)
    assert (day.minute, day.predictions, day.verdicts) == (int(NOON) // 86_400 * 1_440, 12, 6)
    assert profiles(service) == [("imported", NOON, NOON + 300, 12)]
