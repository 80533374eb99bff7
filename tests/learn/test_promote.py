"""Aliases: who may become champion, the way back, the challenger; and the policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.lessons import published, verdict
from unrot.core.errors import Conflict, Invalid, NotFound
from unrot.core.policy import Policy, parse_texts
from unrot.core.records import CHALLENGER, CHAMPION
from unrot.learn import promote
from unrot.serve.service import Service


def test_promoted_version_answers_and_the_move_is_on_record(service: Service) -> None:
    published(service, gate=verdict("passed"))

    aliases = promote.promote(service, "iris", "v2", by="ada", reason="it is better")

    [*_, move] = service.store.registry.moves("iris")
    assert aliases == {"champion": "v2"}
    assert service.catalogue().model("iris").aliases == {"champion": "v2"}
    assert (move.moved_from, move.moved_to, move.moved_by) == ("v1", "v2", "ada")
    assert move.reason == "it is better"


def test_what_the_gate_refused_needs_force_and_a_reason(service: Service) -> None:
    published(service, gate=verdict("refused"))

    with pytest.raises(Conflict, match="The gate refused v2: It was compared") as refused:
        promote.promote(service, "iris", "v2")
    with pytest.raises(Conflict, match='"force": true'):
        promote.promote(service, "iris", "v2", reason="I say so")
    with pytest.raises(Invalid, match="needs a reason"):
        promote.promote(service, "iris", "v2", force=True, reason="  ")
    aliases = promote.promote(service, "iris", "v2", force=True, reason="I say so")

    assert refused.value.reason == "gate_refused"
    assert aliases == {"champion": "v2"}


@pytest.mark.parametrize("decision", ["passed", "undecided"])
def test_what_the_gate_did_not_refuse_a_person_may_decide(service: Service, decision: str) -> None:
    published(service, gate=verdict(decision))

    assert promote.promote(service, "iris", "v2") == {"champion": "v2"}


@pytest.mark.parametrize("decision", ["off", None])
def test_what_no_gate_weighed_needs_force_and_a_reason(
    service: Service, decision: str | None
) -> None:
    """It was made while the gate was off, brought by hand, or fed by a stream."""
    published(service, gate=verdict(decision) if decision else None)

    with pytest.raises(Conflict, match="No gate has weighed v2: it may be worse than v1") as told:
        promote.promote(service, "iris", "v2")
    with pytest.raises(Invalid, match="needs a reason"):
        promote.promote(service, "iris", "v2", force=True)
    aliases = promote.promote(service, "iris", "v2", force=True, reason="I say so")

    assert told.value.reason == "gate_unasked"
    assert aliases == {"champion": "v2"}
    assert promote.promote(service, "iris", "v1") == {"champion": "v1"}  # the first of all


def test_while_the_gate_is_off_nobody_asks_it(service: Service) -> None:
    published(service)
    service.store.registry.set_policy("iris", Policy(gate=False))

    assert promote.promote(service, "iris", "v2") == {"champion": "v2"}


def test_promoting_the_champion_again_moves_nothing(service: Service) -> None:
    before = service.store.registry.moves("iris")

    assert promote.promote(service, "iris", "v1") == {"champion": "v1"}
    assert service.store.registry.moves("iris") == before


@pytest.mark.parametrize("reason", ["x" * 501, "\ud800", "a\0b"])
def test_reason_that_cannot_be_kept_is_refused(service: Service, reason: str) -> None:
    published(service)

    with pytest.raises(Invalid, match="reason"):
        promote.promote(service, "iris", "v2", reason=reason)
    with pytest.raises(Invalid, match="reason"):
        promote.rollback(service, "iris", reason=reason)


def test_unknown_and_pruned_versions_are_not_promoted(service: Service) -> None:
    published(service)
    service.store.lessons.prune("iris", ["v2"])

    with pytest.raises(NotFound, match='no version "v9"'):
        promote.promote(service, "iris", "v9")
    with pytest.raises(Conflict, match="removed by retention"):
        promote.promote(service, "iris", "v2")
    with pytest.raises(Invalid, match="champion or challenger"):
        promote.promote(service, "iris", "v1", alias="king")


def test_rollback_goes_back_step_by_step(service: Service) -> None:
    for name in ("v2", "v3"):
        published(service, gate=verdict())
        promote.promote(service, "iris", name)

    once = promote.rollback(service, "iris", by="ada")
    twice = promote.rollback(service, "iris", reason="no better")

    assert (once, twice) == ({"champion": "v2"}, {"champion": "v1"})
    assert [move.reason for move in service.store.registry.moves("iris")[-2:]] == [
        "rolled back",
        "rolled back: no better",
    ]
    with pytest.raises(Conflict) as caught:
        promote.rollback(service, "iris")
    assert caught.value.reason == "nothing_to_roll_back"


def test_rollback_undoes_the_promotion_of_an_old_version(service: Service) -> None:
    published(service, gate=verdict())
    promote.promote(service, "iris", "v2")
    promote.promote(service, "iris", "v1")

    assert promote.rollback(service, "iris") == {"champion": "v2"}


def test_challenger_runs_in_the_shadow_and_is_dismissed(service: Service) -> None:
    published(service, gate=verdict("refused"))

    aliases = promote.promote(service, "iris", "v2", alias=CHALLENGER)
    dismissed = promote.dismiss(service, "iris")

    assert aliases == {"champion": "v1", "challenger": "v2"}
    assert dismissed == {"champion": "v1"}
    with pytest.raises(Conflict, match="no challenger"):
        promote.dismiss(service, "iris")
    with pytest.raises(Conflict, match="v1 is the champion"):
        promote.promote(service, "iris", "v1", alias=CHALLENGER)


def test_challenger_that_becomes_champion_is_no_challenger_any_more(service: Service) -> None:
    published(service, gate=verdict())
    promote.promote(service, "iris", "v2", alias=CHALLENGER)

    assert promote.promote(service, "iris", "v2") == {"champion": "v2"}


def test_move_at_the_same_moment_is_told(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else promotes between the look and the move."""
    published(service, gate=verdict())
    published(service, gate=verdict())
    registry, looked = service.store.registry, service.store.registry.aliases

    def overtaken(model: str) -> dict[str, str]:
        found = looked(model)
        registry.move_alias(model, CHAMPION, to="v3", expected="v1")
        return found

    monkeypatch.setattr(registry, "aliases", overtaken)

    with pytest.raises(Conflict, match="at the same moment"):
        promote.promote(service, "iris", "v2")
    assert looked("iris") == {"champion": "v3"}


@pytest.mark.parametrize(
    ("read", "given"),
    [
        (None, {"learn": "every 5 verdicts", "batch": 10}),
        (parse_texts, {"learn": "5", "batch": "10"}),
    ],
)
def test_policy_is_changed_key_by_key(
    service: Service, read: Callable[..., Any] | None, given: dict[str, Any]
) -> None:
    more = {"read": read} if read else {}

    changed = promote.change_policy(service, "iris", given, **more)

    assert changed == Policy(learn_every=5, batch=10) == promote.policy(service, "iris")
    assert promote.policy(service, "zombies") == Policy()
    with pytest.raises(Invalid):
        promote.change_policy(service, "iris", {"batch": 1, "promote": "perhaps"})
    assert promote.policy(service, "iris") == changed
