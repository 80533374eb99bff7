"""The pages of learning over Flask's test client: what stands on them, who may do what."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import JUDGE, VIEWER
from tests.large_store import (
    ANYONE,
    ZOMBIES,
    a_gate,
    a_job,
    copy_of,
    fate_of,
    judged,
    predicted,
    published,
    second,
)
from tests.web.visitor import FRAGMENT, post, sign_in, take_store_away, text_of
from unrot.core.artefacts import digest_of
from unrot.core.policy import Policy
from unrot.core.records import Feature, Schema, Shadow, Version
from unrot.learn import promote
from unrot.serve.service import Service
from unrot.watch import audit as audits
from unrot.web.charts.curve import build_curve

AT = f"/models/{ZOMBIES}"


def said_on(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return text_of(answer)


def sent(client: FlaskClient, path: str, **fields: str) -> str:
    """Send a form, follow where it leads, and return what stands there."""
    answer = post(client, path, fields)
    assert answer.status_code == 303, text_of(answer)
    return said_on(client, answer.location.partition("#")[0])


# ── who may ──────────────────────────────────────────────────────────────────────────────────

LOOKING = ["jobs", "policy", "compare"]
DOING = ["jobs", "rollback", "dismiss", "policy", "versions/v1/promote"]


@pytest.mark.parametrize("path", LOOKING)
def test_looking_is_for_viewers(client: FlaskClient, path: str) -> None:
    before = client.get(f"{AT}/{path}")
    sign_in(client, VIEWER)

    assert before.location == f"/login?next={AT}/{path}"
    assert client.get(f"{AT}/{path}").status_code == 200


@pytest.mark.parametrize("path", DOING)
def test_doing_is_for_operators(client: FlaskClient, path: str) -> None:
    sign_in(client, JUDGE)

    assert post(client, f"{AT}/{path}", {}).status_code == 403


@pytest.mark.parametrize("path", [*DOING, "audits"])
def test_forms_from_elsewhere_are_refused(operator: FlaskClient, path: str) -> None:
    answer = operator.post(f"{AT}/{path}", data={"csrf_token": "guessed"})

    assert answer.status_code == 403
    assert "This form is too old" in text_of(answer)


def test_audits_are_for_judges(client: FlaskClient) -> None:
    sign_in(client, VIEWER)

    assert post(client, f"{AT}/audits", {}).status_code == 403
    assert client.get(f"{AT}/audits").status_code == 403
    assert f"{AT}/audits" not in client.get(f"{AT}/versions").text


# ── versions ─────────────────────────────────────────────────────────────────────────────────


def test_versions_say_how_many_verdicts_wait_and_offer_to_learn(
    operator: FlaskClient, kept: Service
) -> None:
    empty = said_on(operator, f"{AT}/versions")
    judged(kept, predicted(kept, 3))

    page = operator.get(f"{AT}/versions")

    assert "No verdict waits There is no verdict that v1 could still learn from." in empty
    assert 'value="learn"' not in empty
    assert "3 verdicts wait Learn goes on from a copy of v1" in text_of(page)
    assert re.findall(r'name="kind" value="(\w+)"', page.text) == ["learn", "refit"]


def test_versions_offer_nothing_to_those_who_only_look(client: FlaskClient, kept: Service) -> None:
    judged(kept, predicted(kept, 1))
    sign_in(client, VIEWER)

    page = client.get(f"{AT}/versions")

    assert "1 verdict waits" in text_of(page)
    assert "An operator can start this." in text_of(page)
    assert 'name="kind"' not in page.text


def test_versions_come_newest_first_in_pages(operator: FlaskClient, kept: Service) -> None:
    for number in range(1, 30):
        copy_of(kept, f"v{number}")

    newest = operator.get(f"{AT}/versions")
    older = operator.get(f"{AT}/versions?before=v6")
    oldest = text_of(operator.get(f"{AT}/versions?before=v2"))

    def names(page: TestResponse) -> list[str]:
        return re.findall(r'aria-label="Compare (v\d+)"', page.text)

    assert names(newest) == [f"v{number}" for number in range(30, 5, -1)]
    assert names(older) == ["v5", "v4", "v3", "v2", "v1"]
    assert "Champion: v1 · 30 versions, the newest first" in text_of(newest)
    assert f'href="{AT}/versions?before=v6"' in newest.text
    assert "Older versions" in oldest and "There is only one so far" not in oldest


def test_versions_show_what_the_gate_said_and_the_parent(
    operator: FlaskClient, kept: Service
) -> None:
    copy_of(kept, gate=a_gate("refused"))

    said = said_on(operator, f"{AT}/versions")

    assert re.search(
        r"v2 \w+ 92.3 % 0 points \(0 to 0\) – refused 20\S+ \S+ UTC learnt from v1 "
        r"[\d.]+ kB [\d.]+ ms ONNX – v1 champion \w+ 92.3 % champion – –",
        said,
    )


def test_versions_are_sorted_by_links(operator: FlaskClient, kept: Service) -> None:
    second(kept)
    copy_of(kept, gate=a_gate("passed"))

    def order(query: str) -> list[str]:
        page = operator.get(f"{AT}/versions?{query}").text
        return re.findall(r'aria-label="Compare (v\d+)"', page)

    down = operator.get(f"{AT}/versions?by=made").text

    assert order("by=made") == ["v2", "v3", "v1"]
    assert order("by=test_set&down=0") == ["v2", "v3", "v1"]
    assert order("by=served")[0] == "v1"
    assert order("by=nonsense") == ["v3", "v2", "v1"]
    assert re.search(r'aria-sort="descending"><a href="[^"]+by=made&amp;down=0">Made', down)
    assert down.count("aria-sort") == 1


def test_versions_are_drawn_with_the_line_of_the_champion(
    operator: FlaskClient, kept: Service
) -> None:
    second(kept)

    said = said_on(operator, f"{AT}/versions")

    assert "Accuracy of the versions The best on the test set is v1: 92.3 %." in said
    assert "Champion v1 on the test set" in said


def test_what_would_change_stands_beside_the_button(operator: FlaskClient, kept: Service) -> None:
    rows = predicted(kept, 40)
    copy_of(kept, gate=a_gate("passed"))
    judged(kept, rows)

    before = operator.get(f"{AT}/versions")
    sent(operator, f"{AT}/versions/v2/promote")
    after = operator.get(f"{AT}/versions")

    assert '<button class="main">Promote v2</button>' in before.text
    assert before.text.count('class="main"') == 1
    assert "Next: promote v2. The gate passed v2 beside v1: it can answer." in text_of(before)
    assert "If it is promoted: v1: 100 % on the last 40 verdicts; v2: 100 %." in text_of(before)
    assert "If it is rolled back: v2: 100 % on the last 40 verdicts; v1: 100 %." in text_of(after)
    assert "<button>Roll back to v1</button>" in after.text


def test_version_that_is_worse_by_now_has_no_main_button(
    operator: FlaskClient, kept: Service
) -> None:
    worse = second(kept, estimator="tree", gate=a_gate("passed"))
    rows = predicted(kept, 150)
    inputs = [row.prediction.inputs for row in rows]
    answers = kept.shelf.predictor(kept.catalogue(), worse).predict(inputs).classes or []
    classes = kept.catalogue().model(ZOMBIES).model.schema.classes
    differ = [
        row
        for row, place in zip(rows, answers, strict=True)
        if row.prediction.label != classes[place]
    ]
    agree = [row for row in rows if row not in differ]
    judged(kept, [*differ, *agree[: 12 - len(differ)]])

    page = operator.get(f"{AT}/versions/v2")

    assert len(differ) >= 6
    assert re.search(r"On the last [0-9]+ verdicts it does worse\.", text_of(page))
    assert "<button>Promote v2</button>" in page.text
    assert "Promote v2" not in operator.get(f"{AT}/versions").text


def test_move_of_the_champion_is_undone(operator: FlaskClient, kept: Service) -> None:
    copy_of(kept, gate=a_gate("passed"))
    sent(operator, f"{AT}/versions/v2/promote")
    page = operator.get(f"{AT}/jobs").text
    moved_at = re.search(r'name="moved_at" value="([\d.]+)"', page)
    assert moved_at is not None

    said = sent(operator, f"{AT}/champion/undo", moved_at=moved_at[1])
    again = sent(operator, f"{AT}/champion/undo", moved_at=moved_at[1])
    nonsense = sent(operator, f"{AT}/champion/undo", moved_at="soon")

    assert "Undo: let v1 answer" in page
    assert "Undone: v1 answers again." in said
    assert "Undo: let" not in said
    assert "That cannot be undone any more" in again
    assert "That cannot be undone any more" in nonsense


def test_viewer_is_offered_no_way_back(client: FlaskClient, kept: Service) -> None:
    copy_of(kept, gate=a_gate("passed"))
    promote.promote(kept, ZOMBIES, "v2")
    sign_in(client, VIEWER)

    assert "moved_at" not in client.get(f"{AT}/versions").text


def test_gate_is_turned_on_again_by_one_button(operator: FlaskClient, kept: Service) -> None:
    kept.store.registry.set_policy(ZOMBIES, Policy(gate=False, tolerance=0.1))

    offered = operator.get(f"{AT}/versions").text
    sent(operator, f"{AT}/policy", gate="on")

    assert "Turn the gate on again" in offered
    assert kept.store.registry.policy(ZOMBIES) == Policy(tolerance=0.1)


def test_challenger_is_shown_beside_the_champion(operator: FlaskClient, kept: Service) -> None:
    rows = predicted(kept, 10)
    copy_of(kept)
    promote.promote(kept, ZOMBIES, "v2", alias="challenger")
    before = said_on(operator, f"{AT}/versions")
    kept.store.trials.add_shadows(
        [
            Shadow(row.prediction.id or "", ZOMBIES, "v2", 1.0, row.prediction.label, None)
            for row in rows
        ]
    )
    judged(kept, rows[:2])

    said = said_on(operator, f"{AT}/versions")

    assert "v2 in the shadow of v1 No row has been scored yet." in before
    assert "Both answered 10 rows, 100 % of them alike. 2 rows were judged." in said
    assert (
        "v1 (champion) right 100 % v2 (challenger) right 100 % Only v1 right 0 Only v2 right 0"
        in said
    )
    assert "The challenger is out of the shadow." in sent(operator, f"{AT}/dismiss")


def test_gate_that_is_off_is_said_aloud(operator: FlaskClient, kept: Service) -> None:
    kept.store.registry.set_policy(ZOMBIES, Policy(gate=False))

    for path in ("versions", "versions/v1", "jobs", "policy", "audits", "compare"):
        assert "The gate is off: nothing is compared" in said_on(operator, f"{AT}/{path}")


# ── one version ──────────────────────────────────────────────────────────────────────────────


def test_version_tells_its_gate_its_fates_and_what_it_learnt(
    operator: FlaskClient, kept: Service
) -> None:
    rows = predicted(kept, 12)
    judged(kept, rows[:10])
    judged(kept, rows[10:], ANYONE, was_correct=False)
    fates = [fate_of(row, "learnt") for row in rows[:6]]
    fates += [fate_of(rows[6], "held out"), fate_of(rows[7], "set aside", "far out: x 9")]
    second(kept, fates=fates, gate=a_gate("passed"), made={"seed": 3, "recipes": RECIPES})

    page = operator.get(f"{AT}/versions/v2")

    said = text_of(page)
    assert "passed It was passed: 92.5 % of 400 anchor rows are right, 90 % were." in said
    assert "Champion v1 90 % Candidate 92.5 %" in said
    assert "Difference +2.5 points surely no worse than +0.4 points, however often it is" in said
    assert "a loss of 2 points would be let pass" in said
    assert "Judged of predicted 120 of 1,000 Most verdicts came from people" in said
    assert "friendly 200 90 % 90 % lost" in said
    assert "Of 12 verdicts on this model, as the line of v2 sees them: 6 + 1 + 1 + 4 = 12." in said
    assert "6 learnt by v2 1 held out to judge 1 set aside 1 far out 4 waiting" in said
    assert page.text.count('name="without"') == 6
    assert "verdicts alone 95 % yes" in said
    assert "seed 3" in said
    assert " style=" not in page.text


RECIPES = [
    {"recipe": "training and verdicts", "score": 0.9, "is_chosen": False},
    {"recipe": "verdicts alone", "score": 0.95, "is_chosen": True},
]


def test_version_says_that_it_was_recalibrated_and_by_which_scores(
    operator: FlaskClient, kept: Service
) -> None:
    chosen = "It is recalibrated: a Brier score of 0.171 recalibrated, 0.195 as it was fitted."
    recipes = [
        {"name": "together", "score": 0.9, "brier_score": 0.195, "behind": 0.0, "is_chosen": False},
        {"name": "re", "score": 0.9, "brier_score": 0.171, "behind": -0.002, "is_chosen": True},
        {"name": "alone", "score": 0.8, "brier_score": None, "behind": 0.1, "is_chosen": False},
    ]
    made = {"recipes": recipes, "chosen": chosen, "recalibrated": "sigmoid on 935 rows"}
    second(kept, made=made)

    said = text_of(operator.get(f"{AT}/versions/v2"))

    assert f"The recipes that were tried {chosen} Recipe Score Brier score Behind Chosen" in said
    assert "together 90 % 0.195 0 points no re 90 % 0.171 -0.2 points yes" in said
    assert "alone 80 % – 10 points no" in said
    assert "recalibrated sigmoid on 935 rows" in said


def test_version_shows_gate_and_calibration_and_folds_what_it_learnt(
    operator: FlaskClient, kept: Service
) -> None:
    second(kept, gate=a_gate("passed"))

    page = operator.get(f"{AT}/versions/v2")
    unfolded = operator.get(f"{AT}/versions/v2?after=")

    said = text_of(page)
    assert "Champion v1: 90 %; Candidate v2: 92.5 %, on 400 rows." in said
    assert "Candidate v2 92.5 % 89.5 % to 94.7 %" in said
    assert re.search(r"Where it is 90 % sure it is right [\d.]+ % of the time\. ", said)
    assert re.search(r"It was at least so sure on [\d,]+ of 4,000 rows of its test set\.", said)
    assert '<details class="fold" id="learnt">' in page.text
    assert '<details class="fold" id="learnt" open>' in unfolded.text


def test_files_of_a_version_are_handed_out_with_their_digests(
    operator: FlaskClient, kept: Service
) -> None:
    found = kept.version(ZOMBIES, "v1")
    page = operator.get(f"{AT}/versions/v1").text

    for kind in ("onnx", "skops"):
        answer = operator.get(f"{AT}/versions/v1/files/{kind}")
        assert digest_of(answer.data) == found.artefacts[kind]
        assert answer.headers["Content-Disposition"] == f"attachment; filename=zombies-v1.{kind}"
        assert f'{AT}/versions/v1/files/{kind}"' in page
    other = operator.get(f"{AT}/versions/v1/files/training")

    assert other.status_code == 404
    assert "v1 of zombies has no training file; it has onnx, skops." in text_of(other)


def test_files_are_for_operators(client: FlaskClient) -> None:
    sign_in(client, VIEWER)

    assert client.get(f"{AT}/versions/v1/files/skops").status_code == 403
    assert "/files/skops" not in client.get(f"{AT}/versions/v1").text


def test_what_it_learnt_comes_in_pages(
    operator: FlaskClient, kept: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unrot.web.pages.versions.LEARNT_A_PAGE", 4)
    rows = predicted(kept, 6)
    judged(kept, rows)
    ids = sorted(row.prediction.id or "" for row in rows)
    version = kept.version(ZOMBIES, "v1")
    published(
        kept, replace(version, parent="v1"), {}, fates=[fate_of(row, "learnt") for row in rows]
    )

    first = operator.get(f"{AT}/versions/v2")
    more = operator.get(f"{AT}/versions/v2?after={ids[3]}")

    assert re.findall(r'name="without" value="([^"]+)"', first.text) == ids[:4]
    assert re.findall(r'name="without" value="([^"]+)"', more.text) == ids[4:]


def test_struck_verdicts_ask_for_a_rebuild(operator: FlaskClient, kept: Service) -> None:
    rows = predicted(kept, 2)
    judged(kept, rows)
    copy_of(kept)
    id = rows[0].prediction.id or ""

    said = sent(operator, f"{AT}/jobs", kind="rebuild", version="v2", without=id)

    [job] = kept.store.jobs.of_model(ZOMBIES, 5)
    assert (job.kind, job.asked) == ("rebuild", {"version": "v2", "without": [id]})
    assert "Make a version again: v2" in said
    assert "1 verdict is left out." in said


def test_refused_version_is_promoted_with_a_reason_only(
    operator: FlaskClient, kept: Service
) -> None:
    copy_of(kept, gate=a_gate("refused"))
    address = f"{AT}/versions/v2/promote"

    page = said_on(operator, f"{AT}/versions/v2")
    without_force = sent(operator, address)
    without_reason = sent(operator, address, force="yes", reason=" ")
    promoted = sent(operator, address, force="yes", reason="The anchor is wrong.")

    assert "Promote against the gate" in page
    assert "The gate refused v2" in without_force
    assert "needs a reason" in without_reason
    assert "v2 is the champion now; every worker follows within two seconds." in promoted
    assert kept.aliases(ZOMBIES)["champion"] == "v2"
    assert kept.store.registry.moves(ZOMBIES)[-1].reason == "The anchor is wrong."


@pytest.mark.parametrize(
    ("decision", "is_main", "said"),
    [
        ("passed", True, ""),
        ("undecided", False, "The gate could not tell: v2 may be worse than v1"),
        ("refused", False, "The gate refused v2."),
        (None, False, "No gate has weighed v2: it may be worse than v1. Weigh it first."),
    ],
)
def test_main_button_promotes_only_what_the_gate_passed(
    operator: FlaskClient, kept: Service, decision: str | None, is_main: bool, said: str
) -> None:
    copy_of(kept, gate=a_gate(decision) if decision else None)

    page = operator.get(f"{AT}/versions/v2")

    assert ('<button class="main">Promote v2</button>' in page.text) is is_main
    assert said in text_of(page)
    assert ('name="force" value="yes"' in page.text) is (decision in ("refused", None))


def test_verdict_beside_a_champion_of_before_is_no_main_button(
    operator: FlaskClient, kept: Service
) -> None:
    copy_of(kept, gate=a_gate("passed"))
    copy_of(kept, gate=a_gate("passed"))
    promote.promote(kept, ZOMBIES, "v3")

    page = operator.get(f"{AT}/versions/v2")

    assert "<button>Promote v2</button>" in page.text
    assert "It was weighed against v1, and v3 answers now: weigh it again" in text_of(page)


def test_champion_is_rolled_back(operator: FlaskClient, kept: Service) -> None:
    copy_of(kept, gate=a_gate("passed"))
    sent(operator, f"{AT}/versions/v2/promote")

    offered = said_on(operator, f"{AT}/versions")
    said = sent(operator, f"{AT}/rollback")
    again = sent(operator, f"{AT}/rollback")

    assert "Roll back to v1" in offered
    assert "Rolled back: v1 answers again." in said
    assert "there is nothing to roll back to" in again


def test_version_is_tried_in_the_shadow(operator: FlaskClient, kept: Service) -> None:
    copy_of(kept)

    said = sent(operator, f"{AT}/versions/v2/promote", alias="challenger")

    assert "v2 is tried in the shadow now: it answers nobody" in said
    assert kept.aliases(ZOMBIES) == {"champion": "v1", "challenger": "v2"}


def test_version_is_shown_from_the_shelf_while_the_store_is_away(
    operator: FlaskClient, kept: Service
) -> None:
    take_store_away(kept.settings.home)

    said = said_on(operator, f"{AT}/versions/v1")

    assert "this is what the shelf of this machine knows" in said
    assert kept.catalogue().model(ZOMBIES).version("v1").serving.digest in said


# ── a stream ─────────────────────────────────────────────────────────────────────────────────


def fed(name: str, seen: int, accuracy: float) -> Version:
    from tests.store.test_contract import a_version

    return replace(a_version(), name=name, metrics={"rows_seen": seen, "accuracy": accuracy})


def test_curve_goes_back_to_where_the_stream_began() -> None:
    line = [fed("v5", 50, 0.9), fed("v4", 25, 0.7), fed("v3", 2, 0.5), fed("v2", 150, 0.8)]

    curve = build_curve(line, "/versions/{}".format)

    assert curve is not None
    assert curve.table.rows == (
        ("50 rows", "90 %, v5"),
        ("25 rows", "70 %, v4"),
        ("2 rows", "50 %, v3"),
    )
    assert curve.table.links == ("/versions/v5", "/versions/v4", "/versions/v3")
    # From 50 % at the bottom to 100 % at the top.
    assert [(dot.x, dot.y) for dot in curve.dots] == [(0, 100), (47.917, 60), (100, 20)]
    assert curve.sentence == "From 50 % after 2 rows to 90 % after 50 rows, all on one test set."
    assert build_curve(line[2:3], str) is None


def test_stream_says_that_the_gate_stands_aside(operator: FlaskClient, kept: Service) -> None:
    found = kept.version(ZOMBIES, "v1")
    artefacts = {**found.artefacts, "stream": found.artefacts["training"]}
    for number, seen in enumerate((100.0, 125.0, 150.0), start=1):
        metrics = {**found.metrics, "rows_seen": seen, "rows_to_come": 250 - seen}
        copy_of(kept, f"v{number}", artefacts=artefacts, metrics=metrics)
    promote.promote(kept, ZOMBIES, "v4", force=True, reason="a test")

    listed, page = operator.get(f"{AT}/versions"), said_on(operator, f"{AT}/versions/v4")

    assert re.findall(r'name="kind" value="(\w+)"', listed.text) == ["train_batch", "reset"]
    assert "of which 100 are still to come" in text_of(listed)
    assert "moves the champion without the gate" in text_of(listed)
    assert "feeding it moves its champion without the gate" in page
    assert "Accuracy over the rows seen" in page
    assert re.search(r"Rows seen Accuracy 150 rows \S+ %, v4 .* 100 rows \S+ %, v2", page)


# ── jobs ─────────────────────────────────────────────────────────────────────────────────────


def test_job_is_asked_for_and_shown(operator: FlaskClient, kept: Service) -> None:
    judged(kept, predicted(kept, 2))

    said = sent(operator, f"{AT}/jobs", kind="learn")

    assert "Waiting Learn from the verdicts that wait Asked for by operator" in said
    assert "0 % · waiting for the background worker" in said
    assert "Learn from the verdicts that wait operator queued" in said_on(operator, f"{AT}/jobs")
    assert "One job at a time" in said_on(operator, f"{AT}/versions")


def test_busy_model_leads_to_the_job_that_runs(operator: FlaskClient, kept: Service) -> None:
    judged(kept, predicted(kept, 2))
    sent(operator, f"{AT}/jobs", kind="refit")

    said = sent(operator, f"{AT}/jobs", kind="learn")

    assert "zombies is busy: refit is queued" in said
    assert "Fit afresh on training data and verdicts" in said


def test_job_that_cannot_be_done_leads_back_with_a_sentence(operator: FlaskClient) -> None:
    said = sent(operator, f"{AT}/jobs", kind="learn", back=f"{AT}/versions/v1")

    assert "nothing waits" in said
    assert "Version v1" in said
    assert post(operator, f"{AT}/jobs", {"kind": "dance"}).status_code == 422
    assert post(operator, f"{AT}/jobs", {"kind": "learn", "back": "//evil"}).location == (
        f"{AT}/versions"
    )


def test_running_job_refreshes_itself_and_is_a_bar_elsewhere(
    operator: FlaskClient, kept: Service
) -> None:
    a_job(kept)
    job = kept.store.jobs.claim("me", kept.clock(), 10)
    assert job is not None
    kept.store.jobs.heartbeat(job, 0.42, "comparing recipes", kept.clock())

    page = operator.get(f"/jobs/{job.id}")
    part = operator.get(f"/jobs/{job.id}", headers=FRAGMENT)
    bar = operator.get(f"/jobs/{job.id}?as=bar", headers=FRAGMENT)

    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in page.text
    assert "42 % · comparing recipes" in text_of(page)
    assert part.headers["X-Fragment"] == bar.headers["X-Fragment"] == "1"
    assert "<html" not in part.text + bar.text
    assert 'value="0.420"' in part.text
    assert f'data-live="/jobs/{job.id}?as=bar"' in bar.text
    assert f'data-live="/jobs/{job.id}?as=bar"' in operator.get(f"{AT}/versions/v1").text


def test_job_is_cancelled(operator: FlaskClient, kept: Service) -> None:
    job = a_job(kept)

    said = sent(operator, f"/jobs/{job.id}/cancel")
    again = sent(operator, f"/jobs/{job.id}/cancel")

    assert "Cancelled Learn from the verdicts that wait" in said
    assert "It was cancelled." in said
    assert "refresh" not in said
    assert "It was cancelled." in again


def test_failed_job_says_why_and_can_be_asked_for_again(
    operator: FlaskClient, kept: Service
) -> None:
    a_job(kept, "weigh", version="v2")
    job = kept.store.jobs.claim("me", kept.clock(), 10)
    assert job is not None
    kept.store.jobs.end(job, kept.clock(), error="The disk is full: make room.", reason="full")

    page = operator.get(f"/jobs/{job.id}")

    assert "The disk is full: make room. Ask again" in text_of(page)
    assert 'name="version" value="v2"' in page.text


def test_done_job_leads_to_the_version_with_gate_and_recipes(
    operator: FlaskClient, kept: Service
) -> None:
    copy_of(kept, gate=a_gate("undecided", wants_audit=True))
    a_job(kept, "refit")
    job = kept.store.jobs.claim("me", kept.clock(), 10)
    assert job is not None
    kept.store.jobs.end(job, kept.clock(), result={"version": "v2", "recipes": RECIPES})

    said = said_on(operator, f"/jobs/{job.id}")

    assert "Done Fit afresh on training data and verdicts" in said
    assert "It made v2 ." in said
    assert "undecided It was undecided" in said
    assert "verdicts alone 95 % yes" in said
    assert "wants" not in said_on(operator, f"{AT}/versions/v1")
    assert "There are too few trusted rows to tell." in said_on(operator, f"{AT}/versions/v2")


def test_unknown_job_is_a_page(operator: FlaskClient) -> None:
    answer = operator.get("/jobs/none")

    assert answer.status_code == 404
    assert 'There is no job "none".' in text_of(answer)


# ── policy ───────────────────────────────────────────────────────────────────────────────────


def test_policy_is_said_and_changed(operator: FlaskClient, kept: Service) -> None:
    before = said_on(operator, f"{AT}/policy")

    said = sent(
        operator, f"{AT}/policy", learn="every 50 verdicts", promote="auto", tolerance="0.05"
    )

    assert "It learns when somebody asks." in before
    assert "Kept. It holds from the next job on." in said
    assert "It learns by itself after every 50 verdicts." in said
    assert kept.store.registry.policy(ZOMBIES) == Policy(
        learn_every=50, promote="auto", tolerance=0.05
    )


def test_wrong_policy_stands_beside_its_fields_with_what_was_typed(
    operator: FlaskClient, kept: Service
) -> None:
    answer = post(operator, f"{AT}/policy", {"batch": "0", "cap": "much", "seed": "7"})

    assert answer.status_code == 422
    assert "Nothing was changed: 2 fields need another look." in text_of(answer)
    assert 'id="policy-batch-error">Expected a whole number from 1 to 100,000.' in answer.text
    assert 'value="much"' in answer.text
    assert 'value="7"' in answer.text
    assert kept.store.registry.policy(ZOMBIES) == Policy()


def test_policy_is_only_shown_to_a_viewer(client: FlaskClient) -> None:
    sign_in(client, VIEWER)

    page = client.get(f"{AT}/policy")

    assert "An operator can change it." in text_of(page)
    assert "<input id=" not in page.text


# ── audits ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def judge(client: FlaskClient) -> FlaskClient:
    sign_in(client, JUDGE)
    return client


def begun(client: FlaskClient, kept: Service, count: int, model: str = ZOMBIES) -> str:
    """Begin an audit by the page; return its address."""
    predicted(kept, count, model)
    answer = post(client, f"/models/{model}/audits", {})
    assert answer.status_code == 303
    return str(answer.location)


def row_in(page: TestResponse) -> str:
    found = re.search(r'<section class="panel audit".*?name="id" value="([^"]+)"', page.text, re.S)
    assert found, text_of(page)
    return found[1]


def test_audit_is_gone_through_without_scripts(judge: FlaskClient, kept: Service) -> None:
    address = begun(judge, kept, 10)
    page = judge.get(address)

    for _ in range(9):
        page = post(judge, address, {"id": row_in(page), "step": "right"})
    wrong = row_in(page)
    end = post(judge, address, {"id": wrong, "step": "wrong"})

    assert "9 of 10 judged · noted: right" in text_of(page)
    assert "10 rows judged 9 of them were right: 90 %." in text_of(end)
    verdict = kept.store.verdicts.of(wrong)
    assert verdict is not None
    assert (verdict.was_correct, verdict.judge) == (False, "ada")
    assert verdict.label == {"hostile": "friendly", "friendly": "hostile"}[label_of(kept, wrong)]


def label_of(kept: Service, id: str) -> str:
    found = kept.store.traffic.prediction(id)
    assert found is not None
    return str(found.prediction.label)


def test_wrong_row_of_several_classes_asks_which(judge: FlaskClient, kept: Service) -> None:
    address = begun(judge, kept, 10, "iris")
    id = row_in(judge.get(address))

    asked = post(judge, address, {"id": id, "step": "wrong"}, **FRAGMENT)
    before = kept.store.verdicts.of(id)
    others = re.findall(r'name="label" value="([^"]+)" data-key="(\d)"', asked.text)
    told = post(judge, address, {"id": id, "step": "wrong", "label": others[1][0]}, **FRAGMENT)

    assert before is None
    assert [key for _, key in others] == ["1", "2"]
    assert {name for name, _ in others} == {
        "Iris-setosa",
        "Iris-versicolor",
        "Iris-virginica",
    } - {label_of(kept, id)}
    assert f"1 of 10 judged · noted: wrong, it was {others[1][0]}" in text_of(told)
    assert "<html" not in asked.text + told.text


def test_wrong_row_of_an_unknown_class_is_only_wrong(judge: FlaskClient, kept: Service) -> None:
    address = begun(judge, kept, 10, "iris")
    id = row_in(judge.get(address))

    post(judge, address, {"id": id, "step": "unknown"})

    verdict = kept.store.verdicts.of(id)
    assert verdict is not None
    assert (verdict.was_correct, verdict.label) == (False, None)


def test_class_that_does_not_exist_is_refused_where_it_was_typed(
    judge: FlaskClient, kept: Service
) -> None:
    address = begun(judge, kept, 10, "iris")
    id = row_in(judge.get(address))

    answer = post(judge, address, {"id": id, "step": "wrong", "label": "tulip"})

    assert answer.status_code == 422
    assert 'label "tulip"' in text_of(answer)
    assert "What was it really?" in text_of(answer)
    assert kept.store.verdicts.of(id) is None


def test_row_is_skipped_and_the_last_verdict_undone(judge: FlaskClient, kept: Service) -> None:
    address = begun(judge, kept, 10)
    first = row_in(judge.get(address))

    after_skip = post(judge, address, {"id": first, "step": "skip"})
    second_row = row_in(after_skip)
    after_verdict = post(judge, address, {"id": second_row, "step": "right"})
    after_undo = post(judge, address, {"id": second_row, "step": "undo"})

    assert first != second_row
    assert "1 of 10 judged" in text_of(after_verdict)
    assert "0 of 10 judged" in text_of(after_undo)
    assert row_in(after_undo) == second_row


def test_audit_of_nothing_says_what_to_do(judge: FlaskClient) -> None:
    said = sent(judge, f"{AT}/audits")

    assert "There are only 0 recent predictions that no judge has judged" in said


def test_end_of_an_audit_leads_to_the_gate(operator: FlaskClient, kept: Service) -> None:
    rows = predicted(kept, 10)
    audit, _ = audits.begin(kept, ZOMBIES, 10)
    judged(kept, rows)
    copy_of(kept, gate=a_gate("undecided"))

    page = operator.get(f"/audits/{audit.id}")

    assert "10 rows judged 10 of them were right: 100 %." in text_of(page)
    assert "Weigh v2 again" in text_of(page)
    assert 'name="kind" value="weigh"' in page.text
    assert "Weigh a version at the gate: v2" in sent(
        operator, f"{AT}/jobs", kind="weigh", version="v2"
    )


def test_audit_of_numbers_asks_for_the_number(
    judge: FlaskClient, kept: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = predicted(kept, 10)
    audit, _ = audits.begin(kept, ZOMBIES, 10)
    contents = kept.catalogue()
    shelved = contents.model(ZOMBIES)
    features = tuple(Feature(name, "number") for name in shelved.model.schema.names)
    prices = replace(shelved, model=replace(shelved.model, schema=Schema(features, "price")))
    priced = replace(contents, models={**contents.models, ZOMBIES: prices})
    monkeypatch.setattr(kept.shelf, "contents", lambda: priced)
    page = judge.get(f"/audits/{audit.id}")

    without = post(judge, f"/audits/{audit.id}", {"id": row_in(page), "step": "number"})
    wrong = post(judge, f"/audits/{audit.id}", {"id": row_in(page), "label": "much"})

    assert len(rows) == 10
    assert "answered for price" in text_of(page)
    assert without.status_code == 422
    assert "Say what it really was, as a number, or skip the row." in text_of(without)
    assert wrong.status_code == 422
    assert 'value="much"' in wrong.text


# ── two versions side by side ────────────────────────────────────────────────────────────────


def test_one_version_cannot_be_compared(operator: FlaskClient) -> None:
    assert "There is only one version" in said_on(operator, f"{AT}/compare")


def test_two_versions_are_compared(operator: FlaskClient, kept: Service) -> None:
    second(kept)

    page = operator.get(f"{AT}/compare")

    said = text_of(page)
    assert re.search(
        r"On test set A, 4,000 rows .+ champion\. v1 v2 Accuracy 9[\d.]+ % 9[\d.]+ %", said
    )
    assert re.search(r"They agree on 9[\d.]+ % of the rows.", said)
    assert "Rows are the truth, columns what v1 answered." in said
    assert re.search(r"rows on which they differ \(the first 100\)", said)
    assert (
        "No judge's verdict is held out yet. An audit has nothing to ask: 0 recent predictions "
        "have no judge yet, and it needs 10. More predictions would help." in said
    )


def test_comparison_that_cannot_be_made_says_why(operator: FlaskClient, kept: Service) -> None:
    copy_of(kept)

    answer = operator.get(f"{AT}/compare?first=v1&second=v1")
    unknown = operator.get(f"{AT}/compare?first=v1&second=v9")

    assert (answer.status_code, unknown.status_code) == (409, 404)
    assert "Choose two different versions" in text_of(answer)
    assert 'There is no version "v9"' in text_of(unknown)


def test_up_to_four_versions_are_compared(operator: FlaskClient, kept: Service) -> None:
    second(kept)
    for _ in range(3):
        copy_of(kept)

    ticked = "&".join(f"version=v{number}" for number in range(1, 5))
    four = operator.get(f"{AT}/compare?{ticked}")
    five = operator.get(f"{AT}/compare?{ticked}&version=v5")
    one = operator.get(f"{AT}/compare?version=v2")

    said = text_of(four)
    assert re.search(r"v1 v2 v3 v4 Accuracy 92.3 % [\d.]+ % 92.3 % 92.3 %", said)
    assert re.search(r"Difference to v1, 95 % interval – -[\d.]+ points \(-[\d.]+ to", said)
    assert "v1 and v3 agree on 100 % of the rows." in said
    assert "There is no row on which v1 and v4 differ." in said
    assert four.text.count("Rows are the truth, columns what") == 4
    assert five.status_code == 422
    assert "Choose at most 4 versions; 5 were chosen." in text_of(five)
    assert "v1 v2 Accuracy" in text_of(one)
