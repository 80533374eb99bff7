"""What the gate says of who judged: all verdicts count, not those alone that were held out."""

from __future__ import annotations

from collections.abc import Callable

from tests.learning_model import School


def test_gate_counts_all_that_was_judged_of_what_was_predicted(
    open_school: Callable[[str], School],
) -> None:
    school = open_school("sgd")
    school.taught(400)

    made = school.done("learn")

    gate = school.service.store.lessons.gates("zombies", made["version"])[-1]
    assert (gate.judged, gate.predicted, gate.voters) == (400, 400, "")
