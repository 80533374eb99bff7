"""What is said of a finding outside: as the JSON of the API, and as a message to an address.

A message says what was opened: as mail, in JSON of ours, or in Slack's shape, which other chats
take too. The JSON's schema is in docs/monitoring.md; what changes its meaning changes the number in
`schema`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from unrot.core.mailboxes import Mailbox
from unrot.core.ports import Address
from unrot.core.records import Finding, Model
from unrot.core.time import iso_time, short_time
from unrot.core.webhooks import Webhook
from unrot.watch.heads import head_of

SCHEMA = "unrot.finding/1"
HEADERS = {"Content-Type": "application/json", "User-Agent": "unrot"}
"""Of what is posted."""


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


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: to a webhook the headers of HTTP, to mailboxes those of mail."""

    body: bytes
    headers: Mapping[str, str]


def message(found: Finding, model: Model, link: str, now: float, to: Address) -> Message:
    """Write what is sent of an opened finding; `link` is empty where the app has no address.

    Its id is the key by which a receiver can tell a message that comes twice.
    """
    head, title = head_of(found, model.schema), model.title or model.name
    key = {"Idempotency-Key": found.id}
    if isinstance(to, Mailbox):
        subject = f"{title}: {head} ({found.gravity})"
        return Message(_mail(found, model, head, link), {"Subject": subject, **key})
    return Message(_posted(found, model, head, link, now, to), HEADERS | key)


def trial_message(model: Model, link: str, to: Address) -> Message:
    """Write what is sent to see whether messages arrive."""
    title = model.title or model.name
    said = "this is a test. Findings of this model arrive here."
    if isinstance(to, Mailbox):
        lines = [f"{title}: {said}", *([link] if link else [])]
        return Message("\n\n".join(lines).encode(), {"Subject": f"{title}: a test"})
    if to.is_slack:
        text = f"*{_slack(title)}*: {said}" + (f"\n<{link}|Open its findings>" if link else "")
        return Message(orjson.dumps({"text": text}), HEADERS)
    return Message(_plain("test", model.name, title, None, link), HEADERS)


def _mail(found: Finding, model: Model, head: str, link: str) -> bytes:
    times = f"Since {short_time(found.since)}; noticed {short_time(found.opened_at)}."
    foot = f"The rules of {model.name} name this address."
    parts = [f"{head}.", found.sentence, found.advice, times, link, f"-- \n{foot}"]
    return "\n\n".join(filter(None, parts)).encode("utf-8", "replace")


def _posted(found: Finding, model: Model, head: str, link: str, now: float, to: Webhook) -> bytes:
    title = model.title or model.name
    if to.is_slack:
        lines = [f"*{_slack(title)}* ({found.gravity}): {_slack(head)}"]
        lines += [_slack(one) for one in (found.sentence, found.advice) if one]
        lines += [f"<{link}|Open the finding>"] if link else []
        return orjson.dumps({"text": "\n".join(lines)})
    return _plain("opened", model.name, title, finding_shape(found, model, now), link)


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
