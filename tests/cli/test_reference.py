"""The command `reference`: a profile of elsewhere in the place of the training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.watch.monitors.drift.days import (
    DAY,
    FEATURES,
    MIDNIGHT,
    Flowers,
    bring_in,
    flowers,
    log_of,
)
from unrot.cli.main import main
from unrot.core.records import Check, Feature, Outputs, Row, Schema
from unrot.core.rules import Rules
from unrot.serve.service import Service
from unrot.watch.monitors.drift import look as drift
from unrot.watch.profiles import references
from unrot.watch.profiles.sketches import WhylogsProfiler
from unrot.watch.visit import Visit

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(
    trained_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run the command in this process; return its status and what it said."""
    monkeypatch.setenv("UNROT_HOME", str(trained_home))

    def run(*arguments: object) -> tuple[int, str]:
        capsys.readouterr()
        status = main(["reference", *map(str, arguments)])
        said = capsys.readouterr()
        return status, (said.out + said.err).strip()

    return run


def written(path: Path, rows: Flowers, names: tuple[str, ...] = FEATURES) -> Path:
    """Write a profile as somebody else's whylogs would."""
    schema = Schema(tuple(Feature(name, "number") for name in names), "species")
    path.write_bytes(WhylogsProfiler().profile(schema, rows.tolist(), Outputs()))
    return path


def checked(service: Service) -> list[Check]:
    list(drift.look(Visit(service, service.catalogue().model("iris"), Rules(), 2e9)))
    return service.store.checks.of_model("iris", against="training", since=0, until=1e12)


def as_judged_alone(check: Check) -> Check:
    """Return a check as if it were the only look: each look spends of one budget."""
    return replace(check, drifts=tuple(replace(one, level=1.0) for one in check.drifts))


def wider(seed: int, rows: int = 150) -> Flowers:
    """Return flowers of a world in which sepals are far wider."""
    rng = np.random.default_rng(seed)
    drawn = np.tile(flowers(seed), (rows // 150, 1))
    drawn[:, 1] += 3.0 + rng.normal(0, 0.01, len(drawn))
    return drawn


def test_traffic_is_compared_with_the_profile_until_it_is_reset(
    run: Run, service: Service, tmp_path: Path
) -> None:
    bring_in(log_of(tmp_path / "log.csv", [wider(1)], seconds=1_200))
    [before] = checked(service)

    status, said = run("iris", written(tmp_path / "wide.bin", wider(2, 3_000)))
    [with_profile] = checked(service)
    _, shown = run("iris")
    _, reset = run("iris", "--reset")
    [after] = checked(service)

    compared = "From now on the traffic of every version is compared with wide.bin: 3,000 rows."
    assert (status, said) == (0, compared)
    assert shown == "The traffic of v1 is compared with wide.bin."
    assert reset == "From now on traffic is compared with what its version was trained on."
    assert (before.moved[0].column, with_profile.moved) == ("sepal_width_cm", [])
    assert as_judged_alone(after) == as_judged_alone(before)
    assert (before.rows_before, with_profile.rows_before) == (120, 3_000)


def test_profile_stands_for_one_version_only_when_asked(
    run: Run, service: Service, tmp_path: Path
) -> None:
    file = written(tmp_path / "wide.bin", wider(2))

    assert run("iris", file, "--version", "v9")[0] == 1
    assert run("iris", file, "--version", "v1")[0] == 0

    standing = references.standing_for(service, "iris", "v1")
    assert standing is not None and standing.file == "wide.bin"
    assert references.standing_for(service, "iris", "v2") is None
    assert run("iris", "--reset")[1].startswith("Traffic is compared with the training already")


def test_columns_that_do_not_fit_are_named(run: Run, tmp_path: Path) -> None:
    names = ("sepal_length_cm", "sepal_width", "petal_length_cm", "petal_width_cm")

    status, said = run("iris", written(tmp_path / "other.bin", flowers(1), names))

    assert status == 1
    assert said.startswith(
        "other.bin is not of this model: it lacks sepal_width_cm. It has instead: sepal_width."
    )


def test_texts_in_the_place_of_numbers_are_named(run: Run, tmp_path: Path) -> None:
    schema = Schema(tuple(Feature(name, "category") for name in FEATURES), "species")
    rows: list[Row] = [["a", "b", "c", "d"]]
    (tmp_path / "texts.bin").write_bytes(WhylogsProfiler().profile(schema, rows, Outputs()))

    status, said = run("iris", tmp_path / "texts.bin")

    assert (status, said.split(":")[0]) == (
        1,
        "texts.bin holds no numbers for " + ", ".join(FEATURES),
    )


@pytest.mark.parametrize("data", [b"", b"no profile", b"WHY1nonsense"])
def test_damaged_file_is_said_to_be(run: Run, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "bad.bin"
    path.write_bytes(data)

    status, said = run("iris", path)

    assert status == 1
    assert said == (
        "bad.bin cannot be read as a whylogs profile. It is damaged, or no whylogs profile."
    )


def test_file_that_is_not_there_is_said(run: Run, tmp_path: Path) -> None:
    status, said = run("iris", tmp_path / "none.bin")

    assert (status, said) == (1, f"{tmp_path}/none.bin cannot be read: No such file or directory.")
    assert run("iris", tmp_path / "none.bin", "--reset")[0] == 1


def test_old_version_without_a_reference_gets_bins_from_the_profile(
    run: Run, service: Service, tmp_path: Path
) -> None:
    from tests.watch.monitors.drift.test_look import forget_reference

    forget_reference(service)
    assert run("iris")[1].startswith(
        "v1 keeps no reference, so its traffic is compared with nothing"
    )
    run("iris", written(tmp_path / "usual.bin", flowers(1)))

    bring_in(log_of(tmp_path / "log.csv", [wider(1)], seconds=1_200))

    [check] = checked(service)
    assert [one.column for one in check.moved] == ["sepal_width_cm"]
    assert check.starts_at < MIDNIGHT + DAY
