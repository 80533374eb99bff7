"""The audit log: who changed what, kept in the very commit that changed it.

Every commit of the product passes here. Where somebody is at work (`core/acting.py`) the first
change that is kept is their entry; a move of an alias and a new version are entries in any case,
so that nothing comes to answer without one. Files, leases and notes of a store on itself are none.

Entries are chained: each has the digest of its own line and of the digest before it, and a fact of
the store says which is the last. That fact is written on the condition that nobody was first, so
any number of processes and machines make one chain. Whoever changes, removes or slips in an entry
breaks it there. Each has the mark of this app's key besides, so that nobody who can write to the
store alone puts one behind the last, or chains all of them anew. Each machine remembers the newest
entry that it has seen (`log_memory.py`), so that none can be taken from the end either; who can
write to the home folders as well has the key and could write all of it anew, so keep a digest
elsewhere.

>>> line = json.dumps({"what": "promote"})
>>> digest_of("", line) == digest_of("", line), digest_of("x", line) == digest_of("", line)
(True, False)
"""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Any

from unrot.core.acting import Act, Doing, at_work, by_itself
from unrot.core.errors import StoreAway
from unrot.core.lineage import ROLLED_BACK
from unrot.core.records import CHAMPION, Action, LogCheck
from unrot.core.signatures import NOT_SIGNED, Seal
from unrot.run.log_memory import NOTHING, End, LogMemory
from unrot.store.kinds import (
    ACTION,
    ALIAS_MOVE,
    AUDIT,
    BLOB,
    CHUNK,
    FACT,
    JOB,
    LEASE,
    MODEL,
    SETTLED,
    TOKEN,
    VERSION,
)
from unrot.store.operations import (
    ABSENT,
    MOST_CHANGES,
    Around,
    Change,
    Changed,
    Document,
    Operations,
    Put,
    scan_all,
)

HEAD = "audit-log"
"""The fact that says which entry is the last."""
WHAT_NOW = (
    "Somebody may have cut the log, or an older backup of the store is in its place. Compare with "
    "a digest that you have noted; if the backup is yours, go on from here with: python -m unrot "
    "audit-log --accept"
)
SILENT = (ACTION, FACT, LEASE, BLOB, CHUNK, SETTLED)
OWN_CHANGES = 2
TRIES = 30


class Recorded(Around):
    """A store that keeps with each change who made it."""

    def __init__(self, database: Operations, seal: Seal, memory: LogMemory | None = None) -> None:
        super().__init__(database)
        self.seal = seal
        self.memory = memory or LogMemory()

    def commit(self, changes: Sequence[Change]) -> None:
        """Make all changes or none, and with them the entry that tells of them."""
        doing = at_work()
        entry = entry_of(doing, changes)
        if entry is None:
            self._database.commit(changes)
            return
        if len(changes) > MOST_CHANGES - OWN_CHANGES:
            self._database.commit(changes)
            changes = ()
        self._commit_with(changes, entry)
        if doing is not None:
            doing.is_told = True

    def note(self) -> None:
        """Tell of what somebody is at where it changes nothing in the store itself."""
        doing = at_work()
        if doing is not None and doing.act is not None and not doing.is_told:
            self.tell(doing.act)
            doing.is_told = True

    def tell(self, act: Act) -> None:
        """Tell of an act."""
        self._commit_with((), _entry(act))

    def _commit_with(self, changes: Sequence[Change], entry: dict[str, Any]) -> None:
        """Commit at the end of the chain, which others may make longer at the same moment."""
        for number in range(TRIES):
            head = self._database.get(FACT, HEAD)
            link = self._link(head, entry)
            try:
                self._database.commit([*changes, link, _head_put(_end_of(link.fields), head)])
                self._remember(link)
                return
            except Changed:
                if _revision(self._database.get(FACT, HEAD)) == _revision(head):
                    raise
                time.sleep(random.random() * min(0.001 * 2**number, 0.2))
        raise StoreAway("The store is too busy: others write the audit log all the time.")

    def _link(self, head: Document | None, entry: dict[str, Any]) -> Put:
        """Return the change that makes the chain longer by an entry."""
        last, before = _told_by(head)
        # In ASCII, so that every database keeps the very same text.
        line = json.dumps({"number": last + 1, **entry})
        digest = digest_of(before, line)
        fields = {"number": last + 1, "line": line, "before": before, "digest": digest}
        return Put(ACTION, _key(last + 1), {**fields, "mark": self.seal.mark(digest)}, ABSENT)

    def _remember(self, link: Put) -> None:
        """Remember an entry, if the chain that it ends still has the one remembered before."""
        before = End(link.fields["number"] - 1, link.fields["before"])

        def follows(known: End) -> bool:
            found = None if known == before else self._database.get(ACTION, _key(known.number))
            return known == before or (found is not None and found["digest"] == known.digest)

        with suppress(StoreAway):
            self.memory.advance(_end_of(link.fields), follows)


class AuditLog:
    """What was done, for people to read."""

    def __init__(self, database: Recorded) -> None:
        self._database = database
        self.note = database.note

    def newest(self, limit: int, before: int | None = None) -> list[Action]:
        """List entries, newest first, those before a number."""
        found = self._database.scan(
            ACTION, "in order", until=before, newest_first=True, limit=limit
        )
        return [_action(one) for one in found]

    def all(self) -> Iterator[Action]:
        """List all entries, oldest first."""
        return map(_action, scan_all(self._database, ACTION, "in order"))

    def verify(self) -> LogCheck:
        """Follow the chain from its beginning; it may be made longer meanwhile."""
        remembered = self._database.memory.end()
        found = self._follow(_told_by(self._database.get(FACT, HEAD)), remembered)
        if found.broken is None:
            self._database.memory.advance(End(found.entries, found.digest), lambda _: True)
        return found

    def accept(self) -> LogCheck:
        """Let the log end where it does, though more was remembered, and tell who said so.

        What is broken before the end stays so.
        """
        if (found := self.verify()).broken is None:
            return found
        if (found := self._follow(NOTHING, NOTHING, is_end_told=False)).broken is not None:
            return found
        head, end = self._database.get(FACT, HEAD), End(found.entries, found.digest)
        if _told_by(head) != end:
            self._database.commit([_head_put(end, head)])
        self.forget_end()
        doing = at_work()
        act = by_itself("") if doing is None or doing.act is None else doing.act
        self._database.tell(replace(act, what="accept audit log"))
        return self.verify()

    def count_unsigned(self) -> int:
        """Count the entries that this app's key did not sign."""
        found = scan_all(self._database, ACTION, "in order")
        return sum(not self._is_signed(one) for one in found)

    def sign(self) -> None:
        """Mark those as they stand, whoever wrote them; what is broken besides stays so."""
        found = scan_all(self._database, ACTION, "in order")
        puts = (self._signed(one) for one in found if not self._is_signed(one))
        while some := list(islice(puts, MOST_CHANGES)):
            self._database.commit(some)

    def _signed(self, one: Document) -> Put:
        mark = self._database.seal.mark(one["digest"])
        return Put(ACTION, one.key, {**one.fields, "mark": mark}, one.revision)

    def _is_signed(self, one: Document) -> bool:
        return self._database.seal.is_good(one["mark"], one["digest"])

    def forget_end(self) -> None:
        """Forget which entry was the last that this machine has seen: another store is put here."""
        self._database.memory.forget()

    def _follow(self, last: End, remembered: End, *, is_end_told: bool = True) -> LogCheck:
        number, digest = 0, ""
        for one in scan_all(self._database, ACTION, "in order"):
            number += 1
            trouble = _trouble(one, number, digest)
            if not trouble and not self._is_signed(one):
                trouble = f"it is {NOT_SIGNED.format(did='wrote it')}"
            if trouble:
                return LogCheck(number - 1, digest, number, trouble)
            before, digest = digest, one["digest"]
            if number == last.number and digest != last.digest:
                return LogCheck(number - 1, before, number, "it is not the last that was written")
            if number == remembered.number and digest != remembered.digest:
                trouble = f"it is not the one that this machine has seen there. {WHAT_NOW}"
                return LogCheck(number - 1, before, number, trouble)
        if number < remembered.number:
            upto = f"it is missing, with all up to {remembered.number}, which this machine has seen"
            return LogCheck(number, digest, number + 1, f"{upto}. {WHAT_NOW}")
        if number < last.number:
            return LogCheck(number, digest, number + 1, "it is missing, with all after it")
        told, _ = _told_by(self._database.get(FACT, HEAD))
        if is_end_told and told < number:
            said = f"says that entry {told}" if told else "does not say which entry"
            return LogCheck(told, "", told + 1, f"the store {said} is the last")
        return LogCheck(number, digest)


def entry_of(doing: Doing | None, changes: Sequence[Change]) -> dict[str, Any] | None:
    """Return what is to be told of changes; None where nothing is."""
    puts = [change for change in changes if isinstance(change, Put)]
    moved = next((put for put in puts if put.kind is ALIAS_MOVE), None)
    act = None if doing is None or doing.is_told else doing.act
    if act is None and (moved is not None or any(map(_is_new_version, puts))):
        act = by_itself("") if doing is None or doing.act is None else doing.act
        act = replace(act, what=_named(moved), on="")
    if act is None or all(change.kind in SILENT for change in changes):
        return None
    what = next((put.fields["body"]["kind"] for put in puts if _is_new_job(put)), act.what)
    named = {"model": act.model or _model_in(puts), "on": act.on or _made_in(puts)}
    entry = _entry(replace(act, what=what, **named))
    if moved is not None:
        body = moved.fields["body"]
        entry |= {"from": body["moved_from"], "to": body["moved_to"]}
    return entry


def digest_of(before: str, line: str) -> str:
    """Return the digest of an entry behind another."""
    return hashlib.sha256(f"{before}\n{line}".encode()).hexdigest()


def _named(moved: Put | None) -> str:
    """Return how a move is called that followed from something else."""
    if moved is None:
        return "make version"
    body = moved.fields["body"]
    if body["alias"] != CHAMPION:
        return "challenge" if body["moved_to"] else "dismiss"
    return "rollback" if body["reason"].startswith(ROLLED_BACK) else "promote"


def _is_new_version(put: Put) -> bool:
    return put.kind is VERSION and put.expect == ABSENT


def _is_new_job(put: Put) -> bool:
    return put.kind is JOB and put.expect == ABSENT


def _model_in(puts: Sequence[Put]) -> str:
    """Return the model that changes are of."""
    named = [str(put.fields["model"]) for put in puts if put.fields.get("model")]
    return next(iter([*named, *(put.key for put in puts if put.kind is MODEL)]), "")


def _made_in(puts: Sequence[Put]) -> str:
    """Return what was made that has a name, or revoked: a version, a job, an audit, a token."""
    for put in puts:
        if _is_new_version(put):
            return f"v{put.fields['number']}"
        if put.kind in (JOB, AUDIT, TOKEN):
            return put.key
    return ""


def _entry(act: Act) -> dict[str, Any]:
    return {
        "at": round(time.time(), 3),
        "who": act.who,
        "role": act.role,
        "what": act.what,
        "model": act.model,
        "on": act.on,
        "from": None,
        "to": None,
        "where": act.where,
    }


def _end_of(link: Mapping[str, Any]) -> End:
    return End(link["number"], link["digest"])


def _head_put(end: End, head: Document | None) -> Put:
    """Return the change that says which entry is the last, if nobody has said so meanwhile."""
    return Put(FACT, HEAD, {"value": f"{end.number} {end.digest}"}, _revision(head))


def _trouble(one: Document, number: int, before: str) -> str:
    """Say why an entry is not the one that was written at its place; nothing where it is."""
    if one["number"] != number or one.key != _key(number):
        return f"entry {one['number']} stands in its place"
    if one["before"] != before:
        return "it does not follow the one before it"
    is_numbered = one["line"].startswith(f'{{"number": {number}, ')
    if not is_numbered or one["digest"] != digest_of(before, one["line"]):
        return "it was changed after it was written"
    return ""


def _action(one: Document) -> Action:
    said = json.loads(one["line"])
    said["moved_from"], said["moved_to"] = said.pop("from"), said.pop("to")
    return Action(**said, digest=one["digest"])


def _told_by(head: Document | None) -> End:
    number, _, digest = ("0 " if head is None else str(head["value"])).partition(" ")
    return End(int(number), digest)


def _revision(head: Document | None) -> int:
    return ABSENT if head is None else head.revision


def _key(number: int) -> str:
    return f"{number:012d}"
