"""Audits: a sample by chance that a judge goes through, and that only judges."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.large_store import ADA, ANYONE, ZOMBIES, judged, predicted
from tests.lessons import judging_rows, published
from unrot.core.errors import Conflict, Invalid, NotAllowed, NotFound
from unrot.core.records import Audit, Finding
from unrot.serve.service import Service
from unrot.watch import audit as audits
from unrot.watch import findings

DAY = 86_400.0


def later(service: Service, days: float) -> Service:
    return replace(service, clock=lambda: service.clock() + days * DAY)


def test_audit_is_a_sample_of_what_no_judge_has_judged(service: Service) -> None:
    rows = predicted(service, 30)
    judged(service, rows[:10])
    judged(service, rows[10:15], ANYONE)

    audit, is_new = audits.begin(service, ZOMBIES, 15)

    ids = {row.prediction.id for row in rows[10:]}
    assert is_new
    assert len(set(audit.predictions)) == 15
    assert set(audit.predictions) <= ids
    assert audits.listed(service, ZOMBIES) == [audit]


def test_audit_draws_what_a_judge_was_asked_for_and_asks_it_anew(service: Service) -> None:
    rows = predicted(service, 12)
    asked = str(rows[0].prediction.id)
    given = {"id": asked, "was_correct": False, "asked_token": service.ids.sign_asked(asked)}
    service.judge(given, ADA)
    tally = service.today(ZOMBIES)
    assert (tally.verdicts, tally.last_accuracy) == (0, None)

    audit, _ = audits.begin(service, ZOMBIES, 12)
    assert asked in audit.predictions
    assert audits.state(service, audit.id).left == 12
    _, status = audits.verdict(service, audit.id, given, ADA)

    assert (status, audits.state(service, audit.id).judged) == ("revised", 1)
    assert service.today(ZOMBIES).last_accuracy == 0.0


def test_audit_takes_what_there_is(service: Service) -> None:
    predicted(service, 12)

    audit, _ = audits.begin(service, ZOMBIES)

    assert len(audit.predictions) == 12


def test_samples_are_drawn_by_chance(service: Service) -> None:
    newest = [row.prediction.id for row in predicted(service, 200)]

    audit, _ = audits.begin(service, ZOMBIES, 100)

    assert set(audit.predictions) < set(newest)
    assert set(audit.predictions) != set(newest[:100])


def test_audit_of_few_predictions_is_refused_with_what_to_do(service: Service) -> None:
    predicted(service, 9)

    with pytest.raises(Conflict, match=r"only 9 recent predictions.*needs 10: let the model"):
        audits.begin(service, ZOMBIES)

    assert audits.listed(service, ZOMBIES) == []


@pytest.mark.parametrize("rows", [9, 1001, True, "60", 10.5])
def test_audit_of_a_senseless_size_is_refused(service: Service, rows: object) -> None:
    with pytest.raises(Invalid, match=r"rows .*: expected a whole number from 10 to 1,000"):
        audits.begin(service, ZOMBIES, rows)  # type: ignore[arg-type]


def test_open_audit_goes_on(service: Service) -> None:
    predicted(service, 40)
    first, _ = audits.begin(service, ZOMBIES, 10)

    assert audits.begin(service, ZOMBIES, 20) == (first, False)


def test_next_audit_holds_no_row_of_the_one_before(service: Service) -> None:
    rows = predicted(service, 40)
    first, _ = audits.begin(service, ZOMBIES, 10)
    judged(service, [row for row in rows if row.prediction.id in first.predictions])

    second, is_new = audits.begin(service, ZOMBIES, 20)

    assert is_new
    assert set(first.predictions) & set(second.predictions) == set()


def test_rows_are_gone_through_in_order_and_counted(service: Service) -> None:
    predicted(service, 10)
    audit, _ = audits.begin(service, ZOMBIES, 10)
    first, second = audit.predictions[:2]

    audits.verdict(service, audit.id, {"id": first, "was_correct": True}, ADA)
    state = audits.state(service, audit.id)

    assert (state.judged, state.left, state.gone, state.right) == (1, 9, 0, 1)
    assert state.next is not None
    assert state.next.prediction.id == second


def test_skipped_rows_come_again_at_the_end(service: Service) -> None:
    predicted(service, 10)
    audit, _ = audits.begin(service, ZOMBIES, 10)

    shown = [audits.state(service, audit.id, after=id).next for id in audit.predictions]

    assert [row.prediction.id for row in shown if row] == [
        *audit.predictions[1:],
        audit.predictions[0],
    ]


def test_verdict_that_was_taken_back_is_asked_for_again(service: Service) -> None:
    predicted(service, 10)
    audit, _ = audits.begin(service, ZOMBIES, 10)
    id = audit.predictions[0]
    audits.verdict(service, audit.id, {"id": id, "was_correct": True}, ADA)

    audits.take_back(service, audit.id, id, ADA)

    assert audits.state(service, audit.id).judged == 0
    assert audits.state(service, audit.id, row=id).next == service.store.traffic.prediction(id)


def test_verdict_of_anybody_does_not_judge_a_row(service: Service) -> None:
    rows = predicted(service, 10)
    audit, _ = audits.begin(service, ZOMBIES, 10)
    judged(service, rows, ANYONE)

    with pytest.raises(NotAllowed, match="Only a judge"):
        audits.verdict(service, audit.id, {"id": audit.predictions[0]}, ANYONE)
    assert audits.state(service, audit.id).judged == 0


def test_only_rows_of_the_audit_are_judged_in_it(service: Service) -> None:
    rows = predicted(service, 11)
    audit, _ = audits.begin(service, ZOMBIES, 10)
    [other] = {row.prediction.id for row in rows} - set(audit.predictions)

    with pytest.raises(NotFound, match="not part of the audit"):
        audits.verdict(service, audit.id, {"id": other, "was_correct": True}, ADA)
    with pytest.raises(NotFound, match='no audit "none"'):
        audits.state(service, "none")


def test_rows_that_are_too_old_or_gone_are_left_out_and_counted(service: Service) -> None:
    rows = predicted(service, 10)
    ids = [row.prediction.id or "" for row in rows]
    service.store.trials.add_audit(Audit("a", ZOMBIES, service.clock(), ("x" * 32, *ids)))
    judged(service, rows[:3])

    now, in_a_year = audits.state(service, "a"), audits.state(later(service, 365), "a")

    assert (now.judged, now.left, now.gone) == (3, 7, 1)
    assert (in_a_year.judged, in_a_year.left, in_a_year.gone) == (3, 0, 8)
    assert in_a_year.next is None


def test_what_was_predicted_before_the_champion_counts_only_where_too_little_is_new(
    service: Service,
) -> None:
    predicted(service, 40)
    a_week_on = later(service, 8)

    audit, _ = audits.begin(a_week_on, ZOMBIES, 20)

    assert len(audit.predictions) == 20
    with pytest.raises(Conflict, match="only 0 recent"):
        audits.begin(later(service, 31), "iris", 20)


def test_what_a_version_may_have_learnt_is_drawn_only_where_too_little_is_new(
    service: Service,
) -> None:
    predicted(service, 30)
    published(service, ZOMBIES)
    after = [row.prediction.id for row in predicted(service, 20)]

    few, _ = audits.begin(service, ZOMBIES, 20)
    many = audits._draw_rows(service, ZOMBIES, 25)

    assert set(few.predictions) == set(after)
    assert len(set(many)) == 25 and not set(many) & set(after)


def test_audited_rows_only_judge(service: Service) -> None:
    rows = predicted(service, 10)
    audit, _ = audits.begin(service, ZOMBIES, 10)
    judged(service, rows)
    schema = service.catalogue().model(ZOMBIES).model.schema

    trusted = service.store.lessons.trusted(ZOMBIES, 100)
    held = judging_rows(trusted, schema, 0.0, audited=service.store.trials.audited(ZOMBIES))

    assert {row.prediction for row in held} == set(audit.predictions)


def test_room_counts_what_can_be_audited_now(service: Service) -> None:
    assert audits.room(service, ZOMBIES) == audits.Room(0, 0)

    rows = predicted(service, 30)
    judged(service, rows[:10])

    assert audits.room(service, ZOMBIES) == audits.Room(0, 20)
    audit, _ = audits.begin(service, ZOMBIES, 15)
    assert audits.room(service, ZOMBIES) == audits.Room(15, 0)
    judged(service, [row for row in rows if row.prediction.id in audit.predictions])
    assert audits.room(service, ZOMBIES) == audits.Room(0, 5)
    assert audits.room(later(service, 400), ZOMBIES).free == 0


@pytest.mark.parametrize(
    ("room", "is_there", "sentence"),
    [
        (audits.Room(1, 0), True, "An audit is open: 1 row is left to judge."),
        (audits.Room(0, 20), True, "20 predictions can be audited now."),
        (audits.Room(0, 1_000), True, "1,000 or more predictions can be audited now."),
        (
            audits.Room(0, 9),
            False,
            "An audit has nothing to ask: 9 recent predictions have no judge yet, and it needs 10. "
            "More predictions would help.",
        ),
    ],
)
def test_room_says_what_would_help(room: audits.Room, is_there: bool, sentence: str) -> None:
    assert (room.is_there, room.sentence) == (is_there, sentence)


def test_advice_to_audit_says_how_many_rows_there_are_for_it(service: Service) -> None:
    advice = "If you doubt the voters, let a judge go through an audit."
    found = Finding("f1", ZOMBIES, "rot", "rot", "grave", 1.0, 2.0, 2.0, "It rots.", advice)
    service.store.findings.put(found)

    [none] = findings.open_findings(service, ZOMBIES)
    predicted(service, 12)
    some = findings.finding(service, ZOMBIES, "f1")

    assert none.advice.startswith(f"{advice} An audit has nothing to ask: 0 recent predictions")
    assert some.advice == f"{advice} 12 predictions can be audited now."
