"""All that a job works with, read once when it begins; no rule asks the store for more.

Every kind of job sees the same champion, the same anchor and the same verdicts of judges. What only
some kinds need, such as the verdicts that wait or what a version learnt, is read for these alone.
What refuses a job is read first, and who answers rows comes last.

One second reading follows the lesson, for the gate: what rivals answer and who judged
(`read_evidence`). No lesson needs it, and rivals are as large as a champion: no fit has them
beside it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from unrot.core import lineage
from unrot.core.artefacts import HOLDOUT, LESSONS
from unrot.core.errors import Conflict
from unrot.core.plurals import counted
from unrot.core.policy import Policy
from unrot.core.ports import Label, Predictor, Progress, Trainable
from unrot.core.records import (
    CHAMPION,
    AliasMove,
    Answered,
    Example,
    Fate,
    Job,
    JudgedPrediction,
    Lesson,
    Model,
    ModelKey,
    Row,
    Schema,
    Version,
)
from unrot.hear.cleaning import Cleaned, part_verdicts
from unrot.hear.scores import Errors, row_errors
from unrot.hear.truth import example_of, judging_verdicts, only_judges, parse_weights, was_right
from unrot.learn.gate.ground import Evidence
from unrot.learn.gate.world_shift import FEWEST, Move, find_move
from unrot.learn.rebuild_plan import Rebuild, VersionLessons, plan_rebuild
from unrot.learn.refusals import check_can_learn, check_is_kept, check_is_left
from unrot.serve.service import Service
from unrot.serve.shelf import sync
from unrot.watch import audit
from unrot.watch.monitors.estimate.calibration import calibrations
from unrot.watch.worth.one_sided import OneSided, Untold, weighing

MOST_ANCHOR_ROWS = 20_000
MOST_RECENT_ROWS = 5_000
"""Of the newest trusted verdicts: what judges said years ago does not speak for today."""

ARRIVAL_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 0.05

MOST_VERDICTS = 50_000
"""One job learns at most so many; the next one takes the rest."""

FATES_AT_ONCE = 1_000
CANDIDATE = "The candidate"


@dataclass(frozen=True, slots=True)
class Rivals:
    """Whom a candidate may not fall behind besides the champion, and how many tried before it."""

    best: Version | None = None
    """The champion that did best on this anchor."""
    first: Version | None = None
    """The first champion of this world."""
    weighed: int = 0
    """How many candidates this world has seen before."""
    promoted: int = 0
    """How many of those became champion."""


@dataclass(frozen=True, slots=True)
class Heard:
    """How wrong the champion is on recent rows, oldest first, and when they were predicted."""

    errors: Errors
    at: Sequence[float]


@dataclass(frozen=True, kw_only=True)
class Material:
    """All that a job works with, as it stood when it began."""

    job: Job
    model: Model
    policy: Policy
    versions: Sequence[Version]
    champion: Version
    parent: Version
    """What the job goes on from: the champion, or the version that a rebuild begins with."""
    line: Sequence[str]
    """The versions whose verdicts are in the champion."""
    rivals: Rivals
    audited: frozenset[str] = frozenset()
    """The predictions that audits asked for."""
    anchor_table: bytes = field(default=b"", repr=False)
    """The rows that the champion is measured by, packed; empty where it has none."""
    anchor: tuple[Sequence[Row], Sequence[Label]] = ((), ())
    """These rows with their truth."""
    recent: Sequence[Example] = ()
    """The trusted verdicts that only judge, in the order of their predictions.

    Those of a world before that of the champion's anchor do not speak for this one.
    """
    one_sided: OneSided | None = None
    """Why they do not tell who is right: then only those that audits drew are among them."""
    heard: Heard | None = None
    """How the champion's own answers were judged, where too few verdicts say what is right."""
    on_anchor: Answered | None = None
    """What the champion answers on its anchor."""
    on_recent: Answered | None = None
    """What it answers on the verdicts that only judge."""
    move: Move = Move(can_tell=False)
    """Whether the world is still the one of the anchor."""
    evidence: Evidence | None = None
    """All that the gate looks at, without the candidate; None where it weighs nothing."""

    verdicts: Cleaned = Cleaned((), ())
    """Those that wait, or for a refit all: the examples that do not only judge, fates of the rest.

    How far an example may lie is not told yet: today's world is known once the champion answers.
    """
    is_off: bool = False
    """Of a refit: whether the champion's probabilities are surely off, on its holdout."""
    vouched: Sequence[Example] = ()
    """Of a world that has moved, the trusted verdicts that the champion has learnt already."""

    plan: Rebuild | None = None
    """What a rebuild does."""
    decided: Sequence[Fate] = ()
    """What became of the verdicts of the versions that a rebuild stands for, the oldest first."""

    @property
    def schema(self) -> Schema:
        """The features and classes of the model."""
        return self.model.schema

    @property
    def since(self) -> float:
        """When the present world began; 0 where it is the one of the training, or not known.

        Once a cure was promoted its anchor is of the new world, so that nothing moves any more
        against it: what to replay, and how far features go, is still of that world.
        """
        if self.move.has_moved:
            return self.heard_at[self.move.place]
        return self.champion.anchor_since

    def is_over(self, at: float) -> bool:
        """Tell whether what was predicted at a moment is of another world that is over."""
        heard = self.heard_at
        return any(heard[went] <= at < heard[back] for went, back in self.move.over)

    @property
    def heard_at(self) -> Sequence[float]:
        """When the rows were predicted that tell whether the world has moved."""
        if self.heard is not None:
            return self.heard.at
        return [example.predicted_at for example in self.recent]


def read_material(service: Service, job: Job, tell: Progress) -> tuple[Material, Trainable]:
    """Read all that a job teaches with, as it stands now; what refuses it is looked at first."""
    material = read_champion(service, job)
    if job.kind == "rebuild":
        material = _read_history(service, material, tell)
    trainable = _open_parent(service, material, tell)
    if job.kind in ("learn", "refit"):
        material = _read_verdicts(service, material, tell)
    if job.kind == "refit":
        material = replace(material, is_off=_is_off(service, material))
    if job.kind not in lineage.STREAMED:
        material = read_judges(service, material)
    return material, trainable


def part_of(tell: Progress, start: float, end: float) -> Progress:
    """Return how a part of the work tells how far it is."""
    return lambda done, step: tell(start + (end - start) * done, step)


# ── what every job needs ─────────────────────────────────────────────────────────────────────


def read_champion(service: Service, job: Job) -> Material:
    """Read the model, its champion, and the rows that the champion is measured by."""
    registry = service.store.registry
    sync(service.shelf.folder, registry)
    model = service.catalogue().by_key(job.model).model
    name = registry.aliases(model.key).get(CHAMPION)
    versions = registry.versions(model.key)
    if name is None:
        raise Conflict(f"{model.name} has no champion to go on from: promote a version first.")
    champion = lineage.named(versions, name)
    service.signatures.check(champion, model)
    table = registry.artefact(champion.anchor) if champion.anchor else b""
    return Material(
        job=job,
        model=model,
        policy=registry.policy(model.key),
        versions=versions,
        champion=champion,
        parent=champion,
        line=lineage.learning_line(versions, champion.name),
        rivals=_find_rivals(job, versions, registry.moves(model.key), champion, model.schema),
        audited=frozenset(service.store.trials.audited(model.key)),
        anchor_table=table,
        anchor=service.trainer.unpack(table, model.schema, MOST_ANCHOR_ROWS),
    )


def _find_rivals(
    job: Job,
    versions: Sequence[Version],
    moves: Sequence[AliasMove],
    champion: Version,
    schema: Schema,
) -> Rivals:
    since = champion.anchor_since
    name = str(job.asked["version"]) if job.kind == "weigh" else CANDIDATE
    weighed, promoted = lineage.weighed_before(versions, moves, name, since)
    return Rivals(
        best=lineage.best(versions, moves, champion.anchor, is_classifier=schema.is_classifier),
        first=lineage.first(versions, moves, since),
        weighed=weighed,
        promoted=promoted,
    )


def _open_parent(service: Service, material: Material, tell: Progress) -> Trainable:
    """Open what the job goes on from; it fetches such tables of its own as it comes to need."""
    parent, kind = material.parent, material.job.kind
    tell(0.03, f"opening {parent.name}")
    check_is_kept(parent, kind)
    service.signatures.check(parent, material.model)
    trainable = service.trainer.open(parent, material.schema, service.store.registry.artefact)
    if kind == "learn":
        check_can_learn(parent, can_learn=trainable.can_learn)
    return trainable


def _is_off(service: Service, material: Material) -> bool:
    """Tell whether the interval of the champion's calibration error leaves out that it is 0."""
    shelved, name = service.catalogue().by_key(material.model.key), material.champion.name
    made = calibrations(service, shelved, [name]).get(name)
    return made is not None and made.ece is not None and made.ece.low > 0


# ── verdicts to learn from ───────────────────────────────────────────────────────────────────


def _read_verdicts(service: Service, material: Material, tell: Progress) -> Material:
    """Read the verdicts to learn from, and part those that may be from those that only judge."""
    line = material.line if material.job.kind == "learn" else []
    parted = part_verdicts(
        _wait_for_verdicts(service, material.model.key, line, tell),
        material.schema,
        material.policy,
        audited=material.audited,
        weights=parse_weights(material.job.asked.get("weights", {})),
    )
    check_is_left(material.parent, material.job.kind, parted)
    return replace(material, verdicts=parted)


def _wait_for_verdicts(
    service: Service, model: ModelKey, line: Sequence[str], tell: Progress
) -> list[JudgedPrediction]:
    """Return the verdicts that a line has not decided, once their predictions have arrived.

    A verdict is often given, and learning asked for, before its prediction has been shipped.
    """
    lessons = service.store.lessons
    ends_at = time.monotonic() + ARRIVAL_SECONDS
    expected = missing = lessons.on_their_way(model)
    while missing and time.monotonic() < ends_at:
        tell(0.02, f"waiting for {counted(len(missing), 'prediction')} to be shipped")
        time.sleep(LOOK_AGAIN_SECONDS)
        missing = expected & lessons.on_their_way(model)
    tell(0.04, "reading the verdicts that wait" if line else "reading all verdicts")
    return lessons.waiting(model, line, MOST_VERDICTS)


# ── what a rebuild stands for ────────────────────────────────────────────────────────────────


def _read_history(service: Service, material: Material, tell: Progress) -> Material:
    """Read what a version and those before it learnt, and plan to make it again."""
    asked, versions = material.job.asked, material.versions
    line = lineage.line(versions, str(asked["version"]))[::-1]
    tell(0.02, f"reading what {line[-1].name} learnt")
    history = [_read_lessons(service, material.model, version) for version in line]
    withdrawn, corrected = _read_changes(service, material, history)
    without = {*asked.get("without", []), *withdrawn}
    plan = plan_rebuild(history, without=without, corrected=corrected)
    names = [version.name for version in line]
    remade = names[names.index(plan.start) + 1 :]
    return replace(
        material,
        parent=lineage.named(versions, plan.start),
        plan=plan,
        decided=[fate for name in remade for fate in _read_fates(service, material, name)],
    )


def _read_lessons(service: Service, model: Model, version: Version) -> VersionLessons:
    lessons: Sequence[Lesson] = ()
    if LESSONS in version.artefacts:
        service.signatures.check(version, model)
        packed = service.store.registry.artefact(version.artefacts[LESSONS])
        lessons = service.trainer.unpack_lessons(packed)
    return VersionLessons(version.name, lessons, has_files=not version.is_pruned)


def _read_changes(
    service: Service, material: Material, history: Sequence[VersionLessons]
) -> tuple[set[str], dict[str, Example]]:
    """Return the verdicts that were taken back or forgotten since, and those changed since."""
    withdrawn: set[str] = set()
    corrected: dict[str, Example] = {}
    lessons = [lesson for version in history for lesson in version.lessons]
    learnt = {example.prediction: example for lesson in lessons for example in lesson.examples}
    forgotten = service.store.lessons.forgotten(material.model.key, material.job)
    for name, old in learnt.items():
        if old.is_erased or name in forgotten:
            withdrawn.add(name)
            continue
        now = service.store.verdicts.of(name)
        if now is not None and now.withdrawn:
            withdrawn.add(name)
        elif now is not None and now.given_at > old.given_at:
            judged = service.store.traffic.prediction(name)
            example = None if judged is None else example_of(judged, material.schema)
            if isinstance(example, Example) and example.label != old.label:
                corrected[name] = example
    return withdrawn, corrected


def _read_fates(service: Service, material: Material, version: str) -> list[Fate]:
    found: list[Fate] = []
    read, after = service.store.lessons.fates_of, ""
    while page := read(material.model.key, version, limit=FATES_AT_ONCE, after=after):
        found += [fate for fate, _ in page]
        after = page[-1][0].prediction
    return found


# ── what a candidate is held against ─────────────────────────────────────────────────────────


def read_judges(service: Service, material: Material) -> Material:
    """Read the verdicts that only judge, and let the champion answer them and its anchor."""
    model, schema, champion = material.model.key, material.schema, material.champion
    share, audited = material.policy.held_out, material.audited
    trusted = service.store.lessons.trusted(
        model,
        MOST_RECENT_ROWS,
        since=champion.anchor_since,
        where=lambda id: only_judges(id, share, audited),
    )
    verdicts = judging_verdicts(trusted, share, audited=audited)
    judging, one_sided = weighing(service.store, model, verdicts, schema, audited)
    since = verdicts[0].prediction.predicted_at if verdicts else math.inf
    learnt = _read_learnt(service, material, since)
    recent = [one for one in judging if one.prediction not in learnt]
    scorer = service.shelf.predictor(service.catalogue(), champion)
    on_anchor = _answer(scorer, *material.anchor)
    on_recent = _answer(scorer, *_rows_of(recent))
    heard = None
    if isinstance(one_sided, Untold) and len(recent) < FEWEST:
        heard = _hear_alone(champion, [one for one in verdicts if one.prediction.id not in learnt])
        recent, on_recent = [], None
    material = replace(
        material,
        recent=recent,
        one_sided=one_sided,
        heard=heard,
        on_anchor=on_anchor,
        on_recent=on_recent,
        move=_find_move(schema, on_anchor, heard or _hear(schema, on_recent, recent)),
    )
    return replace(material, vouched=_read_vouched(service, material))


def _read_learnt(service: Service, material: Material, since: float) -> set[str]:
    """Return what the line has learnt of the predictions since a moment, perhaps of some before.

    Where a policy set fewer rows aside before, some of those that judge now were learnt then.
    """
    line = lineage.made_since(material.versions, material.line, since)
    return service.store.lessons.learnt(material.model.key, line)


def _hear(schema: Schema, on_recent: Answered | None, recent: Sequence[Example]) -> Heard | None:
    """Return how wrong the champion is on recent rows."""
    if on_recent is None:
        return None
    return Heard(row_errors(schema, on_recent), [one.predicted_at for one in recent])


def _hear_alone(champion: Version, verdicts: Sequence[JudgedPrediction]) -> Heard:
    """Return how often the champion's own answers were wrong, as the verdicts say."""
    own = [one for one in verdicts if one.prediction.version == champion.name]
    told = [(one.prediction.predicted_at, was_right(one.prediction, one.feedback)) for one in own]
    known = [(at, is_right) for at, is_right in told if is_right is not None]
    return Heard(np.array([float(not right) for _, right in known]), [at for at, _ in known])


def _find_move(schema: Schema, on_anchor: Answered | None, heard: Heard | None) -> Move:
    if on_anchor is None or heard is None:
        return Move(can_tell=False)
    errors = row_errors(schema, on_anchor)
    return find_move(errors, heard.errors, is_classifier=schema.is_classifier, at=heard.at)


def _read_vouched(service: Service, material: Material) -> list[Example]:
    """Read trusted rows of a new world that the line has learnt already, to be replayed."""
    if material.job.kind != "learn" or not material.since or not material.policy.replay:
        return []
    learnt = _read_learnt(service, material, material.since)
    trusted = service.store.lessons.trusted(
        material.model.key, MOST_VERDICTS, since=material.since, where=learnt.__contains__
    )
    found = [example_of(judged, material.schema) for judged in trusted]
    return [example for example in found if isinstance(example, Example)]


def read_evidence(service: Service, material: Material) -> Material:
    """Let the rivals of a candidate answer, and count who judged, where the gate weighs it."""
    if not material.policy.gate or material.job.kind in lineage.STREAMED:
        return material
    return replace(material, evidence=_find_evidence(service, material))


def _find_evidence(service: Service, material: Material) -> Evidence:
    champion, rivals = material.champion, material.rivals
    best = _scorer_beside(service, champion, rivals.best)
    first = _scorer_beside(service, champion, rivals.first)
    judged, predicted = _count_judged(service, material)
    is_version = material.job.kind == "weigh"
    is_holdout = champion.anchor == champion.artefacts.get(HOLDOUT)
    return Evidence(
        schema=material.schema,
        champion=champion.name,
        candidate=str(material.job.asked["version"]) if is_version else CANDIDATE,
        move=material.move,
        heard=None if material.heard is None else material.heard.errors,
        recent_at=material.heard_at,
        audited=[example.prediction in material.audited for example in material.recent],
        best_score=None if rivals.best is None else rivals.best.anchor_score,
        best=_answer(best, *material.anchor),
        first=_answer(first, *material.anchor),
        first_recent=_answer(first, *_rows_of(material.recent)),
        is_fixed=is_holdout,
        can_grow=not is_holdout,
        weighed=rivals.weighed,
        promoted=rivals.promoted,
        judged=judged,
        predicted=predicted,
        can_be_audited=audit.room(service, material.model.name, audit.FEWEST).is_there,
        one_sided=material.one_sided,
    )


def _scorer_beside(service: Service, champion: Version, other: Version | None) -> Predictor | None:
    """Return what answers for another version; None for the champion and where files are gone."""
    if other is None or other.name == champion.name or other.is_pruned:
        return None
    return service.shelf.predictor(service.catalogue(), other)


def _count_judged(service: Service, material: Material) -> tuple[int, int]:
    """Count all verdicts since the first that judges, held out or not, and the predictions."""
    if not material.heard_at:
        return 0, 0
    first, until = material.heard_at[0], service.clock()
    traffic = service.store.traffic
    return traffic.judged_of_predicted(material.model.key, since=first, until=until)


def _answer(
    scorer: Predictor | None, rows: Sequence[Row], truth: Sequence[Label]
) -> Answered | None:
    """Let somebody answer rows whose truth is known; None where there is nobody or no row."""
    if scorer is None or not rows:
        return None
    return Answered(rows, truth, scorer.predict(rows))


def _rows_of(examples: Sequence[Example]) -> tuple[list[Row], list[Label]]:
    return [one.row for one in examples], [one.label for one in examples]
