"""Open findings are sent once each: retried until taken, over restarts, holding nobody up."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.conftest import free_port, noon, wait_for
from tests.mail_server import MailServer, mail_server
from tests.receiver import Receiver, receiving
from unrot.core.errors import Conflict, StoreAway, Undelivered
from unrot.core.records import Finding
from unrot.core.rules import Rules
from unrot.serve.service import Service
from unrot.watch import outbox
from unrot.watch.messengers import messengers_of
from unrot.watch.outbox import Outbox, send_trial
from unrot.watch.webhook_client import WebhookClient

FINDING = Finding(
    "f1", "iris", "drift", "drift", "grave", 1_000.0, 1_060.0, 1_060.0,
    "sepal_width_cm <moved> & far.", "Refit it.", ("sepal_width_cm",), {"distance": 0.4},
)  # fmt: skip


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "LOOK_SECONDS", 0.0)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def sending(service: Service, receiver: Receiver) -> Service:
    """A service that sends findings to the receiver."""
    return sending_to(service, f"{receiver.url}/hook/secret")


def sending_to(service: Service, address: str, **more: str) -> Service:
    settings = replace(service.settings, webhook=address, **more)
    return replace(service, settings=settings, messenger=WebhookClient(allow_private=True))


def later(service: Service, seconds: float) -> Service:
    """The same service, some time on."""
    return replace(service, clock=lambda: noon() + seconds)


def go_round(service: Service, times: int = 1) -> None:
    """Let a new outbox, as after a restart, send what is due."""
    outbox = Outbox(service)
    for _ in range(times):
        outbox.go_round()
        if outbox._thread is not None:
            outbox._thread.join(10)


def test_finding_is_sent_once_however_often_the_caretaker_starts(
    sending: Service, receiver: Receiver
) -> None:
    sending.store.findings.put(FINDING)

    for _ in range(3):
        go_round(sending, times=2)
    sending.store.findings.put(replace(FINDING, sentence="It is farther.", updated_at=2_000.0))
    go_round(later(sending, 1e6))

    assert receiver.paths == ["/hook/secret"]
    assert receiver.headers[0]["Idempotency-Key"] == "f1"
    assert receiver.headers[0]["Content-Type"] == "application/json"
    assert receiver.bodies == [
        {
            "schema": "unrot.finding/1",
            "event": "opened",
            "model": "iris",
            "title": "Iris",
            "finding": {
                "id": "f1",
                "model": "iris",
                "cause": "drift",
                "kind": "drift",
                "gravity": "grave",
                "state": "open",
                "sentence": "sepal_width_cm <moved> & far.",
                "advice": "Refit it.",
                "features": ["sepal_width_cm"],
                "evidence": {"distance": 0.4},
                "since": "1970-01-01T00:16:40.000+00:00",
                "opened_at": "1970-01-01T00:17:40.000+00:00",
                "updated_at": "1970-01-01T00:17:40.000+00:00",
                "closed_at": None,
                "acknowledged": None,
                "head": "Input drifted: sepal width",
                "assigned_to": None,
                "snoozed": None,
                "notes": [],
            },
            "url": None,
        }
    ]


def test_slack_gets_its_own_shape_and_a_link(service: Service, receiver: Receiver) -> None:
    address = f"slack+{receiver.url}/hook"
    service = sending_to(service, address, url="https://unrot.example")
    service.store.findings.put(FINDING)

    go_round(service)

    assert receiver.bodies == [
        {
            "text": "*Iris* (grave): Input drifted: sepal width\n"
            "sepal_width_cm &lt;moved&gt; &amp; far.\nRefit it.\n"
            "<https://unrot.example/models/iris/findings/f1|Open the finding>"
        }
    ]


def test_what_was_not_taken_is_tried_again_after_growing_pauses(
    sending: Service, receiver: Receiver
) -> None:
    receiver.codes = [500, 503, 200]
    sending.store.findings.put(FINDING)
    states = []

    for minutes in (0, 0.9, 1.1, 3, 3.2, 60):
        go_round(later(sending, 60 * minutes))
        found = sending.store.deliveries.of("f1")
        assert found is not None
        states.append((found.attempts, found.error, found.next_at is None))

    assert states == [
        (1, "127.0.0.1 answered 500.", False),
        (1, "127.0.0.1 answered 500.", False),
        (2, "127.0.0.1 answered 503.", False),
        (2, "127.0.0.1 answered 503.", False),
        (3, "", True),
        (3, "", True),
    ]
    assert [headers["Idempotency-Key"] for headers in receiver.headers] == ["f1"] * 3


def test_receiver_that_is_away_is_tried_again(service: Service, receiver: Receiver) -> None:
    service.store.findings.put(FINDING)

    go_round(sending_to(service, f"http://127.0.0.1:{free_port()}/secret"))
    go_round(later(sending_to(service, f"{receiver.url}/secret"), 61))

    found = service.store.deliveries.of("f1")
    assert found is not None
    assert (found.attempts, found.error) == (2, "")
    assert found.delivered_at is not None
    assert found.target == f"{receiver.url}/…"
    assert len(receiver.bodies) == 1


def test_nobody_is_told_the_secret_of_an_address(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    service.store.findings.put(FINDING)

    with caplog.at_level(logging.INFO):
        go_round(sending_to(service, f"http://127.0.0.1:{free_port()}/hook/secret?key=secret"))

    assert "The finding f1 is still to be sent" in caplog.text
    assert "secret" not in caplog.text + str(service.store.deliveries.of("f1"))


def test_closed_finding_is_no_alarm_any_more(sending: Service, receiver: Receiver) -> None:
    receiver.codes = [500]
    sending.store.findings.put(replace(FINDING, closed_at=1_100.0))
    other = replace(FINDING, id="f2", cause="rot", kind="rot")
    sending.store.findings.put(other)

    go_round(sending)
    sending.store.findings.put(replace(other, closed_at=1_200.0))
    go_round(later(sending, 1e6), times=2)

    assert [headers["Idempotency-Key"] for headers in receiver.headers] == ["f2"]


def test_finding_that_flaps_is_told_once(sending: Service, receiver: Receiver) -> None:
    sending.store.findings.put(FINDING)
    go_round(sending)
    sending.store.findings.put(replace(FINDING, closed_at=1_100.0))
    sending.store.findings.put(FINDING)

    go_round(later(sending, 1e6))

    assert len(receiver.bodies) == 1


def test_new_finding_waits_for_no_other_that_is_not_taken(
    sending: Service, receiver: Receiver
) -> None:
    receiver.codes = [500, 200]
    sending.store.findings.put(FINDING)
    sending.store.findings.put(replace(FINDING, id="f2", cause="rot", kind="rot"))

    go_round(sending, times=3)

    assert [body["finding"]["id"] for body in receiver.bodies] == ["f1", "f2"]


def test_rules_of_a_model_send_its_findings_elsewhere(sending: Service, receiver: Receiver) -> None:
    sending.store.findings.put(FINDING)
    sending.store.findings.put(replace(FINDING, id="f2", model="zombies"))
    with receiving() as other:
        sending.store.findings.set_rules("zombies", Rules(webhook=f"{other.url}/z"))

        go_round(sending, times=3)

        assert [body["finding"]["id"] for body in other.bodies] == ["f2"]
    assert [body["finding"]["id"] for body in receiver.bodies] == ["f1"]


def test_without_a_webhook_nothing_is_sent_and_nothing_noted(service: Service) -> None:
    service.store.findings.put(FINDING)

    go_round(service)

    assert service.store.deliveries.of("f1") is None


def test_private_addresses_are_refused_unless_the_settings_allow_them(
    service: Service, receiver: Receiver
) -> None:
    careful = replace(sending_to(service, receiver.url), messenger=service.messenger)
    careful.store.findings.put(FINDING)

    go_round(careful)

    found = careful.store.deliveries.of("f1")
    assert found is not None
    assert found.error == (
        "127.0.0.1 is a private address: if anything is to be sent there, set "
        "UNROT_WEBHOOK_PRIVATE=yes."
    )
    assert receiver.bodies == []


class _Slow:
    """A messenger whose road is long."""

    def __init__(self) -> None:
        self.is_let_through = False
        self.posted = 0

    def post(self, *_: object) -> None:
        self.posted += 1
        wait_for(lambda: self.is_let_through)


def test_slow_webhook_holds_the_caretaker_up_for_nothing(sending: Service) -> None:
    slow = _Slow()
    service = replace(sending, messenger=slow)
    service.store.findings.put(FINDING)
    outbox = Outbox(service)

    for _ in range(5):
        outbox.go_round()
    is_sending = outbox.is_sending
    slow.is_let_through = True
    outbox.stop()

    assert is_sending
    assert slow.posted == 1
    noted = service.store.deliveries.of("f1")
    assert noted is not None and noted.delivered_at is not None


def test_killed_while_it_sends_it_tries_again_after_the_pause(
    sending: Service, receiver: Receiver
) -> None:
    """The killed one had noted its try and never came to note what became of it."""
    sending.store.findings.put(FINDING)
    now = sending.clock()
    sending.store.deliveries.begin(FINDING, target="", next_at=now + 60)

    go_round(sending)
    at_once = len(receiver.bodies)
    go_round(later(sending, 61))

    assert (at_once, len(receiver.bodies)) == (0, 1)


def test_delivery_is_noted_once_the_store_answers_again(
    sending: Service, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending.store.findings.put(FINDING)
    drawer, tries = sending.store.deliveries, []
    end = drawer.end

    def away_once(*given: object, **named: object) -> None:
        tries.append(given)
        if len(tries) == 1:
            raise StoreAway("It does not answer.")
        end(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(drawer, "end", away_once)
    monkeypatch.setattr(outbox, "AGAIN_SECONDS", 0.01)

    go_round(sending)

    noted = drawer.of("f1")
    assert noted is not None and noted.delivered_at is not None
    assert (len(tries), len(receiver.bodies)) == (2, 1)


def test_model_that_was_removed_has_nothing_to_send(sending: Service, receiver: Receiver) -> None:
    sending.store.findings.put(FINDING)
    sending.store.registry.remove_model("iris")

    go_round(sending)

    assert receiver.bodies == []


def test_webhook_can_be_tried(sending: Service, receiver: Receiver) -> None:
    told = send_trial(sending, "iris")

    assert told == [f"{receiver.url}/… took the test message."]
    assert receiver.bodies == [
        {
            "schema": "unrot.finding/1",
            "event": "test",
            "model": "iris",
            "title": "Iris",
            "finding": None,
            "url": None,
        }
    ]
    assert "Idempotency-Key" not in receiver.headers[0]
    receiver.codes = [404]
    with pytest.raises(Undelivered, match=r"127.0.0.1 answered 404\."):
        send_trial(sending, "iris")


def test_without_a_webhook_there_is_nothing_to_try(service: Service) -> None:
    with pytest.raises(Conflict, match="There is no webhook to try"):
        send_trial(service, "iris")


# ── mail ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


def mailing(service: Service, mail: MailServer, **more: str) -> Service:
    """A service whose findings of iris are mailed to two people."""
    smtp = f"smtp://127.0.0.1:{mail.port}"
    settings = replace(service.settings, smtp=smtp, mail_from="unrot@example.net", **more)
    settings = replace(settings, webhook_private=True)
    service.store.findings.set_rules("iris", Rules(mail="ada@example.org, bob@example.org"))
    return replace(service, settings=settings, messenger=messengers_of(settings))


def test_finding_is_mailed_once_with_what_is_to_be_known(
    service: Service, mail: MailServer
) -> None:
    service = mailing(service, mail, url="https://unrot.example")
    service.store.findings.put(FINDING)
    service.store.findings.put(replace(FINDING, id="f2", model="zombies"))

    for _ in range(3):
        go_round(service, times=2)

    [message] = mail.messages
    assert mail.to == [["ada@example.org", "bob@example.org"]]
    assert message["Subject"] == "Iris: Input drifted: sepal width (grave)"
    assert message.get_content().splitlines() == [
        *("Input drifted: sepal width.", ""),
        *("sepal_width_cm <moved> & far.", ""),
        *("Refit it.", ""),
        *("Since 1970-01-01 00:16 UTC; noticed 1970-01-01 00:17 UTC.", ""),
        *("https://unrot.example/models/iris/findings/f1", ""),
        *("-- ", "The rules of iris name this address."),
    ]


def test_webhook_and_mail_wait_for_each_other_in_nothing(
    service: Service, mail: MailServer, receiver: Receiver
) -> None:
    receiver.codes = [500]
    service = mailing(service, mail, webhook=receiver.url)
    service.store.findings.put(FINDING)

    go_round(service, times=3)

    sent, tried = (service.store.deliveries.of("f1", by) for by in ("mail", "webhook"))
    assert sent is not None and sent.delivered_at is not None
    assert (sent.target, sent.attempts) == ("ada@example.org, bob@example.org", 1)
    assert tried is not None and tried.delivered_at is None
    assert (len(mail.messages), len(receiver.bodies)) == (1, 1)


def test_mail_that_was_not_taken_is_tried_again(service: Service, mail: MailServer) -> None:
    mail.code = 451
    service = mailing(service, mail)
    service.store.findings.put(FINDING)

    go_round(service)
    mail.code = 250
    go_round(service)
    go_round(later(service, 61))

    noted = service.store.deliveries.of("f1", "mail")
    assert noted is not None and (noted.attempts, noted.error) == (2, "")
    assert len(mail.messages) == 1


def test_address_that_is_refused_is_said_though_the_others_have_it(
    service: Service, mail: MailServer
) -> None:
    mail.refuses = ("bob@example.org",)
    service = mailing(service, mail)
    service.store.findings.put(FINDING)

    go_round(service, times=2)

    noted = service.store.deliveries.of("f1", "mail")
    assert noted is not None and noted.delivered_at is not None
    assert noted.error == "127.0.0.1 refused bob@example.org (550)."
    assert mail.to == [["ada@example.org"]]


def test_without_a_mail_server_nothing_is_mailed_and_the_trial_says_why(service: Service) -> None:
    service.store.findings.set_rules("iris", Rules(mail="ada@example.org"))
    service.store.findings.put(FINDING)

    go_round(service)

    assert service.store.deliveries.of("f1", "mail") is None
    with pytest.raises(Conflict, match="set UNROT_SMTP_URL and UNROT_MAIL_FROM"):
        send_trial(service, "iris")


def test_all_addresses_are_tried_though_one_fails(
    service: Service, mail: MailServer, receiver: Receiver
) -> None:
    receiver.codes = [404]
    service = mailing(service, mail, webhook=receiver.url)

    with pytest.raises(Undelivered) as caught:
        send_trial(service, "iris")

    assert caught.value.message == (
        "127.0.0.1 answered 404. ada@example.org, bob@example.org took the test message."
    )
    assert [one["Subject"] for one in mail.messages] == ["Iris: a test"]
