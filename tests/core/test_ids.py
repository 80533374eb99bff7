"""Prediction ids: nothing but what was given out here is read, and it tells what was packed."""

from __future__ import annotations

import base64
import threading
from pathlib import Path
from typing import Any

import pytest

from unrot.core.errors import NotSigned
from unrot.core.ids import Ids, PredictionId
from unrot.serve.journal import Journal

SEGMENT = b"\x01\x02\x03\x04\x05"
IDS = Ids(b"the secret of this app")


def an_id(ids: Ids = IDS, **more: Any) -> str:
    plain = {
        "at": 1_700_000_000.75,
        "segment": SEGMENT,
        "row": 7,
        "model_number": 3,
        "class_index": 2,
    }
    return ids.make(**{**plain, **more})


def test_id_read_back_tells_what_it_was_made_of() -> None:
    id = an_id()

    told = IDS.read(id)

    assert told == PredictionId(1_700_000_000, SEGMENT, 7, 3, 2)


def test_id_holds_its_parts_in_the_documented_order() -> None:
    raw = base64.urlsafe_b64decode(an_id())

    assert len(raw) == 24
    assert raw[:16].hex() == "6553f100" + "0102030405" + "00000007" + "0003" + "02"


def test_all_eight_bytes_of_the_signature_depend_on_what_is_signed() -> None:
    signatures = [base64.urlsafe_b64decode(an_id(row=row))[16:] for row in range(500)]

    kinds = [len(set(column)) for column in zip(*signatures, strict=True)]

    assert len(kinds) == 8
    assert min(kinds) > 150  # 256 · (1 - e^(-500/256)) = 220 are expected by chance


def test_id_is_32_characters_of_the_url_safe_alphabet() -> None:
    ids = [an_id(row=row) for row in range(500)]

    assert {len(id) for id in ids} == {32}
    assert {char for id in ids for char in id if not char.isalnum()} == {"-", "_"}


def test_id_of_the_largest_parts_is_read_back() -> None:
    id = an_id(at=2**32 - 1, row=2**32 - 1, model_number=2**16 - 1, class_index=254)

    told = IDS.read(id)

    assert told == PredictionId(2**32 - 1, SEGMENT, 2**32 - 1, 2**16 - 1, 254)


@pytest.mark.parametrize("class_index", [None, 255, 256, 100_000])
def test_class_that_does_not_fit_becomes_look_it_up(class_index: int | None) -> None:
    id = an_id(class_index=class_index)

    told = IDS.read(id)

    assert told.class_index is None
    assert base64.urlsafe_b64decode(id)[15] == 255


@pytest.mark.parametrize("place", range(24))
def test_id_with_one_bit_flipped_is_refused(place: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(an_id()))
    raw[place] ^= 1

    with pytest.raises(NotSigned):
        IDS.read(base64.urlsafe_b64encode(raw).decode())


def test_id_of_another_secret_is_refused() -> None:
    id = an_id(Ids(b"the secret of another app"))

    with pytest.raises(NotSigned) as refused:
        IDS.read(id)

    assert refused.value.message == "This prediction id was not given out by this app."
    assert refused.value.reason == "unknown_id"


def test_id_whose_signature_comes_from_another_id_is_refused() -> None:
    mixed = an_id()[:-12] + an_id(row=8)[-12:]

    with pytest.raises(NotSigned):
        IDS.read(mixed)


@pytest.mark.parametrize(
    "change",
    [
        lambda id: id[:0],
        lambda id: id[:-1],
        lambda id: id + "A",
        lambda id: id + "\n",
        lambda id: "\n" + id,
        lambda id: " " + id[1:],
        lambda id: id[:-1] + "=",
        lambda id: id[:-1] + "é",
        lambda id: id[:-1] + "\uff11",
        lambda id: id[:-1] + "\ud800",
        lambda id: id[:-1] + "\0",
        lambda id: id[:16] + "\n" + id[16:],
        lambda id: id + "====",
    ],
    ids=[
        "empty",
        "31 characters",
        "33 characters",
        "newline at the end",
        "newline at the start",
        "space",
        "padding",
        "accent",
        "full-width digit",
        "lone surrogate",
        "null character",
        "newline within",
        "padding at the end",
    ],
)
def test_id_of_a_wrong_shape_is_refused(change: Any) -> None:
    given = change(an_id())

    with pytest.raises(NotSigned) as refused:
        IDS.read(given)

    assert refused.value.message == (
        "This is not a prediction id: one is 32 letters, digits, - and _ long."
    )


def test_id_in_the_other_base64_alphabet_is_refused() -> None:
    id = next(id for row in range(500) if "-" in (id := an_id(row=row)) and "_" in id)

    with pytest.raises(NotSigned):
        IDS.read(id.replace("-", "+").replace("_", "/"))


def test_ids_made_by_many_threads_are_all_different(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", limit=2**20)
    made: list[str] = []

    def predict() -> None:
        for rows in [1, 3, 5] * 50:
            place = journal.reserve(rows)
            for number in range(rows):
                made.append(an_id(segment=place.segment, row=place.row + number))

    threads = [threading.Thread(target=predict) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 8 * 50 * (1 + 3 + 5)
    assert len(set(made)) == len(made)


# ── reasons ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("places", [(2,), (0, 65_535), (3, 1, 0)])
def test_reasons_that_were_given_are_known_again(places: tuple[int, ...]) -> None:
    assert IDS.vouched(an_id(), IDS.vouch(an_id(), places)) == places


def test_reasons_of_another_prediction_or_app_are_not_known() -> None:
    word = IDS.vouch(an_id(), (3, 1, 0))

    for ids, id in ((IDS, an_id(row=8)), (Ids(b"another"), an_id())):
        with pytest.raises(NotSigned):
            ids.vouched(id, word)


def test_word_with_another_letter_is_not_known() -> None:
    word = IDS.vouch(an_id(), (3, 1))

    for place, letter in enumerate(word):
        other = "B" if letter != "B" else "C"
        with pytest.raises(NotSigned):
            IDS.vouched(an_id(), word[:place] + other + word[place + 1 :])


@pytest.mark.parametrize("word", ["", "A", "A" * 87, "é" * 20, "A" * 11, "A" * 13])
def test_what_is_no_word_is_not_known(word: str) -> None:
    with pytest.raises(NotSigned):
        IDS.vouched(an_id(), word)
