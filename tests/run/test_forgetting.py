"""A prediction that is to be forgotten leaves no trace but its id; a rebuild leaves it out."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import orjson
import pytest
from flask import Flask

from tests.conftest import OPERATOR, VIEWER, run_command, wait_for
from tests.learning_model import CROWD, JUDGE, School
from unrot.core.errors import Conflict, Expired, Invalid, NotSigned
from unrot.core.records import Audit, ModelKey
from unrot.learn import jobs, promote
from unrot.run import caretaker as caretaker_module
from unrot.run import forgetting
from unrot.run.forgetting import foresee, forget, sweep
from unrot.serve import journal
from unrot.serve.batches import unpack
from unrot.serve.service import Service
from unrot.store.kinds import BATCH, CHUNK, KINDS
from unrot.store.operations import scan_all

TRACE = 0.1234567891
ZOMBIES = ModelKey("zombies")
COMMENT = "Said by Ada Lovelace."
API = "/api/v1"


@pytest.fixture
def school(service: Service) -> School:
    return School(service)


def leave_traces(school: School) -> str:
    """Predict and judge a zombie that is known among all others; return its id."""
    school.taught(60)
    features = school.service.catalogue().model("zombies").model.schema.names
    row = {name: TRACE if name == features[0] else 0.5 for name in features}
    [made] = school.predicted([row])
    verdict = {"id": made.id, "label": made.label, "comment": COMMENT}
    school.service.judge(verdict, CROWD)  # a judge's might be held out
    school.service.store.verdicts.count_new(100)
    return made.id or ""


def traces(service: Service) -> list[str]:
    """Return the kinds of documents that still hold something of that zombie."""
    database = service.store.database  # type: ignore[attr-defined]
    found = []
    for kind in KINDS:
        for one in scan_all(database, kind, "all", page=16):
            held = b"\n".join(_texts(kind is BATCH, one.fields))
            held += b"".join(_unpacked(one["data"])) if kind is CHUNK else b""
            if str(TRACE).encode() in held or COMMENT.encode() in held:
                found.append(kind.name)
    return found


def _texts(is_batch: bool, fields: dict[str, object]) -> Iterator[bytes]:
    if is_batch:
        rows = unpack(fields["columns"], "", "")  # type: ignore[arg-type]
        yield orjson.dumps([list(row) for row in rows.inputs])
    yield orjson.dumps(
        {name: value for name, value in fields.items() if name not in ("columns", "data")}
    )


def _unpacked(data: bytes) -> Iterator[bytes]:
    for form in (zlib.MAX_WBITS, zlib.MAX_WBITS | 16):
        try:
            yield zlib.decompressobj(form).decompress(data)
        except zlib.error:
            yield b""


def test_nothing_of_it_is_left_but_its_id(school: School) -> None:
    id = leave_traces(school)
    version = school.done("learn")["version"]
    school.service.store.trials.add_audit(
        Audit("a1", ZOMBIES, school.service.clock(), (id, "other"))
    )
    [foreseen] = foresee(school.service, [id])
    before = traces(school.service)

    [done] = forget(school.service, [id])
    [again] = forget(school.service, [id])

    assert foreseen == replace(done, erased=["prediction", "verdict"])
    assert {"prediction-batch", "prediction-feedback", "chunk"} <= set(before)
    assert traces(school.service) == []
    kept = ["prediction", "verdict", "mark as an outlier", "place in an audit"]
    assert done.erased == [*kept, f"lesson of {version}"]
    assert (done.learnt_by, done.carried_by, done.rebuild) == ([version], [version], version)
    assert (again.erased, again.learnt_by) == ([], [version])
    assert school.service.store.tidying.stock("zombies").kept == 60
    [told] = school.service.store.tidying.tidied("zombies")
    assert (told.what, told.dropped, told.kept_since) == ("forgotten predictions", 1, None)
    made = school.service.version("zombies", version)
    model = school.service.catalogue().model("zombies").model
    school.service.signatures.check(made, model)


def test_rebuild_leaves_out_what_was_forgotten_without_being_told(school: School) -> None:
    id = leave_traces(school)
    version = school.done("learn")["version"]
    promote.promote(school.service, "zombies", version, force=True, reason="a test")
    forget(school.service, [id])

    told = school.done("rebuild", version=version)

    assert told["left_out"] == 1
    [again] = forget(school.service, [id])
    assert (again.erased, again.carried_by, again.rebuild) == ([], [version], version)
    lessons = school.service.store.lessons
    assert id not in lessons.learnt("zombies", [told["version"]])


@pytest.mark.parametrize("step", ["erase", "erase_reasons", "replace_file", "drop_file"])
def test_crash_in_the_middle_is_ended_by_the_next_run(
    school: School, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    id = leave_traces(school)
    school.done("learn")
    store = school.service.store
    drawer = {"erase": store.erasing, "erase_reasons": store.lessons}.get(step)
    drawer = drawer or {"replace_file": store.registry, "drop_file": store.tidying}[step]

    with monkeypatch.context() as broken:
        broken.setattr(drawer, step, _crash)
        with pytest.raises(ZeroDivisionError):
            forget(school.service, [id])
    noted = [one.id for one in store.erasing.waiting(9)]
    forget(school.service, [id])
    store.tidying.drop_files(school.service.clock() + 7_200)

    with pytest.raises(Expired):
        school.service.judge({"id": id, "was_correct": True}, JUDGE)
    assert noted == [id]
    assert traces(school.service) == []
    assert forget(school.service, [id])[0].erased == []


def _crash(*_: object, **__: object) -> None:
    raise ZeroDivisionError


def test_line_that_is_still_in_a_journal_is_erased_when_it_arrives(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = school.service
    answer = service.predict("zombies", [dict.fromkeys(_names(service), TRACE)])
    id = answer.predictions[0].id or ""
    [done] = forget(service, [id])
    school.caretaker.ship()
    arrived = traces(service)

    school.caretaker.go_round()
    waiting = [(one.id, one.was_found) for one in service.store.erasing.waiting(9)]
    monkeypatch.setattr(forgetting, "SETTLED_SECONDS", -1.0)
    sweep(service)

    assert done.erased == []
    assert arrived == ["prediction-batch"]
    assert traces(service) == []
    assert waiting == [(id, True)]
    assert service.store.erasing.waiting(9) == []


def test_line_goes_from_the_journal_of_a_worker_that_writes_nothing_more(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "IDLE_SECONDS", 0.02)
    service, caretaker = school.service, school.caretaker
    folder = service.journal.folder
    answer = service.predict("zombies", [dict.fromkeys(_names(service), TRACE)])
    caretaker.go_round()
    [segment] = journal.follow(folder)
    before = segment.size()

    forget(service, [answer.predictions[0].id or ""])
    monkeypatch.setattr(caretaker_module, "FORGOTTEN_SECONDS", 0.0)
    caretaker.go_round()
    wait_for(lambda: not segment.has_writer())
    caretaker.go_round()

    assert before > 0
    assert list(journal.follow(folder)) == []


def test_segments_end_though_the_store_failed_when_it_was_first_asked(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, caretaker = school.service, school.caretaker
    monkeypatch.setattr(caretaker_module, "FORGOTTEN_SECONDS", 0.0)
    answer = service.predict("zombies", [dict.fromkeys(_names(service), TRACE)])
    caretaker.go_round()
    forget(service, [answer.predictions[0].id or ""])
    ended: list[bool] = []
    monkeypatch.setattr(service.journal, "end_all", lambda: ended.append(True))

    with monkeypatch.context() as away:
        away.setattr(service.store.erasing, "news", _crash)
        caretaker.go_round()
    before = [*ended]
    caretaker.go_round()
    caretaker.go_round()

    assert (before, ended) == ([], [True])


def _names(service: Service) -> list[str]:
    return list(service.catalogue().model("zombies").model.schema.names)


def test_forgotten_id_is_gone_for_whoever_judges_it(app: Flask) -> None:
    client = app.test_client()
    service: Service = app.extensions["unrot"]
    made = client.post(f"{API}/models/iris/predict", json={"inputs": IRIS}).json["data"]
    School(service).caretaker.ship()

    as_operator = {"Authorization": f"Bearer {OPERATOR}"}
    done = client.post(f"{API}/forget", json={"ids": [made["id"]]}, headers=as_operator)
    again = client.post(f"{API}/forget", json={"ids": [made["id"]]}, headers=as_operator)
    asked = {"Authorization": f"Bearer {VIEWER}"}
    refused = client.post(f"{API}/forget", json={"ids": [made["id"]]}, headers=asked)
    wrong = client.post(f"{API}/forget", json={"ids": [made["id"], 3]}, headers=as_operator)
    judged = client.post(f"{API}/feedback", json={"id": made["id"], "was_correct": True})
    taken_back = client.delete(f"{API}/feedback/{made['id']}", headers=as_operator)

    assert done.status_code == 200
    [erasure] = done.json["data"]["erasures"]
    told = {"erased": ["prediction"], "learnt_by": [], "carried_by": [], "rebuild": ""}
    assert erasure == {"id": made["id"], "model": "iris", **told}
    assert again.json["data"]["erasures"][0]["erased"] == []
    assert refused.status_code == 403
    assert (wrong.status_code, wrong.json["details"][0]["field"]) == (422, "ids")
    assert (judged.status_code, judged.json["reason"]) == (410, "expired")
    assert taken_back.status_code == 410


IRIS = {
    "sepal_length_cm": 5.1,
    "sepal_width_cm": 3.5,
    "petal_length_cm": 1.4,
    "petal_width_cm": 0.2,
}


def test_verdict_in_the_older_form_is_erased_by_its_own_id(service: Service) -> None:
    given = {"model": "iris", "input data": [TRACE], "prediction": "a", "was correct": True}
    verdict, _ = service.judge_unverified(given, JUDGE)

    [done] = forget(service, [verdict.id])
    [again] = forget(service, [verdict.id])

    assert done.erased == ["unverified verdict"]
    assert asdict(again) == asdict(forgetting.Erasure(verdict.id, ""))
    assert traces(service) == []


def test_lines_that_were_set_aside_unread_are_looked_through(service: Service) -> None:
    answer = service.predict("iris", [IRIS])
    id = answer.predictions[0].id or ""
    path = service.journal.folder / "unreadable"
    path.write_bytes(b'{"id": "%s"}\n{"id": "other"}\n' % id.encode())

    forget(service, [id])

    assert path.read_bytes() == b'{"id": "other"}\n'


@pytest.mark.parametrize(
    "ids",
    [[], ["x"], ["A" * 32], ["unverified-\0"], ["\ud800"], ["x" * 9_000], ["unverified-" * 99]],
)
def test_what_is_no_id_of_ours_erases_nothing(service: Service, ids: list[str]) -> None:
    with pytest.raises((Invalid, NotSigned)) as refused:
        forget(service, ids)

    assert len(orjson.dumps(refused.value.message)) < 200
    assert service.store.erasing.waiting(9) == []


def test_nothing_is_erased_while_a_job_may_learn_from_it(school: School) -> None:
    id = leave_traces(school)
    jobs.ask(school.service, "zombies", "learn", {}, by="ada")

    with pytest.raises(Conflict, match="zombies is learning, perhaps from what is to be forgotten"):
        forget(school.service, [id])

    assert traces(school.service) != []


@pytest.mark.parametrize("kind", ["refit", "rebuild"])
def test_job_that_begins_while_it_is_erased_learns_nothing_from_it(
    school: School, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    id = leave_traces(school)
    version = school.done("learn")["version"]
    promote.promote(school.service, "zombies", version, force=True, reason="a test")
    erase, made = school.service.store.erasing.erase, []

    def erase_after_a_job(*asked: object) -> list[str]:
        made.append(school.done(kind, **({"version": version} if kind == "rebuild" else {})))
        return erase(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(school.service.store.erasing, "erase", erase_after_a_job)
    [done] = forget(school.service, [id])

    [told] = made
    assert told["version"] not in (version, None)
    assert done.learnt_by == [version]
    school.service.store.tidying.drop_files(school.service.clock() + 7_200)
    assert traces(school.service) == []


def test_job_that_had_read_it_is_done_again_without_it(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = leave_traces(school)
    store = school.service.store
    publish = store.lessons.publish

    def note_before(*asked: object, **more: object) -> object:
        store.erasing.note({id: ZOMBIES}, school.service.clock())
        return publish(*asked, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(store.lessons, "publish", note_before)
    told = school.done("learn")
    [done] = forget(school.service, [id])

    assert school.service.version("zombies", told["version"]).made["verdicts"] > 0
    assert done.learnt_by == []
    assert id not in store.lessons.learnt("zombies", [told["version"]])
    store.tidying.drop_files(school.service.clock() + 7_200)
    assert traces(school.service) == []


def test_sweep_comes_to_all_that_wait_however_many_never_arrive(school: School) -> None:
    service = school.service
    rows = [dict.fromkeys(_names(service), value) for value in (0.1, 0.2, TRACE)]
    ids = [one.id or "" for row in rows for one in service.predict("zombies", [row]).predictions]
    forget(service, ids)
    school.caretaker.ship()

    places = [None]
    for _ in ids:
        places.append(sweep(service, places[-1], 1))

    assert [one and one.id for one in places[1:]] == sorted(ids)
    assert sweep(service, places[-1], 1) is None
    assert traces(service) == []


def test_command_asks_says_what_went_and_offers_the_rebuild(
    school: School, trained_home: Path
) -> None:
    id = leave_traces(school)
    version = school.done("learn")["version"]

    asked = run_command(trained_home, "forget", "--id", id)
    done = run_command(trained_home, "forget", "--id", id, "--yes")
    again = run_command(trained_home, "forget", "--id", id, "--id", id, "--yes")

    assert asked.returncode == 1
    assert "1 prediction will be deleted for good, with all verdicts on it." in asked.stderr
    first, second, last = done.stdout.splitlines()
    assert first == f"{id}: erased (prediction, verdict, mark as an outlier, lesson of {version})."
    assert second == (
        f"  {version} of zombies learnt from it, and it is in the parameters of {version}. To make "
        f"it again without: python -m unrot rebuild zombies {version}"
    )
    assert last.startswith("Totals and profiles stay")
    assert again.stdout.splitlines()[0] == f"{id}: nothing is left of it."
    assert traces(school.service) == []
