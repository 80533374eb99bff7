"""A store that others wrote to, or that is damaged, brings no model: the last good one answers."""

from __future__ import annotations

import io
import os
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy
import onnx
import orjson
import pytest
from flask import Flask

from tests.conftest import OPERATOR, run_command
from tests.learning_model import School
from tests.web.visitor import ask, sign_in
from unrot.core import conformal
from unrot.core.artefacts import ANCHOR, CALIBRATION, GOLDEN, HOLDOUT, ONNX, SKOPS, digest_of
from unrot.core.errors import BadArtefact
from unrot.core.records import (
    CHAMPION,
    Anchor,
    Finding,
    GateVerdict,
    ModelKey,
    Serving,
    Version,
)
from unrot.core.settings import Settings
from unrot.core.signatures import Signatures
from unrot.make import artefacts
from unrot.run.bootstrap import open_service
from unrot.run.cabinet import Cabinet
from unrot.run.caretaker import Caretaker
from unrot.serve.predictor import open_session
from unrot.serve.registry_store import keep_artefacts
from unrot.serve.service import Service
from unrot.serve.shelf import is_damaged, sync
from unrot.store.kinds import BLOB, CHUNK, VERSION
from unrot.store.names import move_generation
from unrot.store.operations import Put
from unrot.watch.monitors.estimate import calibration

IRIS = ModelKey("iris")
ROW = [5.1, 3.5, 1.4, 0.2]
NAMED = {
    "sepal_length_cm": 5.1,
    "sepal_width_cm": 3.5,
    "petal_length_cm": 1.4,
    "petal_width_cm": 0.2,
}
READ_BY_PEOPLE = [
    *("/models/iris", "/models/iris/monitor", "/models/iris/versions", "/models/iris/versions/v1"),
    *("/models/iris/ask", "/models/iris/compare", "/models/iris/report"),
]


@pytest.fixture
def restart(settings: Settings) -> Iterator[Callable[[], Service]]:
    """Open the home folder as a process that begins does."""
    opened: list[Service] = []

    def again() -> Service:
        opened.append(open_service(settings))
        return opened[-1]

    yield again
    for one in opened:
        one.store.close()


def first(service: Service) -> Version:
    return service.versions(IRIS)[0]


def file_of(service: Service, kind: str) -> bytes:
    return service.store.registry.artefact(first(service).artefacts[kind])


def promoted(store: Cabinet, version: Version, files: dict[str, bytes]) -> Version:
    """Add a version with these files, and let it answer."""
    digests = {kind: digest_of(data) for kind, data in files.items()}
    by = "onnx" if ONNX in files else "scikit-learn"
    serving = Serving(by, digests[ONNX if ONNX in files else SKOPS])
    made = replace(version, parent="v1", artefacts=digests, serving=serving)
    named = store.registry.add_version(made, {digest_of(data): data for data in files.values()})
    assert store.registry.move_alias(IRIS, CHAMPION, to=named.name, expected="v1")
    return named


def forge(service: Service) -> str:
    """Let somebody write a sound version into the store who has not our key."""
    below_the_log = service.store.audit_log._database._database
    theirs = Cabinet(below_the_log, Signatures(b"another secret"))
    promoted(theirs, first(service), {ONNX: file_of(service, ONNX)})
    return "v2 is not signed with this app's key"


def swap_the_record(service: Service) -> str:
    """Let the record of a version name the files of another model's."""
    database = service.store.database
    added(service)
    [other] = service.versions(ModelKey("zombies"))
    found = database.get(VERSION, "iris/000002")
    body = found["body"] | {"serving": {**found["body"]["serving"], "digest": other.serving.digest}}
    database.commit([Put(VERSION, found.key, {**found.fields, "body": body})])
    return "v2 is not signed with this app's key"


def swap_the_bytes(service: Service) -> str:
    """Let other bytes stand under the digest, in the store and on the shelf that follows."""
    _keep_instead(service, added(service), service_file(service, "zombies"))
    return "is missing on the shelf"


def truncate(service: Service) -> str:
    named = added(service)
    _keep_instead(service, named, file_of(service, ONNX)[:-100])
    return "is missing on the shelf"


def lose(service: Service) -> str:
    named = added(service)
    database = service.store.database
    blob = database.get(BLOB, named.serving.digest)
    database.commit([Put(BLOB, blob.key, {**blob.fields, "chunks": 0})])
    return "is missing on the shelf"


def corrupt(service: Service) -> str:
    """Sign what is no graph, as a bug of our own might."""
    promoted(service.store, first(service), {ONNX: file_of(service, ONNX)[:-100]})
    return "The ONNX graph does not load"


def take_from_elsewhere(service: Service) -> str:
    graph = onnx.ModelProto.FromString(file_of(service, ONNX))
    tensor = graph.graph.initializer[0]
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    promoted(service.store, first(service), {ONNX: graph.SerializeToString()})
    return "The ONNX graph takes its numbers from other files: refused."


def unpack_endlessly(service: Service) -> str:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("schema.json", b"{}")
        file.writestr("0.npy", bytes(30_000_000))
    promoted(service.store, first(service), {SKOPS: packed.getvalue()})
    return "unpacks to 30,000,002: refused"


def answer_otherwise(service: Service) -> str:
    """Sign another model's graph beside our golden rows."""
    files = {ONNX: service_file(service, "zombies"), GOLDEN: file_of(service, GOLDEN)}
    promoted(service.store, first(service), files)
    return "does not answer its golden rows as it did when it was made"


def service_file(service: Service, model: str) -> bytes:
    [version] = service.versions(ModelKey(model))
    return service.store.registry.artefact(version.serving.digest)


def added(service: Service) -> Version:
    """Promote a second version that is in order, with bytes of its own."""
    graph = onnx.ModelProto.FromString(file_of(service, ONNX))
    graph.doc_string = "the second"
    return promoted(service.store, first(service), {ONNX: graph.SerializeToString()})


def _keep_instead(service: Service, version: Version, data: bytes) -> None:
    database = service.store.database
    blob = database.get(BLOB, version.serving.digest)
    key = f"{blob.key}/{blob['writing']}/00000"
    database.commit([Put(CHUNK, key, {"data": data})])


def _keep_file_instead(service: Service, kind: str, data: bytes) -> None:
    """Let somebody who has not our key put another file in the place of one of the champion's."""
    database, digest = service.store.database, digest_of(data)
    keep_artefacts(database, {digest: data})
    found = database.get(VERSION, "iris/000001")
    moved = {"artefacts": {**found["body"]["artefacts"], kind: digest}}
    moved |= {"anchor": digest} if kind == ANCHOR else {}
    body = {**found["body"], **moved}
    database.commit([Put(VERSION, found.key, {**found.fields, "body": body}), move_generation()])
    sync(service.shelf.folder, service.store.registry)


HAZARDS = [
    forge,
    swap_the_record,
    swap_the_bytes,
    truncate,
    lose,
    corrupt,
    take_from_elsewhere,
    unpack_endlessly,
    answer_otherwise,
]


def answer(service: Service) -> tuple[str, object]:
    given = service.predict_instances("iris", [ROW])
    return given.version.name, given.predictions[0].probabilities


def findings_after_a_round(service: Service) -> list[Finding]:
    keeper = Caretaker(service, "me")
    keeper.go_round()
    while keeper._leader._lookout.is_going:
        keeper._leader._lookout.go_round()
    keeper._leader.stop()
    return service.store.findings.open()


@pytest.mark.parametrize("plant", HAZARDS)
def test_last_good_version_answers_and_a_finding_says_why(
    service: Service, restart: Callable[[], Service], plant: Callable[[Service], str]
) -> None:
    before = answer(service)

    why = plant(service)
    sync(service.shelf.folder, service.store.registry)
    running = answer(service)
    begun_anew = restart()
    [finding] = findings_after_a_round(begun_anew)

    assert running == before == answer(begun_anew)
    assert before[0] == "v1"
    assert begun_anew.predict_instances("zombies", [[0.0] * 4]).version.name == "v1"
    assert begun_anew.ready()["shelf"].state == "degraded"
    assert (finding.model, finding.kind, finding.gravity) == ("iris", "operations", "grave")
    assert finding.sentence.startswith("The champion of iris could not be loaded: ")
    assert why in finding.sentence
    assert finding.sentence.endswith(" v1 answers instead.")
    assert "Promote a version that loads" in finding.advice


def test_path_in_the_place_of_a_digest_is_never_opened(
    service: Service, restart: Callable[[], Service], tmp_path: Path
) -> None:
    """What others wrote may name a pipe, on which a caretaker that reads it waits for ever."""
    before, opened, pipe = answer(service), list[str](), tmp_path / "pipe"
    os.mkfifo(pipe)

    def wait_for_a_reader() -> None:
        os.close(os.open(pipe, os.O_WRONLY))
        opened.append("by a reader")

    writer = threading.Thread(target=wait_for_a_reader, daemon=True)
    writer.start()
    forge(service)
    database = service.store.database
    found = database.get(VERSION, "iris/000002")
    theirs = {"serving": {"by": "onnx", "digest": str(pipe)}, "artefacts": {GOLDEN: str(pipe)}}
    body = {**found["body"], **theirs}
    database.commit([Put(VERSION, found.key, {**found.fields, "body": body})])

    sync(service.shelf.folder, service.store.registry, thoroughly=True)
    found_damaged = is_damaged(service.shelf.folder)
    begun_anew = restart()
    [finding] = findings_after_a_round(begun_anew)

    assert opened == []
    os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))
    writer.join(10)
    assert not found_damaged
    assert answer(begun_anew) == before
    assert "v2 is not signed with this app's key" in finding.sentence


def test_blob_that_is_said_to_have_endless_parts_is_read_as_far_as_it_goes(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, digest = service.store.database, first(service).serving.digest
    blob = database.get(BLOB, digest)
    database.commit([Put(BLOB, digest, {**blob.fields, "chunks": 100_000})])
    asked: list[object] = []
    get_many = database.get_many
    monkeypatch.setattr(database, "get_many", lambda *some: asked.append(some) or get_many(*some))

    assert digest_of(service.store.registry.artefact(digest)) == digest
    assert len(asked) == 1


def test_finding_is_over_when_a_version_answers_again(
    service: Service, restart: Callable[[], Service]
) -> None:
    answer(service)
    forge(service)
    sync(service.shelf.folder, service.store.registry)
    begun_anew = restart()
    planted = findings_after_a_round(begun_anew)

    begun_anew.store.registry.move_alias(IRIS, CHAMPION, to="v1", expected="v2")

    assert [one.is_open for one in planted] == [True]
    assert findings_after_a_round(begun_anew) == []


def test_last_good_version_answers_though_its_record_and_files_are_spoilt_too(
    service: Service, restart: Callable[[], Service]
) -> None:
    before = answer(service)
    database = service.store.database
    forge(service)
    found = database.get(VERSION, "iris/000001")
    body = {**found["body"], "signature": "0" * 64, "serving": {"by": "onnx", "digest": "1" * 64}}
    database.commit([Put(VERSION, found.key, {**found.fields, "body": body})])
    sync(service.shelf.folder, service.store.registry)

    assert answer(restart()) == before


def test_spoilt_shelf_is_mended_from_the_store(
    service: Service, restart: Callable[[], Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = answer(service)
    path = service.shelf.folder / "artefacts" / first(service).serving.digest
    begun_anew = restart()
    keeper = Caretaker(begun_anew, "me")
    keeper.go_round()
    path.write_bytes(b"spoilt")
    (service.shelf.folder / "pointer.json").touch()
    begun_anew.shelf._contents = replace(begun_anew.shelf._contents, predictors={})
    had_problems = bool(begun_anew.catalogue().problems)

    monkeypatch.setattr("unrot.run.caretaker.MEND_SECONDS", 0.0)
    keeper.go_round()
    monkeypatch.setattr("unrot.serve.shelf.RETRY_SECONDS", -1.0)

    assert had_problems
    assert begun_anew.catalogue().problems == {}
    assert answer(begun_anew) == before


def test_file_that_another_process_found_spoilt_is_fetched_anew(
    service: Service, restart: Callable[[], Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = answer(service)
    keeper = Caretaker(service, "me")
    keeper.go_round()
    (service.shelf.folder / "artefacts" / first(service).serving.digest).write_bytes(b"spoilt")
    worker = restart()
    had_problems = [bool(one.catalogue().problems) for one in (worker, service)]

    monkeypatch.setattr("unrot.run.caretaker.MEND_SECONDS", 0.0)
    keeper.go_round()
    monkeypatch.setattr("unrot.serve.shelf.RETRY_SECONDS", -1.0)

    assert had_problems == [True, False]
    assert answer(worker) == before
    assert worker.catalogue().problems == {}


def test_forged_version_teaches_no_learner(service: Service) -> None:
    school = School(service)
    found = service.store.database.get(VERSION, "zombies/000001")
    body = {**found["body"], "artefacts": {**found["body"]["artefacts"], SKOPS: "1" * 64}}
    service.store.database.commit([Put(VERSION, found.key, {**found.fields, "body": body})])
    school.taught(60)

    job = school.asked("learn")

    assert job.state == "failed"
    assert "v1 is not signed with this app's key" in (job.error or "")


@pytest.mark.parametrize("kind", [CALIBRATION, ANCHOR, HOLDOUT])
@pytest.mark.parametrize("data", [b"[]", b'{"rows":1,"scores":"x"}'])
def test_files_that_only_measure_a_version_break_no_page(
    app: Flask, kind: str, data: bytes
) -> None:
    client, service = app.test_client(), app.extensions["unrot"]
    answer(service)
    sign_in(client, OPERATOR)
    _keep_file_instead(service, kind, data)

    answered = client.post("/api/v1/models/iris/predict?sure=1", json={"inputs": NAMED})
    said = {path: client.get(path).status_code for path in READ_BY_PEOPLE}
    form = ask(client, **{name: str(value) for name, value in NAMED.items()})

    assert (answered.status_code, form.status_code) == (200, 200)
    assert said == dict.fromkeys(READ_BY_PEOPLE, 200)


@pytest.mark.parametrize("kind", [CALIBRATION, ANCHOR])
def test_version_that_is_measured_anew_is_ours_if_it_was(service: Service, kind: str) -> None:
    verdict = GateVerdict("passed", "It is better.", "v1", 2.0, ground="recent verdicts")

    def weigh(rows: bytes) -> bool:
        anchor = Anchor(digest_of(rows), 0.75, 1.0, rows, calibration=rows)
        service.store.lessons.weigh(
            first(service), verdict, anchor, job=None, result={}, champion="v1", promote=False
        )
        return service.signatures.is_good(first(service))

    was_ours = weigh(b"some")
    _keep_file_instead(service, kind, b"[]")

    assert (was_ours, weigh(b"others")) == (True, False)


@pytest.mark.parametrize("unpack", [calibration.unpack, conformal.unpack])
@pytest.mark.parametrize("data", [b"[]", b"3", b"{", b'{"rows":1,"scores":"x"}'])
def test_calibration_that_is_none_is_a_bad_artefact(
    unpack: Callable[[bytes], object], data: bytes
) -> None:
    with pytest.raises(BadArtefact, match=r"The calibration does not load: .+\."):
        unpack(data)


def test_rows_that_somebody_else_measures_by_judge_nobody(service: Service) -> None:
    """A new version would be measured by them as well, and signed with them."""
    school = School(service)
    found = service.store.database.get(VERSION, "zombies/000001")
    body = {**found["body"], "anchor": digest_of(b"theirs")}
    service.store.database.commit([Put(VERSION, found.key, {**found.fields, "body": body})])
    school.taught(60)

    job = school.asked("refit")

    assert (job.state, len(service.versions(ModelKey("zombies")))) == ("failed", 1)
    assert "v1 is not signed with this app's key" in (job.error or "")


def test_another_key_refuses_all_until_the_operator_signs(trained_home: Path) -> None:
    token = run_command(trained_home, "token", "add", "ada", "--role", "judge").stdout.strip()
    whole = run_command(trained_home, "audit-log", "--verify")
    (trained_home / "secret-key").write_text("another-secret-that-is-long-enough")
    broken = run_command(trained_home, "audit-log", "--verify")
    listed = run_command(trained_home, "token", "list").stdout
    refused = open_service(Settings(home=trained_home))
    problems = dict(refused.catalogue().problems)

    asked = run_command(trained_home, "sign")
    signed = run_command(trained_home, "sign", "--yes")
    again = run_command(trained_home, "sign")
    service = open_service(Settings(home=trained_home))

    assert set(problems) == {"iris", "zombies"}
    assert "python -m unrot sign" in problems["iris"]
    assert asked.returncode == 1
    [entries] = re.findall(r"The audit log is whole: (\d+ entr\w+)", whole.stdout)
    unsigned = f"v1 of iris, v1 of zombies, the token of ada (judge), {entries} of the audit log"
    assert f"{unsigned}: not signed with this app's key." in asked.stderr
    assert signed.stdout == f"Signed: {unsigned}.\n"
    assert again.stdout == "Everything is signed with this app's key: nothing to do.\n"
    assert answer(service)[0] == "v1"
    assert (broken.returncode, "refused: not signed" in listed) == (1, True)
    assert broken.stderr.startswith("Entry 1 is broken: it is not signed with this app's key")
    assert run_command(trained_home, "audit-log", "--verify").returncode == 0
    found = service.tokens.find(token)
    assert found is not None
    assert found.is_good(service.clock())


def test_skops_file_of_zeros_is_no_bomb() -> None:
    data = artefacts.dump({"zeros": [0.0] * 10_000})

    assert artefacts.load(data) == {"zeros": [0.0] * 10_000}


def test_skops_file_that_unpacks_one_part_for_many_objects_is_refused() -> None:
    array = {"__class__": "ndarray", "__module__": "numpy", "type": "numpy", "file": "0.npy"}
    many = [{**array, "__id__": number} for number in range(1_000)]
    shared = [{**array, "__id__": 1}] * 1_000
    part, packed = numpy.lib.format.magic(1, 0) + bytes(10_000), []
    for objects in (many, shared):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as written:
            written.writestr("schema.json", orjson.dumps({"content": objects}))
            written.writestr("0.npy", part)
        packed.append(file.getvalue())

    with pytest.raises(BadArtefact, match=r"unpacks to 10,\d{3},\d{3}: refused"):
        artefacts.load(packed[0])
    with pytest.raises(BadArtefact, match="does not load"):
        artefacts.load(packed[1])


@pytest.mark.parametrize("kind", ["node", "function"])
def test_external_data_is_found_wherever_it_hides(service: Service, kind: str) -> None:
    graph = onnx.ModelProto.FromString(file_of(service, ONNX))
    nodes = graph.graph.node if kind == "node" else graph.functions.add(name="f").node
    tensor = nodes.add(op_type="Constant").attribute.add(name="value").t
    tensor.external_data.add(key="location", value="/etc/passwd")

    with pytest.raises(BadArtefact, match="from other files: refused"):
        open_session(graph.SerializeToString())


def test_graph_that_only_speaks_of_a_location_is_taken(service: Service) -> None:
    graph = onnx.ModelProto.FromString(file_of(service, ONNX))
    graph.doc_string = "the location of each flower"

    assert open_session(graph.SerializeToString()).get_inputs()


def test_backup_brings_the_key_that_its_versions_are_signed_with(
    trained_home: Path, tmp_path: Path
) -> None:
    file, other = tmp_path / "unrot.tar", tmp_path / "other"

    run_command(trained_home, "backup", file)
    restored = run_command(other, "restore", file, "--yes")

    assert restored.returncode == 0, restored.stderr
    service = open_service(Settings(home=other))
    assert answer(service)[0] == "v1"
    service.store.close()


@pytest.mark.parametrize("has_key", [True, False])
def test_copied_store_serves_those_who_have_the_key(
    trained_home: Path, tmp_path: Path, *, has_key: bool
) -> None:
    url, home = f"sqlite:///{tmp_path / 'copy.db'}", tmp_path / "other"
    copied = run_command(
        trained_home, "copy", "--from", f"sqlite:///{trained_home / 'unrot.db'}", "--to", url
    )
    assert copied.returncode == 0, copied.stderr
    home.mkdir()
    if has_key:
        (home / "secret-key").write_bytes((trained_home / "secret-key").read_bytes())

    service = open_service(Settings(home=home, store=url))
    sync(service.shelf.folder, service.store.registry)

    problems = service.catalogue().problems
    assert problems == {} if has_key else "is not signed with this app's key" in problems["iris"]
    assert bool(service.catalogue().predictors) == has_key
    service.store.close()
