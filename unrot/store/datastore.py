"""Google Datastore as a store: each document an entity that people find in the console.

What an entity looks like stands in `entities.py`. Reads always see what was committed: eventual
consistency is gone since Datastore stands on Firestore. A scan of more than a page is read page by
page, and a page sees what was committed when it was read.

The client never tries a commit again, and waits as long as it is told on each try. So every call
here has its time in all, and is tried again some times. A commit whose answer was lost may have
been made: each entity carries the token of the commit that wrote it, and a commit that finds its
own token knows that it is done.
"""

from __future__ import annotations

import os
import random
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import orjson

from unrot.core.errors import BadSetting, StoreAway, shown
from unrot.core.patience import seconds_left
from unrot.store.entities import (
    MOST_INDEXED,
    TOKEN,
    Place,
    bounds_of,
    document_of,
    encode,
    entity_of,
    hide,
    is_key,
    place_name,
    place_of,
    query_of,
)
from unrot.store.kinds import FACT, FORMAT, Kind, other_release
from unrot.store.operations import (
    ABSENT,
    ANY,
    Change,
    Changed,
    Delete,
    Document,
    Hold,
    Put,
    can_keep,
    checked,
)

if TYPE_CHECKING:
    import grpc

READ_SECONDS = 5.0
COMMIT_SECONDS = 8.0
TRIES_IN_VAIN = 2
"""How many tries the time of a call is enough for when none is answered."""
PAUSES = (0.02, 0.04, 0.08, 0.16, 0.3, 0.3, 0.3)
"""Before the next try, each cut down by chance; a refused connection is given up after 1.2 s."""
MOST_AT_ONCE = 1_000
MOST_AT_ONCE_OF_BYTES = 40
"""Documents in one answer: with blobs in them fewer, so that it comes in time."""
CHANNEL = (
    # Answers may be larger than gRPC's 4 MiB; pages are bounded here, by documents.
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.keepalive_time_ms", 30_000),
    # Come back soon to a server that is there again. Share no connection with a forked parent:
    # without this a call failed in 28 of 150 children.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.use_local_subchannel_pool", 1),
)
MAYBE_MADE = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", "UNKNOWN", "CANCELLED"}
"""Errors after which a commit may have been made all the same."""
NOT_MADE = {"ABORTED", "RESOURCE_EXHAUSTED"}
"""Errors after which it surely was not; these and the others are tried again."""
CONFLICTS = {"ALREADY_EXISTS", "FAILED_PRECONDITION", "INVALID_ARGUMENT"}
"""Errors of a commit whose conditions are to be looked at again; the last when a document has an
older revision than is expected, as after a restore."""


def parse_url(url: str) -> tuple[str, str]:
    """Return project and namespace of an address.

    >>> parse_url("datastore://my-project/unrot")
    ('my-project', 'unrot')
    >>> parse_url("datastore://my-project")
    ('my-project', '')
    """
    found = re.fullmatch(r"datastore://([a-z0-9.:-]{1,100})(?:/([A-Za-z0-9._-]{0,100}))?/?", url)
    if found is None:
        raise BadSetting(
            f"{shown(url)} is no address of Google Datastore: expected "
            "datastore://PROJECT or datastore://PROJECT/NAMESPACE."
        )
    return found[1], found[2] or ""


class DatastoreStore:
    """The operations over one namespace of one project."""

    name = "Google Datastore"

    def __init__(
        self,
        project: str,
        namespace: str = "",
        credentials: Any = None,
        *,
        open_channel: Callable[[], grpc.Channel] | None = None,
        read_seconds: float = READ_SECONDS,
        commit_seconds: float = COMMIT_SECONDS,
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        self._place = {"project_id": project, "namespace_id": namespace}
        opened = open_channel or (lambda: open_google(credentials))
        self._service = _Service(project, opened, failed)
        self._read_seconds, self._commit_seconds = read_seconds, commit_seconds
        self._is_prepared = False

    def prepare(self) -> None:
        """Note what format this is, unless somebody has."""
        words = {name: secrets.token_hex(8) for name in ("store", "generation")}
        facts = {"format": str(FORMAT), **words}
        with suppress(Changed):
            self.commit([Put(FACT, key, {"value": facts[key]}, ABSENT) for key in facts])
        self._is_prepared = True

    def get(self, kind: Kind, key: str) -> Document | None:
        """Return a document."""
        return self.get_many(kind, [key]).get(key)

    def get_many(self, kind: Kind, keys: Sequence[str]) -> dict[str, Document]:
        """Return those that are there."""
        found: dict[str, Document] = {}
        possible = [key for key in dict.fromkeys(keys) if can_keep(key) and is_key(key)]
        for start in range(0, len(possible), page := page_of(kind)):
            places = [(kind.name, key) for key in possible[start : start + page]]
            for (_, key), result in self._look_up(places, self._read_until()).items():
                found[key] = document_of(kind, result)
        return {key: found[key] for key in possible if key in found}

    def scan(
        self,
        kind: Kind,
        index: str,
        equal: Sequence[Any] = (),
        *,
        since: Any = None,
        until: Any = None,
        after: Sequence[Any] | None = None,
        newest_first: bool = False,
        limit: int,
        only: Sequence[str] | None = None,
    ) -> list[Document]:
        """Return documents in the order of an index, read page by page."""
        chosen = kind.indexes[index]
        names = tuple(dict.fromkeys([*(kind.fields if only is None else only), *chosen.order]))
        if not all(map(can_keep, equal)):
            return []
        bounds = bounds_of(kind, chosen, equal, since, until)
        if after is not None:
            sign = "LESS_THAN" if newest_first else "GREATER_THAN"
            bounds.append((sign, encode(kind, chosen.fields, (*equal, *after))))
        query = query_of(kind, index, bounds, self._key)
        way = "DESCENDING" if newest_first else "ASCENDING"
        query.order.add(property={"name": place_name(kind, index)}, direction=way)
        return [document_of(kind, result, names) for result in self._results(kind, query, limit)]

    def count(
        self,
        kind: Kind,
        index: str,
        equal: Sequence[Any] = (),
        *,
        since: Any = None,
        until: Any = None,
    ) -> int:
        """Count what a scan without limit would return."""
        if not all(map(can_keep, equal)):
            return 0
        bounds = bounds_of(kind, kind.indexes[index], equal, since, until)
        query = query_of(kind, index, bounds, self._key)
        counted = {"nested_query": query, "aggregations": [{"alias": "count", "count": {}}]}
        request = {"partition_id": self._place, "aggregation_query": counted}
        answer = self._service.ask("run_aggregation_query", request, self._read_until())
        [result] = answer.batch.aggregation_results
        return int(result.aggregate_properties["count"].integer_value)

    def commit(self, changes: Sequence[Change]) -> None:
        """Make all changes or none."""
        if checked(changes):
            self._make(changes, time.monotonic() + seconds_left(self._commit_seconds))

    def size(self) -> int | None:
        """Nobody can tell at once: Google counts once a day."""
        return None

    def wait_for_change(self, seconds: float) -> bool:
        """Wait: Datastore tells nobody of a change."""
        time.sleep(seconds)
        return False

    def check(self, *, writing: bool = False) -> None:
        """Return when Datastore answers; make up for a start while it was away."""
        if not self._is_prepared:
            self.prepare()
        known = self.get(FACT, "format")
        if known is None:
            raise StoreAway("Google Datastore has lost its format: restore it, or begin anew.")
        if problem := other_release(int(known["value"])):
            raise StoreAway(f"The database cannot be used. {problem}")
        if writing:
            with suppress(Changed):  # somebody else has just written it
                self.commit([Put(FACT, "format", known.fields, known.revision)])

    def close(self) -> None:
        """Let go of this process's connection."""
        self._service.close()

    def _read_until(self) -> float:
        return time.monotonic() + seconds_left(self._read_seconds)

    def _key(self, place: Place) -> dict[str, Any]:
        return {"partition_id": self._place, "path": [{"kind": place[0], "name": place[1]}]}

    def _look_up(self, places: Sequence[Place], ends_at: float) -> dict[Place, Any]:
        """Return the results of those that are there, also where not all come at once."""
        found: dict[Place, Any] = {}
        keys: Any = [self._key(place) for place in places]
        while keys:
            answer = self._service.ask("lookup", {"keys": keys}, ends_at)
            for result in answer.found:
                found[place_of(result)] = result
            keys = answer.deferred
        return found

    def _results(self, kind: Kind, query: Any, limit: int) -> Iterator[Any]:
        page, left = page_of(kind), limit
        while left > 0:
            query.limit.value = asked = min(left, page)
            request = {"partition_id": self._place, "query": query}
            batch = self._service.ask("run_query", request, self._read_until()).batch
            yield from batch.entity_results
            left -= len(batch.entity_results)
            if len(batch.entity_results) < asked and batch.more_results != batch.NOT_FINISHED:
                return
            query.start_cursor = batch.end_cursor

    def _make(self, changes: Sequence[Change], ends_at: float) -> None:
        """Try a commit until it is made, somebody was there first, or it is time to give up."""
        token = secrets.token_hex(8)
        plain = [self._mutation(one, token) for one in changes if not isinstance(one, Hold)]
        holds = [_place(one) for one in changes if isinstance(one, Hold)]
        watched: Sequence[Change] = [one for one in changes if isinstance(one, Hold)]
        may_be_made = False
        for pause in (*PAUSES, None):
            found = self._look_up([_place(change) for change in watched], ends_at)
            if may_be_made and any(_token_of(result) == token for result in found.values()):
                return
            _demand(watched, found, may_be_made)
            held = [_same(found[place], token) for place in holds]
            seconds = min(self._commit_seconds / TRIES_IN_VAIN, ends_at - time.monotonic())
            error = self._service.commit([*plain, *held], seconds)
            if error is None:
                return
            may_be_made = may_be_made or code_of(error) in MAYBE_MADE
            watched = _watched_of(changes)
            self._service.rest(error, pause, ends_at, MAYBE_MADE | NOT_MADE | CONFLICTS)

    def _mutation(self, change: Put | Delete, token: str) -> dict[str, Any]:
        """Return a put or a delete as Datastore takes it; raise ValueError where it would not."""
        if not is_key(change.key):
            raise ValueError(
                f"{change.kind.name} {shown(change.key)} is no key: Google Datastore takes 1 to "
                f"{MOST_INDEXED:,} bytes, and none that begin and end with two underscores."
            )
        made: dict[str, Any] = {}
        key = self._key(_place(change))
        if isinstance(change, Delete):
            made["delete"] = key
        else:
            made["insert" if change.expect == ABSENT else "upsert"] = entity_of(change, key, token)
        if change.expect > ABSENT:
            made |= _expecting(change.expect)
        return made


class _Service:
    """Calls of Datastore, each with its time, tried again some times; one client a process."""

    def __init__(
        self, project: str, open_channel: Callable[[], grpc.Channel], failed: Callable[[], None]
    ) -> None:
        self._project = project
        self._open_channel = open_channel
        self._failed = failed
        self._clients: dict[int, Any] = {}

    def ask(self, name: str, request: Mapping[str, Any], ends_at: float) -> Any:
        """Return the answer to something that changes nothing."""
        from google.api_core.exceptions import GoogleAPICallError

        seconds = (ends_at - time.monotonic()) / TRIES_IN_VAIN
        for pause in (*PAUSES, None):
            try:
                return self._call(name, request, min(seconds, ends_at - time.monotonic()))
            except GoogleAPICallError as error:
                self.rest(error, pause, ends_at, MAYBE_MADE | NOT_MADE)
        raise AssertionError("the last rest raises")

    def commit(self, mutations: Sequence[Any], seconds: float) -> Any:
        """Make changes, all or none, in one call that is not tried again; return its error."""
        from google.api_core.exceptions import GoogleAPICallError

        request = {
            "mode": "TRANSACTIONAL",  # the other mode keeps what it can
            "single_use_transaction": {"read_write": {}},
            "mutations": mutations,
        }
        try:
            self._call("commit", request, seconds)
        except GoogleAPICallError as error:
            return error
        return None

    def rest(self, error: Any, pause: float | None, ends_at: float, passing: set[str]) -> None:
        """Wait a little before the next try, unless the error stays or the time is over."""
        left = ends_at - time.monotonic()
        if code_of(error) not in passing or pause is None or left <= 0:
            raise self.away(_sentence(error, self._project)) from error
        time.sleep(min(left, pause * random.uniform(0.5, 1)))

    def away(self, cause: str) -> StoreAway:
        """Note that Datastore is away, and say so."""
        self._failed()
        return StoreAway("The database does not answer.", cause)

    def close(self) -> None:
        """Let go of this process's connection, and of no parent's."""
        client = self._clients.pop(os.getpid(), None)
        if client is not None:
            client.transport.close()

    def _call(self, name: str, request: Mapping[str, Any], seconds: float) -> Any:
        """Call once; messages are the plain ones of protobuf, several times as fast."""
        client = self._client()
        from google.cloud import datastore_v1

        kind = getattr(datastore_v1, f"{name.title().replace('_', '')}Request")
        asked = kind.wrap(kind.pb()(project_id=self._project, **request))
        answer = getattr(client, name)(request=asked, retry=None, timeout=max(seconds, 0.001))
        return type(answer).pb(answer)

    def _client(self) -> Any:
        """Return this process's client: one that was made before a fork answers no longer."""
        client = self._clients.get(os.getpid())
        return client or self._clients.setdefault(os.getpid(), self._make_client())

    def _make_client(self) -> Any:
        from google.auth.exceptions import GoogleAuthError
        from google.cloud import datastore_v1
        from google.cloud.datastore_v1.services.datastore.transports import DatastoreGrpcTransport

        try:
            channel = self._open_channel()
        except (GoogleAuthError, ValueError, AttributeError, OSError) as error:
            raise self.away(
                "There are no credentials for Google Datastore that can be read: set "
                "GOOGLE_CREDENTIALS_JSON to the JSON of a service account's key, "
                "GOOGLE_APPLICATION_CREDENTIALS to its file, or run where Google knows the "
                f"machine ({type(error).__name__})."
            ) from None  # the error may quote the key
        return datastore_v1.DatastoreClient(transport=DatastoreGrpcTransport(channel=channel))


def open_google(credentials: Any = None) -> grpc.Channel:
    """Open a channel to the emulator that the environment names, else to Google."""
    import grpc
    from google.cloud.datastore_v1.services.datastore.transports import DatastoreGrpcTransport

    if emulator := os.environ.get("DATASTORE_EMULATOR_HOST"):
        return grpc.insecure_channel(emulator, options=CHANNEL)
    told = credentials or find_credentials(os.environ)
    return DatastoreGrpcTransport.create_channel(
        f"{DatastoreGrpcTransport.DEFAULT_HOST}:443", credentials=told, options=CHANNEL
    )


def find_credentials(environment: Mapping[str, str]) -> Any:
    """Return the service account that is told as JSON, else None: the machine is to know."""
    from google.oauth2 import service_account

    told = environment.get("GOOGLE_CREDENTIALS_JSON")
    if not told:
        return None
    return service_account.Credentials.from_service_account_info(orjson.loads(told))  # type: ignore[no-untyped-call]


def code_of(error: Any) -> str:
    """Return the name of gRPC's code of an error."""
    code = getattr(error, "grpc_status_code", None)
    return code.name if code is not None else "UNKNOWN"


def _sentence(error: Any, project: str) -> str:
    said = shown(str(error.message), 200)[1:-1].rstrip(".")
    code = code_of(error)
    if code in ("PERMISSION_DENIED", "UNAUTHENTICATED"):
        return (
            f"Google Datastore refuses these credentials ({said}): give the service account the "
            f"role Cloud Datastore User in project {project}."
        )
    if code == "NOT_FOUND":
        return f"Project {project} has no database ({said}): create one in Datastore mode."
    if code in ("ABORTED", "ALREADY_EXISTS", "FAILED_PRECONDITION"):
        return f"Google Datastore is too busy: others changed the same documents ({said})."
    return f"Google Datastore does not answer: {said}."


def page_of(kind: Kind) -> int:
    """Return how many documents are asked for at once."""
    return MOST_AT_ONCE_OF_BYTES if "bytes" in kind.fields.values() else MOST_AT_ONCE


# ── commits ──────────────────────────────────────────────────────────────────────────────────


def _place(change: Change) -> Place:
    return change.kind.name, change.key


def _watched_of(changes: Sequence[Change]) -> Sequence[Change]:
    """Return what tells of a commit on conditions whether it can be made, or was."""
    conditions = [one for one in changes if isinstance(one, Hold) or one.expect != ANY]
    others = [one for one in changes if isinstance(one, Put) and one.expect == ANY]
    return [*conditions, *others[:1]] if conditions else []


def _demand(watched: Sequence[Change], found: Mapping[Place, Any], may_be_made: bool) -> None:
    """Raise Changed where something is not as expected; StoreAway if we may have made it so."""
    for change in watched:
        if _stands(change, found.get(_place(change))):
            continue
        if may_be_made:
            raise StoreAway(
                f"The answer of Google Datastore was lost, and {change.kind.name} "
                f"{shown(change.key)} was changed since: nobody can tell whether by this commit."
            )
        raise Changed(change)


def _stands(change: Change, result: Any) -> bool:
    if isinstance(change, Hold):
        return result is not None and document_of(change.kind, result)[change.name] == change.value
    return change.expect == ANY or change.expect == (result.version if result else ABSENT)


def _same(result: Any, token: str) -> dict[str, Any]:
    """Return the mutation that leaves an entity as it is, if nobody changes it meanwhile."""
    hide(result.entity, TOKEN, token)
    return {"update": result.entity, **_expecting(result.version)}


def _expecting(revision: int) -> dict[str, Any]:
    return {"base_version": revision, "conflict_resolution_strategy": "FAIL"}


def _token_of(result: Any) -> str:
    return str(result.entity.properties[TOKEN].string_value)
