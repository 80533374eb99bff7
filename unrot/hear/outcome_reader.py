"""How judged predictions came out, from the verdicts alone: they tell all of themselves.

What is measured by leaves out verdicts that were asked for (`hear/truth.py`): the index has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from heapq import merge

from unrot.core.records import JudgedPrediction, ModelKey, Outcome, Schema, Tally
from unrot.core.windows import total
from unrot.hear.feedback_documents import Kept, from_document, judged_of
from unrot.hear.late import late_mark
from unrot.hear.truth import right_by, truth_by
from unrot.hear.window_store import windows_between
from unrot.store.kinds import FEEDBACK, UNVERIFIED
from unrot.store.names import Models
from unrot.store.operations import Document, Operations, scan_all

END_OF_TIME = 2**40
WITHOUT_INPUTS = ["model", "version", "time", "predicted at", "judge", "subject", "body"]
"""What tells how a prediction came out; those that are scanned are not withdrawn."""

Key = tuple[float, float, str]
"""When a verdict was given, when its prediction was made, and that one's id."""


class OutcomeReader:
    """Reads outcomes."""

    def __init__(self, database: Operations, models: Models) -> None:
        self._database = database
        self._models = models

    def outcomes(
        self,
        model: ModelKey,
        *,
        limit: int,
        after: Key | None = None,
        versions: Sequence[str] = (),
        with_inputs: bool = False,
    ) -> list[Outcome]:
        """List how judged predictions came out, in the order of their verdicts."""
        schema = self._models.schema_of(model)
        found = [
            _outcome(document, schema, with_inputs=with_inputs)
            for document in self._told(model, limit, after, versions, with_inputs=with_inputs)
        ]
        found.sort(key=lambda one: (one.given_at, one.predicted_at, one.prediction))
        return found[:limit] if after is not None else found[-limit:]

    def judged_after(self, model: ModelKey, after: Key, *, limit: int) -> list[JudgedPrediction]:
        """List judged predictions in the order of their verdicts, the next so many, no inputs."""
        told = self._told(model, limit, after, (), with_inputs=False)
        found = (judged_of(from_document(document)) for document in told)
        return [one for one in found if one is not None]

    def late_mark(self, model: ModelKey) -> str:
        """Return a word that is another as soon as a late verdict on a model was kept."""
        return late_mark(self._database, model)

    def last_judged(self, model: ModelKey, *, limit: int) -> list[JudgedPrediction]:
        """List the newest judged predictions with their inputs, in the order of their verdicts."""
        told = self._told(model, limit, None, (), with_inputs=True)
        found = (judged_of(from_document(document)) for document in reversed(told))
        return [one for one in found if one is not None]

    def given_between(
        self, model: ModelKey, since: float, until: float
    ) -> Iterator[JudgedPrediction]:
        """Return what was said or seen of predictions by when that was told, newest first."""
        verdicts, others = (
            scan_all(
                self._database, FEEDBACK, way, (model,), since=since, until=until, newest_first=True
            )
            for way in ("given", "aside")
        )
        found = merge(verdicts, others, key=_told_at, reverse=True)
        judged = (judged_of(from_document(document)) for document in found)
        return (one for one in judged if one is not None)

    def count_given(self, model: ModelKey, since: float, until: float) -> int:
        """Count what was said or seen in a stretch of time."""
        return sum(
            self._database.count(FEEDBACK, way, (model,), since=since, until=until)
            for way in ("given", "aside")
        )

    def judged_between(self, model: ModelKey, since: float, until: float) -> Iterator[Kept]:
        """Return verdicts by when their predictions were made, newest second first.

        Those on predictions from a moment up to, not with, another, as far as they have arrived.
        """
        found = scan_all(
            self._database,
            FEEDBACK,
            "of model",
            (model,),
            since=float(int(since)),
            until=until,
            newest_first=True,
        )
        for kept in map(from_document, found):
            made = kept.prediction
            if made is None or kept.said is None:
                continue
            if since <= made.predicted_at < until:
                yield kept

    def judged_span(self, model: ModelKey) -> tuple[float, float] | None:
        """Return the second of the first and of the last prediction with a verdict."""
        ends = [self._end(model, newest_first=way) for way in (False, True)]
        return None if ends[0] is None or ends[1] is None else (ends[0], ends[1])

    def tally(self, model: ModelKey, *, since: float, last: int, version: str | None) -> Tally:
        """Sum the windows since a time, and look at the last judged verdicts on one version."""
        counted = total(windows_between(self._database, model, int(since) // 60, END_OF_TIME))
        told = self.outcomes(model, limit=last, versions=() if version is None else (version,))
        right = [one.was_correct for one in told if one.was_correct is not None]
        errors = [abs(one.error) for one in told if one.error is not None]
        return Tally(
            counted.predictions,
            counted.verdicts + counted.asked,
            self._database.count(UNVERIFIED, "of model", (model,), since=since),
            last_accuracy=sum(right) / len(right) if right else None,
            last_accuracy_verdicts=len(right),
            last_error=sum(errors) / len(errors) if errors else None,
            last_error_verdicts=len(errors),
        )

    def _told(
        self,
        model: ModelKey,
        limit: int,
        after: Key | None,
        versions: Sequence[str],
        *,
        with_inputs: bool,
    ) -> list[Document]:
        """Return the newest so many fair verdicts that say something; or the next so many."""
        asked: list[tuple[str, tuple[str, ...]]] = [("fair", (model,))]
        if versions:
            asked = [("of version", (model, version)) for version in versions]
        return [
            document
            for index, equal in asked
            for document in self._database.scan(
                FEEDBACK,
                index,
                equal,
                after=after,
                newest_first=after is None,
                limit=limit,
                only=None if with_inputs else WITHOUT_INPUTS,
            )
        ]

    def _end(self, model: ModelKey, *, newest_first: bool) -> float | None:
        found = scan_all(
            self._database,
            FEEDBACK,
            "of model",
            (model,),
            newest_first=newest_first,
            only=("withdrawn", "implicit"),
            page=10,
        )
        judged = (one for one in found if not one["withdrawn"] and not one["implicit"])
        return next((float(one["predicted at"]) for one in judged), None)


def _told_at(document: Document) -> tuple[float, float]:
    return float(document["time"]), float(document["predicted at"])


def _outcome(document: Document, schema: Schema, *, with_inputs: bool) -> Outcome:
    fields = document.fields
    said, answer = fields["body"], fields["body"]["prediction"]
    label, value, likely = answer["label"], answer["value"], answer["probabilities"]
    was_correct, told = said["was correct"], said["label"]
    is_number = value is not None and isinstance(told, int | float)
    inputs = (fields["input data"] or ()) if with_inputs else ()
    return Outcome(
        prediction=document.key,
        version=fields["version"],
        predicted_at=fields["predicted at"],
        given_at=fields["time"],
        was_correct=right_by(label, was_correct, told),
        error=value - told if is_number else None,
        confidence=max(likely) if likely else None,
        truth=truth_by(label, was_correct, told, schema),
        answer=label,
        is_trusted=fields["judge"] is not None,
        subject=fields["subject"] or "",
        inputs=tuple(inputs.values() if isinstance(inputs, Mapping) else inputs),
    )
