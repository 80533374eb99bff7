"""What was explored, and a version on its holdout, as the JSON of the API."""

from __future__ import annotations

from dataclasses import asdict
from math import isfinite
from typing import Any

from unrot.core.records import Schema
from unrot.watch.explorer import Explored, Seen, Side, value_of
from unrot.watch.holdout import Held, Holdout
from unrot.watch.monitors.axes import Axis
from unrot.watch.monitors.report import ClassReport
from unrot.web.api import shapes
from unrot.web.api.learning_shapes import test_set


def explored(found: Explored) -> dict[str, Any]:
    """Two sides on the same axes."""
    return {
        "model": found.model.name,
        "x": axis(found.x),
        "y": axis(found.y),
        "left": side(found.left, found),
        "right": side(found.right, found),
        "finding": None if found.finding is None else found.finding.id,
        "within": found.within,
    }


def axis(of: Axis) -> dict[str, Any]:
    """One column, and what of it is picked: places of choices are as they are listed."""
    return {
        "column": of.column,
        "kind": of.kind,
        "low": of.low,
        "high": of.high,
        "choices": list(of.choices) or None,
        "picked": list(of.limits) if of.is_limited else None,
    }


def side(of: Side, found: Explored) -> dict[str, Any]:
    """One of the two charts."""
    picked = {id(one) for one in of.chosen}
    return {
        "period": of.span.preset,
        "from": _moment(of.span.since),
        "until": _moment(of.span.until),
        "read": of.read,
        "is_newest_only": of.is_newest_only,
        "rows": len(of.rows),
        "right": of.right,
        "wrong": of.wrong,
        "score": of.score,
        "test_set": test_set(of.on),
        "points": [
            {**_point(one, found), "is_picked": found.is_limited and id(one) in picked}
            for one in of.rows
        ],
    }


def holdout(found: Holdout, of: Schema, rows: list[Held]) -> dict[str, Any]:
    """A version on its holdout, with some of its mistakes."""
    report = found.report
    return {
        "version": found.version,
        "rows": len(found.rows),
        "held_out": found.all_rows,
        "score": found.score,
        "test_set": test_set(found.on),
        "within": found.within,
        "report": _classes(report, of) if isinstance(report, ClassReport) else asdict(report),
        "mistakes": len(found.wrong),
        "wrong": [
            {
                "inputs": dict(zip(of.names, one.row, strict=True)),
                "truth": one.truth,
                "answer": one.answer,
                "probability": one.confidence,
            }
            for one in rows
        ],
    }


def _classes(report: ClassReport, of: Schema) -> dict[str, Any]:
    return {
        "classes": [asdict(line) for line in report.lines],
        "macro": asdict(report.macro),
        "weighted": asdict(report.weighted),
        "accuracy": report.accuracy,
        "constant_guess": report.constant_guess,
        "auc": report.area,
        "confusion": {"classes": list(of.classes), "rows": list(report.confusion)},
    }


def _point(one: Seen, found: Explored) -> dict[str, Any]:
    schema = found.model.schema
    return {
        "id": one.id,
        "predicted_at": None if one.at is None else shapes.moment(one.at),
        "version": one.version,
        "x": value_of(one, found.x.column, schema),
        "y": value_of(one, found.y.column, schema),
        "answer": one.answer,
        "probability": one.confidence,
        "truth": one.truth,
        "is_right": one.is_right,
    }


def _moment(seconds: float) -> str | None:
    return shapes.moment(seconds) if isfinite(seconds) and seconds else None
