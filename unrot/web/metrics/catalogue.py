"""Every metric of `/metrics`, declared here and nowhere else: its name, its help, its labels.

`Counted` ones are counted by the web workers as they go; `Read` ones are looked up when somebody
scrapes (`scrape.py`). No label is one that a client can choose: a route is the template of its
address, models and versions are those on the shelf, all other words are ours.
docs/monitoring.md lists what stands here and a test compares the two.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    values,
)
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

from unrot.web.metrics import slots

_log = logging.getLogger(__name__)


def _begin() -> slots.Slots | None:
    """Count in a slot of the server's folder; without one in memory, for this process alone."""
    disable_created_metrics()  # type: ignore[no-untyped-call]
    found = slots.of_environment()
    if found is None:
        return None
    try:
        found.own()
    except OSError as error:
        _log.warning("The counts of this worker will not be in /metrics: %s.", error)
        values.ValueClass = values.MutexValue
    else:
        values.ValueClass = values.MultiProcessValue(found.own)  # type: ignore[no-untyped-call]
    return found


SLOTS = _begin()
REGISTRY = CollectorRegistry()

# ── counted by the web workers ───────────────────────────────────────────────────────────────

SECOND_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
REQUESTS = Counter(
    "unrot_requests",
    "Requests that were answered.",
    ("route", "method", "status"),
    registry=REGISTRY,
)
SECONDS = Histogram(
    "unrot_request_duration_seconds",
    "How long requests took.",
    ("route",),
    registry=REGISTRY,
    buckets=SECOND_BOUNDS,
)
IN_PROGRESS = Gauge(
    "unrot_requests_in_progress",
    "Requests that are being answered now.",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
PREDICTIONS = Counter(
    "unrot_predictions", "Rows that were answered.", ("model", "version"), registry=REGISTRY
)
VERDICTS = Counter(
    "unrot_verdicts",
    "Verdicts by what became of them.",
    ("model", "status"),
    registry=REGISTRY,
)
STORE_ERRORS = Counter(
    "unrot_store_errors", "Times that the store did not answer a web worker.", registry=REGISTRY
)

# ── read at the scrape ───────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Read:
    """A metric that is looked up, not counted."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    kind: Literal["gauge", "counter"] = "gauge"

    def family(self) -> GaugeMetricFamily | CounterMetricFamily:
        """Begin a family of samples."""
        if self.kind == "counter":
            return CounterMetricFamily(self.name, self.help, labels=self.labels)
        return GaugeMetricFamily(self.name, self.help, labels=self.labels)


INFO = Read("unrot_info", "The release that runs; always 1.", ("release",))
STORE_UP = Read("unrot_store_up", "1 while the store answers, else 0.")
STORE_BYTES = Read("unrot_store_bytes", "Size of the store's file with its log.")
JOURNAL_BYTES = Read("unrot_journal_bytes", "Size of the journal of this machine.")
JOURNAL_LIMIT = Read("unrot_journal_limit_bytes", "Size from which on the journal drops.")
JOURNAL_BACKLOG = Read(
    "unrot_journal_backlog_bytes", "What of the journal is not in the store yet."
)
DROPPED = Read(
    "unrot_journal_dropped", "Predictions that were answered and not kept.", kind="counter"
)
EVENTS_SENT = Read("unrot_events_sent", "Events that the sink has taken.", kind="counter")
EVENTS_RETRIED = Read(
    "unrot_events_retried", "Times that an event was not taken and waits.", kind="counter"
)
EVENTS_DEAD = Read(
    "unrot_events_dead_lettered", "Events that were given up: dead letters.", kind="counter"
)
EVENTS_BACKLOG = Read("unrot_events_backlog_bytes", "What of the events is still to be sent.")
CARETAKER_SILENT = Read(
    "unrot_caretaker_silent_seconds",
    "Since the background worker of this machine was last heard of.",
)
CARETAKER_LAG = Read(
    "unrot_caretaker_lag_seconds", "Since all that stood in the journal was in the store."
)
CARETAKER_FAILING = Read(
    "unrot_caretaker_failing_steps", "Steps of the background worker that fail and are tried again."
)
ALIAS = Read(
    "unrot_alias_info", "Which version an alias points at; always 1.", ("model", "alias", "version")
)
ACCURACY = Read(
    "unrot_accuracy_ratio",
    "Share of the last verdicts on the champion's own answers that say right.",
    ("model",),
)
ACCURACY_VERDICTS = Read(
    "unrot_accuracy_verdicts", "How many verdicts that is of, 50 at most.", ("model",)
)
ERROR = Read(
    "unrot_mean_absolute_error",
    "Of the champion's own answers, by the last true values of a regression.",
    ("model",),
)
ERROR_VERDICTS = Read(
    "unrot_mean_absolute_error_verdicts", "How many true values that is of.", ("model",)
)
REWARD = Read(
    "unrot_reward_last_hour_mean",
    "Mean of the rewards, 0 to 1, on the predictions of the last hour.",
    ("model",),
)
REWARDS = Read("unrot_rewards_last_hour", "How many rewards that is of.", ("model",))
SIGNALS = Read(
    "unrot_signals_last_hour",
    "Signals on the predictions of the last hour, by what they count as: wrong, right, counted.",
    ("model", "means"),
)
DRIFT = Read(
    "unrot_drift_distance",
    "Hellinger distance from the training data, 0 to 1, in the newest check.",
    ("model", "feature"),
)
DRIFT_MOVED = Read(
    "unrot_drift_moved",
    "1 for a feature that has moved by the rules, else 0.",
    ("model", "feature"),
)
FINDINGS = Read("unrot_findings_open", "Findings that are open.", ("model", "kind", "gravity"))
LOOKED_AT = Read(
    "unrot_looked_at_last_hour", "Predictions that an outlier detector has scored.", ("model",)
)
OUTLIERS = Read("unrot_outliers_last_hour", "Outliers among them.", ("model",))
REASONS_MOVED = Read(
    "unrot_reasons_moved_ratio",
    "Of all that moved the champion's answers in the last day, the share that moved to other "
    "features since training.",
    ("model",),
)
COVERAGE = Read(
    "unrot_coverage_ratio",
    "Share of the last truths by judges that were in what is told beside the champion's answers.",
    ("model",),
)
COVERAGE_VERDICTS = Read(
    "unrot_coverage_verdicts", "How many truths that is of, 200 at most.", ("model",)
)
ASKED_SURE = Read(
    "unrot_asked_sure_last_hour", 'Predictions where "not sure" could be the answer.', ("model",)
)
UNSURE = Read("unrot_unsure_last_hour", "Predictions where it was: abstentions.", ("model",))
REJECTED = Read(
    "unrot_rejected_rows_last_hour", "Rows that were refused at the door.", ("model", "reason")
)
JOBS = Read(
    "unrot_jobs",
    "Jobs that are queued or running, and those of the last day that have ended.",
    ("model", "kind", "state"),
)


# ── for tests and documentation ──────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Declared:
    """One row of the metrics table."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str


def declared() -> list[Declared]:
    """List every metric of this file under the name that Prometheus knows it by."""
    found = []
    for one in globals().values():
        if isinstance(one, Read):
            name = f"{one.name}_total" if one.kind == "counter" else one.name
            found.append(Declared(name, one.kind, one.labels, one.help))
        elif isinstance(one, Counter | Gauge | Histogram):
            [family] = one.describe()
            name = f"{family.name}_total" if family.type == "counter" else family.name
            found.append(Declared(name, family.type, one._labelnames, family.documentation))
    return found
