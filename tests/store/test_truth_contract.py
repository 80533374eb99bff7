"""What a verdict says, told by a store and by the domain: the same of every kind of verdict."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest

from tests.store.test_contract import NOON, SCHEMA, shipped
from unrot.core.ports import Store
from unrot.core.records import Feedback, Model, Prediction, Schema
from unrot.core.windows import total
from unrot.hear.truth import Answer, truth_of, was_right

TWO = Schema(SCHEMA.features, "kind", ("elf", "orc"))
THREE = Schema(SCHEMA.features, "kind", ("elf", "man", "orc"))
NUMBERS = Schema(SCHEMA.features, "kg")
Case = tuple[Answer | None, bool | None, Answer | None]
"""What was answered, the thumb, and the label."""

OF_CLASSES: list[Case] = list(
    product(("elf", "orc", "elk", None), (True, False, None), ("elf", "orc", "elk", None))
)
OF_NUMBERS: list[Case] = list(product((7.0,), (True, False, None), (7.0, 9.5, None)))


def judged(case: Case, place: int) -> tuple[Prediction, Feedback]:
    answer, was_correct, label = case
    name = answer if isinstance(answer, str) else None
    value = answer if isinstance(answer, float) else None
    sure = [0.75, 0.25] if value is None else None
    made = Prediction(f"p{place:02}", "beings", "v1", NOON, [1.5], name, sure, value, 0.001)
    given = Feedback(f"p{place:02}", "beings", NOON, NOON + place, was_correct, label)
    return made, given


def kept(store: Store, schema: Schema, cases: list[Case]) -> list[tuple[Prediction, Feedback]]:
    """Keep a prediction and its verdict of each case that says something."""
    saying = [case for case in cases if case[1:] != (None, None)]
    pairs = [judged(case, place) for place, case in enumerate(saying)]
    store.registry.add_model(Model("beings", 0, "Beings", "", schema, NOON))
    shipped(store, *(made for made, _ in pairs))
    store.verdicts.put([given for _, given in pairs])
    return pairs


@pytest.mark.parametrize("is_counted", [False, True])
@pytest.mark.parametrize(
    ("schema", "cases"), [(TWO, OF_CLASSES), (THREE, OF_CLASSES), (NUMBERS, OF_NUMBERS)]
)
def test_outcome_says_what_is_true_and_whether_it_was_right_as_the_domain_does(
    store: Store, schema: Schema, cases: list[Case], is_counted: bool
) -> None:
    pairs = kept(store, schema, cases)
    if is_counted:
        store.verdicts.count_new(100)

    found = store.traffic.outcomes("beings", limit=100)

    assert [(one.truth, one.was_correct) for one in found] == [
        (truth_of(made.label, given, schema), was_right(made, given)) for made, given in pairs
    ]


@pytest.mark.parametrize("schema", [TWO, THREE])
def test_window_counts_what_is_true_and_what_was_right_as_the_domain_does(
    store: Store, schema: Schema
) -> None:
    pairs = kept(store, schema, OF_CLASSES)
    store.verdicts.count_new(100)

    window = total(store.traffic.windows("beings", since=0, until=NOON + 86_400))

    rights = [right for pair in pairs if (right := was_right(*pair)) is not None]
    assert (window.judged, window.correct) == (len(rights), sum(rights))
    assert (sum(window.judged_confidence), sum(window.correct_confidence)) == (
        len(rights),
        sum(rights),
    )
    assert {
        (answer, truth): count
        for answer, truths in window.confusion.items()
        for truth, count in truths.items()
    } == Counter(
        (made.label, truth)
        for made, given in pairs
        if made.label and (truth := truth_of(made.label, given, schema)) is not None
    )


def test_counting_leaves_open_whether_an_answer_that_names_no_class_was_right(
    store: Store,
) -> None:
    kept(store, TWO, [(None, None, "elf")])

    store.verdicts.count_new(100)

    given = store.verdicts.of("p00")
    assert given is not None
    assert (given.was_correct, given.label) == (None, "elf")
