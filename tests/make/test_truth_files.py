"""What is true of predictions by the clients' own keys, in each form that a file may have."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.live_server import children
from unrot.core.errors import Invalid, TooLarge
from unrot.core.records import Caller
from unrot.make.csv.batches import Batch
from unrot.make.csv.labels import Judged
from unrot.make.truth_files import open_truths
from unrot.run.caretaker import Caretaker
from unrot.serve.service import Service

ROW = [5.1, 3.5, 1.4, 0.2]
OPERATOR = Caller(role="operator", judge="operator")

Judge = Callable[..., Judged]


@pytest.fixture
def ids(service: Service) -> list[str]:
    """Predict a row of iris under each of three keys."""
    answer = service.predict_instances("iris", [ROW] * 3, keys=["a", "b", "c"])
    Caretaker(service, "tests").go_round()
    return [str(id) for id in answer.ids]


@pytest.fixture
def judge(service: Service, tmp_path: Path) -> Judge:
    """Judge by a file of the given content."""

    def judge(content: str | bytes, model: str | None = None) -> Judged:
        path = tmp_path / "truth"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        truths = open_truths(service, path, model)
        list(truths.parts(OPERATOR))
        return truths.judged

    return judge


def as_lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def as_csv(rows: list[dict[str, Any]]) -> str:
    lines = [",".join(str(cell) for cell in row.values()) for row in rows]
    return "\n".join([",".join(rows[0]), *lines])


def as_parquet(rows: list[dict[str, Any]], path: Path, **how: Any) -> bytes:
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist(rows), path, **how)
    return path.read_bytes()


def test_parquet_whose_foot_lies_about_its_pages_is_refused(judge: Judge, tmp_path: Path) -> None:
    """A few kilobytes unpack to as much as their pages say, whatever the foot promises."""
    raw = as_parquet(
        [{"id": "a", "label": "x" * 100_000_000}],
        tmp_path / "rows.parquet",
        **{"compression": "zstd", "use_dictionary": False, "write_statistics": False},
    )
    foot_at = len(raw) - 8 - int.from_bytes(raw[-8:-4], "little")
    sizes = {*re.findall(rb"[\x80-\xff]{3}[\x01-\x7f]", raw[foot_at:])}
    lying = raw[foot_at:]
    for one in sizes:
        if number_of(one) > 50_000_000:
            lying = lying.replace(one, b"\x94\x80\x80\x00")

    assert len(raw) < 20_000 and lying != raw[foot_at:]
    with pytest.raises(TooLarge, match="takes too much memory to be read"):
        judge(raw[:foot_at] + lying)
    with pytest.raises((Invalid, TooLarge), match="be read"):
        judge(raw.replace(raw[4:12], b"\x19" * 8))


def number_of(varint: bytes) -> int:
    bits = sum((byte & 127) << 7 * place for place, byte in enumerate(varint))
    return bits >> 1


@pytest.mark.parametrize("form", ["csv", "lines", "parquet"])
def test_file_says_which_verdicts_were_asked_for(
    service: Service, ids: list[str], judge: Judge, tmp_path: Path, form: str
) -> None:
    tokens = [service.ids.sign_asked(ids[0]), "", service.ids.sign_asked(ids[0])]
    rows = [
        {"id": id, "label": "Iris-setosa", "asked_token": token}
        for id, token in zip(ids, tokens, strict=True)
    ]
    content: str | bytes = as_csv(rows) if form == "csv" else as_lines(rows)
    if form == "parquet":
        content = as_parquet(rows, tmp_path / "rows.parquet")

    assert judge(content).counts == {"created": 2, "invalid": 1}

    kept = [service.store.verdicts.of(id) for id in ids]
    assert [one and one.asked for one in kept] == [True, False, None]
    assert judge(as_csv([{"id": ids[0], "label": "Iris-setosa"}])).counts == {"revised": 1}
    again = service.store.verdicts.of(ids[0])
    assert again is not None
    assert not again.asked


@pytest.mark.parametrize("form", ["csv", "lines", "parquet"])
def test_file_judges_by_key_in_each_form(
    service: Service, ids: list[str], judge: Judge, tmp_path: Path, form: str
) -> None:
    rows = [
        {"Key": "a", "model": "iris", "label": "Iris-setosa", "other": 1},
        {"Key": "b", "model": "iris", "label": "iris-virginica", "other": 2},
        {"Key": "c", "model": "iris", "label": "", "other": 3},
        {"Key": "d", "model": "iris", "label": "Iris-setosa", "other": 4},
        {"Key": "", "model": "iris", "label": "Iris-setosa", "other": 5},
        {"Key": "a", "model": "nobody", "label": "Iris-setosa", "other": 6},
        {"Key": "x" * 300, "model": "iris", "label": "Iris-setosa", "other": 7},
    ]
    content: str | bytes = as_csv(rows) if form == "csv" else as_lines(rows)
    if form == "parquet":
        content = as_parquet(rows, tmp_path / "rows.parquet")

    judged = judge(content)

    assert judged.counts == {
        "created": 2, "no_label": 1, "not_found": 1, "no_id": 1, "unknown_model": 1, "invalid": 1,
    }  # fmt: skip
    verdicts = [service.store.verdicts.of(id) for id in ids]
    assert [one and one.was_correct for one in verdicts] == [True, False, None]


@pytest.mark.parametrize("form", ["csv", "lines", "parquet"])
def test_file_brings_rewards_and_signals_in_each_form(
    service: Service, ids: list[str], judge: Judge, tmp_path: Path, form: str
) -> None:
    rows = [
        {"key": "a", "reward": "0.7", "signal": ""},
        {"key": "b", "reward": "", "signal": "abandoned"},
        {"key": "c", "reward": "", "signal": ""},
        {"key": "c", "reward": "1.7", "signal": ""},
        {"key": "c", "reward": "much", "signal": ""},
        {"key": "c", "reward": "0.5", "signal": "abandoned"},
    ]
    content: str | bytes = as_csv(rows) if form == "csv" else as_lines(rows)
    if form == "parquet":
        content = as_parquet(rows, tmp_path / "rows.parquet")

    judged = judge(content, "iris")

    assert judged.counts == {"created": 2, "no_label": 1, "invalid": 3}
    found = service.store.traffic.look_up(ids)
    told = [(found[id].feedback and found[id].feedback.reward, found[id].signals) for id in ids]
    assert told == [(0.7, ()), (None, ("abandoned",)), (None, ())]


def test_model_that_is_said_goes_before_a_column(
    service: Service, ids: list[str], judge: Judge
) -> None:
    judged = judge("key,model,was_correct\na,Golf,yes\n", "iris")

    assert judged.counts == {"created": 1}
    assert service.store.verdicts.of(ids[0]) is not None


def test_column_of_ids_goes_before_one_of_keys(
    service: Service, ids: list[str], judge: Judge
) -> None:
    lines = as_lines([{"id": ids[1], "key": "a", "was_correct": True}])

    assert judge(f"id,key,was_correct\n{ids[0]},b,no\n,c,no\n").counts == {"created": 1, "no_id": 1}
    assert judge(lines).counts == {"created": 1}
    verdicts = [service.store.verdicts.of(id) for id in ids]
    assert [one and one.was_correct for one in verdicts] == [False, True, None]


def test_keys_of_a_chunk_are_looked_up_at_once(
    service: Service, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [f"order-{number}" for number in range(1_100)]
    service.predict_instances("iris", [ROW] * len(keys), keys=keys)
    Caretaker(service, "tests").go_round()
    asked: list[int] = []
    find = type(service.store.keys).find

    def counted(self: Any, model: Any, keys: Any) -> dict[str, str]:
        asked.append(len(keys))
        return find(self, model, keys)

    monkeypatch.setattr(type(service.store.keys), "find", counted)
    judged = judge("key,was_correct\n" + "".join(f"{key},yes\n" for key in keys), "iris")

    assert judged.counts == {"created": 1_100}
    assert asked == [1_000, 100]


@pytest.mark.parametrize("line", ["{", "[]", "7", '{"key": [], "label": "x"}', '{"key": {}}'])
def test_lines_that_are_none_are_counted_or_refused_as_the_first(judge: Judge, line: str) -> None:
    sound = as_lines([{"key": "z", "label": "Iris-setosa"}])

    judged = judge(sound + line + "\n\n" + '{"key": "\\ud800", "label": "\\ud800"}', "iris")

    assert judged.counts == {"not_found": 1, "unreadable": 1, "invalid": 1}
    assert judged.lines["unreadable"] == [2]
    with pytest.raises(Invalid):
        judge(line)


def test_spoilt_parquet_and_one_without_columns_are_refused(judge: Judge, tmp_path: Path) -> None:
    whole = as_parquet([{"key": "a", "other": 1}], tmp_path / "rows.parquet")

    with pytest.raises(Invalid, match="lacks a column"):
        judge(whole)
    for spoilt in (b"PAR1", whole[:-30], b"PAR1" + b"\xff" * 400):
        with pytest.raises(Invalid, match="cannot be read as Parquet"):
            judge(spoilt)
    index_without_text = as_parquet(
        [{"key": "a", "label": "x"}, {"key": "b", "label": "y"}] * 4,
        tmp_path / "rows.parquet",
        **{"compression": "none", "write_statistics": False},
    ).replace(b"L\x15\x04", b"L\x15\x02")
    with pytest.raises(Invalid, match="cannot be read as Parquet"):
        judge(index_without_text)
    bytes_of_a_million = as_parquet(
        [{"key": "a", "label": b"x" * 10**6}], tmp_path / "rows.parquet"
    )
    with pytest.raises(Invalid, match=r"label .*binary.*: expected texts, numbers, times"):
        judge(bytes_of_a_million)


def test_command_takes_lines_by_key(
    at_home: Callable[..., int], ids: list[str], tmp_path: Path
) -> None:
    file, out = tmp_path / "truth.jsonl", tmp_path / "out.jsonl"
    file.write_text(as_lines([{"key": "a", "label": "Iris-setosa"}]))

    assert at_home("feedback", file, "--model", "iris", "--out", out) == 0

    assert json.loads(out.read_text()) == {"key": "a", "status": "created"}


def test_file_that_is_predicted_names_its_rows(
    service: Service, judge: Judge, tmp_path: Path
) -> None:
    path = tmp_path / "rows.csv"
    names = service.catalogue().model("iris").model.schema.names
    row = ",".join(map(str, ROW))
    path.write_text(
        f"KEY,{','.join(names)}\none,{row}\n,{row}\n{'x' * 300},{row}\nthree,,,,\ntwo,{row}\n"
    )

    batch = Batch(service, "iris", path)
    written = b"".join(batch.parts()).decode().splitlines()
    Caretaker(service, "tests").go_round()

    assert (batch.predicted, batch.bad) == (3, 2)
    assert "256 bytes" in written[3]
    assert written[4].startswith("three,,,,")
    assert judge("key,was_correct\none,yes\ntwo,yes\n", "iris").counts == {"created": 2}


def test_parquet_that_is_not_read_to_its_end_leaves_no_process(
    service: Service, tmp_path: Path
) -> None:
    path = tmp_path / "truth"
    as_parquet([{"key": f"{at}{'x' * 99}", "label": "y"} for at in range(20_000)], path)
    parts, before = open_truths(service, path, "iris").parts(OPERATOR), children()
    next(parts)
    next(parts)
    [reading] = children() - before

    parts.close()

    assert (children() - before, Path(f"/proc/{reading}").exists()) == (set(), False)
