"""What tells odd rows goes with the rows that a version was fitted on."""

from __future__ import annotations

from collections.abc import Callable

from tests.learning_model import School, zombies_of

Open = Callable[[str], School]


def share_of_odd(school: School, version: str, *, mutated: bool) -> float:
    """Return how many of 1,000 fresh zombies look odd to a version."""
    shelved = school.service.catalogue().model("zombies")
    detector = school.service.shelf.detector(shelved.model, shelved.versions[version])
    assert detector is not None
    rows = [list(row.values()) for row, _ in zombies_of(1_000, seed=5, mutated=mutated)]
    return sum(score > 1 for score in detector.score(rows)) / 1_000


def test_new_world_is_odd_until_a_refit_has_learnt_it(open_school: Open) -> None:
    school = open_school("tree")
    school.taught(300, mutated=True)

    school.done("refit")

    assert share_of_odd(school, "v1", mutated=False) < 0.03
    assert share_of_odd(school, "v1", mutated=True) > 0.2
    assert share_of_odd(school, "v2", mutated=True) < 0.03


def test_small_step_keeps_the_detector_of_its_parent(open_school: Open) -> None:
    school = open_school("sgd")
    school.taught(60)

    school.done("learn")

    first, second = school.service.versions("zombies")
    assert second.artefacts["neighbours"] == first.artefacts["neighbours"]
    assert "neighbours" in school.service.catalogue().model("zombies").versions["v2"].artefacts


def test_version_of_few_verdicts_alone_knows_no_rows_of_the_training_that_it_left(
    open_school: Open,
) -> None:
    school = open_school("tree")
    school.taught(70, mutated=True)

    school.done("refit", weights={"training": 0})

    first, second = school.service.versions("zombies")
    assert {"neighbours", "training"} <= set(first.artefacts)
    assert "neighbours" not in second.artefacts and "training" in second.artefacts
