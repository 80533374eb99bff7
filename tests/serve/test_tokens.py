"""What one process knows of tokens and sessions: a second old at most, also without a store."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.clock import NOON, Clock
from tests.memory_store import MemoryStore
from unrot.core.errors import Conflict, Invalid, StoreAway
from unrot.core.records import Token
from unrot.core.settings import Settings
from unrot.core.signatures import Signatures
from unrot.run.cabinet import Cabinet
from unrot.serve import tokens
from unrot.serve.token_store import SESSION_SECONDS
from unrot.serve.tokens import Fresh, KnownTokens, make_token
from unrot.store.kinds import ENDED_SESSION, TOKEN
from unrot.store.operations import Put


class Away(MemoryStore):
    """A store that can be away, and counts what it is asked."""

    is_away = False
    asked = 0

    def scan(self, *args: object, **more: object) -> object:  # type: ignore[override]
        self._ask()
        return super().scan(*args, **more)  # type: ignore[arg-type]

    def get(self, *args: object) -> object:  # type: ignore[override]
        self._ask()
        return super().get(*args)  # type: ignore[arg-type]

    def _ask(self) -> None:
        self.asked += 1
        if self.is_away:
            raise StoreAway("away")


@pytest.fixture
def database() -> Away:
    return Away()


@pytest.fixture
def store(database: Away) -> Cabinet:
    return Cabinet(database, Signatures(b"the secret of this app"))


@pytest.fixture
def clock() -> Clock:
    """The seconds of this process, which are not those of the wall."""
    return Clock(0.0)


@pytest.fixture
def known(store: Cabinet, clock: Clock) -> KnownTokens:
    return KnownTokens(store.tokens, clock=clock)


@pytest.fixture
def make(store: Cabinet) -> Callable[..., Fresh]:
    def made(name: str = "ada", role: str = "judge", days: int | None = None) -> Fresh:
        return make_token(store.tokens, Settings(), name, role, days, by="eve", now=NOON)

    return made


def test_token_is_found_by_what_its_holder_shows(
    known: KnownTokens, make: Callable[..., Fresh]
) -> None:
    ada, bob = make("ada"), make("bob", "viewer", 1)

    assert known.find(ada.secret) == ada.token
    assert known.find(bob.secret) == bob.token
    assert known.find(bob.secret[:-1] + ("a" if bob.secret[-1] != "a" else "b")) is None
    assert [bob.token.is_good(at) for at in (NOON, NOON + 86_399, NOON + 86_400)] == [
        *(True, True, False)
    ]


def test_what_no_token_looks_like_costs_the_store_nothing(
    known: KnownTokens, database: Away
) -> None:
    guesses = ("", "x" * 49, "unrot_short", "unrot_" + "é" * 43, "unrot_" + "x" * 44)

    assert [known.find(guess) for guess in guesses] == [None] * 5
    assert database.asked == 0


def test_revoked_elsewhere_is_refused_here_a_second_later(
    store: Cabinet, known: KnownTokens, clock: Clock, make: Callable[..., Fresh]
) -> None:
    secret = make().secret
    known.find(secret)
    store.tokens.revoke("ada", NOON + 5)

    def is_good() -> bool:
        found = known.find(secret)
        assert found is not None
        return found.is_good(NOON + 6)

    assert is_good()
    clock.now += 1.0
    assert not is_good()


def test_store_is_asked_once_a_second_however_many_come(
    known: KnownTokens, clock: Clock, database: Away, make: Callable[..., Fresh]
) -> None:
    secret = make().secret
    before = database.asked
    for _ in range(50):
        known.find(secret)
        clock.now += 0.1

    assert database.asked - before == 5


def test_what_was_known_is_good_while_the_store_is_away(
    known: KnownTokens, clock: Clock, database: Away, make: Callable[..., Fresh]
) -> None:
    ada = make()
    known.find(ada.secret)
    database.is_away = True
    clock.now += 60

    assert known.find(ada.secret) == ada.token
    known.note_use(ada.token, NOON + 120)
    assert not known.is_ended("a session")


def test_process_that_has_never_asked_says_that_the_store_is_away(
    known: KnownTokens, database: Away
) -> None:
    database.is_away = True

    with pytest.raises(StoreAway):
        known.find("unrot_" + "x" * 43)


def test_use_is_noted_once_a_minute_by_all_processes_together(
    store: Cabinet, known: KnownTokens, make: Callable[..., Fresh]
) -> None:
    def used_at() -> float | None:
        [token] = store.tokens.all()
        return token.used_at

    ada = make().token
    known.note_use(ada, NOON)
    assert used_at() == NOON
    known.note_use(ada, NOON + 59)
    [seen_by_another] = store.tokens.all()
    KnownTokens(store.tokens).note_use(seen_by_another, NOON + 59)
    assert used_at() == NOON
    known.note_use(ada, NOON + 60)
    assert used_at() == NOON + 60
    assert list(store.audit_log.all()) == []


def test_use_never_undoes_a_revocation(
    store: Cabinet, known: KnownTokens, make: Callable[..., Fresh]
) -> None:
    ada = make().token
    store.tokens.revoke("ada", NOON + 1)

    known.note_use(ada, NOON + 2)

    [token] = store.tokens.all()
    assert (token.revoked_at, token.used_at) == (NOON + 1, NOON + 2)


def test_session_is_over_here_at_once_and_elsewhere_a_second_later(
    store: Cabinet, known: KnownTokens, clock: Clock
) -> None:
    elsewhere = KnownTokens(store.tokens, clock=clock)
    assert not elsewhere.is_ended("s")

    known.end_session("s", NOON)

    assert known.is_ended("s")
    assert not elsewhere.is_ended("s")
    clock.now += 1.0
    assert elsewhere.is_ended("s")
    assert not elsewhere.is_ended("another")


def test_ended_sessions_are_forgotten_once_no_cookie_can_be_so_old(store: Cabinet) -> None:
    store.tokens.end_session("old", NOON)
    store.tokens.end_session("younger", NOON + 60)

    store.tokens.end_session("new", NOON + SESSION_SECONDS + 30)

    assert [store.tokens.is_ended(one) for one in ("old", "younger", "new")] == [False, True, True]
    assert store.database.count(ENDED_SESSION, "oldest") == 2


@pytest.mark.parametrize("name", ["", " ada", "ada\n", "@ada", "a" * 41, "a\0b", "-ada", "a/b"])
def test_name_is_one_that_can_be_read_in_a_log(make: Callable[..., Fresh], name: str) -> None:
    with pytest.raises(Invalid, match="expected a name of 1 to 40"):
        make(name)


@pytest.mark.parametrize("name", ["operator", "Operator", "command line", "Unrot itself", "bob"])
def test_name_is_nobody_elses(store: Cabinet, name: str) -> None:
    settings = Settings(judge_tokens={"bob": "bobs-token-0123456"})

    with pytest.raises(Conflict, match="is somebody else's name here"):
        make_token(store.tokens, settings, name, "judge", None, by="", now=NOON)


def test_there_is_an_end_to_how_many_there_are(
    store: Cabinet, make: Callable[..., Fresh], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "MOST_TOKENS", 2)
    make("ada")
    make("bob")
    store.tokens.revoke("ada", NOON)
    make("ada")

    with pytest.raises(Conflict, match="There are 2 names with tokens already"):
        make("eve")


def test_digest_is_all_that_is_kept(store: Cabinet, make: Callable[..., Fresh]) -> None:
    secret = make().secret

    kept: list[Token] = store.tokens.all()
    assert secret not in repr(kept)
    assert len({make(name).secret for name in ("a", "b", "c")}) == 3


FORGERIES: list[dict[str, object]] = [
    {"role": "operator"},
    {"digest": tokens.digest_of("unrot_" + "x" * 43)},
    {"revoked at": None},
    {"expires at": None},
    {"expires at": NOON + 1e9},
    {"made by": "another"},
    {"mark": None},
    {"mark": "é"},
]


@pytest.mark.parametrize("forged", FORGERIES)
def test_token_that_others_wrote_into_the_store_lets_nobody_in(
    database: Away, store: Cabinet, make: Callable[..., Fresh], forged: dict[str, object]
) -> None:
    """Nor does it when it was used: the use is noted in the same row."""
    make("ada", "viewer", 1)
    if "revoked at" in forged:
        store.tokens.revoke("ada", NOON)
    row = database.get(TOKEN, "ada")
    database.commit([Put(TOKEN, "ada", {**row.fields, **forged})])

    store.tokens.note_use("ada", NOON + 1)
    [read] = store.tokens.all()

    assert not read.is_signed
    assert not read.is_good(NOON)


def test_token_under_another_name_lets_nobody_in(
    database: Away, store: Cabinet, make: Callable[..., Fresh]
) -> None:
    make("ada")
    row = database.get(TOKEN, "ada")
    database.commit([Put(TOKEN, "eve", row.fields)])

    assert {one.name: one.is_good(NOON) for one in store.tokens.all()} == {
        "ada": True,
        "eve": False,
    }


def test_name_of_a_forged_token_can_be_given_anew(
    database: Away, store: Cabinet, make: Callable[..., Fresh], known: KnownTokens
) -> None:
    database.commit([Put(TOKEN, "ada", {"role": "operator", "digest": "0", "made at": NOON})])

    made = make("ada")

    assert known.find(made.secret) == made.token
