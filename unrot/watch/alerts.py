"""What is said of a finding outside: as the JSON of the API, and as a message to a webhook.

A message says what was opened, in JSON of ours or in Slack's shape, which other chats take too. Its
schema is in docs/monitoring.md; what changes its meaning changes the number in `schema`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from unrot.core.records import Finding, Model
from unrot.core.time import iso_time
from unrot.watch.heads import head_of

SCHEMA = "unrot.finding/1"


def finding_shape(found: Finding, model: Model, now: float) -> dict[str, Any]:
    """Write a finding as the API and a message show it."""
    acknowledged = snoozed = None
    if found.acknowledged_at is not None:
        at = iso_time(found.acknowledged_at)
        acknowledged = {"at": at, "by": found.acknowledged_by, "note": found.note}
    if found.snooze is not None and found.is_snoozed(now):
        until = found.snooze.until
        snoozed = {"by": found.snooze.by, "until": None if until is None else iso_time(until)}
    return {
        "id": found.id,
        "model": model.name,
        "cause": found.cause,
        "kind": found.kind,
        "gravity": found.gravity,
        "state": "open" if found.is_open else "closed",
        "head": head_of(found, model.schema),
        "sentence": found.sentence,
        "advice": found.advice,
        "features": list(found.features),
        "evidence": dict(found.evidence),
        "since": iso_time(found.since),
        "opened_at": iso_time(found.opened_at),
        "updated_at": iso_time(found.updated_at),
        "closed_at": None if found.closed_at is None else iso_time(found.closed_at),
        "acknowledged": acknowledged,
        "assigned_to": found.assigned_to or None,
        "snoozed": snoozed,
        "notes": [{"at": iso_time(one.at), "by": one.by, "text": one.text} for one in found.thread],
    }


def message(found: Finding, model: Model, link: str, now: float, *, is_slack: bool) -> bytes:
    """Write what is sent of an opened finding; `link` is empty where the app has no address."""
    title = model.title or model.name
    if is_slack:
        lines = [f"*{_slack(title)}* ({found.gravity}): {_slack(head_of(found, model.schema))}"]
        lines += [_slack(one) for one in (found.sentence, found.advice) if one]
        lines += [f"<{link}|Open the finding>"] if link else []
        return orjson.dumps({"text": "\n".join(lines)})
    return _plain("opened", model.name, title, finding_shape(found, model, now), link)


def trial_message(model: str, title: str, link: str, *, is_slack: bool) -> bytes:
    """Write what is sent to see whether a webhook takes messages."""
    if is_slack:
        said = f"*{_slack(title)}*: this is a test. Findings of this model arrive here."
        return orjson.dumps({"text": said + (f"\n<{link}|Open its findings>" if link else "")})
    return _plain("test", model, title, None, link)


def _plain(
    event: str, model: str, title: str, finding: Mapping[str, Any] | None, link: str
) -> bytes:
    return orjson.dumps(
        {
            "schema": SCHEMA,
            "event": event,
            "model": model,
            "title": title,
            "finding": finding,
            "url": link or None,
        }
    )


def _slack(text: str) -> str:
    """Write a text so that Slack reads nothing into it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
