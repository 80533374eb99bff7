"""Files of true labels: what is kept, what is refused, and that people may write as they do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import noon
from unrot.cli.main import main
from unrot.core.errors import Invalid
from unrot.core.records import Caller, Schema
from unrot.make.csv.labels import Judged, label_of
from unrot.make.truth_files import open_truths
from unrot.serve.service import Service

ROW = [5.1, 3.5, 1.4, 0.2]
OPERATOR = Caller(role="operator", judge="operator")

Judge = Callable[[str], Judged]


@pytest.fixture
def judge(service: Service, tmp_path: Path) -> Judge:
    """Judge by a file of the given content, as the operator."""

    def judge(content: str) -> Judged:
        path = tmp_path / "labels.csv"
        path.write_text(content)
        truths = open_truths(service, path)
        list(truths.parts(OPERATOR))
        return truths.judged

    return judge


def predict(service: Service, count: int, name: str = "iris") -> list[str]:
    answer = service.predict_instances(name, [ROW] * count)
    return [prediction.id or "" for prediction in answer.predictions]


def test_each_row_has_its_status(service: Service, judge: Judge) -> None:
    old = replace(service, clock=lambda: noon() - 31 * 86_400)
    [expired] = predict(old, 1)
    a, b, c, d = predict(service, 4)
    [zombie] = predict(service, 1, "zombies")
    service.judge({"id": d, "label": "Iris-setosa"}, OPERATOR)

    judged = judge(
        "ID,Label,was_correct,comment,other\n"
        f"{a},Iris-setosa,,,1\n"
        f"{b},,no,a tulip,2\n"
        f"{c},,,,3\n"
        f"{d},Iris-virginica,,,4\n"
        f"{a},Iris-setosa,,,5\n"
        f"{a[:-1]}{'y' if a.endswith('x') else 'x'},Iris-setosa,,,6\n"
        f"{expired},Iris-setosa,,,7\n"
        f"{a},tulip,,,8\n"
        f"{a},Iris-setosa,no,,9\n"
        ",Iris-setosa,,,10\n"
        f"{a}\n"
        f"{zombie},HOSTILE,,,12\n"
        f"{b},,perhaps,,13\n"
    )

    assert judged.counts == {
        "created": 3,
        "no_label": 1,
        "revised": 1,
        "duplicate": 1,
        "unknown_id": 1,
        "expired": 1,
        "unknown_label": 1,
        "contradiction": 1,
        "no_id": 1,
        "unreadable": 1,
        "invalid": 1,
    }
    assert (judged.rows, judged.refused, judged.line) == (13, 7, 14)
    assert judged.lines["unknown_label"] == [9]
    kept = service.store.verdicts.of(b)
    assert kept is not None
    assert (kept.was_correct, kept.comment, kept.is_trusted) == (False, "a tulip", True)


def test_same_file_twice_changes_nothing(service: Service, judge: Judge) -> None:
    text = "id,label\n" + "".join(f"{id},Iris-setosa\n" for id in predict(service, 1_200))

    first, second = judge(text), judge(text)

    assert first.counts == {"created": 1_200}
    assert second.counts == {"duplicate": 1_200}


def test_own_id_of_the_file_gives_way_to_that_of_the_prediction(
    service: Service, judge: Judge
) -> None:
    [first, second] = predict(service, 2)

    judged = judge(f"id,prediction_id,prediction_id (2),label\n7,{first},{second},Iris-setosa\n")

    assert judged.counts == {"created": 1}
    assert service.store.verdicts.of(first) is None
    assert service.store.verdicts.of(second) is not None


def test_labels_are_queued_while_the_store_is_away(
    service: Service, judge: Judge, trained_home: Path
) -> None:
    [id] = predict(service, 1)
    (trained_home / "unrot.db").rename(trained_home / "aside.db")

    assert judge(f"id,label\n{id},Iris-setosa\n").counts == {"queued": 1}


@pytest.mark.parametrize(
    ("classes", "text", "label"),
    [
        (("1", "2"), "1", "1"),
        (("1", "2"), "1.0", "1"),
        (("1.0", "2.0"), "1", "1.0"),
        (("no", "yes"), "YES", "yes"),
        (("a", "A"), "A", "A"),
        (("NA", "EU"), "NA", "NA"),
        (("no", "yes"), "NA", None),
        (("no", "yes"), "", None),
        (("no", "yes"), "maybe", "maybe"),
        ((), "2.5", 2.5),
        ((), "two", "two"),
        ((), "-", None),
    ],
)
def test_label_is_read_as_the_schema_writes_it(
    classes: tuple[str, ...], text: str, label: str | float | None
) -> None:
    assert label_of(Schema((), "target", classes), text) == label


def test_number_is_read_with_the_mark_of_its_column() -> None:
    assert label_of(Schema((), "price"), "1.234,5", ",") == 1234.5


def test_file_without_the_columns_is_refused(judge: Judge) -> None:
    with pytest.raises(Invalid, match=r'has the columns "a", "label": .* It has no column id\.'):
        judge("a,label\n1,2\n")
    with pytest.raises(Invalid, match=r"It has no column label\."):
        judge("id,truth\nx,2\n")


def test_command_says_what_became_of_each_row(
    service: Service,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("UNROT_HOME", str(service.settings.home))
    [id] = predict(replace(service, clock=lambda: noon() - 86_400), 1)
    labels, out = tmp_path / "labels.csv", tmp_path / "statuses.csv"
    labels.write_text(f"id;label;status\n{id};Iris-setosa;new\nforged;Iris-setosa;new\n")

    code = main(["feedback", str(labels), "--out", str(out)])

    assert code == 1
    assert capsys.readouterr().out.splitlines() == [
        "what became of the labels   rows  where",
        "kept                        1",
        "refused: no id of this app  1     line 3",
    ]
    assert out.read_text() == (
        "id;label;status;feedback_status\n"
        f"{id};Iris-setosa;new;created\n"
        "forged;Iris-setosa;new;unknown_id\n"
    )
