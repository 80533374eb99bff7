"""Profiles: each row that was shipped is in exactly one, whatever died in between.

The profiler here writes rows as JSON, so that an assertion can name the rows of a profile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import orjson
import pytest

from unrot.core.errors import NotFound, StoreAway
from unrot.core.records import Feature, Outputs, Prediction, Profile, Row, Schema, Shipment, Sketch
from unrot.run.cabinet import Cabinet
from unrot.store.engine import SqlStore
from unrot.store.sqlite import SqliteDatabase
from unrot.watch.profiles import baseline
from unrot.watch.profiles import keeper as profiles
from unrot.watch.profiles.baseline import Reference
from unrot.watch.profiles.keeper import ProfileKeeper

NOON = 1_699_963_200  # 2023-11-14 12:00:00 UTC, divisible by 300
ELVES = Schema((Feature("height", "number"),), "kind", ("elf", "orc"))
RENTS = Schema((Feature("height", "number"),), "rent")
SCHEMAS = {"elves": ELVES, "rents": RENTS}


ReferenceOf = Callable[[str, str], tuple[str, Reference] | None]


class PlainProfiler:
    """Makes a profile that is the list of its rows, each with what was answered."""

    def profile(self, schema: Schema, rows: Sequence[Row], outputs: Outputs) -> bytes:
        answers = outputs.classes if outputs.classes is not None else outputs.values
        assert answers is not None
        assert schema in SCHEMAS.values()
        table = [[row[0], answer] for row, answer in zip(rows, answers, strict=True)]
        return orjson.dumps(table)

    def merge(self, first: bytes, second: bytes) -> bytes:
        return orjson.dumps(orjson.loads(first) + orjson.loads(second))

    def read(self, data: bytes) -> dict[str, Sketch]:
        held = orjson.loads(data)
        return {"height": Sketch(rows=len(held), types={"fractional": len(held)})}


def schema_of(model: str) -> Schema:
    if model not in SCHEMAS:
        raise NotFound(f"There is no model {model}.")
    return SCHEMAS[model]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Cabinet]:
    store = Cabinet(SqlStore(SqliteDatabase(tmp_path / "unrot.db")))
    store.prepare()
    yield store
    store.close()


@pytest.fixture
def a_keeper(store: Cabinet) -> Callable[..., ProfileKeeper]:
    def make(
        folder: Path | None = None,
        writer: str = "me",
        reference_of: ReferenceOf = lambda _model, _version: None,
    ) -> ProfileKeeper:
        return ProfileKeeper(
            store=store,
            profiler=PlainProfiler(),
            schema_of=schema_of,
            writer=writer,
            seconds=300,
            folder=folder,
            reference_of=reference_of,
        )

    return make


@pytest.fixture
def keeper(a_keeper: Callable[..., ProfileKeeper]) -> ProfileKeeper:
    return a_keeper()


def a_prediction(
    number: int, at: float = NOON, *, label: str = "elf", model: str = "elves", version: str = "v1"
) -> Prediction:
    return Prediction(
        f"p{number}", model, version, at, [float(number)], label, [0.5, 0.5], None, 0.0
    )


def ship(store: Cabinet, *predictions: Prediction, writer: str = "me", segment: str = "s") -> None:
    starts_at = store.traffic.shipped_to(segment)
    store.traffic.ship(Shipment(segment, starts_at, starts_at + 10, writer, predictions))


def rows_of(store: Cabinet, model: str = "elves") -> dict[str, tuple[int, list[list[float]]]]:
    """Return id → rows told, rows held, of all profiles of a model."""
    found = {}
    for listed in store.profiles.of_model(model):
        profile = store.profiles.get(listed.id)
        assert profile is not None
        found[profile.id] = (profile.rows, orjson.loads(profile.data))
    return found


# ── rotation ─────────────────────────────────────────────────────────────────────────────────


def test_profile_is_written_when_its_period_is_over(store: Cabinet, keeper: ProfileKeeper) -> None:
    keeper.add([a_prediction(1), a_prediction(2, NOON + 299.9, label="orc")])

    keeper.write_ended(NOON + 301.9)
    too_early = store.profiles.of_model("elves")
    keeper.write_ended(NOON + 302)

    assert too_early == []
    assert store.profiles.get("elves.v1.20231114T120000Z.300s.me") == Profile(
        id="elves.v1.20231114T120000Z.300s.me",
        model="elves",
        version="v1",
        writer="me",
        starts_at=NOON,
        ends_at=NOON + 300,
        rows=2,
        data=b"[[1.0,0],[2.0,1]]",
    )


def test_each_model_version_and_period_has_a_profile_of_its_own(
    store: Cabinet, keeper: ProfileKeeper
) -> None:
    keeper.add(
        [
            a_prediction(1, NOON + 299.99),
            a_prediction(2, NOON + 300),
            a_prediction(3, version="v2"),
            Prediction("p4", "rents", "v1", NOON, [4.0], None, None, 950.5, 0.0),
        ]
    )

    keeper.write_all()

    assert rows_of(store) == {
        "elves.v1.20231114T120000Z.300s.me": (1, [[1.0, 0]]),
        "elves.v1.20231114T120500Z.300s.me": (1, [[2.0, 0]]),
        "elves.v2.20231114T120000Z.300s.me": (1, [[3.0, 0]]),
    }
    assert rows_of(store, "rents") == {"rents.v1.20231114T120000Z.300s.me": (1, [[4.0, 950.5]])}


def test_rows_written_in_two_turns_are_merged(store: Cabinet, keeper: ProfileKeeper) -> None:
    keeper.add([a_prediction(1)])
    keeper.write_all()
    keeper.add([a_prediction(2)])

    keeper.write_all()
    keeper.write_all()

    assert rows_of(store) == {"elves.v1.20231114T120000Z.300s.me": (2, [[1.0, 0], [2.0, 0]])}


def test_rows_of_two_writers_are_kept_apart(
    store: Cabinet, a_keeper: Callable[..., ProfileKeeper]
) -> None:
    for number, writer in enumerate(["me", "you"]):
        one = a_keeper(writer=writer)
        one.add([a_prediction(number)])
        one.write_all()

    assert rows_of(store) == {
        "elves.v1.20231114T120000Z.300s.me": (1, [[0.0, 0]]),
        "elves.v1.20231114T120000Z.300s.you": (1, [[1.0, 0]]),
    }


def test_rows_beyond_what_is_buffered_are_written_at_once(
    store: Cabinet, keeper: ProfileKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profiles, "BUFFERED_ROWS", 3)

    keeper.add([a_prediction(1), a_prediction(2)])
    below = rows_of(store)
    keeper.add([a_prediction(3), a_prediction(4)])

    assert below == {}
    assert rows_of(store) == {
        "elves.v1.20231114T120000Z.300s.me": (4, [[1.0, 0], [2.0, 0], [3.0, 0], [4.0, 0]])
    }


def test_rows_of_a_model_that_is_gone_are_let_go(store: Cabinet, keeper: ProfileKeeper) -> None:
    keeper.add([a_prediction(1, model="dwarves"), a_prediction(2)])

    keeper.write_all()

    assert rows_of(store, "dwarves") == {}
    assert rows_of(store) == {"elves.v1.20231114T120000Z.300s.me": (1, [[2.0, 0]])}


def test_rows_wait_while_the_store_is_away(
    store: Cabinet, keeper: ProfileKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(profile: Profile) -> None:
        raise StoreAway("The store does not answer.")

    keeper.add([a_prediction(1)])
    with monkeypatch.context() as patched:
        patched.setattr(store.profiles, "put", away)
        with pytest.raises(StoreAway):
            keeper.write_all()
    while_away = rows_of(store)

    keeper.write_all()

    assert while_away == {}
    assert rows_of(store) == {"elves.v1.20231114T120000Z.300s.me": (1, [[1.0, 0]])}


# ── files ────────────────────────────────────────────────────────────────────────────────────


def test_profile_is_also_a_file_where_a_folder_is_named(
    tmp_path: Path, a_keeper: Callable[..., ProfileKeeper]
) -> None:
    folder = tmp_path / "profiles"
    keeper = a_keeper(folder)
    keeper.add([a_prediction(1)])

    keeper.write_all()

    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files == [folder / "elves" / "elves.v1.20231114T120000Z.300s.me.bin"]
    assert files[0].read_bytes() == b"[[1.0,0]]"


def test_file_that_cannot_be_written_makes_no_row_count_twice(
    tmp_path: Path, store: Cabinet, a_keeper: Callable[..., ProfileKeeper]
) -> None:
    folder = tmp_path / "profiles"
    folder.touch()
    keeper = a_keeper(folder)
    keeper.add([a_prediction(1)])

    for _ in range(3):
        with suppress(OSError):
            keeper.write_all()

    assert rows_of(store) == {"elves.v1.20231114T120000Z.300s.me": (1, [[1.0, 0]])}


# ── mend ─────────────────────────────────────────────────────────────────────────────────────


def test_rows_shipped_before_a_crash_are_profiled_from_the_store(
    store: Cabinet, keeper: ProfileKeeper
) -> None:
    ship(store, a_prediction(1), a_prediction(2, NOON + 10, label="orc"))
    ship(store, a_prediction(3, NOON + 300))

    keeper.mend(NOON + 400)

    assert rows_of(store) == {
        "elves.v1.20231114T120000Z.300s.me": (2, [[1.0, 0], [2.0, 1]]),
        "elves.v1.20231114T120500Z.300s.me": (1, [[3.0, 0]]),
    }


def test_profile_that_lacks_rows_is_made_again_and_not_merged(
    store: Cabinet, keeper: ProfileKeeper, a_keeper: Callable[..., ProfileKeeper]
) -> None:
    ship(store, a_prediction(1))
    keeper.add([a_prediction(1)])
    keeper.write_all()
    ship(store, a_prediction(2, NOON + 1))

    a_keeper().mend(NOON + 20)

    assert rows_of(store) == {"elves.v1.20231114T120000Z.300s.me": (2, [[1.0, 0], [2.0, 0]])}


def test_profile_that_has_all_its_rows_is_left_alone(store: Cabinet, keeper: ProfileKeeper) -> None:
    ship(store, a_prediction(1))
    untouched = Profile(
        "elves.v1.20231114T120000Z.300s.me", "elves", "v1", "me", NOON, NOON + 300, 1, b'["mine"]'
    )
    store.profiles.put(untouched)

    keeper.mend(NOON + 20)

    assert store.profiles.get(untouched.id) == untouched


def test_rows_of_another_writer_are_left_to_it(store: Cabinet, keeper: ProfileKeeper) -> None:
    ship(store, a_prediction(1), writer="you")
    ship(store, a_prediction(2), segment="t")

    keeper.mend(NOON + 20)

    assert rows_of(store) == {"elves.v1.20231114T120000Z.300s.me": (1, [[2.0, 0]])}


def test_rows_older_than_a_day_are_left_alone(store: Cabinet, keeper: ProfileKeeper) -> None:
    ship(store, a_prediction(1, NOON - 1), a_prediction(2, NOON))

    keeper.mend(NOON + 86_400)

    assert rows_of(store) == {"elves.v1.20231114T120000Z.300s.me": (1, [[2.0, 0]])}


def test_stretch_of_many_rows_is_mended_in_parts(
    store: Cabinet, keeper: ProfileKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profiles, "MENDED_AT_ONCE", 3)
    ship(store, *[a_prediction(number) for number in range(8)])

    keeper.mend(NOON + 20)

    assert rows_of(store) == {
        "elves.v1.20231114T120000Z.300s.me": (8, [[float(number), 0] for number in range(8)])
    }


def test_model_that_is_gone_keeps_no_other_from_being_mended(
    store: Cabinet, keeper: ProfileKeeper
) -> None:
    ship(store, a_prediction(1, model="dwarves"), a_prediction(2))

    keeper.mend(NOON + 20)

    assert rows_of(store) == {"elves.v1.20231114T120000Z.300s.me": (1, [[2.0, 0]])}


# ── summaries ────────────────────────────────────────────────────────────────────────────────

TRAINED = baseline.make(ELVES, [[1.0], [2.0], [3.0]], Outputs([0, 0, 1]))


def counts_of(store: Cabinet) -> list[tuple[str, dict[str, tuple[int, ...]]]]:
    """Return of each profile of elves the reference, and counts by column."""
    return [
        (one.reference, {name: lay.counts for name, lay in one.summary.items()})
        for one in store.profiles.of_model("elves")
    ]


def test_rows_are_counted_on_the_bins_of_their_version_and_added_up(
    store: Cabinet, a_keeper: Callable[..., ProfileKeeper]
) -> None:
    keeper = a_keeper(reference_of=lambda _model, version: (f"of {version}", TRAINED))
    keeper.add([a_prediction(2), a_prediction(9)])
    keeper.write_all()

    keeper.add([a_prediction(0), a_prediction(3, label="orc"), a_prediction(1, version="v2")])
    keeper.write_all()

    assert counts_of(store) == [
        ("of v1", {"height": (1, 0, 1, 1, 1), "output.class": (3, 1, 0)}),
        ("of v2", {"height": (0, 1, 0, 0, 0), "output.class": (1, 0, 0)}),
    ]
    height = store.profiles.of_model("elves")[0].summary["height"]
    assert (height.rows, height.unseen, height.low, height.high) == (4, 2, 0.0, 9.0)
    assert (height.mean, height.types) == (3.5, {"fractional": 4})


def test_profile_made_again_has_its_summary(
    store: Cabinet, a_keeper: Callable[..., ProfileKeeper], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profiles, "MENDED_AT_ONCE", 2)
    ship(store, *(a_prediction(number) for number in (1, 2, 3)))

    a_keeper(reference_of=lambda _model, _version: ("d", TRAINED)).mend(NOON + 400)

    assert counts_of(store) == [("d", {"height": (0, 1, 1, 1, 0), "output.class": (3, 0, 0)})]


def test_without_a_reference_there_is_no_summary_and_none_of_half_of_the_rows(
    store: Cabinet, a_keeper: Callable[..., ProfileKeeper]
) -> None:
    before = a_keeper()
    before.add([a_prediction(1)])
    before.write_all()

    after = a_keeper(reference_of=lambda _model, _version: ("d", TRAINED))
    after.add([a_prediction(2)])
    after.write_all()

    assert counts_of(store) == [("", {})]
    assert [one.rows for one in store.profiles.of_model("elves")] == [2]
