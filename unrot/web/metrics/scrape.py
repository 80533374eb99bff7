"""`/metrics`: what the workers counted, and what is looked up at the moment of the scrape.

A look costs a few indexed reads for each model, however much is kept. While the store is away its
series are absent, `unrot_store_up` is 0, and the scrape is as quick as ever.
"""

from __future__ import annotations

import logging
import struct
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from flask import Blueprint, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from unrot import __version__
from unrot.core.errors import StoreAway
from unrot.core.records import CHAMPION, ModelKey, Window
from unrot.core.time import DAY, HOUR
from unrot.core.windows import total
from unrot.serve import readiness
from unrot.serve.journal import Drops, backlog_bytes
from unrot.serve.service import LAST_VERDICTS, Service
from unrot.serve.shelf import ShelvedModel
from unrot.watch.event_spool import event_facts
from unrot.watch.monitors.reasons.note import read_days
from unrot.watch.monitors.sure.look import read_course
from unrot.watch.reports.signals import by_meaning, signals_in
from unrot.watch.statistics.accuracy import errors_of, right_of, scored
from unrot.watch.statistics.rewards import mean_reward
from unrot.web.current import service
from unrot.web.metrics import catalogue
from unrot.web.metrics.catalogue import Read
from unrot.web.metrics.counting import GATHERED
from unrot.web.security import needs

blueprint = Blueprint("metrics", __name__)

OUTPUTS = ("output.class", "output.probability", "output.value")
Sample = tuple[Read, tuple[str, ...], float]

_log = logging.getLogger(__name__)


@blueprint.get("/metrics")
@needs("viewer")
def scrape() -> Response:
    """Answer a scrape in the text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Scrape(service()))
    answer = Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)
    answer.headers["Cache-Control"] = "no-store"
    return answer


class _Scrape(Collector):
    """Everything, at one moment."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """Return the families of both kinds."""
        models = self._service.shelf.contents().models
        # The store first: that it did not answer now is counted, too.
        looked_up = [*_of_store(self._service, models), *_of_machine(self._service)]
        yield from _of_workers(models)
        yield from _families(looked_up)


def _families(samples: Iterable[Sample]) -> Iterable[Metric]:
    found: dict[str, Metric] = {}
    for read, labels, value in samples:
        if read.name not in found:
            found[read.name] = read.family()
        found[read.name].add_metric(labels, value)  # type: ignore[attr-defined]
    return found.values()


# ── the workers ──────────────────────────────────────────────────────────────────────────────


def _of_workers(models: Mapping[str, ShelvedModel]) -> Iterator[Metric]:
    """Sum what the workers of this machine counted; models that are gone are left out."""
    for metric in _counted():
        metric.samples = [one for one in metric.samples if _is_known(one.labels, models)]
        yield metric


def _counted() -> Iterable[Metric]:
    GATHERED.flush()
    if catalogue.SLOTS is None:
        return catalogue.REGISTRY.collect()
    files = catalogue.SLOTS.files()
    try:
        return _merged(files)
    except (OSError, ValueError, KeyError, RuntimeError, struct.error):
        return _merged([file for file in files if _is_readable(file)])


def _merged(files: list[str]) -> list[Metric]:
    return list(MultiProcessCollector.merge(files))  # type: ignore[no-untyped-call]


def _is_readable(file: str) -> bool:
    """Tell whether a file holds counts: one that is just being made does not yet."""
    try:
        _merged([file])
    except (OSError, ValueError, KeyError, RuntimeError, struct.error):
        _log.info("The counts in %s cannot be read now.", file)
        return False
    return True


def _is_known(labels: Mapping[str, str], models: Mapping[str, ShelvedModel]) -> bool:
    if "model" not in labels:
        return True
    shelved = models.get(labels["model"])
    return shelved is not None and labels.get("version", "") in {"", *shelved.versions}


# ── the machine ──────────────────────────────────────────────────────────────────────────────


def _of_machine(service: Service) -> Iterator[Sample]:
    folder = service.journal.folder
    yield catalogue.INFO, (__version__,), 1
    yield catalogue.JOURNAL_BYTES, (), backlog_bytes(folder)
    yield catalogue.JOURNAL_LIMIT, (), service.settings.journal_max
    yield catalogue.DROPPED, (), Drops(folder).count()
    if (told := event_facts(service.settings)) is not None:
        yield catalogue.EVENTS_SENT, (), told.sent
        yield catalogue.EVENTS_RETRIED, (), told.retried
        yield catalogue.EVENTS_DEAD, (), told.dead
        yield catalogue.EVENTS_BACKLOG, (), told.backlog_bytes
    heartbeat = readiness.heartbeat(service.settings.home / "caretaker.json")
    if heartbeat is None:
        return
    now = time.time()
    yield catalogue.CARETAKER_SILENT, (), max(0.0, now - heartbeat.at)
    yield catalogue.CARETAKER_FAILING, (), len(heartbeat.failing)
    if heartbeat.backlog_bytes is not None:
        yield catalogue.JOURNAL_BACKLOG, (), heartbeat.backlog_bytes
    if heartbeat.shipped_at is not None:
        yield catalogue.CARETAKER_LAG, (), max(0.0, now - heartbeat.shipped_at)


# ── the store ────────────────────────────────────────────────────────────────────────────────


def _of_store(service: Service, models: Mapping[str, ShelvedModel]) -> Iterator[Sample]:
    for name, shelved in models.items():
        for alias, version in shelved.aliases.items():
            yield catalogue.ALIAS, (name, alias, version), 1
    try:
        service.store.check()
        size = service.store.size()
        found: list[Sample] = [
            *([] if size is None else [(catalogue.STORE_BYTES, (), size)]),
            *_findings(service, models),
            *(one for name, shelved in models.items() for one in _of_model(service, name, shelved)),
        ]
    except StoreAway:
        yield catalogue.STORE_UP, (), 0
        return
    yield catalogue.STORE_UP, (), 1
    yield from found


def _findings(service: Service, models: Mapping[str, ShelvedModel]) -> Iterator[Sample]:
    counted = Counter((one.model, one.kind, one.gravity) for one in service.store.findings.open())
    names = {shelved.model.key: name for name, shelved in models.items()}
    for (model, kind, gravity), count in counted.items():
        if model in names:
            yield catalogue.FINDINGS, (names[model], kind, gravity), count


def _of_model(service: Service, name: str, shelved: ShelvedModel) -> Iterator[Sample]:
    yield from _quality(service, name, shelved)
    yield from _reasons(service, name, shelved)
    yield from _coverage(service, name, shelved)
    yield from _drift(service, name, shelved)
    yield from _last_hour(service, name, shelved.model.key)
    for kind, state, count in service.store.jobs.counted(shelved.model.key, service.clock() - DAY):
        yield catalogue.JOBS, (name, kind, state), count


def _quality(service: Service, name: str, shelved: ShelvedModel) -> Iterator[Sample]:
    """Tell how the champion does by the last verdicts on its own answers."""
    champion = shelved.aliases.get(CHAMPION, "")
    told = service.store.traffic.outcomes(
        shelved.model.key, limit=LAST_VERDICTS, versions=(champion,)
    )
    right, errors = right_of(told), scored(errors_of(told))
    yield catalogue.ACCURACY_VERDICTS, (name,), right.count
    if right.value is not None:
        yield catalogue.ACCURACY, (name,), right.value
    if errors.mae is not None:
        yield catalogue.ERROR, (name,), errors.mae
        yield catalogue.ERROR_VERDICTS, (name,), errors.count


def _reasons(service: Service, name: str, shelved: ShelvedModel) -> Iterator[Sample]:
    """Tell how far what the champion leans on has moved since training."""
    version = shelved.champion
    days = read_days(service.store.findings, shelved.model.key, version.name) if version else []
    if version is not None and days:
        yield catalogue.REASONS_MOVED, (name,), days[-1].moved_from(version.leans_on)


def _coverage(service: Service, name: str, shelved: ShelvedModel) -> Iterator[Sample]:
    """Tell how often of late the truth was in what is told beside an answer."""
    course = read_course(service.store.findings, shelved.model.key)
    newest = course.newest
    if course.version == shelved.aliases.get(CHAMPION) and newest.truths:
        yield catalogue.COVERAGE, (name,), newest.told / newest.truths
        yield catalogue.COVERAGE_VERDICTS, (name,), newest.truths


def _drift(service: Service, name: str, shelved: ShelvedModel) -> Iterator[Sample]:
    check = service.store.checks.last(shelved.model.key, "training")
    known = {*shelved.model.schema.names, *OUTPUTS}
    for drift in check.drifts if check is not None else ():
        if drift.column not in known:
            continue
        yield catalogue.DRIFT, (name, drift.column), drift.distance
        yield catalogue.DRIFT_MOVED, (name, drift.column), int(drift.has_moved)


def _last_hour(service: Service, name: str, model: ModelKey) -> Iterator[Sample]:
    now = service.clock()
    windows = service.store.traffic.windows(model, since=now - HOUR, until=now + 60)
    yield catalogue.LOOKED_AT, (name,), sum(one.looked_at for one in windows)
    yield catalogue.OUTLIERS, (name,), sum(one.outliers for one in windows)
    yield catalogue.ASKED_SURE, (name,), sum(one.asked_sure for one in windows)
    yield catalogue.UNSURE, (name,), sum(one.unsure for one in windows)
    rejected = Counter[str]()
    for window in windows:
        rejected.update(window.rejected)
    for reason, count in rejected.items():
        yield catalogue.REJECTED, (name, reason), count
    yield from _beside_verdicts(service, name, model, total(windows))


def _beside_verdicts(
    service: Service, name: str, model: ModelKey, counted: Window
) -> Iterator[Sample]:
    yield catalogue.REWARDS, (name,), counted.rewards.count
    if (mean := mean_reward(counted.rewards)) is not None:
        yield catalogue.REWARD, (name,), mean.value
    seen = signals_in(counted.signals, service.store.findings.rules(model).signals)
    for meaning, count in by_meaning(seen).items() if seen else ():
        yield catalogue.SIGNALS, (name, meaning), count
