"""Verdicts: every row of the feedback table that the id and the schema decide."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from unrot.core.errors import Detail, Expired, Invalid, NotFound, NotSigned, UnrotError
from unrot.core.ids import Ids
from unrot.core.records import Caller, Feature, Feedback, Model, Schema, UnverifiedFeedback
from unrot.hear.verdicts import VerdictReader, is_older_form, read_unverified

PREDICTED_AT = 1_700_000_000
NOW = PREDICTED_AT + 60.5
DAY = 86_400
ANYONE = Caller(subject="net:abc")
ADA = Caller(role="judge", judge="ada", subject="judge:ada")

FEATURES = (Feature("height", "number"),)
ELVES = Model("elves", 1, "", "", Schema(FEATURES, "kind", ("elf", "orc", "ent")), 0.0)
RENTS = Model("rents", 2, "", "", Schema(FEATURES, "rent"), 0.0)
BIRDS = Model(
    "birds", 3, "", "", Schema(FEATURES, "bird", tuple(f"bird {n}" for n in range(300))), 0.0
)
MODELS = {model.number: model for model in (ELVES, RENTS, BIRDS)}
IDS = Ids(b"secret")


def an_id(
    class_index: int | None = 1,
    *,
    model: int = 1,
    at: float = PREDICTED_AT,
    row: int = 0,
    ids: Ids = IDS,
) -> str:
    return ids.make(at=at, segment=b"12345", row=row, model_number=model, class_index=class_index)


ORC = an_id(1)
RENT = an_id(None, model=2)
BIRD = an_id(280, model=3)
READER = VerdictReader(IDS, 30, MODELS.get, {BIRD: "bird 280"}.get)


def read(given: Any, *, caller: Caller = ANYONE, now: float = NOW) -> Feedback:
    return READER.read(given, caller=caller, now=now)


def refused(given: Any, error: type[UnrotError] = Invalid) -> UnrotError:
    with pytest.raises(error) as raised:
        read(given)
    return raised.value


def the_verdict(**more: Any) -> Feedback:
    plain = Feedback(ORC, "elves", float(PREDICTED_AT), NOW, subject="net:abc")
    return replace(plain, **more)


# ── read ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("was_correct", [True, False])
def test_thumb_is_read_without_a_label(was_correct: bool) -> None:
    assert read({"id": ORC, "was_correct": was_correct}) == the_verdict(was_correct=was_correct)


@pytest.mark.parametrize(("label", "was_correct"), [("orc", True), ("elf", False), ("ent", False)])
def test_label_alone_tells_whether_the_prediction_was_correct(
    label: str, was_correct: bool
) -> None:
    verdict = read({"id": ORC, "label": label})

    assert verdict == the_verdict(was_correct=was_correct, label=label)


@pytest.mark.parametrize(("was_correct", "label"), [(True, "orc"), (False, "elf")])
def test_thumb_and_label_that_agree_are_taken(was_correct: bool, label: str) -> None:
    verdict = read({"id": ORC, "was_correct": was_correct, "label": label})

    assert verdict == the_verdict(was_correct=was_correct, label=label)


def test_nulls_are_as_if_they_were_not_sent() -> None:
    verdict = read({"id": ORC, "was_correct": True, "label": None, "comment": None})

    assert verdict == the_verdict(was_correct=True)


def test_token_of_what_is_asked_marks_the_verdict() -> None:
    token = IDS.sign_asked(ORC)

    assert read({"id": ORC, "was_correct": True, "asked_token": token}).asked
    assert not read({"id": ORC, "was_correct": True, "asked_token": None}).asked


@pytest.mark.parametrize(
    "token", ["", "é" * 11, 7, True, IDS.sign_asked(BIRD), Ids(b"other").sign_asked(ORC)]
)
def test_token_that_did_not_come_with_what_is_asked_is_refused(token: Any) -> None:
    error = refused({"id": ORC, "was_correct": True, "asked_token": token})

    assert "expected the asked_token of what is asked" in error.message


def test_verdict_of_a_judge_is_trusted() -> None:
    by_ada = read({"id": ORC, "was_correct": True}, caller=ADA)
    by_anyone = read({"id": ORC, "was_correct": True, "judge": "ada", "subject": "judge:ada"})

    assert by_ada == the_verdict(was_correct=True, judge="ada", subject="judge:ada")
    assert by_anyone == the_verdict(was_correct=True)
    assert (by_ada.is_trusted, by_anyone.is_trusted) == (True, False)


def test_label_of_a_regression_is_a_number_and_no_thumb() -> None:
    verdict = read({"id": RENT, "label": 950})

    assert verdict == the_verdict(prediction=RENT, model="rents", label=950.0)
    assert verdict.was_correct is None


def test_thumb_and_label_of_a_regression_cannot_contradict_each_other() -> None:
    verdict = read({"id": RENT, "was_correct": True, "label": 12.5})

    assert verdict == the_verdict(prediction=RENT, model="rents", was_correct=True, label=12.5)


# ── refused ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "id",
    [
        an_id(ids=Ids(b"another secret")),
        ORC[:-1] + ("-" if ORC.endswith("_") else "_"),
        "",
        "x",
        "\ud800",
        ORC + "\n",
        "A" * 32,
    ],
    ids=["other secret", "altered", "empty", "short", "surrogate", "newline", "invented"],
)
def test_forged_id_is_refused(id: str) -> None:
    assert refused({"id": id, "was_correct": True}, NotSigned).reason == "unknown_id"


@pytest.mark.parametrize("id", [None, 5, True, ["x"], {"id": ORC}])
def test_id_that_is_no_text_is_refused(id: Any) -> None:
    error = refused({"id": id, "was_correct": True})

    assert error.details == (Detail("id", id, "the id of a prediction, as the answer gave it"),)


def test_verdict_without_an_id_is_refused() -> None:
    assert refused({"was_correct": True}).details[0].field == "id"


@pytest.mark.parametrize("given", [None, [], [ORC], ORC, 5, True])
def test_verdict_that_is_no_object_is_refused(given: Any) -> None:
    error = refused(given)

    assert error.details == (
        Detail("feedback", given, 'an object such as {"id": "…", "was_correct": true}'),
    )


def test_verdict_expires_after_thirty_days() -> None:
    given = {"id": ORC, "was_correct": True}

    in_time = read(given, now=PREDICTED_AT + 30 * DAY)
    with pytest.raises(Expired) as late:
        read(given, now=PREDICTED_AT + 30 * DAY + 1)

    assert in_time == the_verdict(was_correct=True, given_at=PREDICTED_AT + 30 * DAY)
    assert late.value.reason == "expired"
    assert late.value.message == (
        "The prediction is older than 30 days and can no longer be judged."
    )


def test_expiry_follows_the_setting() -> None:
    reader = replace(READER, days=1)

    with pytest.raises(Expired):
        reader.read({"id": ORC, "was_correct": True}, caller=ANYONE, now=PREDICTED_AT + DAY + 1)


@pytest.mark.parametrize("label", ["troll", "Orc", "", "\ud800", 1, True, ["orc"], {}])
def test_label_that_the_model_does_not_know_is_refused(label: Any) -> None:
    error = refused({"id": ORC, "label": label})

    assert error.reason == "unknown_label"
    assert error.details == (Detail("label", label, "one of elf, orc, ent"),)


@pytest.mark.parametrize("label", ["950", True, float("nan"), float("inf"), [1.0], "orc"])
def test_label_of_a_regression_that_is_no_number_is_refused(label: Any) -> None:
    error = refused({"id": RENT, "label": label})

    assert error.reason == "unknown_label"
    assert repr(error.details) == repr((Detail("label", label, "a finite number"),))  # NaN != NaN


@pytest.mark.parametrize(
    "said", [{}, {"was_correct": None}, {"label": None}, {"comment": "I like it"}]
)
def test_verdict_that_says_neither_is_refused(said: dict[str, Any]) -> None:
    error = refused({"id": ORC, **said})

    assert error.reason == "empty_verdict"
    assert error.details == (Detail("was_correct", None, "true or false, or a label instead"),)


@pytest.mark.parametrize("was_correct", [0, 1, "true", "", [], {}])
def test_thumb_that_is_no_boolean_is_refused(was_correct: Any) -> None:
    error = refused({"id": ORC, "was_correct": was_correct})

    assert error.details == (Detail("was_correct", was_correct, "true or false"),)


@pytest.mark.parametrize(("was_correct", "label"), [(True, "elf"), (False, "orc")])
def test_thumb_and_label_that_contradict_each_other_are_refused(
    was_correct: bool, label: str
) -> None:
    error = refused({"id": ORC, "was_correct": was_correct, "label": label})

    assert error.reason == "contradiction"
    assert error.message == (
        'was_correct and label contradict each other: the prediction was "orc", '
        f'the label is "{label}". Send only one of them, or make them agree.'
    )


@pytest.mark.parametrize(("label", "reward"), [("orc", 0), ("elf", 1)])
def test_label_and_reward_that_contradict_each_other_are_refused(label: str, reward: int) -> None:
    error = refused({"id": ORC, "label": label, "reward": reward})

    assert error.reason == "contradiction"
    assert error.message.startswith("label and reward contradict each other: a reward of")


def test_label_and_reward_that_agree_or_lie_between_are_taken() -> None:
    for label, reward in [("orc", 1.0), ("elf", 0.0), ("orc", 0.5), ("elf", 0.5)]:
        verdict = read({"id": ORC, "label": label, "reward": reward})

        assert (verdict.was_correct, verdict.reward) == (label == "orc", reward)


def test_verdict_on_a_model_that_is_gone_is_refused() -> None:
    error = refused({"id": an_id(model=9), "was_correct": True}, NotFound)

    assert error.message == "The model that made this prediction is no longer served."


def test_verdict_on_a_class_that_the_model_no_longer_has_is_refused() -> None:
    """A signed id outlives a store that was lost: its number then speaks of another model."""
    error = refused({"id": an_id(7), "label": "elf"}, NotFound)

    assert error.message == "The model that made this prediction is no longer served."


# ── looked up ────────────────────────────────────────────────────────────────────────────────


def test_class_that_the_id_does_not_tell_is_looked_up() -> None:
    right = read({"id": BIRD, "label": "bird 280"})
    wrong = read({"id": BIRD, "label": "bird 1"})

    assert (right.was_correct, wrong.was_correct) == (True, False)


def test_contradiction_is_found_by_the_class_looked_up() -> None:
    error = refused({"id": BIRD, "was_correct": True, "label": "bird 1"})

    assert error.reason == "contradiction"


@pytest.mark.parametrize("was_correct", [True, False, None])
def test_thumb_stands_as_given_while_nobody_knows_the_class(was_correct: bool | None) -> None:
    unshipped = an_id(280, model=3, row=1)

    verdict = read({"id": unshipped, "was_correct": was_correct, "label": "bird 1"})

    assert (verdict.was_correct, verdict.label) == (was_correct, "bird 1")


# ── comments ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", ""),
        ("  \n ", ""),
        (" It walked.\nSlowly. ", "It walked.\nSlowly."),
        ("x" * 2_000, "x" * 2_000),
        ("🧟" * 2_000, "🧟" * 2_000),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
def test_comment_is_kept_as_it_was_written(given: str, kept: str) -> None:
    verdict = read({"id": ORC, "was_correct": True, "comment": given})

    assert verdict == the_verdict(was_correct=True, comment=kept)


@pytest.mark.parametrize("comment", ["x" * 2_001, "\0", "a\ud800", 5, True, ["x"], {"a": 1}])
def test_comment_that_cannot_be_kept_is_refused(comment: Any) -> None:
    error = refused({"id": ORC, "was_correct": True, "comment": comment})

    assert error.details == (Detail("comment", comment, "a text of at most 2,000 characters"),)
    assert error.message.encode()


# ── withdrawn ────────────────────────────────────────────────────────────────────────────────


def test_withdrawal_says_that_nothing_counts_any_more() -> None:
    taken_back = READER.withdrawal(ORC, caller=ADA, now=NOW)

    assert taken_back == the_verdict(judge="ada", subject="judge:ada", withdrawn=True)


@pytest.mark.parametrize(
    ("id", "error"),
    [("x", NotSigned), (an_id(at=PREDICTED_AT - 31 * DAY), Expired), (an_id(model=9), NotFound)],
)
def test_withdrawal_of_what_cannot_be_judged_is_refused(id: str, error: type[UnrotError]) -> None:
    with pytest.raises(error):
        READER.withdrawal(id, caller=ANYONE, now=NOW)


# ── the older form ───────────────────────────────────────────────────────────────────────────

OLDER = {"model": "elves", "input data": {"height": 2}, "prediction": "elf", "was correct": True}


def known(name: str) -> Model:
    for model in MODELS.values():
        if model.name == name:
            return model
    raise NotFound(f"There is no model {name}.")


def read_older(**more: Any) -> UnverifiedFeedback:
    return read_unverified({**OLDER, **more}, known=known, caller=ANYONE, now=NOW)


@pytest.mark.parametrize("inputs", [{"height": 2}, [[2.0]], "2", 2, None])
@pytest.mark.parametrize("prediction", ["elf", 0, 0.5, True, None])
def test_older_form_is_kept_as_it_was_sent(inputs: Any, prediction: Any) -> None:
    verdict = read_older(**{"input data": inputs, "prediction": prediction})

    assert verdict == UnverifiedFeedback(
        verdict.id, "elves", inputs, prediction, True, NOW, "net:abc"
    )


def test_older_form_gets_an_id_of_its_own_each_time() -> None:
    ids = {read_older().id for _ in range(100)}

    assert len(ids) == 100
    assert {id[:11] for id in ids} == {"unverified-"}


@pytest.mark.parametrize("field", list(OLDER))
def test_older_form_with_a_field_missing_is_refused(field: str) -> None:
    given = {name: value for name, value in OLDER.items() if name != field}

    with pytest.raises(Invalid) as raised:
        read_unverified(given, known=known, caller=ANYONE, now=NOW)

    assert raised.value.details == (
        Detail(field, None, "all of model, input data, prediction, was correct", is_missing=True),
    )


def nested(depth: int) -> Any:
    inner: Any = 1
    for _ in range(depth):
        inner = [inner]
    return inner


SMALL_JSON = "JSON of at most 65,536 bytes, in valid UTF-8"


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("model", 5, "the name of a model"),
        ("model", None, "the name of a model"),
        ("was correct", "yes", "true or false"),
        ("was correct", 1, "true or false"),
        ("was correct", None, "true or false"),
        ("prediction", ["elf"], "one class or one number"),
        ("prediction", {"class": "elf"}, "one class or one number"),
        ("prediction", "x" * 65_536, SMALL_JSON),
        ("prediction", 2**80, SMALL_JSON),
        ("input data", "x" * 65_535, SMALL_JSON),
        ("input data", {"a": "\ud800"}, SMALL_JSON),
        ("input data", [2**80], SMALL_JSON),
        ("input data", nested(900), SMALL_JSON),
    ],
)
def test_older_form_with_a_wrong_value_is_refused(field: str, value: Any, expected: str) -> None:
    with pytest.raises(Invalid) as raised:
        read_older(**{field: value})

    assert raised.value.details == (Detail(field, value, expected),)
    assert raised.value.message.encode()


def test_older_form_at_the_largest_size_is_taken() -> None:
    inputs = "x" * 65_534  # and two quotes

    assert read_older(**{"input data": inputs}).inputs == inputs


def test_older_form_for_an_unknown_model_is_refused() -> None:
    with pytest.raises(NotFound):
        read_older(model="dwarves")


@pytest.mark.parametrize(
    ("given", "is_older"),
    [
        (OLDER, True),
        ({"was correct": None}, True),
        ({**OLDER, "id": ORC}, False),
        ({"id": ORC, "was_correct": True}, False),
        ({}, False),
        ([OLDER], False),
        ("was correct", False),
        (None, False),
    ],
)
def test_older_form_is_told_from_a_verdict_by_id(given: Any, is_older: bool) -> None:
    assert is_older_form(given) is is_older
