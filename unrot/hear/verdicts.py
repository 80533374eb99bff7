"""Read a verdict: what the prediction's id tells, what the client said, whether they agree.

Everything is decided from the id and the schema, so that a forged, expired or contradictory
verdict is refused without asking the store.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import orjson

from unrot.core.errors import (
    Detail,
    Expired,
    Invalid,
    NotFound,
    NotSigned,
    TooLarge,
    UnrotError,
    shown,
    wrong_field,
)
from unrot.core.ids import Ids, PredictionId
from unrot.core.plurals import counted
from unrot.core.policy import counts_as
from unrot.core.records import Caller, Feedback, Model, UnverifiedFeedback
from unrot.core.schema import is_number, parse_label
from unrot.core.time import DAY
from unrot.hear.key_store import read_key
from unrot.hear.signal_names import read_signal
from unrot.hear.truth import is_right

MOST_VERDICTS = 1_000
MOST_COMMENT = 2_000
MOST_INPUT_DATA = 65_536
ALONE = "a signal alone, or a verdict without one: send two requests, or two of a list"
NO_LONGER_SERVED = "The model that made this prediction is no longer served."
NO_LONGER_KEPT = (
    "The prediction is not kept any more, so it can no longer be judged: the app keeps the newest "
    "ones (UNROT_KEEP_DAYS, UNROT_KEEP_ROWS), and none that it was told to forget."
)
OLDER_FIELDS = ("model", "input data", "prediction")
SAID = ("was_correct", "label", "reward")
TOKEN = "explanation_token"
"""By which a verdict tells that its judge has seen an explanation."""
ASKED = "asked_token"
"""By which a verdict tells that it was asked for."""


@dataclass(frozen=True, slots=True)
class VerdictReader:
    """Reads verdicts against the models that are served."""

    ids: Ids
    days: int
    model_of: Callable[[int], Model | None]
    label_of: Callable[[str], str | None]
    """Looks up what a prediction answered when its id does not tell; None when nobody knows."""
    named: Mapping[tuple[str | None, str], str] = field(default_factory=dict)
    """Ids by model and client's key, where some are judged by those."""

    def read(self, given: Any, *, caller: Caller, now: float) -> Feedback:
        """Read one verdict; raise what is wrong with it."""
        if not isinstance(given, Mapping):
            expected = 'an object such as {"id": "…", "was_correct": true}'
            raise wrong_field("feedback", given, expected)
        id, told, model = self._prediction(self._id_of(given), now)
        if given.get("signal") is not None:
            return _signal(given, id, told, model, caller, now)
        was_correct, label, reward = _said(given, model)
        if model.schema.is_classifier and label is not None:
            was_correct = self._agreed(id, told, model, was_correct, label)
            _check_agree(was_correct, reward, "label")
        if was_correct is None and label is None:
            was_correct = _by_reward(reward)
        return Feedback(
            prediction=id,
            model=model.key,
            predicted_at=float(told.predicted_at),
            given_at=now,
            was_correct=was_correct,
            label=label,
            comment=_comment(given.get("comment")),
            judge=caller.judge,
            subject=caller.subject,
            reward=reward,
            reasons=self._reasons(given.get(TOKEN), id, model),
            asked=self._is_asked(given.get(ASKED), id),
        )

    def read_or_error(self, given: Any, *, caller: Caller, now: float) -> Feedback | UnrotError:
        """Read one verdict of a list; return what is wrong with it."""
        try:
            return self.read(given, caller=caller, now=now)
        except UnrotError as error:
            return error

    def withdrawal(self, id: str, *, caller: Caller, now: float) -> Feedback:
        """Return the verdict that takes back whatever was said of a prediction."""
        id, told, model = self._prediction(id, now)
        return Feedback(
            prediction=id,
            model=model.key,
            predicted_at=float(told.predicted_at),
            given_at=now,
            judge=caller.judge,
            subject=caller.subject,
            withdrawn=True,
        )

    def _id_of(self, given: Mapping[str, Any]) -> Any:
        """Return the id that a verdict names, or that its key is for."""
        if "id" in given or "key" not in given:
            return given.get("id")
        model, key = key_of(given)
        if (model, key) not in self.named:
            raise NotFound(
                f"There is no prediction with the key {shown(key)}: send the key with the "
                'prediction, and here its "model" as well. One that was sent elsewhere a moment '
                "ago may still be on its way: try again."
            )
        return self.named[model, key]

    def _prediction(self, id: Any, now: float) -> tuple[str, PredictionId, Model]:
        if not isinstance(id, str):
            raise wrong_field("id", id, "the id of a prediction, as the answer gave it")
        told = self.ids.read(id)
        if now - told.predicted_at > self.days * DAY:
            raise Expired(
                f"The prediction is older than {counted(self.days, 'day')} and can no longer "
                "be judged."
            )
        model = self.model_of(told.model_number)
        if model is None:
            raise NotFound(NO_LONGER_SERVED)
        return id, told, model

    def _reasons(self, token: Any, id: str, model: Model) -> tuple[str, ...]:
        """Return the features that were shown as reasons of the answer before it was judged."""
        if token is None:
            return ()
        try:
            places = self.ids.vouched(id, token if isinstance(token, str) else "")
        except NotSigned:
            expected = f"the {TOKEN} of an explanation of this prediction"
            raise wrong_field(TOKEN, token, expected) from None
        names = model.schema.names
        return tuple(names[place] for place in places if place < len(names))

    def _is_asked(self, token: Any, id: str) -> bool:
        """Tell whether the list of what would teach most has asked for a verdict."""
        if token is not None and not self.ids.has_asked(id, token):
            expected = f"the {ASKED} of what is asked, of this prediction"
            raise wrong_field(ASKED, token, expected)
        return token is not None

    def _agreed(
        self,
        id: str,
        told: PredictionId,
        model: Model,
        was_correct: bool | None,
        label: str | float,
    ) -> bool | None:
        if told.class_index is not None:
            if told.class_index >= len(model.schema.classes):
                raise NotFound(NO_LONGER_SERVED)
            predicted: str | None = model.schema.classes[told.class_index]
        else:
            predicted = self.label_of(id)
        if predicted is None:
            return was_correct
        agrees = is_right(predicted, label)
        if was_correct is not None and was_correct != agrees:
            raise Invalid(
                f'was_correct and label contradict each other: the prediction was "{predicted}", '
                f'the label is "{label}". Send only one of them, or make them agree.',
                reason="contradiction",
                details=[Detail("label", label, f"a label that goes with {predicted!r}")],
            )
        return agrees


def key_of(given: Mapping[str, Any]) -> tuple[str | None, str]:
    """Return the model and the key that a verdict names; None is the default model."""
    model = given.get("model")
    if model is not None and not isinstance(model, str):
        raise wrong_field("model", model, "the name of a model")
    return model, read_key(given["key"])


def keys_of(given: Sequence[Any]) -> dict[str | None, list[str]]:
    """Return the keys that verdicts name instead of ids, by model; wrong ones are left out."""
    found: dict[str | None, list[str]] = defaultdict(list)
    for one in given:
        if isinstance(one, Mapping) and "key" in one and "id" not in one:
            with suppress(Invalid):
                model, key = key_of(one)
                found[model].append(key)
    return found


def read_unverified(
    given: Mapping[str, Any], *, known: Callable[[str], Model], caller: Caller, now: float
) -> UnverifiedFeedback:
    """Read a verdict in the older form, which carries its own inputs and prediction."""
    said = [word for word in ("was correct", "reward", "signal") if given.get(word) is not None]
    for needed in (*OLDER_FIELDS, "was correct"):
        if needed not in given and not (needed == "was correct" and said):
            expected = f"all of {', '.join(OLDER_FIELDS)}, was correct"
            raise wrong_field(needed, None, expected, is_missing=True)
    name, inputs, prediction = (given[field] for field in OLDER_FIELDS)
    if not isinstance(name, str):
        raise wrong_field("model", name, "the name of a model")
    was_correct, reward = given.get("was correct"), _reward(given)
    if not isinstance(was_correct, bool) and not (was_correct is None and said):
        raise wrong_field("was correct", was_correct, "true or false")
    if "signal" in said and len(said) > 1:
        raise wrong_field("signal", given["signal"], ALONE)
    _check_agree(was_correct, reward)
    if isinstance(prediction, Mapping | list):
        raise wrong_field("prediction", prediction, "one class or one number")
    _check_size("input data", inputs)
    _check_size("prediction", prediction)
    return UnverifiedFeedback(
        id=f"unverified-{secrets.token_urlsafe(12)}",
        model=known(name).key,
        inputs=inputs,
        prediction=prediction,
        was_correct=was_correct if was_correct is not None else _by_reward(reward),
        given_at=now,
        subject=caller.subject,
        reward=reward,
        signal=read_signal(given["signal"]) if "signal" in said else "",
    )


def check_count(count: int) -> None:
    """Return when a list of verdicts is neither empty nor too long."""
    if not count:
        raise Invalid("The list of verdicts is empty: send at least one.")
    if count > MOST_VERDICTS:
        raise TooLarge(
            f"{count:,} verdicts at once; at most {MOST_VERDICTS:,} are taken: send several "
            "requests."
        )


def id_of(given: Any) -> str | None:
    """Return the id that a verdict names, whatever else is wrong with it."""
    id = given.get("id") if isinstance(given, Mapping) else None
    return id[:80] if isinstance(id, str) and id.isascii() else None


def is_older_form(given: Any) -> bool:
    """Tell the older form from a verdict by id."""
    if not isinstance(given, Mapping) or "id" in given:
        return False
    return "was correct" in given or ("input data" in given and "key" not in given)


def _said(
    given: Mapping[str, Any], model: Model
) -> tuple[bool | None, str | float | None, float | None]:
    was_correct, label, reward = given.get("was_correct"), given.get("label"), _reward(given)
    if was_correct is None and label is None and reward is None:
        raise Invalid(
            "The verdict says nothing: send was_correct (true or false), label, reward or signal.",
            reason="empty_verdict",
            details=[Detail("was_correct", None, "true or false, or a label instead")],
        )
    if was_correct is not None and not isinstance(was_correct, bool):
        raise wrong_field("was_correct", was_correct, "true or false")
    _check_agree(was_correct, reward)
    return was_correct, None if label is None else parse_label(model.schema, label), reward


def read_reward(reward: Any) -> float:
    """Read how good an answer was."""
    if not is_number(reward) or not 0 <= reward <= 1:
        raise wrong_field("reward", reward, "a number from 0 (wrong) to 1 (right)")
    return float(reward)


def _reward(given: Mapping[str, Any]) -> float | None:
    reward = given.get("reward")
    return None if reward is None else read_reward(reward)


def _by_reward(reward: float | None) -> bool | None:
    """Return what a reward says by itself: 1 is right, 0 is wrong."""
    return None if reward is None else counts_as(reward, {})


def _check_agree(
    was_correct: bool | None, reward: float | None, field: str = "was_correct"
) -> None:
    """Return where a thumb, or what a label says, and a reward do not say the opposite."""
    told = _by_reward(reward)
    if was_correct is not None and told is not None and told != was_correct:
        raise Invalid(
            f"{field} and reward contradict each other: a reward of {reward:g} says that it "
            f"was {'right' if told else 'wrong'}. Send only one of them, or make them agree.",
            reason="contradiction",
            details=[Detail("reward", reward, f"a reward that goes with {field}")],
        )


def _signal(
    given: Mapping[str, Any], id: str, told: PredictionId, model: Model, caller: Caller, now: float
) -> Feedback:
    """Read what was seen to happen; whoever tells it, it is nobody's word."""
    name = read_signal(given["signal"])
    if any(given.get(word) is not None for word in SAID):
        raise wrong_field("signal", name, ALONE)
    _comment(given.get("comment"))
    return Feedback(
        prediction=id,
        model=model.key,
        predicted_at=float(told.predicted_at),
        given_at=now,
        subject=caller.subject,
        signal=name,
        by_judge=caller.judge is not None,
    )


def _comment(given: Any) -> str:
    if given is None:
        return ""
    if not isinstance(given, str) or len(given) > MOST_COMMENT or not _is_text(given):
        raise wrong_field("comment", given, f"a text of at most {MOST_COMMENT:,} characters")
    return given.strip()


def _is_text(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\0" not in value


def _check_size(field: str, value: Any) -> None:
    expected = f"JSON of at most {MOST_INPUT_DATA:,} bytes, in valid UTF-8"
    try:
        fits = len(orjson.dumps(value)) <= MOST_INPUT_DATA
    except (orjson.JSONEncodeError, TypeError):
        fits = False
    if not fits:
        raise wrong_field(field, value, expected)
