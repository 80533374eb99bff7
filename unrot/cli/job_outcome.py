"""What came of a job, as the command line says it: numbers, the gate's words, what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unrot.cli.terminal import table
from unrot.core.percent import percent
from unrot.core.plurals import counted
from unrot.core.records import CHAMPION, GateVerdict, Job, Version
from unrot.core.test_sets import MeasuredOn, measured_on
from unrot.learn import promote
from unrot.serve.service import Service
from unrot.watch import audit as audits


def told(service: Service, job: Job) -> list[str]:
    """Say what a job made, what the gate said of it, and what to do next."""
    result = dict(job.result or {})
    name = str(result.pop("version", job.asked.get("version", "")))
    versions = {version.name: version for version in service.versions(job.model)}
    model = service.catalogue().name_of(job.model)
    if name not in versions:
        return [f"{job.kind} is done.", *_facts(result)]
    version, gate = versions[name], promote.last_gate(service, job.model, name)
    beside = versions.get(gate.champion if gate else version.parent or "")
    return [
        *([] if job.kind == "weigh" else [f"{model} {name} is made ({version.origin})."]),
        *_metrics(version, beside, measured_on(versions.values())),
        *_facts(result),
        *(_judged(gate) if gate else []),
        _next_step(service, version, gate),
    ]


GROUNDS = {"anchor": "test set", "recent verdicts": "recent verdicts"}
OF_THE_GATE = ("gate", "sentence", "wants_audit", "is_champion")
"""What a result tells besides for programs: here it is told in the gate's own words."""


def _metrics(version: Version, beside: Version | None, sets: Mapping[str, MeasuredOn]) -> list[str]:
    """Lay out what a version reaches on its test set, beside another of the same one."""
    if not version.metrics:
        return []
    on = sets.get(version.name)
    said = [] if on is None else [f"Scored on test set {on.name}: {on.sentence}."]
    if beside is None or beside.name == version.name or sets.get(beside.name) != on:
        rows = [(key, _metric(key, value)) for key, value in version.metrics.items()]
        return [table([("metric", version.name), *rows]), *said]
    wide = [
        (key, _metric(key, beside.metrics.get(key)), _metric(key, value))
        for key, value in version.metrics.items()
    ]
    return [table([("metric", beside.name, version.name), *wide]), *said]


def _metric(name: str, value: float | None) -> str:
    is_count = value is not None and name.startswith("rows")
    return f"{value:,.0f}" if is_count else _spelt(value)


def _facts(result: Mapping[str, Any]) -> list[str]:
    """Lay out what else a job's result says: plain values in one table, lists each in one."""
    plain = [
        (key, _spelt(value))
        for key, value in result.items()
        if _is_plain(value) and key not in OF_THE_GATE
    ]
    lines = [table([("result", ""), *plain])] if plain else []
    for rows in result.values():
        if isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows):
            head = [key for key in rows[0] if _is_plain(rows[0][key])]
            lines.append(table([head, *([_spelt(row.get(key)) for key in head] for row in rows)]))
    return lines


def _judged(gate: GateVerdict) -> list[str]:
    rows = [
        (
            "compared on",
            f"{counted(gate.rows, 'row')} ({GROUNDS[gate.ground]})" if gate.rows else "-",
        ),
        ("champion", f"{gate.champion} {_spelt(gate.champion_score)}"),
        ("candidate", _spelt(gate.candidate_score)),
        ("best so far", _spelt(gate.best_score)),
        ("difference", _spelt(gate.difference)),
        ("at worst", f"{_spelt(gate.bound)} ({_good_for(gate)})"),
        ("tolerance", _spelt(gate.tolerance)),
    ]
    return [f"The gate: {gate.decision}. {gate.sentence}", table([("gate", ""), *rows])]


def _good_for(gate: GateVerdict) -> str:
    """Say what the bound is good for."""
    if gate.holds == "fixed rows":
        return f"on these rows; chance of being wrong at most {percent(gate.doubt, 2)}"
    return f"at any time; chance of being wrong at most {percent(gate.doubt, 2)}"


def _next_step(service: Service, version: Version, gate: GateVerdict | None) -> str:
    model = service.catalogue().name_of(version.model)
    promoting = f"python -m unrot promote {model} {version.name}"
    if service.aliases(version.model).get(CHAMPION) == version.name:
        return f"It answers now. To take it back: python -m unrot rollback {model}"
    objection = promote.objection_to(service, version)
    if objection is not None and objection.reason == "gate_refused":
        return f'It does not answer. All the same: {promoting} --force --reason "why"'
    if objection is not None:
        weighing = f"python -m unrot weigh {model} {version.name}"
        return f"It does not answer yet: no gate has weighed it. To weigh it: {weighing}"
    audit = _audit(service, gate, model)
    risk = "" if gate is None or gate.decision != "undecided" else " It may be worse."
    return f"It does not answer yet.{audit}{risk} To let it answer: {promoting}"


def _audit(service: Service, gate: GateVerdict | None, model: str) -> str:
    """Say whether an audit would decide it, and how many rows there are for it."""
    if gate is None or not gate.wants_audit:
        return ""
    room = audits.room(service, model)
    return f" {'An audit would decide it. ' if room.is_there else ''}{room.sentence}"


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _spelt(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4f}" if isinstance(value, float) else f"{value}"
