"""The feedback: one verdict a prediction, the newest wins, a judge's before all others.

Signals are kept beside it, each once: whoever says something wins over them, whatever came first.
A verdict is committed before it is acknowledged. Its prediction is joined to it, and it is counted
into the minute of its prediction, in one commit each, so that both happen once however often a
process dies in between.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from types import MappingProxyType

from unrot.core import confidence
from unrot.core.errors import NotFound
from unrot.core.patience import one_answer
from unrot.core.policy import counts_as
from unrot.core.records import (
    Errors,
    Feedback,
    FeedbackStatus,
    ModelKey,
    Prediction,
    Rewards,
    Schema,
    UnverifiedFeedback,
    Window,
)
from unrot.hear.feedback_documents import Kept, Said, from_document, to_fields
from unrot.hear.forgotten import is_forgotten
from unrot.hear.late import late_puts
from unrot.hear.signal_names import SignalNames
from unrot.hear.truth import heard_beside, truth_of, was_right
from unrot.hear.window_store import VERDICT_WRITER, count_in, negative
from unrot.store.kinds import FEEDBACK, OVERRULED, TIDIED, UNVERIFIED
from unrot.store.names import Models, is_removed
from unrot.store.operations import (
    ABSENT,
    Change,
    Delete,
    Document,
    Operations,
    Put,
    place_of,
    scan_all,
    until_kept,
)

_NONE = (0,) * confidence.BINS
_ONE_IN = [(*_NONE[:at], 1, *_NONE[at + 1 :]) for at in range(confidence.BINS)]
"""Histograms of one verdict, by the bin that it is in."""

APART = ("was correct", "label", "comment", "subject")
AT_ONCE = 100
"""Verdicts of one commit; each may move a window of its own."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A prediction that is in the store."""

    prediction: Prediction
    writer: str
    is_imported: bool


LookUp = Callable[[Sequence[str]], Mapping[str, Arrived]]
"""Find predictions by their ids."""


class VerdictStore:
    """The feedback."""

    def __init__(self, database: Operations, models: Models, look_up: LookUp) -> None:
        self._database = database
        self.models = models
        self._look_up = look_up

    def put(self, verdicts: Sequence[Feedback]) -> list[FeedbackStatus]:
        """Commit verdicts and say what became of each; so many are kept all or none.

        Somebody waits for a single one; a list takes as long as it takes.
        """
        parts = [verdicts[at : at + AT_ONCE] for at in range(0, len(verdicts), AT_ONCE)]
        return [status for part in parts for status in self._put(part)]

    def _put(self, verdicts: Sequence[Feedback]) -> list[FeedbackStatus]:
        def work() -> list[FeedbackStatus]:
            turn = Turn(self, verdicts)
            statuses = [turn.take(verdict) for verdict in verdicts]
            self._database.commit(turn.changes())
            return statuses

        with one_answer() if len(verdicts) == 1 else nullcontext():
            return until_kept(work)

    def put_unverified(self, verdicts: Sequence[UnverifiedFeedback]) -> None:
        """Commit verdicts in the older form."""
        self._database.commit(self.unverified_puts(verdicts))

    def model_of_unverified(self, id: str) -> ModelKey:
        """Return the model that a verdict in the older form is of; NotFound where it has gone."""
        found = self._database.get(UNVERIFIED, id)
        if found is None:
            raise NotFound("There is no such verdict.")
        return ModelKey(found["model"])

    def of(self, prediction: str) -> Feedback | None:
        """Return the verdict that counts for a prediction."""
        found = self._database.get(FEEDBACK, prediction)
        kept = None if found is None else from_document(found)
        if found is None or kept is None or kept.is_silent:
            return None
        return replace(kept.feedback, was_correct=found["was correct"])

    def count_new(self, most: int, tell: Callable[[Sequence[Feedback]], None] | None = None) -> int:
        """Join predictions to verdicts that wait, and count these into their minutes.

        One whose prediction is still on its way waits on. `tell` hears of them before they are
        counted, and again where that is tried again.
        """
        counted = 0
        for some in self._arrived(most):
            until_kept(lambda some=some: self._count(some, tell))  # type: ignore[misc]
            counted += len(some)
        return counted

    def uncounted(self, model: ModelKey, since: float, until: float, version: str | None) -> int:
        """Count how many more fair verdicts stand of a time than windows have counted."""
        more = 0
        waiting = scan_all(self._database, FEEDBACK, "new", (True,), since=since, until=until)
        for kept in map(from_document, waiting):
            made = kept.prediction
            if made is None or kept.feedback.model != model:
                continue
            if version in (None, made.version):
                more += _is_counted(kept.said) - _is_counted(kept.counted)
        return more

    def take_acknowledged(
        self, verdicts: Sequence[Feedback], arrived: Mapping[str, Arrived]
    ) -> tuple[list[Change], list[Window]]:
        """Return the changes that keep verdicts that were taken already, and what they count.

        Predictions that come with them are joined and counted at once; what was let go meanwhile is
        kept apart, so that nothing acknowledged is lost, unless it was to be forgotten.
        """
        if not verdicts:
            return [], []
        turn = Turn(self, verdicts, arrived)
        for verdict in verdicts:
            if turn.take(verdict) == "forgotten" and verdict.prediction not in turn.erased:
                turn.set_apart(verdict)
        return turn.counted()

    def unverified_puts(self, verdicts: Sequence[UnverifiedFeedback]) -> list[Put]:
        """Return the changes that keep verdicts that nothing proves."""
        if not verdicts:
            return []
        removed = self.models.removed(verdict.model for verdict in verdicts)
        return [
            Put(
                UNVERIFIED,
                verdict.id,
                {
                    "model": verdict.model,
                    "time": verdict.given_at,
                    "body": {
                        "inputs": verdict.inputs,
                        "prediction": verdict.prediction,
                        "was correct": verdict.was_correct,
                        "subject": verdict.subject,
                        "reward": verdict.reward,
                        "signal": verdict.signal,
                    },
                },
            )
            for verdict in verdicts
            if verdict.model not in removed
        ]

    def names_of(self, verdicts: Sequence[Feedback]) -> SignalNames:
        """Return what the signals are called of the models that some are of."""
        of = (verdict.model for verdict in verdicts if verdict.is_implicit)
        return SignalNames(self._database, of)

    def read(
        self, verdicts: Sequence[Feedback]
    ) -> tuple[dict[str, Document], Mapping[str, Arrived]]:
        """Return what is kept of some verdicts, and the predictions that are not with them yet."""
        ids = list(dict.fromkeys(verdict.prediction for verdict in verdicts))
        known = self._database.get_many(FEEDBACK, ids)
        lone = [id for id in ids if id not in known or known[id]["version"] is None]
        return known, self._look_up(lone) if lone else {}

    def is_erased(self, prediction: str) -> bool:
        """Tell whether somebody wanted a prediction forgotten."""
        return is_forgotten(self._database, prediction)

    def kept_since(self, model: ModelKey) -> float:
        """Return from when on predictions of a model that nobody judged are kept."""
        tidied = self._database.get(TIDIED, f"{model}/predictions")
        return 0.0 if tidied is None else float(tidied["body"]["kept since"])

    def _arrived(self, most: int) -> list[list[str]]:
        """Return the ids of verdicts that wait and can be counted, so many, in parts."""
        ready: list[str] = []
        page: list[Document] = []
        while len(ready) < most and (
            page := self._database.scan(
                FEEDBACK,
                "new",
                (True,),
                after=place_of(page[-1], FEEDBACK, "new") if page else None,
                limit=AT_ONCE,
                only=["version"],
            )
        ):
            lone = [one.key for one in page if one["version"] is None]
            there = self._look_up(lone) if lone else {}
            ready += [one.key for one in page if one["version"] is not None or one.key in there]
        ready = ready[:most]
        return [ready[start : start + AT_ONCE] for start in range(0, len(ready), AT_ONCE)]

    def _count(self, ids: Sequence[str], tell: Callable[[Sequence[Feedback]], None] | None) -> None:
        known = self._database.get_many(FEEDBACK, ids)
        joined = self._joined({id: from_document(document) for id, document in known.items()})
        if tell is not None:
            tell([told for kept in joined.values() for told in _news_of(kept)])
        moved: list[Window] = []
        changes: list[Change] = []
        for id, kept in joined.items():
            schema = self.models.schema_of(kept.feedback.model)
            moved += moves_of(kept, schema)
            fields = to_fields(as_counted(kept), schema.names)
            changes.append(Put(FEEDBACK, id, fields, known[id].revision))
        arrived = [
            one for id, one in joined.items() if known[id]["version"] is None and not one.is_silent
        ]
        changes += late_puts(arrived, time.time())
        self._database.commit([*changes, *count_in(self._database, moved)])

    def _joined(self, kept: Mapping[str, Kept]) -> dict[str, Kept]:
        """Return those that wait and have their predictions by now."""
        waiting = {id: one for id, one in kept.items() if one.waits}
        lone = [id for id, one in waiting.items() if one.prediction is None]
        there = self._look_up(lone) if lone else {}
        found = {id: join(one, there.get(id)) for id, one in waiting.items()}
        return {id: one for id, one in found.items() if one.prediction is not None}


class Turn:
    """Verdicts that are taken in one commit, each beside what is kept by then."""

    def __init__(
        self,
        store: VerdictStore,
        verdicts: Sequence[Feedback],
        arriving: Mapping[str, Arrived] = MappingProxyType({}),
    ) -> None:
        self._store = store
        self._models = store.models
        self._about = store.models.documents(verdict.model for verdict in verdicts)
        self._names = store.names_of(verdicts)
        self._documents, there = store.read(verdicts)
        self._there = {**there, **arriving}
        self._kept = {id: from_document(one) for id, one in self._documents.items()}
        self._changed: set[str] = set()
        self._judged: set[str] = set()
        self._apart: dict[str, Put | Delete] = {}
        self.erased: set[str] = set()
        """The predictions that somebody wanted forgotten."""

    def take(self, verdict: Feedback) -> FeedbackStatus:
        """Take one verdict as the rules of precedence have it; of a removed model, none."""
        if is_removed(self._about.get(verdict.model)):
            return "missing"
        if verdict.is_implicit:
            return self._take_signal(verdict)
        return self._take(self._weighed(verdict))

    def _take_signal(self, verdict: Feedback) -> FeedbackStatus:
        """Take one signal, once."""
        id, kept = verdict.prediction, self._kept.get(verdict.prediction)
        if kept is None and self._is_forgotten(verdict):
            return "forgotten"
        name = self._names.admit(verdict.model, verdict.signal, by_judge=verdict.by_judge)
        if kept is not None and name in kept.signals:
            return "duplicate"
        silent = Feedback(id, verdict.model, verdict.predicted_at, verdict.given_at)
        kept = kept or Kept(replace(silent, subject=verdict.subject))
        signals = {**kept.signals, name: verdict.given_at}
        self._kept[id] = join(replace(kept, signals=signals), self._there.get(id))
        self._changed.add(id)
        return "created"

    def _weighed(self, verdict: Feedback) -> Feedback:
        """Say whether a reward counts as right or wrong, where the model's policy says so."""
        model = self._about.get(verdict.model)
        if verdict.reward is None or verdict.tells or model is None:
            return verdict
        return replace(verdict, was_correct=counts_as(verdict.reward, model["body"]["policy"]))

    def _take(self, verdict: Feedback) -> FeedbackStatus:
        kept = self._kept.get(verdict.prediction)
        known = None if kept is None or kept.is_silent else _settled(kept)
        if kept is None and self._is_forgotten(verdict):
            return "forgotten"
        if known is None or (known.withdrawn and verdict.given_at >= known.given_at):
            self._write(verdict)
            return "missing" if verdict.withdrawn else "created"
        if known.is_trusted and not verdict.is_trusted:
            self._hear(verdict)
            self.set_apart(verdict)
            return "overruled"
        is_late = verdict.given_at < known.given_at and verdict.is_trusted == known.is_trusted
        if is_late or verdict.says_the_same_as(known):
            self._hear(verdict)
            return "duplicate"
        self._write(heard_beside(verdict, known))
        return "withdrawn" if verdict.withdrawn else "revised"

    def _hear(self, verdict: Feedback) -> None:
        """Mark the verdict that stands by one that does not take its place."""
        stands = self._kept[verdict.prediction].feedback
        marked = heard_beside(stands, verdict)
        if marked != stands:
            self._write(marked)

    def set_apart(self, verdict: Feedback) -> None:
        """Keep a verdict that counts for nothing where people can find it."""
        if verdict.withdrawn:
            self._apart[verdict.prediction] = Delete(OVERRULED, verdict.prediction)
            return
        fields = to_fields(Kept(verdict))
        body = {name: fields[name] for name in (*APART, "reward")}
        body["signals"] = verdict.signal or None
        apart = {"model": verdict.model, "time": verdict.given_at, "body": body}
        self._apart[verdict.prediction] = Put(OVERRULED, verdict.prediction, apart)

    def changes(self) -> list[Change]:
        """Return what is to be committed."""
        made: list[Change] = list(self._apart.values())
        for id in sorted(self._changed):
            document = self._documents.get(id)
            expect = ABSENT if document is None else document.revision
            kept = self._kept[id]
            names = self._models.schema_of(kept.feedback.model).names
            made.append(Put(FEEDBACK, id, to_fields(kept, names), expect))
        late = late_puts(map(self._kept.__getitem__, self._judged), time.time())
        return [*made, *self._names.puts(), *late]

    def counted(self) -> tuple[list[Change], list[Window]]:
        """Return what is to be committed, with all that can be counted; and its windows."""
        moved: list[Window] = []
        for id in self._changed:
            kept = self._kept[id]
            if kept.prediction is not None:
                moved += moves_of(kept, self._models.schema_of(kept.feedback.model))
                self._kept[id] = as_counted(kept)
        return self.changes(), moved

    def _write(self, verdict: Feedback) -> None:
        id = verdict.prediction
        known = self._kept.get(id, Kept(verdict, first_given_at=verdict.given_at))
        first = known.first_given_at
        if first is not None:
            first = min(first, verdict.given_at)
        elif known.is_silent:
            first = verdict.given_at
        kept = replace(known, feedback=verdict, first_given_at=first)
        self._kept[id] = join(kept, self._there.get(id))
        self._changed.add(id)
        self._judged.add(id)

    def _is_forgotten(self, verdict: Feedback) -> bool:
        """Tell whether a prediction was let go, and is not only on its way."""
        if verdict.prediction in self._there:
            return False
        if self._store.is_erased(verdict.prediction):
            self.erased.add(verdict.prediction)
            return True
        return verdict.predicted_at < self._store.kept_since(verdict.model)


def _news_of(kept: Kept) -> list[Feedback]:
    """Return what no window has counted of what was said of a prediction, and seen to happen."""
    said = kept.feedback
    of = Feedback(said.prediction, said.model, said.predicted_at, said.given_at)
    seen = [
        replace(of, given_at=at, signal=name)
        for name, at in kept.signals.items()
        if name not in kept.counted_signals
    ]
    return [*([said] if kept.said != kept.counted else []), *seen]


def join(kept: Kept, arrived: Arrived | None) -> Kept:
    """Return a verdict with its prediction, once that has arrived."""
    if kept.prediction is not None or arrived is None:
        return kept
    return replace(kept, prediction=arrived.prediction, is_imported=arrived.is_imported)


def as_counted(kept: Kept) -> Kept:
    """Return a verdict once windows have counted it as it stands."""
    return replace(kept, counted=kept.said, counted_signals=tuple(kept.signals))


def moves_of(kept: Kept, schema: Schema) -> list[Window]:
    """Return what is to be added to windows, so that they count a verdict as it stands."""
    told = _windows(kept, kept.said, tuple(kept.signals), schema)
    before = _windows(kept, kept.counted, kept.counted_signals, schema)
    return [*map(negative, before), *told]


def _is_counted(said: Said | None) -> bool:
    return said is not None and not said.asked


def _settled(kept: Kept) -> Feedback:
    if kept.feedback.was_correct is not None or kept.counted is None or kept.prediction is None:
        return kept.feedback
    return replace(kept.feedback, was_correct=was_right(kept.prediction, kept.feedback))


def _windows(kept: Kept, said: Said | None, signals: Sequence[str], schema: Schema) -> list[Window]:
    """Return what counts what was said of a prediction, and what was seen to happen with it."""
    made = kept.prediction
    assert made is not None
    empty = Window(int(made.predicted_at) // 60, kept.feedback.model, made.version, VERDICT_WRITER)
    beside = "alone" if said is None else "beside"
    seen = [replace(empty, signals={name: {beside: 1} for name in signals})] if signals else []
    if said is None:
        return seen
    if said.asked:
        return [replace(empty, asked=1), *seen]
    verdict = replace(kept.feedback, **said._asdict(), withdrawn=False)
    return [_window(empty, made, verdict, schema), *seen]


def _window(empty: Window, made: Prediction, verdict: Feedback, schema: Schema) -> Window:
    """Return the window that counts one verdict."""
    right, reward = was_right(made, verdict), verdict.reward
    given = Rewards() if reward is None else Rewards(1, reward, reward * reward)
    window = replace(empty, verdicts=1, rewards=given, reasons=_reasons(verdict, right))
    if made.value is not None and isinstance(verdict.label, int | float):
        return replace(window, errors=_errors(made.value, float(verdict.label)))
    if right is None:
        return window
    truth = truth_of(made.label, verdict, schema)
    bins = _ONE_IN[confidence.place(max(made.probabilities))] if made.probabilities else ()
    confusion = {} if truth is None or made.label is None else {made.label: {str(truth): 1}}
    return replace(
        window,
        judged=1,
        correct=int(right),
        judged_confidence=bins,
        correct_confidence=bins if right or not bins else _NONE,
        confusion=confusion,
    )


def _reasons(verdict: Feedback, right: bool | None) -> dict[str, dict[str, int]]:
    """Count a verdict under each reason that was shown, and under no name among all of them."""
    if right is None or not verdict.reasons:
        return {}
    return {name: {"right" if right else "wrong": 1} for name in ("", *verdict.reasons)}


def _errors(answer: float, truth: float) -> Errors:
    error = answer - truth
    return Errors(1, abs(error), error * error, truth, truth * truth)
