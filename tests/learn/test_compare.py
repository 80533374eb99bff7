"""Two versions side by side, and a challenger in the shadow."""

from __future__ import annotations

import subprocess
import sys

import pytest
from sklearn.metrics import confusion_matrix

from tests.conftest import ROOT, environment
from tests.large_store import ADA, ANYONE, ZOMBIES, copy_of, judged, predicted, second
from tests.learn.gate.answers import NUMBERS, TWO, answered, off_by
from unrot.core.errors import Conflict, NotFound
from unrot.core.records import Answered, Feature, Outputs, Schema, Shadow
from unrot.hear.truth import is_held_out
from unrot.learn import compare, promote
from unrot.learn.compare import (
    ClassRecall,
    Differing,
    Mistake,
    beside,
    compare_answers,
    mistakes,
)
from unrot.serve.service import Service

SIZE = (Feature("size", "number"),)
ELVES = Schema(SIZE, "kind", ("elf", "orc", "man"))
PRICES = Schema(SIZE, "price")
ROWS = [[1.0], [2.0], [3.0], [4.0]]


def test_classes_are_counted_by_who_was_right() -> None:
    truth = ["elf", "orc", "man", None]

    found = beside(ELVES, ROWS, truth, ["elf", "orc", "elf", "elf"], ["elf", "elf", "orc", "orc"])

    assert (found.rows, found.agreement, found.apart, found.differ) == (4, 0.25, None, 3)
    assert (found.judged.rows, found.judged.first_only_right) == (3, 1)
    assert found.judged.first_score == pytest.approx(2 / 3)
    assert found.judged.second_score == pytest.approx(1 / 3)
    assert found.differing == [
        Differing([2.0], "orc", "orc", "elf", "first"),
        Differing([3.0], "man", "elf", "orc", None),
        Differing([4.0], None, "elf", "orc", None),
    ]
    assert mistakes(ELVES, found.judged.first_confusion) == [Mistake("man", "elf", 1)]


def test_numbers_are_compared_by_who_was_closer() -> None:
    found = beside(PRICES, ROWS[:3], [10.0, 10.0, None], [11.0, 7.0, 12.0], [12.0, 10.0, 8.0])

    assert (found.judged.first_score, found.judged.second_score) == (2.0, 1.0)
    assert (found.apart, found.differ) == (8 / 3, 3)
    assert [(row.row, row.right) for row in found.differing] == [
        ([2.0], "second"),
        ([1.0], "first"),
        ([3.0], None),
    ]


@pytest.mark.parametrize("schema", [ELVES, PRICES])
def test_nothing_beside_nothing_is_nothing(schema: Schema) -> None:
    found = beside(schema, [], [], [], [])

    assert (found.rows, found.agreement, found.apart, found.differing) == (0, None, None, [])
    assert (found.judged.rows, found.judged.first_score) == (0, None)


def test_versions_answer_the_anchor_and_what_was_held_out(service: Service) -> None:
    rows = predicted(service, 60)
    second(service)
    judged(service, rows[:40])
    judged(service, rows[40:], ANYONE)

    found = compare.compare(service, ZOMBIES, "v1", "v2")

    held = sum(is_held_out(row.prediction.id or "", 0.3) for row in rows[:40])
    grounds = dict(found.grounds)
    anchor = grounds["anchor"]
    assert found.missing == []
    judged_rows = anchor.judged
    reached = [service.version(ZOMBIES, name).metrics["accuracy"] for name in ("v1", "v2")]
    assert judged_rows.first_score == pytest.approx(reached[0])
    assert judged_rows.second_score == pytest.approx(reached[1])
    assert judged_rows.rows == anchor.rows
    assert judged_rows.first_only_right + judged_rows.second_only_right == anchor.differ
    assert grounds["recent verdicts"].rows == held
    assert grounds["recent verdicts"].judged.first_score == 1.0


def test_version_beside_its_copy_differs_nowhere(service: Service) -> None:
    copy_of(service)

    found = compare.compare(service, ZOMBIES, "v1", "v2")

    assert [(ground, one.differ, one.agreement) for ground, one in found.grounds] == [
        ("anchor", 0, 1.0)
    ]
    assert found.missing == [
        "No judge's verdict is held out yet. An audit has nothing to ask: 0 recent predictions "
        "have no judge yet, and it needs 10. More predictions would help."
    ]


def test_versions_that_cannot_be_compared_are_refused(service: Service) -> None:
    copy_of(service)
    service.store.lessons.prune(ZOMBIES, ["v2"])

    with pytest.raises(Conflict, match="v2 were removed by retention"):
        compare.compare(service, ZOMBIES, "v1", "v2")
    with pytest.raises(Conflict, match="two different versions"):
        compare.compare(service, ZOMBIES, "v1", "v1")
    with pytest.raises(NotFound, match='no version "v9"'):
        compare.compare(service, ZOMBIES, "v1", "v9")


def test_challenger_is_compared_with_what_the_champion_answered(service: Service) -> None:
    rows = predicted(service, 20)
    copy_of(service)
    assert compare.in_shadow(service, ZOMBIES) is None
    promote.promote(service, ZOMBIES, "v2", alias="challenger")
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
    asked = str(rows[3].prediction.id)
    token = service.ids.sign_asked(asked)
    service.judge({"id": asked, "was_correct": False, "asked_token": token}, ADA)

    found = compare.in_shadow(service, ZOMBIES)

    assert found is not None
    assert (found.champion, found.challenger) == ("v1", "v2")
    judged_rows = found.beside.judged
    assert (found.beside.rows, found.beside.agreement, judged_rows.rows) == (20, 0.75, 5)
    assert (judged_rows.first_score, judged_rows.second_score) == (0.8, pytest.approx(0.6))
    assert (judged_rows.first_only_right, judged_rows.second_only_right) == (2, 1)


def test_challenger_is_not_held_against_verdicts_on_one_answer_of_the_champion(
    service: Service,
) -> None:
    rows = predicted(service, 60)
    copy_of(service)
    promote.promote(service, ZOMBIES, "v2", alias="challenger")
    service.store.trials.add_shadows(
        [
            Shadow(str(one.id), ZOMBIES, "v2", one.predicted_at, one.label, None)
            for one in (row.prediction for row in rows)
        ]
    )
    judged(service, [row for row in rows if row.prediction.label == "hostile"])

    found = compare.in_shadow(service, ZOMBIES)

    assert found is not None and found.one_sided is not None
    assert found.one_sided.answer == "hostile"
    assert (found.beside.rows, found.beside.judged.rows) == (60, 0)


def test_comparing_imports_no_training_code(service: Service) -> None:
    copy_of(service)
    service.store.close()
    code = (
        "import sys\n"
        "from unrot.run.bootstrap import open_service\n"
        "from unrot.learn.compare import compare\n"
        "from unrot.core.settings import load\n"
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


# ── the rule, counted by hand ────────────────────────────────────────────────────────────────

TRUTH = ["no"] * 6 + ["yes"] * 4
FIRST = [True] * 5 + [False] + [True, True, False, False]
SECOND = [True] * 4 + [False, True] + [True, True, True, True]


def test_two_versions_are_counted_side_by_side() -> None:
    both = compare_answers(TWO, answered(FIRST, TRUTH), answered(SECOND, TRUTH))

    assert both.rows == 10
    assert (both.first_score, both.second_score) == (0.7, 0.9)
    assert (both.first_only_right, both.second_only_right) == (1, 3)
    assert both.chance == pytest.approx(10 / 16)  # 2 · (1 + 4) / 2^4
    assert both.places == (4, 5, 8, 9)
    assert both.first_confusion == ((5, 1), (2, 2))
    assert both.second_confusion == ((5, 1), (0, 4))
    assert both.recalls == (ClassRecall("no", 6, 5 / 6, 5 / 6), ClassRecall("yes", 4, 0.5, 1.0))


def test_confusion_is_that_of_scikit_learn() -> None:
    three = Schema((), "kind", ("a", "b", "c"))
    truth, classes = list("abcabcaab"), [0, 2, 2, 1, 1, 0, 0, 0, 1]
    side = Answered([[]] * 9, truth, Outputs(classes=classes))

    both = compare_answers(three, side, side)

    said = [three.classes[place] for place in classes]
    assert [list(row) for row in both.first_confusion] == confusion_matrix(truth, said).tolist()
    assert (both.chance, both.places) == (1.0, ())


def test_numbers_are_compared_by_who_comes_closer() -> None:
    both = compare_answers(NUMBERS, off_by([0.0, 1.0, 3.0, 2.0]), off_by([0.0, 2.0, -0.5, 1.0]))

    assert (both.first_score, both.second_score) == (1.5, 0.875)
    assert (both.first_only_right, both.second_only_right, both.chance) == (1, 2, 1.0)
    assert both.places == (2, 1, 3)
    assert (both.first_confusion, both.recalls) == ((), ())


def test_no_rows_compare_to_nothing() -> None:
    both = compare_answers(TWO, answered([]), answered([]))

    assert (both.rows, both.first_score, both.recalls) == (0, None, ())


def test_answers_to_different_rows_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="longer than"):
        compare_answers(TWO, answered([True]), answered([True, True]))
