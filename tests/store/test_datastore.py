"""What Google Datastore alone can get wrong; both of Google's emulators keep the contract."""

from __future__ import annotations

import json
import os
import random
import re
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.conftest import ROOT, free_port
from tests.store.emulators import channel_to
from unrot.core.errors import BadSetting, StoreAway
from unrot.store.datastore import PAUSES, DatastoreStore, find_credentials, open_google, parse_url
from unrot.store.entities import bounds_of, encode
from unrot.store.kinds import CHUNK, FACT, FEEDBACK, FORMAT, JOB, LEASE, VERSION
from unrot.store.operations import ABSENT, Changed, Delete, Hold, Put, until_kept

GUIDE = (ROOT / "docs/datastore.md").read_text()
Meddle = Callable[[str, Callable[[], Any]], Any]
"""What stands between a store and Datastore: it is told a method, and may call it."""


@pytest.fixture
def address(emulators: Callable[[str], str]) -> str:
    return emulators("datastore")


@pytest.fixture
def namespace() -> str:
    return secrets.token_hex(8)


@pytest.fixture
def open_datastore(address: str, namespace: str) -> Iterator[Callable[..., DatastoreStore]]:
    """Open the same namespace once more, perhaps through something that spoils calls."""
    opened: list[DatastoreStore] = []

    def again(meddle: Meddle | None = None, **more: Any) -> DatastoreStore:
        between = [] if meddle is None else [between_calls(meddle)]
        channel = channel_to(address, *between)
        opened.append(DatastoreStore("a-project", namespace, open_channel=channel, **more))
        return opened[-1]

    yield again
    for store in opened:
        store.close()


@pytest.fixture
def store(open_datastore: Callable[..., DatastoreStore]) -> DatastoreStore:
    return open_datastore()


def between_calls(meddle: Meddle) -> Any:
    import grpc  # not at the top: it takes long, and other tests do without

    class Between(grpc.UnaryUnaryClientInterceptor):
        def intercept_unary_unary(self, go_on: Any, details: Any, request: Any) -> Any:
            def call() -> Any:
                answer = go_on(details, request)
                answer.result()
                return answer

            return meddle(details.method.rsplit("/", 1)[1], call)

    return Between()


def broken(code: str = "UNAVAILABLE") -> Exception:
    """Return the error of a line that broke."""
    import grpc

    class Broken(grpc.RpcError):
        code = staticmethod(lambda: grpc.StatusCode[code])
        details = staticmethod(lambda: "the line broke")
        trailing_metadata = staticmethod(lambda: None)

        def result(self) -> Any:
            raise self

    return Broken()


class Loses:
    """Lets calls of a method happen, and loses the answers to the first few."""

    def __init__(self, method: str, answers: int, code: str = "UNAVAILABLE") -> None:
        self.method, self.left, self.code = method, answers, code
        self.meanwhile: Callable[[], None] = lambda: None

    def __call__(self, method: str, call: Callable[[], Any]) -> Any:
        answer = call()
        if method == self.method and self.left > 0:
            self.left -= 1
            self.meanwhile()
            raise broken(self.code)
        return answer


# ── texts in the order of an index ───────────────────────────────────────────────────────────

TEXTS = ["", "\0", "\0\0", "\1", " ", "  ", "!", "!2", "!20", '"', "a", "a ", "a!", "a\0", "a b"]
TEXTS += ["a-", "aa", "elves", "elves ~2", "elves~2", "é", "\u07ff", "\uffee", "\U0001f600", "~"]
NUMBERS = [-1e308, -(2.0**40), -1.5, -1e-300, -5e-324, 0.0, 5e-324, 1e-300, 1e-9, 1.0, 1.5]
NUMBERS += [1_700_000_040.25, 2.0**40, 1e308, float("-inf"), float("inf")]


def test_texts_are_in_the_order_of_what_they_stand_for() -> None:
    names = ["speaks of", "version", "time"]
    chance = random.Random(1)
    drawn = [
        (chance.choice(TEXTS), chance.choice(TEXTS), chance.choice(NUMBERS), chance.choice(TEXTS))
        for _ in range(4_000)
    ]

    by_text = sorted(drawn, key=lambda values: encode(FEEDBACK, names, values))

    assert by_text == sorted(drawn)
    assert len({encode(FEEDBACK, names, values) for values in drawn}) == len(set(drawn))


def test_whole_numbers_and_flags_are_in_order() -> None:
    whole = [-(2**63), -70_000, -1, 0, 1, 70_000, 2**53 + 1, 2**63 - 1]
    told = [encode(VERSION, ["number"], [number]) for number in whole]

    assert told == sorted(set(told))
    assert encode(JOB, ["active"], [False]) < encode(JOB, ["active"], [True])


def test_two_zeros_are_one() -> None:
    assert encode(FEEDBACK, ["time"], [-0.0]) == encode(FEEDBACK, ["time"], [0.0])
    assert encode(FEEDBACK, ["time"], [5]) == encode(FEEDBACK, ["time"], [5.0])


@pytest.mark.parametrize(("since", "until"), [*product([None, -1.5, 0.0, 1.0], [None, 0.0, 1e308])])
def test_bounds_hold_what_they_should_and_nothing_else(
    since: float | None, until: float | None
) -> None:
    index = FEEDBACK.indexes["of model"]
    every = [*product(TEXTS, NUMBERS, ["", " ", "k"])]
    for model in TEXTS:
        bounds = bounds_of(FEEDBACK, index, [model], since, until)
        found = [values for values in every if lies_between(encode(*shape(values)), bounds)]

        assert found == [
            (text, number, key)
            for text, number, key in every
            if text == model
            and (since is None or number >= since)
            and (until is None or number < until)
        ]


def shape(values: tuple[Any, ...]) -> tuple[Any, tuple[str, ...], tuple[Any, ...]]:
    return FEEDBACK, FEEDBACK.indexes["of model"].fields, values


def lies_between(text: str, bounds: list[tuple[str, str]]) -> bool:
    return all(
        text >= bound if sign == "GREATER_THAN_OR_EQUAL" else text < bound for sign, bound in bounds
    )


# ── what people see, and what does not fit ───────────────────────────────────────────────────

JUDGED: Mapping[str, Any] = {
    "model": "heart",
    "version": "v1",
    "input data": {"age": 63},
    "prediction": 1,
    "was correct": False,
    "label": "sick",
    "time": 1_700_000_040.123456789,
    "predicted at": 2.0**40,
    "waits": True,
}


def test_fields_have_types_that_a_console_shows(store: DatastoreStore) -> None:
    store.commit([Put(FEEDBACK, "p", JUDGED)])

    [result] = store._look_up([("prediction-feedback", "p")], store._read_until()).values()
    properties = result.entity.properties
    types = {name: told.WhichOneof("value_type") for name, told in properties.items()}
    hidden = {name for name in types if name.startswith("~")}

    assert {name: types[name] for name in types if name not in hidden} == {
        "model": "string_value",
        "version": "string_value",
        "input data": "string_value",
        "prediction": "double_value",
        "was correct": "boolean_value",
        "label": "string_value",
        "time": "timestamp_value",
        "predicted at": "double_value",  # the year 36,812 is no time there
        "waits": "boolean_value",
    }
    assert hidden == {"~of model", "~new", "~exact", "~commit"}
    assert {name for name, told in properties.items() if not told.exclude_from_indexes} == {
        *("model", "version", "was correct", "time", "~of model", "~new")
    }


def test_document_is_as_exact_as_in_sql(store: DatastoreStore) -> None:
    store.commit([Put(FEEDBACK, "p", JUDGED)])

    found = store.get(FEEDBACK, "p")

    assert found is not None
    assert {name: found[name] for name in JUDGED} == {**JUDGED, "prediction": "1"}


@pytest.mark.parametrize(
    ("put", "why"),
    [
        (Put(FACT, "k" * 401, {"value": "x"}), "keeps the key"),
        (Put(FACT, "", {"value": "x"}), "is no key"),
        (Put(FACT, "__k__", {"value": "x"}), "is no key"),
        (Put(FACT, "k", {"value": "x" * 1_050_000}), "in one document"),
        (
            Put(FEEDBACK, "k", {"model": "é" * 800}),
            '"model" of prediction-feedback "k" takes 1,600',
        ),
        (Put(VERSION, "k", {"model": "x" * 1_490, "number": 1}), '"~of model" of version "k"'),
    ],
)
def test_what_datastore_would_refuse_is_refused_with_a_sentence(
    store: DatastoreStore, put: Put, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        store.commit([put])


def test_key_that_cannot_be_is_not_there(store: DatastoreStore) -> None:
    assert store.get(FACT, "k" * 1_501) is None
    assert store.get_many(FACT, ["", "__k__"]) == {}


def test_more_comes_than_fits_into_an_answer_of_the_usual_client(store: DatastoreStore) -> None:
    for names in ("abcd", "efgh"):
        store.commit([Put(CHUNK, name, {"data": bytes(900_000)}) for name in names])

    assert len(store.get_many(CHUNK, list("abcdefgh"))) == 8


def test_scan_goes_over_pages(store: DatastoreStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unrot.store.datastore.MOST_AT_ONCE", 3)
    store.commit([Put(VERSION, f"{n}", {"model": "elves", "number": n}) for n in range(8)])

    for limit in (2, 3, 4, 6, 7, 8, 9, 10**9):
        found = store.scan(VERSION, "of model", ("elves",), limit=limit)
        assert [document["number"] for document in found] == [*range(min(limit, 8))]
    assert len(store.get_many(VERSION, [f"{n}" for n in range(8)])) == 8


@pytest.mark.parametrize(
    ("number", "said"), [(FORMAT + 1, "newer release"), (FORMAT - 1, "before the first release")]
)
def test_format_of_another_release_is_refused(
    store: DatastoreStore, number: int, said: str
) -> None:
    store.prepare()
    known = store.get(FACT, "generation")
    store.prepare()
    assert store.get(FACT, "generation") == known
    store.commit([Put(FACT, "format", {"value": str(number)})])

    with pytest.raises(StoreAway, match=said):
        store.check()


# ── answers that are lost ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("code", ["UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL"])
def test_commit_whose_answer_is_lost_knows_itself(
    open_datastore: Callable[..., DatastoreStore], code: str
) -> None:
    loses = Loses("Commit", 0, code)
    store = open_datastore(loses)
    store.commit([Put(LEASE, "work", {"holder": "ada", "number": 7})])

    loses.left = 1
    store.commit([Put(FACT, "a", {"value": "1"}, ABSENT)])
    read = store.get(FACT, "a")
    assert read is not None
    loses.left = 2
    store.commit([Put(FACT, "a", {"value": "2"}, read.revision)])
    read = store.get(FACT, "a")
    assert read is not None
    loses.left = 1
    store.commit([Delete(FACT, "a", read.revision), Put(FACT, "b", {"value": "3"})])
    loses.left = 1
    store.commit([Hold(LEASE, "work", "number", 7), Put(FACT, "c", {"value": "4"}, ABSENT)])

    assert loses.left == 0
    assert set(store.get_many(FACT, ["a", "b", "c"])) == {"b", "c"}


def test_commit_that_nobody_can_tell_of_does_not_say_that_it_was_refused(
    open_datastore: Callable[..., DatastoreStore],
) -> None:
    loses = Loses("Commit", 0)
    store, other = open_datastore(loses), open_datastore()
    store.commit([Put(FACT, "a", {"value": "1"})])
    read = store.get(FACT, "a")
    assert read is not None

    loses.left, loses.meanwhile = 1, lambda: other.commit([Put(FACT, "a", {"value": "3"})])
    with pytest.raises(StoreAway, match="nobody can tell"):
        store.commit([Put(FACT, "a", {"value": "2"}, read.revision)])

    read = store.get(FACT, "a")
    assert read is not None
    loses.left, loses.meanwhile = 1, lambda: None
    with pytest.raises(StoreAway, match="nobody can tell"):
        store.commit([Delete(FACT, "a", read.revision)])


def test_somebody_who_was_first_is_told_of_though_the_line_breaks(
    open_datastore: Callable[..., DatastoreStore],
) -> None:
    loses = Loses("Lookup", 3)
    store, other = open_datastore(loses), open_datastore()
    other.commit([Put(FACT, "a", {"value": "1"})])

    with pytest.raises(Changed):
        store.commit([Put(FACT, "a", {"value": "2"}, ABSENT)])
    assert loses.left == 0


def test_with_three_calls_of_ten_lost_each_commit_is_kept_once(
    open_datastore: Callable[..., DatastoreStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unrot.store.datastore.PAUSES", (0.001,) * len(PAUSES))
    chance = random.Random(3)

    def lose(method: str, call: Callable[[], Any]) -> Any:
        fate = chance.random()
        if fate < 0.15:
            raise broken(chance.choice(["UNAVAILABLE", "ABORTED", "RESOURCE_EXHAUSTED"]))
        answer = call()
        if fate < 0.3:
            raise broken(chance.choice(["UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL"]))
        return answer

    store = open_datastore(lose)
    store.commit([Put(FACT, "number", {"value": "0"})])

    def add(number: int) -> None:
        read = store.get(FACT, "number")
        assert read is not None
        store.commit(
            [
                Put(VERSION, f"elves/{number}", {"model": "elves", "number": number}, ABSENT),
                Put(FACT, "number", {"value": str(int(read["value"]) + 1)}, read.revision),
            ]
        )

    for number in range(200):
        add(number)

    counted = store.get(FACT, "number")
    assert counted is not None and counted["value"] == "200"
    assert store.count(VERSION, "of model", ("elves",)) == 200


def test_lease_that_others_touch_holds_while_its_number_stays(
    open_datastore: Callable[..., DatastoreStore],
) -> None:
    store = open_datastore()
    store.commit([Put(LEASE, "work", {"holder": "ada", "number": 7, "ends at": 1.0})])

    def write(name: str, database: DatastoreStore) -> None:
        for number in range(5):
            held = Hold(LEASE, "work", "number", 7)
            put = Put(VERSION, f"{name}/{number}", {"model": "elves", "number": number})
            database.commit([held, put])

    def renew(database: DatastoreStore) -> None:
        read = database.get(LEASE, "work")
        assert read is not None
        fields = {**read.fields, "ends at": read["ends at"] + 1}
        database.commit([Put(LEASE, "work", fields, read.revision)])

    others = [threading.Thread(target=write, args=(name, open_datastore())) for name in "abc"]
    for other in others:
        other.start()
    for _ in range(5):
        until_kept(lambda: renew(store))
    for other in others:
        other.join()

    lease = store.get(LEASE, "work")
    assert lease is not None
    assert (lease["holder"], lease["number"], lease["ends at"]) == ("ada", 7, 6.0)
    assert store.count(VERSION, "of model", ("elves",)) == 15


# ── a service that is away ───────────────────────────────────────────────────────────────────


def calls_of(store: DatastoreStore) -> list[Callable[[], Any]]:
    return [
        lambda: store.get(FACT, "a"),
        lambda: store.commit([Put(FACT, "a", {"value": "1"}, ABSENT)]),
        lambda: store.scan(VERSION, "of model", ("elves",), limit=1),
        lambda: store.count(VERSION, "of model", ("elves",)),
        store.check,
    ]


def test_refused_connection_is_given_up_soon_and_told() -> None:
    failures: list[int] = []
    nowhere = channel_to(f"127.0.0.1:{free_port()}")
    store = DatastoreStore("a-project", open_channel=nowhere, failed=lambda: failures.append(1))

    with pytest.raises(StoreAway, match=r"Google Datastore does not answer: .*refused"):
        store.commit([Put(FACT, "a", {"value": "1"}, ABSENT)])

    assert failures
    assert sum(PAUSES) < 1.5
    store.close()


def test_server_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        channel = channel_to(f"127.0.0.1:{silent.getsockname()[1]}")
        store = DatastoreStore(
            "a-project", open_channel=channel, read_seconds=0.2, commit_seconds=0.2
        )
        for call in calls_of(store):
            with pytest.raises(StoreAway, match="Google Datastore does not answer"):
                call()
        store.close()


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("PERMISSION_DENIED", r"refuses these credentials \(the line broke\): give the service"),
        ("NOT_FOUND", "Project a-project has no database"),
        ("ABORTED", "too busy"),
        ("UNIMPLEMENTED", "does not answer: the line broke"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(
    open_datastore: Callable[..., DatastoreStore], code: str, sentence: str
) -> None:
    def fail(method: str, call: Callable[[], Any]) -> Any:
        raise broken(code)

    store = open_datastore(fail, read_seconds=0.1, commit_seconds=0.1)

    for call in calls_of(store):
        with pytest.raises(StoreAway, match=sentence):
            call()


FORK = """
import os, sys
from tests.store.emulators import channel_to
from unrot.core.errors import StoreAway
from unrot.store import datastore
from unrot.store.datastore import DatastoreStore
from unrot.store.kinds import FACT
from unrot.store.operations import Put
datastore.PAUSES = ()  # the first try is to do
address, namespace, silent = sys.argv[1:]
store = DatastoreStore("a-project", namespace, open_channel=channel_to(address))
away = DatastoreStore("a-project", open_channel=channel_to(silent), read_seconds=0.05)
store.commit([Put(FACT, "parent", {"value": "1"})])
for number in range(8):
    if not os.fork():
        assert store.get(FACT, "parent")["value"] == "1"
        store.commit([Put(FACT, f"child {number}", {"value": "1"})])
        try:
            number or away.get(FACT, "a")
        except StoreAway:
            number = 1
        os._exit(number == 0)
    assert os.wait()[1] == 0
    assert store.get(FACT, f"child {number}")
"""


def test_child_of_a_process_has_a_connection_of_its_own(address: str, namespace: str) -> None:
    with socket.create_server(("localhost", 0)) as silent:
        done = run_python(FORK, address, namespace, f"localhost:{silent.getsockname()[1]}")

    assert done.returncode == 0, done.stderr


def run_python(script: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, **more},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_nothing_of_google_is_loaded_before_it_is_asked() -> None:
    done = run_python(
        "import sys, unrot.store.datastore as module\n"
        "module.DatastoreStore('a-project')\n"
        "assert not {'grpc', 'google.cloud.datastore_v1', 'google.auth'} & set(sys.modules)"
    )

    assert done.returncode == 0, done.stderr


# ── who and where ────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def account() -> str:
    """The JSON of a service account's key."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    written = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return json.dumps(
        {
            "type": "service_account",
            "client_email": "unrot@a-project.iam.gserviceaccount.com",
            "token_uri": "https://oauth2.googleapis.com/token",
            "private_key": written.decode(),
        }
    )


def test_service_account_is_told_as_json(account: str) -> None:
    found = find_credentials({"GOOGLE_CREDENTIALS_JSON": account})

    assert found.service_account_email == "unrot@a-project.iam.gserviceaccount.com"
    assert find_credentials({}) is None


def test_service_account_is_told_as_a_file(
    account: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key.json").write_text(account)
    monkeypatch.delenv("DATASTORE_EMULATOR_HOST", raising=False)
    monkeypatch.delenv("GOOGLE_CREDENTIALS_JSON", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))

    open_google().close()


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        ("GOOGLE_CREDENTIALS_JSON", "secret {"),
        ("GOOGLE_CREDENTIALS_JSON", '{"private_key": "secret"}'),
        ("GOOGLE_CREDENTIALS_JSON", '["secret"]'),
        ("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/secret.json"),
    ],
)
def test_wrong_credentials_are_told_and_not_shown(
    variable: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATASTORE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv(variable, told)

    with pytest.raises(StoreAway, match="set GOOGLE_CREDENTIALS_JSON to") as raised:
        DatastoreStore("a-project").get(FACT, "a")

    assert "secret" not in raised.value.message


def test_emulator_asks_for_no_credentials(
    address: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATASTORE_EMULATOR_HOST", address)
    monkeypatch.setenv("GOOGLE_CREDENTIALS_JSON", "nothing")
    store = DatastoreStore("a-project", namespace)

    store.prepare()
    store.check(writing=True)
    store.close()


@pytest.mark.parametrize(
    "url",
    ["datastore://", "datastore://My Project", "datastore:///unrot", "datastore://a/b/c", "a"],
)
def test_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(BadSetting, match="expected datastore://PROJECT or"):
        parse_url(url)


# ── the documentation ────────────────────────────────────────────────────────────────────────


def test_script_of_the_documentation_draws_the_accuracy(
    store: DatastoreStore, address: str, namespace: str
) -> None:
    [script] = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    for start in (0, 50):
        fields = [
            {"model": "heart", "time": 1_700_000_000 + 60.0 * n, "was correct": n < 50}
            for n in range(start, start + 50)
        ]
        store.commit([Put(FEEDBACK, f"{one['time']}", one) for one in reversed(fields)])
    store.commit([Put(FEEDBACK, "other", {"model": "iris", "time": 5.0, "was correct": True})])
    store.commit([Put(FEEDBACK, "unsaid", {"model": "heart", "time": 5.0})])
    gone = {"model": "heart", "time": 5.0, "was correct": True, "withdrawn": True}
    store.commit([Put(FEEDBACK, "gone", gone)])

    done = run_python(
        script.replace("PROJECT", "a-project").replace("NAMESPACE", namespace),
        DATASTORE_EMULATOR_HOST=address,
        PYTHONIOENCODING="utf-8",
    )

    assert done.returncode == 0, done.stderr
    assert [re.split(r" +", line)[2:] for line in done.stdout.splitlines()] == [
        ["23:02", "100%", "█" * 40],
        ["23:27", "50%", "█" * 20],
        ["23:52", "0%", ""],
    ]


def test_what_the_documentation_says_of_costs_is_its_arithmetic() -> None:
    read, write = 0.03 / 100_000, 0.09 / 100_000
    told = dict(re.findall(r"^\| (\d+) s \| [\d,]+ / .* \| (\.\d+) \|$", GUIDE, re.MULTILINE))

    assert told == {f"{s}": f"{30 * 86_400 / s * read:.2f}"[1:] for s in (1, 5, 30)}
    assert "| 86,400 | 259,200 | .23 |" in GUIDE and f"{86_400 * 3 * write:.2f}" == "0.23"
    assert "**$2.40**" in GUIDE and f"{1_000_000 * (2 * read + 2 * write):.2f}" == "2.40"


def test_no_index_is_to_be_made() -> None:
    made = (ROOT / "deploy/datastore/index.yaml").read_text().splitlines()

    assert [line for line in made if not line.startswith("#")] == ["indexes: []"]
