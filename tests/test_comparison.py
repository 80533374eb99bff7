"""Two versions side by side, and a challenger in the shadow."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import ROOT, environment
from tests.grown import ANYONE, ZOMBIES, copy_of, judged, predicted, second
from unrot import comparison, promotion
from unrot.comparison import Differing, Mistake, beside
from unrot.errors import Conflict, NotFound
from unrot.growth import Shadow
from unrot.learning.labels import is_held_out
from unrot.records import Feature, Schema
from unrot.service import Service

SIZE = (Feature("size", "number"),)
ELVES = Schema(SIZE, "kind", ("elf", "orc", "man"))
PRICES = Schema(SIZE, "price")
ROWS = [[1.0], [2.0], [3.0], [4.0]]


def test_answers_are_counted_by_who_was_right() -> None:
    truth = ["elf", "orc", "man", None]

    found = beside(ELVES, ROWS, truth, ["elf", "orc", "elf", "elf"], ["elf", "elf", "orc", "orc"])

    assert (found.rows, found.judged, found.differ) == (4, 3, 3)
    assert found.agreement == 0.25
    assert (found.first_score, found.second_score) == (2 / 3, 1 / 3)
    assert (found.both, found.only_first, found.only_second, found.neither) == (1, 1, 0, 1)
    assert found.differing == [
        Differing([2.0], "orc", "orc", "elf", "first"),
        Differing([3.0], "man", "elf", "orc", "neither"),
        Differing([4.0], None, "elf", "orc", None),
    ]
    assert found.first_confusion is not None
    assert found.first_confusion.counts == [[1, 0, 0], [0, 1, 0], [1, 0, 0]]
    assert found.first_confusion.mistakes == [Mistake("man", "elf", 1)]


def test_numbers_are_compared_by_who_was_closer() -> None:
    found = beside(PRICES, ROWS[:3], [10.0, 10.0, 10.0], [11.0, 7.0, 12.0], [12.0, 10.0, 8.0])

    assert (found.first_score, found.second_score) == (2.0, 4 / 3)
    assert found.agreement == 8 / 3
    assert (found.only_first, found.only_second, found.both, found.neither) == (1, 1, 0, 1)
    assert [row.row for row in found.differing] == [[2.0], [1.0], [3.0]]
    assert found.first_confusion is None


def test_many_classes_have_mistakes_and_no_matrix() -> None:
    many = Schema(SIZE, "kind", tuple(f"c{number}" for number in range(13)))

    found = beside(many, ROWS[:3], ["c1", "c1", "c2"], ["c2", "c2", "c2"], ["c1", "c1", "c2"])

    assert found.first_confusion is not None
    assert found.first_confusion.counts == []
    assert found.first_confusion.mistakes == [Mistake("c1", "c2", 2)]


def test_nothing_beside_nothing_is_nothing() -> None:
    found = beside(ELVES, [], [], [], [])

    assert (found.rows, found.agreement, found.first_score, found.differing) == (0, None, None, [])


def test_versions_answer_the_anchor_and_what_was_held_out(service: Service) -> None:
    rows = predicted(service, 60)
    second(service)
    judged(service, rows[:40])
    judged(service, rows[40:], ANYONE)

    found = comparison.compare(service, ZOMBIES, "v1", "v2")

    held = sum(is_held_out(row.prediction.id or "", 0.3) for row in rows[:40])
    grounds = dict(found.grounds)
    anchor = grounds["anchor"]
    assert found.missing == []
    assert anchor.first_score == pytest.approx(service.version(ZOMBIES, "v1").metrics["accuracy"])
    assert anchor.second_score == pytest.approx(service.version(ZOMBIES, "v2").metrics["accuracy"])
    assert anchor.only_first + anchor.only_second + anchor.both + anchor.neither == anchor.rows
    assert grounds["recent verdicts"].rows == held
    assert grounds["recent verdicts"].first_score == 1.0


def test_version_beside_its_copy_differs_nowhere(service: Service) -> None:
    copy_of(service)

    found = comparison.compare(service, ZOMBIES, "v1", "v2")

    assert [(ground, one.differ, one.agreement) for ground, one in found.grounds] == [
        ("anchor", 0, 1.0)
    ]
    assert found.missing == ["No judge's verdict is held out yet; an audit makes some."]


def test_versions_that_cannot_be_compared_are_refused(service: Service) -> None:
    copy_of(service)
    service.store.lessons.prune(ZOMBIES, "v2")

    with pytest.raises(Conflict, match="v2 were let go by retention"):
        comparison.compare(service, ZOMBIES, "v1", "v2")
    with pytest.raises(Conflict, match="two different versions"):
        comparison.compare(service, ZOMBIES, "v1", "v1")
    with pytest.raises(NotFound, match='no version "v9"'):
        comparison.compare(service, ZOMBIES, "v1", "v9")


def test_challenger_is_compared_with_what_the_champion_answered(service: Service) -> None:
    rows = predicted(service, 20)
    copy_of(service)
    assert comparison.in_shadow(service, ZOMBIES) is None
    promotion.promote(service, ZOMBIES, "v2", alias="challenger")
    other = {"hostile": "friendly", "friendly": "hostile"}
    service.store.trials.add_shadows(
        [
            Shadow(
                row.prediction.id or "",
                ZOMBIES,
                "v2",
                row.prediction.predicted_at,
                other[row.prediction.label or ""] if place < 5 else row.prediction.label,
                None,
            )
            for place, row in enumerate(rows)
        ]
    )
    judged(service, rows[:2])
    judged(service, rows[2:3], was_correct=False)
    judged(service, rows[10:12])

    found = comparison.in_shadow(service, ZOMBIES)

    assert found is not None
    assert (found.champion, found.challenger) == ("v1", "v2")
    assert (found.beside.rows, found.beside.judged, found.beside.agreement) == (20, 5, 0.75)
    assert (found.beside.first_score, found.beside.second_score) == (0.8, 0.6)
    assert (found.beside.only_first, found.beside.only_second) == (2, 1)


def test_comparing_imports_no_training_code(service: Service) -> None:
    copy_of(service)
    service.store.close()
    code = (
        "import sys\n"
        "from unrot.bootstrap import open_service\n"
        "from unrot.comparison import compare\n"
        "from unrot.settings import load\n"
        "compare(open_service(load(dotenv=None)), 'zombies', 'v1', 'v2')\n"
        "print(sorted({'sklearn', 'skops', 'pandas'} & set(sys.modules)))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(service.settings.home),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.stdout, done.stderr) == ("[]\n", "")
