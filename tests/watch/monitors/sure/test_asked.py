"""What is asked of judges teaches, and moves neither accuracy nor what is told beside answers."""

from __future__ import annotations

from tests.learning_model import JUDGE, School, zombies_of
from tests.watch.monitors.sure.test_look import course, looked
from unrot.core.records import Outcome
from unrot.hear.truth import is_held_out
from unrot.watch.reports.ask import find_questions


def judge_what_is_asked(school: School, truths: dict[str, str], *, with_token: bool) -> int:
    """Judge what the list asks, five times; return how many that were."""
    count = 0
    for _ in range(5):
        for one in find_questions(school.service, "zombies").questions:
            id = str(one.judged.prediction.id)
            token = one.token if with_token else None
            said = {"id": id, "label": truths[id], "asked_token": token}
            school.service.judge(said, JUDGE)
            count += 1
        school.caretaker.go_round()
        looked(school)
    return count


def right(outcomes: list[Outcome]) -> float:
    return sum(bool(one.was_correct) for one in outcomes) / len(outcomes)


def test_what_is_asked_is_learnt_and_measures_nothing(school: School) -> None:
    rows = zombies_of(600, seed=5)
    made = school.predicted([row for row, _ in rows])
    truths = {str(one.id): truth for one, (_, truth) in zip(made, rows, strict=True)}
    school.judged(made[:100], [truth for _, truth in rows[:100]])
    school.caretaker.go_round()
    looked(school)
    model = school.service.catalogue().model("zombies").model.key
    traffic = school.service.store.traffic
    fair, stood = traffic.outcomes(model, limit=1_000), course(school)

    asked = judge_what_is_asked(school, truths, with_token=True)

    assert asked == 60
    assert traffic.outcomes(model, limit=1_000) == fair
    assert (course(school).miss, course(school).count) == (stood.miss, 100)
    school.done("learn")
    only_judge = sum(is_held_out(str(one.id), 0.3) for one in made[:100])
    fates = school.fates("v2")
    assert (fates.learnt, fates.held_out) == ({"v2": 160 - only_judge}, only_judge)

    judge_what_is_asked(school, truths, with_token=False)

    assert right(traffic.outcomes(model, limit=1_000)) < right(fair)
    assert course(school).miss < stood.miss
