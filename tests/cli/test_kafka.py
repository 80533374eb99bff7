"""The command of Kafka before it reads anything: what it wants, and what it refuses."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import free_port
from tests.skips import needs

ASKED = ("kafka", "--in", "rows", "--out", "answers", "--bootstrap")


def test_missing_extra_is_a_sentence(
    at_home: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    code = at_home(*ASKED, "127.0.0.1:9")

    assert code == 1
    assert capsys.readouterr().err.startswith("Kafka wants a library that is not installed: pip")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--feedback", "rows"], "must be different ones"),
        (["--feedback", "answers"], "must be different ones"),
        (["--model", "nobody"], "nobody"),
    ],
)
def test_what_cannot_be_is_refused(
    at_home: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    more: list[str],
    said: str,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)

    code = at_home(*ASKED, "127.0.0.1:9", *more)

    assert code == 1
    assert said in capsys.readouterr().err


def test_brokers_that_are_away_and_a_file_that_is_none_are_sentences(
    at_home: Callable[..., int],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    found = importlib.util.find_spec("confluent_kafka") is not None
    needs("Kafka's library", found, "pip install confluent-kafka")
    monkeypatch.setattr("unrot.cli.kafka.CONNECT_SECONDS", 0.2)
    hosts = f"127.0.0.1:{free_port()}"
    wrong = tmp_path / "wrong.properties"
    wrong.write_text("no.such.setting=1")

    codes = [
        at_home(*ASKED, hosts),
        at_home(*ASKED, hosts, "--config", tmp_path / "missing"),
        at_home(*ASKED, hosts, "--config", wrong),
    ]

    said = capfd.readouterr().err
    assert codes == [1, 1, 1]
    assert f"Kafka at {hosts}: " in said
    assert "missing cannot be read as a file of settings." in said
    assert "no.such.setting" in said
