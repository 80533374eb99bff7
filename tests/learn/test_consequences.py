"""The way back from a move of the champion, for ten minutes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.large_store import ZOMBIES, a_gate, copy_of
from unrot.core.errors import Conflict
from unrot.learn import promote
from unrot.learn.consequences import UNDO_SECONDS, undo_move
from unrot.serve.service import Service


def moved_at(service: Service) -> float:
    return service.store.registry.moves(ZOMBIES)[-1].moved_at


def test_promotion_and_its_undoing_leave_the_way_as_it_was(service: Service) -> None:
    copy_of(service, gate=a_gate("passed"))
    promote.promote(service, ZOMBIES, "v2")

    aliases = undo_move(service, ZOMBIES, moved_at(service), by="ada")

    last = service.store.registry.moves(ZOMBIES)[-1]
    assert aliases["champion"] == "v1"
    assert (last.moved_by, last.reason) == ("ada", "rolled back: undone")
    with pytest.raises(Conflict, match="nothing to roll back to"):
        promote.rollback(service, ZOMBIES)


def test_undone_rollback_needs_no_gate(service: Service) -> None:
    copy_of(service, gate=a_gate("refused"))
    promote.promote(service, ZOMBIES, "v2", force=True, reason="The test set is wrong.")
    promote.rollback(service, ZOMBIES)

    assert undo_move(service, ZOMBIES, moved_at(service))["champion"] == "v2"
    assert promote.rollback(service, ZOMBIES)["champion"] == "v1"


def test_what_was_undone_is_not_undone_again(service: Service) -> None:
    copy_of(service, gate=a_gate("passed"))
    promote.promote(service, ZOMBIES, "v2")
    undo_move(service, ZOMBIES, moved_at(service))

    with pytest.raises(Conflict, match="cannot be undone any more"):
        undo_move(service, ZOMBIES, moved_at(service))


def test_another_move_than_the_one_that_was_shown_is_not_undone(service: Service) -> None:
    copy_of(service, gate=a_gate("passed"))
    promote.promote(service, ZOMBIES, "v2")

    with pytest.raises(Conflict, match="somebody moved the champion since"):
        undo_move(service, ZOMBIES, moved_at(service) - 1)

    assert service.aliases(ZOMBIES)["champion"] == "v2"


@pytest.mark.parametrize(("late", "is_done"), [(-1, True), (1, False)])
def test_ten_minutes_are_the_end_of_it(service: Service, late: float, is_done: bool) -> None:
    copy_of(service, gate=a_gate("passed"))
    promote.promote(service, ZOMBIES, "v2")
    at = moved_at(service)
    later = replace(service, clock=lambda: at + UNDO_SECONDS + late)

    if is_done:
        assert undo_move(later, ZOMBIES, at)["champion"] == "v1"
    else:
        with pytest.raises(Conflict, match="ten minutes have passed"):
            undo_move(later, ZOMBIES, at)


def test_first_promotion_has_no_way_back(service: Service) -> None:
    with pytest.raises(Conflict, match="cannot be undone"):
        undo_move(service, ZOMBIES, moved_at(service))
