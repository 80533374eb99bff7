"""The shelf: what is on it is served, and nothing that cannot answer replaces what can."""

from __future__ import annotations

import hashlib
import multiprocessing
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from unrot.core.errors import BadArtefact, NotFound, StoreAway, UnrotError
from unrot.core.records import Feature, Model, Outputs, RemovedModel, Row, Schema, Serving, Version
from unrot.core.schema import schema_hash
from unrot.core.signatures import Signatures
from unrot.serve.shelf import PINNED_AT_ONCE, Contents, Shelf, ShelvedModel, fill_when_empty, sync

SCHEMA = Schema(
    (Feature("height", "number", 0.0, 9.0, unit="m"), Feature("sex", "category", choices=("f",))),
    "kind",
    ("elf", "orc"),
)
ROWS: list[Row] = [[1.0, "f"]]
SIGNATURES = Signatures(b"the secret of this app")


class Constant:
    """A predictor that answers what its artefact says."""

    def __init__(self, artefact: bytes, schema: Schema) -> None:
        if artefact.startswith(b"broken"):
            raise BadArtefact("This is no graph.")
        self.answer = float(artefact)
        self.schema = schema

    def predict(self, rows: Sequence[Row]) -> Outputs:
        return Outputs(values=[self.answer] * len(rows))


def load(by: str, artefact: bytes, schema: Schema) -> Constant:
    assert by == "onnx"
    return Constant(artefact, schema)


def check(predictor: Constant, golden: bytes) -> float:
    difference = abs(predictor.answer - float(golden))
    if difference:
        raise BadArtefact("It answers other than when it was made.")
    return difference


class MemoryRegistry:
    """A registry in memory, whose generation is a count of its changes."""

    def __init__(self, name: str = "a") -> None:
        self._name = name
        self._changes = 0
        self._models: dict[str, Model] = {}
        self._versions: dict[str, list[Version]] = {}
        self._aliases: dict[str, dict[str, str]] = {}
        self._removed: list[RemovedModel] = []
        self.kept: dict[str, bytes] = {}
        self.asked = 0

    def generation(self) -> str:
        return f"{self._name}-{self._changes}"

    def add_model(self, model: Model) -> Model:
        self._changes += 1
        number = len(self._models) + 1
        key = model.name if model.name not in self._models else f"{model.name}~{number}"
        self._models[key] = replace(model, number=number, key=key)
        self._versions[key] = []
        self._aliases[key] = {}
        return self._models[key]

    def removed(self) -> list[RemovedModel]:
        return list(self._removed)

    def remove_model(self, model: str) -> RemovedModel:
        self._changes += 1
        gone = self._models.pop(model)
        self._removed.append(RemovedModel(model, gone.name, gone.number, 0.0, True))
        return self._removed[-1]

    def rename_model(self, model: str, to: str) -> Model:
        self._changes += 1
        old = self._models[model]
        self._models[model] = replace(old, name=to, former_names=(*old.former_names, old.name))
        return self._models[model]

    def models(self) -> list[Model]:
        return list(self._models.values())

    def add_version(self, version: Version, artefacts: Mapping[str, bytes]) -> Version:
        self._changes += 1
        named = replace(version, name=f"v{len(self._versions[version.model]) + 1}")
        named = SIGNATURES.sign(named)
        self._versions[version.model].append(named)
        self.kept.update(artefacts)
        return named

    def versions(self, model: str, *, kept_only: bool = False) -> list[Version]:
        return [one for one in self._versions[model] if not (kept_only and one.is_pruned)]

    def artefact(self, digest: str) -> bytes:
        self.asked += 1
        return self.kept[digest]

    def aliases(self, model: str) -> dict[str, str]:
        return dict(self._aliases[model])

    def move_alias(self, model: str, alias: str, *, to: str, expected: str | None) -> bool:
        if self._aliases[model].get(alias) != expected:
            return False
        self._changes += 1
        self._aliases[model][alias] = to
        return True

    def drop_version(self, model: str, name: str) -> None:
        self._changes += 1
        self._versions[model] = [made for made in self._versions[model] if made.name != name]


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def publish(
    registry: MemoryRegistry, model: str, answer: bytes, *, golden: bytes | None = None
) -> Version:
    """Add a version that answers `answer`, and make it champion."""
    keys = {known.name: known.key for known in registry.models()}
    if model not in keys:
        added = registry.add_model(Model(model, 0, model.title(), "A model.", SCHEMA, 1.5))
        keys[model] = added.key
    golden = answer if golden is None else golden
    made = Version(
        model=keys[model],
        name="",
        parent=None,
        origin="trained",
        estimator="constant",
        created_at=2.5,
        metrics={"accuracy": 0.75},
        artefacts={"onnx": digest_of(answer), "golden": digest_of(golden), "skops": "elsewhere"},
        schema_hash=schema_hash(SCHEMA),
        libraries={"numpy": "2"},
        serving=Serving("onnx", digest_of(answer), 1e-9, 500),
    )
    version = registry.add_version(made, {digest_of(data): data for data in (answer, golden)})
    before = registry.aliases(keys[model]).get("champion")
    assert registry.move_alias(keys[model], "champion", to=version.name, expected=before)
    return version


@pytest.fixture
def registry() -> MemoryRegistry:
    return MemoryRegistry()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "shelf"


@pytest.fixture
def shelf(folder: Path) -> Shelf:
    return Shelf(folder, load=load, check=check, signatures=SIGNATURES)


def answered(shelf: Shelf, model: str = "elves", version: str | None = None) -> float:
    contents = shelf.contents()
    outputs = shelf.predictor(contents, contents.model(model).version(version)).predict(ROWS)
    assert outputs.values is not None
    return outputs.values[0]


def artefacts(folder: Path) -> set[bytes]:
    return {path.read_bytes() for path in (folder / "artefacts").iterdir()}


class OvertakenRegistry(MemoryRegistry):
    """A registry in which a version is promoted just after the versions were listed."""

    def versions(self, model: str, *, kept_only: bool = False) -> list[Version]:
        found = super().versions(model, kept_only=kept_only)
        if len(found) == 1:
            publish(self, model, b"2")
        return found


# ── sync ─────────────────────────────────────────────────────────────────────────────────────


def test_sync_brings_what_the_registry_holds(
    folder: Path, registry: MemoryRegistry, shelf: Shelf
) -> None:
    first = publish(registry, "elves", b"1")
    second = publish(registry, "elves", b"2")
    other = publish(registry, "orcs", b"3")

    changed = sync(folder, registry)

    contents = shelf.contents()
    elves, orcs = registry.models()
    assert changed
    assert contents.generation == registry.generation()
    assert contents.problems == {}
    assert contents.models == {
        "elves": ShelvedModel(elves, {"champion": "v2"}, {"v1": first, "v2": second}),
        "orcs": ShelvedModel(orcs, {"champion": "v1"}, {"v1": other}),
    }


def test_sync_never_names_a_champion_whose_files_are_not_there(folder: Path, shelf: Shelf) -> None:
    registry = OvertakenRegistry()
    publish(registry, "elves", b"1")

    sync(folder, registry)
    at_first = answered(shelf)
    sync(folder, registry)

    assert (at_first, answered(shelf)) == (1.0, 2.0)


def test_sync_asks_for_nothing_when_the_generation_is_known(
    folder: Path, registry: MemoryRegistry
) -> None:
    publish(registry, "elves", b"1")
    sync(folder, registry)
    asked, stamp = registry.asked, (folder / "pointer.json").stat().st_mtime_ns

    changed = sync(folder, registry)

    assert not changed
    assert registry.asked == asked
    assert (folder / "pointer.json").stat().st_mtime_ns == stamp


def test_sync_fetches_only_what_serves(folder: Path, registry: MemoryRegistry) -> None:
    publish(registry, "elves", b"1", golden=b"1.0")
    registry.kept[digest_of(b"the skops file")] = b"the skops file"

    sync(folder, registry)

    assert artefacts(folder) == {b"1", b"1.0"}


def test_sync_sweeps_what_no_version_needs(folder: Path, registry: MemoryRegistry) -> None:
    publish(registry, "elves", b"1")
    publish(registry, "elves", b"2")
    sync(folder, registry)
    (folder / "artefacts" / f".{digest_of(b'3')}.99").write_bytes(b"half a dra")
    before = artefacts(folder)

    registry.drop_version("elves", "v1")
    sync(folder, registry)

    assert before == {b"1", b"2", b"half a dra"}
    assert artefacts(folder) == {b"2"}


def test_empty_registry_never_empties_a_shelf(
    folder: Path, registry: MemoryRegistry, shelf: Shelf
) -> None:
    publish(registry, "elves", b"1")
    sync(folder, registry)

    changed = sync(folder, MemoryRegistry("lost"))
    changed_thoroughly = sync(folder, MemoryRegistry("lost"), thoroughly=True)

    assert (changed, changed_thoroughly) == (False, False)
    assert answered(shelf) == 1.0


def test_shelf_follows_when_the_last_model_is_removed_on_purpose(
    folder: Path, registry: MemoryRegistry, shelf: Shelf
) -> None:
    publish(registry, "elves", b"1")
    sync(folder, registry)
    answered(shelf)
    registry.remove_model("elves")

    changed = sync(folder, registry)

    assert changed
    assert shelf.contents().models == {}
    assert artefacts(folder) == set()


def test_renamed_model_answers_to_both_names_until_another_takes_the_old_one(
    folder: Path, registry: MemoryRegistry, shelf: Shelf
) -> None:
    publish(registry, "elves", b"1")
    sync(folder, registry)
    held = shelf.contents().predictors
    registry.rename_model("elves", "dwarves")
    sync(folder, registry)

    contents = shelf.contents()

    assert list(contents.models) == ["dwarves"]
    assert contents.model("elves") == contents.model("dwarves")
    assert contents.predictors == held
    publish(registry, "elves", b"2")
    sync(folder, registry)
    assert shelf.contents().model("elves").model.number == 2


def test_empty_registry_makes_an_empty_shelf(folder: Path, shelf: Shelf) -> None:
    sync(folder, MemoryRegistry())

    assert shelf.contents() == Contents("a-0", {}, {}, {})


def test_shelf_on_a_new_disk_is_filled_and_one_that_was_filled_is_left(
    folder: Path, registry: MemoryRegistry, shelf: Shelf
) -> None:
    publish(registry, "elves", b"1")
    fill_when_empty(folder, registry)
    at_first = answered(shelf)
    publish(registry, "elves", b"2")

    fill_when_empty(folder, registry)

    assert (at_first, answered(shelf)) == (1.0, 1.0)


def test_shelf_on_a_new_disk_waits_while_the_store_is_away(folder: Path, shelf: Shelf) -> None:
    class Away(MemoryRegistry):
        def generation(self) -> str:
            raise StoreAway("The store does not answer.")

    fill_when_empty(folder, Away())

    assert shelf.contents() == Contents()


def test_registry_that_is_away_leaves_the_shelf_as_it_is(
    folder: Path, registry: MemoryRegistry, shelf: Shelf
) -> None:
    class Away(MemoryRegistry):
        def artefact(self, digest: str) -> bytes:
            raise StoreAway(f"The store does not answer for {digest}.")

    publish(registry, "elves", b"1")
    sync(folder, registry)
    away = Away("away")
    publish(away, "elves", b"2")

    with pytest.raises(StoreAway):
        sync(folder, away)

    assert answered(shelf) == 1.0


@pytest.mark.parametrize(
    "content", [b"", b"null", b"[]", b"5", b"{}", b'{"generation": "a-3"', b"\xff\0"]
)
def test_damaged_pointer_is_mended(
    folder: Path, registry: MemoryRegistry, shelf: Shelf, content: bytes
) -> None:
    publish(registry, "elves", b"1")
    folder.mkdir()
    (folder / "pointer.json").write_bytes(content)

    changed = sync(folder, registry)

    assert changed
    assert answered(shelf) == 1.0


def test_damaged_artefact_is_mended_by_a_thorough_sync_only(
    folder: Path, registry: MemoryRegistry, shelf: Shelf
) -> None:
    publish(registry, "elves", b"1")
    sync(folder, registry)
    path = folder / "artefacts" / digest_of(b"1")
    path.write_bytes(b"2")

    changed = [sync(folder, registry), sync(folder, registry, thoroughly=True)]

    assert changed == [False, True]
    assert path.read_bytes() == b"1"
    assert answered(shelf) == 1.0


def test_processes_that_sync_at_once_leave_a_whole_shelf(folder: Path, shelf: Shelf) -> None:
    class Slow(MemoryRegistry):
        def artefact(self, digest: str) -> bytes:
            time.sleep(0.005)
            return super().artefact(digest)

    registry = Slow()
    for answer in range(5):
        publish(registry, "elves", b"%d" % answer)
    start = multiprocessing.get_context("fork").Process
    processes = [start(target=sync, args=(folder, registry)) for _ in range(4)]

    for process in processes:
        process.start()
    for process in processes:
        process.join(30)

    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    assert artefacts(folder) == {b"0", b"1", b"2", b"3", b"4"}
    assert sorted(path.name for path in folder.iterdir()) == ["artefacts", "lock", "pointer.json"]
    assert [answered(shelf, version=f"v{number}") for number in (1, 5)] == [0.0, 4.0]


# ── follow ───────────────────────────────────────────────────────────────────────────────────


def test_shelf_without_a_pointer_holds_nothing(shelf: Shelf) -> None:
    assert shelf.contents() == Contents()


def test_contents_follow_a_new_pointer(
    folder: Path, registry: MemoryRegistry, shelf: Shelf
) -> None:
    publish(registry, "elves", b"1")
    sync(folder, registry)
    before = answered(shelf)

    publish(registry, "elves", b"2")
    unsynced = answered(shelf)
    sync(folder, registry)

    assert (before, unsynced, answered(shelf)) == (1.0, 1.0, 2.0)


def test_contents_stay_the_same_object_while_the_pointer_does(
    folder: Path, registry: MemoryRegistry, shelf: Shelf
) -> None:
    publish(registry, "elves", b"1")
    sync(folder, registry)

    assert shelf.contents() is shelf.contents()


def test_request_keeps_the_version_that_it_began_with(
    folder: Path, registry: MemoryRegistry, shelf: Shelf
) -> None:
    publish(registry, "elves", b"1")
    sync(folder, registry)
    began_with = shelf.contents()

    publish(registry, "elves", b"2")
    registry.drop_version("elves", "v1")
    sync(folder, registry)
    after = answered(shelf)
    version = began_with.model("elves").version()

    assert after == 2.0
    assert version.name == "v1"
    assert shelf.predictor(began_with, version).predict(ROWS) == Outputs(values=[1.0])


def test_unchanged_champion_is_not_loaded_again(
    folder: Path, registry: MemoryRegistry, shelf: Shelf
) -> None:
    elves = publish(registry, "elves", b"1")
    sync(folder, registry)
    before = shelf.contents()

    publish(registry, "orcs", b"2")
    sync(folder, registry)
    after = shelf.contents()

    assert after is not before
    assert shelf.predictor(after, elves) is shelf.predictor(before, elves)


def test_predictor_is_made_with_the_schema_of_its_model(
    folder: Path, registry: MemoryRegistry, shelf: Shelf
) -> None:
    elves = publish(registry, "elves", b"1")
    sync(folder, registry)

    predictor = shelf.predictor(shelf.contents(), elves)

    assert isinstance(predictor, Constant)
    assert predictor.schema == SCHEMA


def test_pointer_that_disappears_leaves_everything_answering(
    folder: Path, registry: MemoryRegistry, shelf: Shelf
) -> None:
    publish(registry, "elves", b"1")
    sync(folder, registry)
    answered(shelf)

    (folder / "pointer.json").unlink()

    assert answered(shelf) == 1.0


def test_requests_go_on_with_the_old_champion_while_the_new_one_is_loaded(
    folder: Path, registry: MemoryRegistry
) -> None:
    is_loading, may_go_on = threading.Event(), threading.Event()

    def load_slowly(by: str, artefact: bytes, schema: Schema) -> Constant:
        if artefact == b"2":
            is_loading.set()
            assert may_go_on.wait(10)
        return load(by, artefact, schema)

    shelf = Shelf(folder, load=load_slowly, check=check, signatures=SIGNATURES)
    publish(registry, "elves", b"1")
    sync(folder, registry)
    answered(shelf)
    publish(registry, "elves", b"2")
    sync(folder, registry)
    swapping = threading.Thread(target=shelf.contents)
    swapping.start()
    assert is_loading.wait(10)
    meanwhile: list[float] = []

    asking = threading.Thread(target=lambda: meanwhile.append(answered(shelf)))
    asking.start()
    asking.join(0.5)
    answered_meanwhile = list(meanwhile)
    may_go_on.set()
    swapping.join()
    asking.join()

    assert answered_meanwhile == [1.0]
    assert answered(shelf) == 2.0


# ── champions that cannot answer ─────────────────────────────────────────────────────────────


def fails_its_golden_rows(registry: MemoryRegistry, folder: Path) -> str:
    publish(registry, "elves", b"2", golden=b"3")
    sync(folder, registry)
    return "It answers other than when it was made."


def does_not_load(registry: MemoryRegistry, folder: Path) -> str:
    publish(registry, "elves", b"broken")
    sync(folder, registry)
    return "This is no graph."


def is_damaged(registry: MemoryRegistry, folder: Path) -> str:
    publish(registry, "elves", b"2")
    sync(folder, registry)
    (folder / "artefacts" / digest_of(b"2")).write_bytes(b"3")
    return f"The file {digest_of(b'2')[:12]} on the shelf is not what was written."


def has_damaged_golden_rows(registry: MemoryRegistry, folder: Path) -> str:
    publish(registry, "elves", b"2", golden=b"2.0")
    sync(folder, registry)
    (folder / "artefacts" / digest_of(b"2.0")).write_bytes(b"2")
    return f"The file {digest_of(b'2.0')[:12]} on the shelf is not what was written."


def is_missing(registry: MemoryRegistry, folder: Path) -> str:
    publish(registry, "elves", b"2")
    sync(folder, registry)
    (folder / "artefacts" / digest_of(b"2")).unlink()
    return f"The file {digest_of(b'2')[:12]} is missing on the shelf."


BREAKAGES = [
    fails_its_golden_rows,
    does_not_load,
    is_damaged,
    has_damaged_golden_rows,
    is_missing,
]


@pytest.mark.parametrize("break_it", BREAKAGES)
def test_champion_that_cannot_answer_leaves_the_old_one_answering(
    folder: Path,
    registry: MemoryRegistry,
    shelf: Shelf,
    break_it: Callable[[MemoryRegistry, Path], str],
) -> None:
    publish(registry, "elves", b"1")
    publish(registry, "orcs", b"7")
    sync(folder, registry)
    answered(shelf)

    why = break_it(registry, folder)

    contents = shelf.contents()
    assert contents.problems == {"elves": f"The champion of elves could not be loaded: {why}"}
    assert contents.model("elves").version().name == "v1"
    assert list(contents.model("elves").versions) == ["v1", "v2"]
    assert (answered(shelf, "elves"), answered(shelf, "orcs")) == (1.0, 7.0)


@pytest.mark.parametrize("break_it", BREAKAGES)
def test_champion_that_cannot_answer_at_the_start_never_answers(
    folder: Path,
    registry: MemoryRegistry,
    shelf: Shelf,
    break_it: Callable[[MemoryRegistry, Path], str],
) -> None:
    publish(registry, "orcs", b"7")

    why = break_it(registry, folder)

    assert shelf.contents().problems == {
        "elves": f"The champion of elves could not be loaded: {why}"
    }
    assert answered(shelf, "orcs") == 7.0
    with pytest.raises(UnrotError) as refused:
        answered(shelf, "elves")
    assert refused.value.message == why


def test_problem_is_over_with_a_champion_that_answers(
    folder: Path, registry: MemoryRegistry, shelf: Shelf
) -> None:
    publish(registry, "elves", b"1")
    sync(folder, registry)
    fails_its_golden_rows(registry, folder)
    had_problems = bool(shelf.contents().problems)

    publish(registry, "elves", b"4")
    sync(folder, registry)

    assert had_problems
    assert shelf.contents().problems == {}
    assert answered(shelf) == 4.0


def test_damaged_champion_answers_again_after_a_thorough_sync(
    folder: Path, registry: MemoryRegistry, shelf: Shelf
) -> None:
    is_damaged(registry, folder)
    had_problems = bool(shelf.contents().problems)

    sync(folder, registry, thoroughly=True)

    assert had_problems
    assert shelf.contents().problems == {}
    assert answered(shelf) == 2.0


# ── versions by name ─────────────────────────────────────────────────────────────────────────


def test_version_is_loaded_when_it_is_asked_for_and_kept(
    folder: Path, registry: MemoryRegistry, shelf: Shelf
) -> None:
    first = publish(registry, "elves", b"1")
    publish(registry, "elves", b"2")
    sync(folder, registry)
    contents = shelf.contents()

    pinned = shelf.predictor(contents, first)

    assert digest_of(b"1") not in contents.predictors
    assert pinned.predict(ROWS) == Outputs(values=[1.0])
    assert shelf.predictor(contents, first) is pinned


def test_version_that_is_borrowed_is_not_kept(
    folder: Path, registry: MemoryRegistry, shelf: Shelf
) -> None:
    first = publish(registry, "elves", b"1")
    second = publish(registry, "elves", b"22")
    sync(folder, registry)
    contents = shelf.contents()

    borrowed = shelf.borrow(contents, first)

    assert borrowed.predict(ROWS) == Outputs(values=[1.0])
    assert shelf.borrow(contents, first) is not borrowed
    assert shelf.borrow(contents, second) is shelf.predictor(contents, second)
    assert (shelf.size(first), shelf.size(second)) == (1, 2)


def test_version_that_was_pinned_is_not_loaded_again_as_champion(
    folder: Path, registry: MemoryRegistry, shelf: Shelf
) -> None:
    first = publish(registry, "elves", b"1")
    publish(registry, "elves", b"2")
    sync(folder, registry)
    pinned = shelf.predictor(shelf.contents(), first)

    registry.move_alias("elves", "champion", to="v1", expected="v2")
    sync(folder, registry)

    assert shelf.predictor(shelf.contents(), first) is pinned
    assert answered(shelf) == 1.0


def test_pinned_versions_are_let_go_when_they_are_many(
    folder: Path, registry: MemoryRegistry, shelf: Shelf
) -> None:
    made = [publish(registry, "elves", b"%d" % number) for number in range(PINNED_AT_ONCE + 2)]
    sync(folder, registry)
    contents = shelf.contents()
    pinned = [shelf.predictor(contents, version) for version in made[:-1]]

    again = [shelf.predictor(contents, version) for version in (made[-2], made[0])]

    assert again[0] is pinned[-1]
    assert again[1] is not pinned[0]
    assert again[1].predict(ROWS) == Outputs(values=[0.0])


def test_pinned_version_that_is_damaged_is_refused(
    folder: Path, registry: MemoryRegistry, shelf: Shelf
) -> None:
    first = publish(registry, "elves", b"1")
    publish(registry, "elves", b"2")
    sync(folder, registry)
    (folder / "artefacts" / digest_of(b"1")).write_bytes(b"9")

    with pytest.raises(BadArtefact):
        shelf.predictor(shelf.contents(), first)

    assert answered(shelf) == 2.0


# ── names ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def contents(folder: Path, registry: MemoryRegistry, shelf: Shelf) -> Contents:
    publish(registry, "elves", b"1")
    publish(registry, "elves", b"2")
    registry.add_model(Model("ents", 0, "Ents", "", SCHEMA, 1.5))
    sync(folder, registry)
    return shelf.contents()


def test_model_is_found_by_its_number(contents: Contents) -> None:
    assert contents.by_number(1) is contents.models["elves"]
    assert contents.by_number(3) is None


def test_unknown_model_is_told_those_there_are(contents: Contents) -> None:
    with pytest.raises(NotFound) as refused:
        contents.model("dwarves")

    assert refused.value.message == 'There is no model "dwarves"; there are elves, ents.'


def test_unknown_version_is_told_those_there_are(contents: Contents) -> None:
    with pytest.raises(NotFound) as refused:
        contents.model("elves").version("v9")

    assert refused.value.message == 'elves has no version "v9"; it has v1, v2.'


def test_model_without_a_champion_says_so(contents: Contents) -> None:
    with pytest.raises(NotFound) as refused:
        contents.model("ents").version()

    assert refused.value.message == "ents has no champion yet: promote one of its versions."


def test_empty_shelf_says_how_to_train() -> None:
    with pytest.raises(NotFound) as refused:
        Contents().model("iris")

    assert refused.value.message == (
        'There is no model "iris"; there is none yet: train one with python -m unrot train iris.'
    )


@pytest.mark.parametrize("name", ["\ud800", "a\nb\0", "x" * 100_000])
def test_unknown_name_of_any_kind_is_refused_in_printable_words(
    contents: Contents, name: str
) -> None:
    with pytest.raises(NotFound) as no_model:
        contents.model(name)
    with pytest.raises(NotFound) as no_version:
        contents.model("elves").version(name)

    for message in (no_model.value.message, no_version.value.message):
        assert orjson.loads(orjson.dumps(message)) == message
        assert message.isprintable()
        assert len(message) < 160
