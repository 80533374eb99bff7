"""The pages of findings over Flask's test client: what stands on them, who may do what."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import get_args

import pytest
from flask.testing import FlaskClient

from tests.conftest import JUDGE, OPERATOR, VIEWER
from tests.web.test_learning_pages import said_on, sent
from tests.web.visitor import post, sign_in, take_store_away
from tests.web.watch.findings import DRIFT, NOON, ROT, past, put
from unrot.core.records import Caller, FindingKind
from unrot.core.time import short_time
from unrot.run.caretaker import Caretaker
from unrot.serve.service import Service

AT = "/models/iris/findings"


def test_looking_is_for_viewers_and_noting_for_judges(client: FlaskClient, kept: Service) -> None:
    put(kept, DRIFT)
    before = client.get(AT)
    sign_in(client, VIEWER)

    assert before.location == f"/login?next={AT}"
    assert post(client, f"{AT}/d1f7", {"note": "x"}).status_code == 403
    assert "A judge or an operator can say so" in said_on(client, f"{AT}/d1f7")


def test_nothing_found_is_a_good_sentence(viewer: FlaskClient) -> None:
    said = said_on(viewer, AT)

    assert "Nothing has been noticed yet." in said
    assert "Findings are not sent anywhere" in said


@pytest.mark.parametrize("times", ["from=2026-01-01", "to=2026-01-01", "from=2999-01-01"])
def test_stretch_without_an_end_is_shown(viewer: FlaskClient, times: str) -> None:
    assert viewer.get(f"/models/iris/findings?{times}").status_code == 200


def test_open_findings_come_first_the_gravest_on_top(viewer: FlaskClient, kept: Service) -> None:
    put(kept, DRIFT, ROT, past(2))

    said = said_on(viewer, AT)

    places = [said.index(text) for text in ("2 open", ROT.sentence, DRIFT.sentence, "What was",
                                            "2023-11-15 14:00")]  # fmt: skip
    assert places == sorted(places)


def test_history_comes_a_page_at_a_time(viewer: FlaskClient, kept: Service) -> None:
    put(kept, DRIFT, *(past(number) for number in range(1, 27)))

    first = said_on(viewer, AT)
    second = said_on(viewer, f"{AT}?before=old02")

    newest, second_last, last = "2023-11-16 14:00", "2023-11-15 14:00", "2023-11-15 13:00"
    assert newest in first and second_last in first and last not in first
    assert f'href="{AT}?before=old02"' in viewer.get(AT).text
    assert last in second and second_last not in second and DRIFT.sentence not in second
    assert "There is nothing older." in said_on(viewer, f"{AT}?before=old01")


def test_when_all_is_over_it_is_said(viewer: FlaskClient, kept: Service) -> None:
    put(kept, past(2))

    assert "No finding is open." in said_on(viewer, AT)


def test_finding_shows_what_since_when_how_grave_why_and_what_to_do(
    viewer: FlaskClient, kept: Service
) -> None:
    put(kept, DRIFT)

    said = said_on(viewer, f"{AT}/d1f7")

    for text in (
        DRIFT.sentence, "warning", "data drift", "2023-11-14 12:00 UTC", "2023-11-15 12:00 UTC",
        DRIFT.advice, "Missing share 25 %", "sepal_width_cm 0.41 < 0.001",
        "no webhook or mail is set",
    ):  # fmt: skip
        assert text in said
    for page in ("versions", "rules"):
        assert f'href="/models/iris/{page}"' in viewer.get(f"{AT}/d1f7").text
    assert "Refit now" not in said


def test_operator_can_refit_from_a_finding(client: FlaskClient, kept: Service) -> None:
    put(kept, ROT)
    sign_in(client, OPERATOR)

    page = client.get(f"{AT}/a07e").text
    # No verdict waits, so that the versions advise no refit.
    assert "<button>Refit now</button>" in page


@pytest.mark.parametrize("kind", get_args(FindingKind))
def test_every_kind_has_a_page(viewer: FlaskClient, kept: Service, kind: FindingKind) -> None:
    put(kept, replace(DRIFT, kind=kind, sentence="", advice="", evidence={}))

    assert said_on(viewer, AT)
    assert "What to do" in said_on(viewer, f"{AT}/d1f7") or kind == "operations"


def test_finding_that_is_over_says_so(viewer: FlaskClient, kept: Service) -> None:
    put(kept, past(2))

    said = said_on(viewer, f"{AT}/old02")

    assert "2023-11-15 14:10 UTC" in said
    assert "What to do" not in said


def test_text_of_a_finding_is_never_markup(viewer: FlaskClient, kept: Service) -> None:
    bad = "<script>alert(1)</script>"
    put(kept, replace(DRIFT, sentence=bad, advice=bad, features=(bad,),
                      evidence={bad: bad, "rows": [{bad: bad}]}))  # fmt: skip

    assert bad in said_on(viewer, AT)
    assert bad not in viewer.get(AT).text + viewer.get(f"{AT}/d1f7").text


def test_judge_notes_that_they_have_seen_it(client: FlaskClient, kept: Service) -> None:
    put(kept, DRIFT)
    sign_in(client, JUDGE)

    said = sent(client, f"{AT}/d1f7", note=" The sensor was changed. ")
    again = sent(client, f"{AT}/d1f7", note="Who am I?")

    assert "Noted: you have seen it." in said
    assert "The sensor was changed." in said
    assert "ada had seen it before you; that stays." in again
    assert "ada: Who am I? (2 notes)" in said_on(client, AT)


def test_note_that_is_too_long_is_refused_with_a_sentence(
    client: FlaskClient, kept: Service
) -> None:
    put(kept, DRIFT)
    sign_in(client, JUDGE)

    assert "at most 2,000 characters" in sent(client, f"{AT}/d1f7", note="x" * 2_001)
    assert post(client, f"{AT}/none", {"note": ""}).status_code == 303
    assert client.get(f"{AT}/none").status_code == 404


def test_finding_says_how_far_it_is_on_its_way(viewer: FlaskClient, kept: Service) -> None:
    put(kept, DRIFT)
    store = kept.store
    store.findings.set_rules("iris", replace(store.findings.rules("iris"), webhook="https://x.y/z"))
    waits = said_on(viewer, f"{AT}/d1f7")
    store.deliveries.begin(DRIFT, target="https://x.y/…", next_at=NOON + 60)
    store.deliveries.end("d1f7", delivered_at=None, error="x.y answered 500.")
    fails = said_on(viewer, f"{AT}/d1f7")
    put(kept, replace(DRIFT, closed_at=NOON + 90))
    late = said_on(viewer, f"{AT}/d1f7")
    store.deliveries.end("d1f7", delivered_at=NOON + 120)
    done = said_on(viewer, f"{AT}/d1f7")

    assert "in a moment, to https://x.y/…" in waits
    assert "not yet: x.y answered 500." in fails and "1 try, the next one" in fails
    assert "no: it was over before https://x.y/… took it." in late
    assert "Sent to https://x.y/…, 2023-11-15 12:02 UTC" in done


def test_open_findings_are_counted_where_one_looks(viewer: FlaskClient, kept: Service) -> None:
    put(kept, DRIFT, ROT, replace(DRIFT, id="z", model="zombies"), past(2))

    home, tabs = said_on(viewer, "/"), said_on(viewer, "/models/iris")

    assert re.search(r"Iris [^.]+\. In trouble 2 open findings ", home)
    assert re.search(r"Zombies [^.]+\. Needs a look 1 open finding ", home)
    assert "Findings 2 open findings" in tabs


def test_headline_status_and_what_to_do_are_of_the_same_finding(
    viewer: FlaskClient, kept: Service
) -> None:
    """Of two that are as grave the one that says more about the answers, whichever came first."""
    put(kept, replace(DRIFT, gravity="grave"), ROT)

    page = viewer.get("/models/iris/monitor").text

    assert "This model is rotting." in page
    assert f'see the evidence and what to do about it. <a href="{AT}/{ROT.id}"' in page
    assert '<dd class="ill">In trouble · Rot</dd>' in page


def test_rot_from_before_the_champion_answered_is_no_trouble_of_its_own(
    viewer: FlaskClient, kept: Service
) -> None:
    put(kept, ROT)
    for expected, to in (("v1", None), (None, "v1")):
        assert kept.store.registry.move_alias(
            "iris", "champion", to=to, expected=expected, at=ROT.since + 60
        )

    page = viewer.get("/models/iris/monitor").text

    assert '<dd class="look">Needs a look · Rot, before v1 took over</dd>' in page
    assert "This model was rotting; too few verdicts on v1 yet." in page

    judge_well(kept, 20)
    page = viewer.get("/models/iris/monitor").text

    assert '<dd class="look">Needs a look · Rot, before v1 took over</dd>' in page
    assert "This model was rotting; verdicts on v1 show nothing of it." in page


def judge_well(service: Service, many: int) -> None:
    """Let a judge find so many answers right."""
    sizes = ("sepal_length_cm", "sepal_width_cm", "petal_length_cm", "petal_width_cm")
    rows = [dict.fromkeys(sizes, 1.0 + number / 10) for number in range(many)]
    ids = [one.id for one in service.predict("iris", rows).predictions]
    right: list[dict[str, object]] = [{"id": id, "was_correct": True} for id in ids]
    service.judge_many(right, Caller("judge", "ada", "test"))
    Caretaker(service, "tests").go_round()


@pytest.mark.parametrize(
    ("asked", "near"), [("/models/irs", "Iris"), ("/models/IRIS/versions/v9", "Iris")]
)
def test_page_that_is_not_there_leads_to_the_nearest_model(
    viewer: FlaskClient, asked: str, near: str
) -> None:
    answer = viewer.get(asked)

    assert answer.status_code == 404
    assert f">{near}</a>" in answer.text


def test_nobody_who_may_not_look_sees_that_there_are_findings(
    client: FlaskClient, kept: Service
) -> None:
    put(kept, DRIFT)

    assert "open finding" not in said_on(client, "/") + said_on(client, "/models/iris")


def test_pages_stand_while_the_store_is_away(viewer: FlaskClient, kept: Service) -> None:
    take_store_away(kept.settings.home)

    assert "open finding" not in said_on(viewer, "/") + said_on(viewer, "/models/iris")
    assert viewer.get(AT).status_code == 503


def test_finding_is_snoozed_said_apart_and_woken(client: FlaskClient, kept: Service) -> None:
    put(kept, DRIFT)
    sign_in(client, JUDGE)

    said = sent(client, f"{AT}/d1f7/snooze", **{"for": "day"})
    listed, monitor, home = (said_on(client, at) for at in (AT, "/models/iris/monitor", "/"))
    woken = sent(client, f"{AT}/d1f7/wake")

    assert "Snoozed until" in said and "snoozed by ada until" in said
    assert "1 snoozed warning data drift" in listed and "1 open" not in listed
    assert "Health 1 snoozed" in listed and "Findings 1 open" not in listed
    assert "1 finding is snoozed." in monitor and "No open finding 1 snoozed" in monitor
    assert "1 snoozed" in home and "1 open finding" not in home
    assert "It is snoozed no more." in woken
    assert "1 open warning data drift" in said_on(client, AT)


def test_snooze_until_a_time_of_ones_own(client: FlaskClient, kept: Service) -> None:
    put(kept, DRIFT)
    sign_in(client, JUDGE)

    until = short_time(kept.clock() + 7_200)
    said = sent(client, f"{AT}/d1f7/snooze", **{"for": "until", "until": until[:16]})

    assert f"Snoozed until {until}." in said
    for bad in ({"for": "ever"}, {"for": "until"}, {"for": "until", "until": "2001-01-01T00:00"}):
        assert "expected" in sent(client, f"{AT}/d1f7/snooze", **bad)


def test_finding_is_assigned_to_somebody(client: FlaskClient, kept: Service) -> None:
    put(kept, DRIFT, ROT)
    sign_in(client, JUDGE)

    said = sent(client, f"{AT}/d1f7/assign", to="ada")
    mine = said_on(client, f"{AT}?show=mine")

    assert "ada works on it." in said
    assert DRIFT.sentence in mine and ROT.sentence not in mine
    assert "Nobody works on it." in sent(client, f"{AT}/d1f7/assign")
    assert "Nothing is assigned to you." in said_on(client, f"{AT}?show=mine")


@pytest.mark.parametrize(
    ("show", "shown"),
    [
        ("open", {"a07e"}),
        ("snoozed", {"d1f7"}),
        ("closed", {"old02"}),
        ("what", {"a07e", "d1f7", "old02"}),
    ],
)  # fmt: skip
def test_findings_are_filtered(
    client: FlaskClient, kept: Service, show: str, shown: set[str]
) -> None:
    put(kept, DRIFT, ROT, past(2))
    sign_in(client, JUDGE)
    sent(client, f"{AT}/d1f7/snooze", **{"for": "graver"})

    page = client.get(f"{AT}?show={show}").text

    assert set(re.findall(rf'href="{AT}/(\w+)"', page)) == shown


def test_notes_are_a_thread(client: FlaskClient, kept: Service) -> None:
    put(kept, DRIFT)
    sign_in(client, JUDGE)

    sent(client, f"{AT}/d1f7", note="The sensor?")
    said = sent(client, f"{AT}/d1f7/notes", text="<b>They mend it.</b>")

    assert said.index("The sensor?") < said.index("<b>They mend it.</b>")
    assert "a text of 1 to 2,000 characters" in sent(client, f"{AT}/d1f7/notes", text=" ")
