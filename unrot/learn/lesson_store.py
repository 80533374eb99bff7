"""What versions learnt, what became of each verdict, and what the gate said, as documents.

Publishing is one small commit, however much was learnt.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import islice
from typing import Any

from unrot.core.artefacts import ANCHOR, CALIBRATION, digest_of
from unrot.core.errors import Conflict
from unrot.core.plurals import counted
from unrot.core.records import (
    CHAMPION,
    AliasMove,
    Anchor,
    Fate,
    Fates,
    GateVerdict,
    Job,
    JudgedPrediction,
    ModelKey,
    Recall,
    Version,
)
from unrot.core.signatures import Signatures
from unrot.core.time import HOUR
from unrot.hear.forgotten import forgotten_since
from unrot.learn.fate_store import FateStore
from unrot.learn.job_store import JobStore
from unrot.learn.waiting import WaitingVerdicts
from unrot.serve.model_turn import ModelTurn, version_key, version_of
from unrot.serve.registry_store import keep_artefacts
from unrot.store.kinds import FATES, FEEDBACK, GATE, MODEL, VERSION
from unrot.store.names import kept
from unrot.store.operations import (
    ABSENT,
    Change,
    Operations,
    Put,
    scan_all,
    until_kept,
)

AT_ONCE = 400
LookUp = Callable[[Sequence[str]], Mapping[str, JudgedPrediction]]


class LessonStore:
    """The lessons."""

    def __init__(
        self, database: Operations, jobs: JobStore, look_up: LookUp, signatures: Signatures
    ) -> None:
        self._database = database
        self._signatures = signatures
        self._jobs = jobs
        self._look_up = look_up
        self._fates = FateStore(database)
        self._waiting = WaitingVerdicts(database, self._fates)
        self.waiting, self.count_waiting = self._waiting.waiting, self._waiting.count
        self.on_their_way = self._waiting.on_their_way

    # ── publishing ───────────────────────────────────────────────────────────────────────────

    def publish(
        self,
        version: Version,
        artefacts: Mapping[str, bytes],
        *,
        examples: Collection[str] = (),
        fates: Sequence[Fate],
        gate: GateVerdict | None,
        job: Job | None,
        result: Mapping[str, Any],
        champion: str | None,
        promote: bool,
    ) -> Version | None:
        """Keep a version with all that belongs to it and end its job, at once and whole.

        Its lessons have `examples`; Conflict where one of them was to be forgotten meanwhile.
        """
        keep_artefacts(self._database, artefacts)
        key = version.model

        def work() -> Version | None:
            turn = ModelTurn(self._database, key)
            _check_champion(turn, champion)
            forgotten = self.forgotten(key, job)
            _check_none_forgotten(examples, forgotten)
            blob = self._fates.keep(_without_values(fates, forgotten))
            added = turn.add_version(version, self._signatures)
            told = {"version": added.name, **result}
            ended = self._end(job, told, version.created_at)
            if ended is None:
                return None
            if promote:
                by = job.asked_by if job is not None else ""
                move = AliasMove(CHAMPION, champion, added.name, version.created_at, by)
                turn.move_alias(move)
            noted = [Put(FATES, f"{key}/{added.name}", {"model": key, "blobs": [blob]})]
            judged = [] if gate is None else [_gate_put(key, added.name, gate)]
            self._database.commit([*turn.changes(), *ended, *(noted if blob else []), *judged])
            return added

        return until_kept(work)

    def weigh(
        self,
        version: Version,
        verdict: GateVerdict,
        anchor: Anchor | None,
        *,
        job: Job | None,
        result: Mapping[str, Any],
        champion: str | None,
        promote: bool,
    ) -> bool:
        """Keep what the gate said of a version once more and end its job, at once and whole."""
        key, at = version.model, verdict.decided_at

        def work() -> bool:
            turn = ModelTurn(self._database, key)
            _check_champion(turn, champion)
            ended = self._end(job, result, at)
            if ended is None:
                return False
            if promote:
                by = job.asked_by if job is not None else ""
                move = AliasMove(CHAMPION, champion, version.name, at, by, "the gate passed it")
                turn.move_alias(move)
            measured = [] if anchor is None else self._measured(version, anchor)
            judged = _gate_put(key, version.name, verdict)
            self._database.commit([*turn.changes(), *ended, *measured, judged])
            return True

        return until_kept(work)

    def prune(self, model: ModelKey, versions: Sequence[str]) -> None:
        """Let go of the files of versions that no other needs; their records stay.

        One that an alias points at by now keeps its own. The files themselves are swept later.
        """

        def work() -> None:
            turn = ModelTurn(self._database, model)
            gone = [name for name in versions if name not in turn.aliases.values()]
            known = self._database.get_many(VERSION, [version_key(model, name) for name in gone])
            puts = [
                Put(
                    VERSION,
                    one.key,
                    {**one.fields, "body": {**one["body"], "artefacts": {}, "is_pruned": True}},
                    one.revision,
                )
                for one in known.values()
            ]
            self._database.commit([*turn.changes(), *puts])

        until_kept(work)

    def gates(self, model: ModelKey, version: str) -> list[GateVerdict]:
        """List what the gate said of a version, oldest first."""
        equal = (model, version)
        return [_gate(one["body"]) for one in scan_all(self._database, GATE, "of version", equal)]

    def _end(self, job: Job | None, result: Mapping[str, Any], at: float) -> list[Change] | None:
        """Return what ends a job, nothing where there is none; None where it was lost."""
        return [] if job is None else self._jobs.ended(job, at, result=result)

    def _measured(self, version: Version, anchor: Anchor) -> list[Put]:
        """Let a version be measured by other rows from now on; it keeps them as an artefact."""
        found = self._database.get(VERSION, version_key(version.model, version.name))
        if found is None:
            return []
        known = version_of(found)
        artefacts = {**known.artefacts, **({ANCHOR: anchor.digest} if anchor.digest else {})}
        if anchor.data or anchor.metrics:
            artefacts.pop(CALIBRATION, None)  # it was known of the rows before
        if anchor.calibration:
            artefacts[CALIBRATION] = digest_of(anchor.calibration)
        files = {anchor.digest: anchor.data, digest_of(anchor.calibration): anchor.calibration}
        keep_artefacts(self._database, {digest: data for digest, data in files.items() if data})
        moved = replace(known, artefacts=artefacts, anchor=anchor.digest)
        body = {
            **found["body"],
            "artefacts": artefacts,
            "signature": self._signatures.sign_changed(moved, known).signature,
            "metrics": anchor.measured(known.metrics),
            "anchor": anchor.digest,
            "anchor_score": anchor.score,
            "anchor_since": anchor.since,
        }
        return [Put(VERSION, found.key, {**found.fields, "body": body}, found.revision)]

    # ── verdicts ─────────────────────────────────────────────────────────────────────────────

    def fates(self, model: ModelKey, line: Sequence[str]) -> Fates:
        """Count all verdicts by what became of them in a line."""
        decided = self._fates.decided(model, line)
        given = {
            one.key: one["time"]
            for one in [*self._waiting.standing(model), *self._waiting.lone(model)]
        }
        taken_back = [id for id, one in decided.items() if one.kind == "learnt" and id not in given]
        given |= dict.fromkeys(self._there(taken_back), 0.0)
        learnt: Counter[str] = Counter()
        aside: Counter[str] = Counter()
        waiting = held_out = 0
        for id, at in given.items():
            fate = decided.get(id)
            if fate is None or fate.until < at:
                waiting += 1
            elif fate.kind == "learnt":
                learnt[fate.version] += 1
            elif fate.kind == "held out":
                held_out += 1
            else:
                aside[fate.reason.partition(": ")[0]] += 1
        return Fates(
            len(given), waiting, dict(sorted(learnt.items())), held_out, dict(sorted(aside.items()))
        )

    def fates_of(
        self, model: ModelKey, version: str, *, limit: int, after: str = ""
    ) -> list[tuple[Fate, JudgedPrediction | None]]:
        """List the fates that one version decided, by prediction id, beside their predictions."""
        decided = {one.prediction: one for one in self._fates.of_version(model, version)}
        ids = list(islice((id for id in sorted(decided) if id > after), limit))
        found = self._look_up(ids)
        return [
            (Fate(id, one.kind, one.given_at, one.reason, version), found.get(id))  # type: ignore[arg-type]
            for id in ids
            for one in [decided[id]]
        ]

    def decide(self, model: ModelKey, version: str, fates: Sequence[Fate]) -> None:
        """Note fates that a version decided without learning anything from them."""
        kept(self._database.get(MODEL, model), model)
        blob = self._fates.keep(_without_values(fates, self.forgotten(model)))

        def work() -> None:
            known = self._database.get(FATES, f"{model}/{version}")
            blobs = [*([] if known is None else known["blobs"]), blob]
            expect = ABSENT if known is None else known.revision
            noted = Put(FATES, f"{model}/{version}", {"model": model, "blobs": blobs}, expect)
            self._database.commit([noted, *self._waiting.unsettled(model, version)])

        if blob:
            until_kept(work)

    def erase_reasons(self, model: ModelKey, version: str, ids: Collection[str]) -> list[str]:
        """Keep of some fates of a version what became of the verdict, and no value in the reason.

        Return the digests of the files that hold them no more.
        """
        gone: list[str] = []

        def work() -> None:
            known = self._database.get(FATES, f"{model}/{version}")
            blobs = [] if known is None else list(known["blobs"])
            fates = {digest: self._fates.rows_in(digest) for digest in blobs}
            changed = {
                digest: self._fates.keep_rows([_without_value(row, ids) for row in rows])
                for digest, rows in fates.items()
                if any(_without_value(row, ids) != row for row in rows)
            }
            if known is not None and changed:
                left = [changed.get(digest, digest) for digest in blobs]
                fields = {"model": model, "blobs": left}
                self._database.commit([Put(FATES, known.key, fields, known.revision)])
                gone[:] = list(changed)

        until_kept(work)
        return gone

    def learnt(self, model: ModelKey, line: Sequence[str]) -> set[str]:
        """Return the predictions whose verdicts a line has learnt."""
        return self._fates.learnt(self._fates.digests(model, line))

    def forgotten(self, model: ModelKey, job: Job | None = None) -> set[str]:
        """Return the predictions that were to be forgotten since a job was asked for, or lately."""
        since = time.time() if job is None else job.created_at
        return forgotten_since(self._database, model, since - HOUR)

    def trusted(
        self,
        model: ModelKey,
        limit: int,
        *,
        since: float | None = None,
        where: Callable[[str], bool] | None = None,
    ) -> list[JudgedPrediction]:
        """List the newest verdicts of judges, by the time of their predictions, oldest first."""
        second = None if since is None else float(int(since))
        found = self._database.scan(
            FEEDBACK, "trusted", (model,), since=second, newest_first=True, limit=limit, only=[]
        )
        ids = [one.key for one in reversed(found) if where is None or where(one.key)]
        told = self._waiting.read(model, ids, limit)
        return [one for one in told if since is None or one.prediction.predicted_at >= since]

    def _there(self, ids: Sequence[str]) -> list[str]:
        found: list[str] = []
        for start in range(0, len(ids), AT_ONCE):
            found += self._database.get_many(FEEDBACK, ids[start : start + AT_ONCE])
        return found


def _without_value(row: list[Any], ids: Collection[str]) -> list[Any]:
    """Return a fate without what stands behind the colon of its reason, where it is one of some."""
    id, kind, at, reason = row
    return [id, kind, at, reason.partition(": ")[0]] if id in ids else row


def _without_values(fates: Sequence[Fate], ids: Collection[str]) -> list[Fate]:
    return [
        replace(one, reason=one.reason.partition(": ")[0]) if one.prediction in ids else one
        for one in fates
    ]


def _check_none_forgotten(examples: Collection[str], forgotten: Collection[str]) -> None:
    if found := [id for id in examples if id in forgotten]:
        raise Conflict(
            f"{counted(len(found), 'prediction')} that it had learnt from were to be forgotten "
            "meanwhile: nothing of it is kept. Ask again.",
            reason="forgotten_meanwhile",
        )


def _check_champion(turn: ModelTurn, expected: str | None) -> None:
    if turn.aliases.get(CHAMPION) != expected:
        raise Conflict("The champion changed meanwhile: ask again.", reason="champion_moved")


def _gate_put(model: ModelKey, version: str, verdict: GateVerdict) -> Put:
    fields = {
        "model": model,
        "version": version,
        "decided at": verdict.decided_at,
        "body": {**asdict(verdict), "bound": _written(verdict.bound)},
    }
    return Put(GATE, f"{model}/{version}/{verdict.decided_at!r}", fields)


def _gate(body: Mapping[str, Any]) -> GateVerdict:
    recalls = tuple(Recall(**recall) for recall in body["recalls"])
    bound = None if body["bound"] is None else float(body["bound"])
    return GateVerdict(**{**body, "recalls": recalls, "bound": bound})


def _written(bound: float | None) -> float | str | None:
    """Return a bound as JSON has it, which knows no infinite number."""
    return str(bound) if bound is not None and math.isinf(bound) else bound
