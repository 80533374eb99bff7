"""Lines of versions, and the champion to go back to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.store.test_contract import a_version
from unrot.core import lineage
from unrot.core.errors import NotFound
from unrot.core.records import CHALLENGER, CHAMPION, AliasMove, Version


def version(name: str, parent: str | None = None, *, is_fresh: bool = False) -> Version:
    made = {lineage.FRESH: True} if is_fresh else {}
    return replace(a_version(), name=name, parent=parent, made=made)


TREE = [
    version("v1"),
    version("v2", "v1"),
    version("v3", "v1"),
    version("v4", "v3", is_fresh=True),
    version("v5", "v4"),
]


def moved(*names: str) -> list[AliasMove]:
    """Moves of the champion; a name with < before it was rolled back to."""
    return [
        AliasMove(
            CHAMPION,
            None,
            name.removeprefix("<"),
            float(at),
            reason=lineage.as_rollback("") if name.startswith("<") else "",
        )
        for at, name in enumerate(names)
    ]


def test_line_is_the_version_and_its_ancestors() -> None:
    assert [one.name for one in lineage.line(TREE, "v5")] == ["v5", "v4", "v3", "v1"]
    assert [one.name for one in lineage.line(TREE, "v2")] == ["v2", "v1"]


def test_learning_line_begins_where_a_version_was_fitted_afresh() -> None:
    assert lineage.learning_line(TREE, "v5") == ["v5", "v4"]
    assert lineage.learning_line(TREE, "v3") == ["v3", "v1"]


def test_version_that_is_not_there_is_named_beside_those_that_are() -> None:
    with pytest.raises(NotFound, match=r'no version "v9"; there are v1, v2, v3, v4, v5\.'):
        lineage.named(TREE, "v9")
    with pytest.raises(NotFound, match="there is none"):
        lineage.named([], "v1")


@pytest.mark.parametrize(
    ("moves", "before"),
    [
        (("v1",), None),
        (("v1", "v2"), "v1"),
        (("v1", "v2", "v3"), "v2"),
        (("v1", "v2", "v3", "<v2"), "v1"),
        (("v1", "v2", "v3", "<v2", "<v1"), None),
        (("v1", "v2", "<v1", "v3"), "v1"),
        (("v1", "v2", "<v1", "v2", "<v1"), None),
        (("v1", "v2", "v1"), "v2"),
        (("v1", "v2", "v1", "<v2"), "v1"),
        ((), None),
    ],
)
def test_champion_of_before(moves: tuple[str, ...], before: str | None) -> None:
    assert lineage.before(moved(*moves)) == before


def test_moves_of_a_challenger_are_no_way_back() -> None:
    moves = [*moved("v1", "v2"), AliasMove(CHALLENGER, None, "v3", 9.0)]

    assert lineage.before(moves) == "v1"


@pytest.mark.parametrize(("is_classifier", "name"), [(True, "v3"), (False, "v1")])
def test_best_champion_is_the_newest_of_those_as_good_on_its_anchor(
    is_classifier: bool, name: str
) -> None:
    scored = [
        ("v1", 0.8, "a"),
        ("v2", 0.9, "a"),
        ("v3", 0.9, "a"),
        ("v4", 0.95, "a"),
        ("v5", 1, "b"),
    ]
    versions = [
        replace(version(one), anchor=anchor, anchor_score=score) for one, score, anchor in scored
    ]

    best = lineage.best(versions, moved("v1", "v2", "v3", "v5"), "a", is_classifier=is_classifier)

    assert best is not None and best.name == name


def test_nobody_is_best_on_an_anchor_that_no_champion_has_seen() -> None:
    assert lineage.best(TREE, moved("v1"), "elsewhere", is_classifier=True) is None
