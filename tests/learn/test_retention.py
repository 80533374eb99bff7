"""Old versions let go of their files unless something needs them; their records stay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.learning_model import School
from unrot.core.errors import Conflict
from unrot.core.policy import Policy
from unrot.core.records import AliasMove, Serving, Version
from unrot.learn import promote, retention

Open = Callable[[str], School]
ONE_BY_ONE = Policy(promote="auto", gate=False, batch=1, replay=0, held_out=0)


def version(number: int, *, parent: str | None = "", is_pinned: bool = False) -> Version:
    return Version(
        model="elves",
        name=f"v{number}",
        parent=f"v{number - 1}" if parent == "" else parent,
        origin="learn",
        estimator="sgd",
        created_at=0.0,
        metrics={},
        artefacts={},
        schema_hash="",
        libraries={},
        serving=Serving("onnx", ""),
        is_pinned=is_pinned,
    )


def test_what_something_needs_is_kept() -> None:
    versions = [
        version(1, parent=None),
        *(version(number) for number in range(2, 12)),
        version(12, parent="v4", is_pinned=True),
        *(version(number) for number in range(13, 21)),
    ]
    moves = [
        AliasMove("champion", before, after, 0.0) for before, after in (("v1", "v7"), ("v7", "v9"))
    ]

    gone = retention.unneeded(versions, ["v9"], moves, keep=3)

    # v18 to v20 are new, v9 is champion, v7 was it before, v12 is pinned, v1 the first of its line;
    # v17, v8, v6 and v4 are their parents.
    assert gone == ["v2", "v3", "v5", "v10", "v11", "v13", "v14", "v15", "v16"]


def test_line_of_many_lessons_keeps_its_newest_files_and_all_records(open_school: Open) -> None:
    school = open_school("sgd")
    school = School(
        replace(school.service, settings=replace(school.service.settings, keep_versions=2))
    )
    school.service.store.registry.set_policy("zombies", ONE_BY_ONE)
    promote.pin(school.service, "zombies", "v1", is_pinned=False)

    for seed in range(13):
        school.taught(2, seed=seed)
        school.done("learn")

    versions = school.service.versions("zombies")
    kept = [one.name for one in versions if not one.is_pruned]
    assert len(versions) == 14
    assert kept[0] == "v1" and kept[-1] == "v14" and 4 <= len(kept) <= 13
    assert set(school.service.catalogue().model("zombies").versions) == set(kept)
    assert school.fates("v14").learnt == {f"v{number}": 2 for number in range(2, 15)}
    assert promote.rollback(school.service, "zombies") == {"champion": "v13"}
    pruned = next(one.name for one in versions if one.is_pruned)
    with pytest.raises(Conflict, match="removed by retention"):
        promote.promote(school.service, "zombies", pruned)
    with pytest.raises(Conflict, match="removed by retention"):
        school.asked("rebuild", version=pruned)
