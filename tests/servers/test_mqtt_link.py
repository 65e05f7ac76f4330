"""The link, on a real mosquitto: it comes back, it fails visibly, it says nothing stale."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fabctl.errors import InputError, LocalError
from fabctl.messaging.call_broker import broker_facts
from fabctl.messaging.link import BrokerAddress, Message, MqttLink, Received
from fabctl.messaging.payloads import Answer
from fabctl.messaging.requests import MachineRequests
from fabctl.messaging.topics import LabTopics
from fabctl.model.doctor_lab import BrokerFacts
from fabctl.units import Seconds
from tests.brokers import WITHIN_S, LiveBroker, lab_config, running_broker, wait_until

TOPICS = LabTopics("lab")
STATE = TOPICS.state("m")
MACHINE = '[machines.m]\nkind = "mill"\ndriver = "opaque"\n'


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[LiveBroker]:
    """Run a lab's broker."""
    with running_broker(lab_config(tmp_path, MACHINE)) as broker:
        yield broker


class Ear:
    """Keeps what a link hears."""

    def __init__(self, link: MqttLink, topic_filter: str = STATE, **options: Any) -> None:
        self.heard: list[Received] = []
        link.subscribe(topic_filter, self.heard.append, **options)

    def wait(self, count: int) -> list[bytes]:
        """Wait for so many messages; return their payloads."""
        wait_until(lambda: len(self.heard) >= count, f"{count} messages; {self.heard}")
        return [message.payload for message in self.heard]


def subscribed(link: MqttLink) -> None:
    """Wait until the broker has taken the link's subscriptions: it answers a client in order."""
    link.publish(TOPICS.command("m", "stop"), b"{}")
    assert link.flush(WITHIN_S)


def test_a_handler_that_fails_is_shown_and_the_link_goes_on(broker: LiveBroker) -> None:
    link = broker.link("desk", "reader", connect=False)

    def fail(message: Received) -> None:
        raise ZeroDivisionError(f"on {message.payload!r}")

    link.subscribe(TOPICS.job("m"), fail)
    ear = Ear(link)
    link.on_connected(lambda: fail(Received("-", b"connect", 0, False)))
    link.start()
    wait_until(lambda: link.connected, "connected")
    writer = broker.link("pi1", "writer")
    writer.publish(TOPICS.job("m"), b"1")
    writer.publish(STATE, b"after")
    assert ear.wait(1) == [b"after"]
    assert link.failures == 2
    assert any("ZeroDivisionError: on b'1'" in line for line in broker.said)


def test_a_refused_publish_is_shown(broker: LiveBroker) -> None:
    dashboard = broker.link("dashboard", "dash")
    dashboard.publish(STATE, b"mine")
    assert dashboard.flush(5.0)
    assert dashboard.failures == 1
    assert "Not authorized" in broker.said[-1]


def test_the_link_comes_back_and_says_all_again(broker: LiveBroker) -> None:
    writer = broker.link("pi1", "writer", connect=False)
    said: list[int] = []

    def say() -> None:
        said.append(len(said))
        writer.publish(STATE, str(len(said)).encode(), retain=True)

    writer.on_connected(say)
    writer.start()
    ear = Ear(broker.link("desk", "reader"))
    ear.wait(1)
    broker.kill()
    wait_until(lambda: not writer.connected, "the loss is noticed")
    assert not writer.publish(STATE, b"nobody hears this")
    broker.start()
    wait_until(lambda: b"2" in ear.wait(1), "it was said again")
    assert b"nobody hears this" not in ear.wait(1)
    assert "the broker is back" in broker.said


def test_nothing_undelivered_overtakes_what_is_said_on_connect(broker: LiveBroker) -> None:
    """A message under way when the broker dies is dropped, not sent after the fresh one."""
    writer = broker.link("pi1", "writer", connect=False)
    fresh = threading.Event()

    def say() -> None:
        writer.publish(STATE, b"fresh", retain=True)
        fresh.set()

    writer.on_connected(say)
    writer.start()
    wait_until(fresh.is_set, "connected")
    assert writer.flush(5.0)
    assert broker.process is not None
    broker.process.send_signal(19)  # SIGSTOP: it takes bytes in, but answers nothing
    for n in range(5):
        assert writer.publish(STATE, f"stale {n}".encode(), retain=True)
    assert not writer.flush(0.2)
    fresh.clear()
    broker.kill()
    broker.start()
    wait_until(fresh.is_set, "connected again")
    assert writer.flush(5.0)
    ear = Ear(broker.link("desk", "reader"))
    assert ear.wait(1) == [b"fresh"]


def test_a_will_is_said_when_the_link_breaks_and_not_when_it_leaves(broker: LiveBroker) -> None:
    ear = Ear(broker.link("desk", "reader"))

    def link_with_will(name: str) -> MqttLink:
        will = Message(STATE, name.encode())
        link = MqttLink(broker.address("pi1"), name, will=will, log=broker.said.append)
        broker.links.append(link)
        link.start()
        wait_until(lambda: link.connected, "connected")
        return link

    link_with_will("leaves").stop()
    link_with_will("says-it-anyway").stop(with_will=True)
    assert ear.wait(1) == [b"says-it-anyway"]
    link_with_will("same-name")
    link_with_will("same-name")  # the second takes the first one's place
    assert ear.wait(2)[1] == b"same-name"


def test_a_kept_session_holds_what_came_meanwhile(broker: LiveBroker) -> None:
    def reader() -> MqttLink:
        link = MqttLink(
            broker.address("desk"), "steward", session_expiry_s=60, log=broker.said.append
        )
        broker.links.append(link)
        return link

    first = reader()
    Ear(first)
    first.start()
    wait_until(lambda: first.connected, "connected")
    first.stop()
    broker.link("pi1", "writer").publish(STATE, b"meanwhile")
    assert broker.links[-1].flush(5.0)
    broker.stop()
    broker.start()  # an orderly end of the broker loses nothing either
    second = reader()
    ear = Ear(second)
    second.start()
    assert ear.wait(1) == [b"meanwhile"]


def test_kept_messages_say_how_old_they_are(broker: LiveBroker) -> None:
    broker.link("pi1", "writer").publish(STATE, b"x", retain=True, expiry_s=10)
    assert broker.links[-1].flush(5.0)
    ear = Ear(broker.link("desk", "reader"))
    ear.wait(1)
    assert ear.heard[0].retain
    assert ear.heard[0].expiry_s in {9, 10}


@pytest.mark.parametrize("as_published", [False, True])
def test_whether_a_live_message_was_published_as_retained(
    broker: LiveBroker, as_published: bool
) -> None:
    ear = Ear(broker.link("desk", "reader"), as_published=as_published)
    subscribed(broker.links[0])
    broker.link("pi1", "writer").publish(STATE, b"x", retain=True)
    ear.wait(1)
    assert ear.heard[0].retain is as_published


def test_small_messages_are_not_held_back(broker: LiveBroker) -> None:
    link = broker.link("desk", "reader")
    assert link._client is not None
    sock: Any = link._client.socket()
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_why_there_is_no_link_can_be_asked(broker: LiveBroker) -> None:
    address = replace(broker.address("desk"), password="wrong")
    link = MqttLink(address, "stranger", log=broker.said.append)
    broker.links.append(link)
    link.start()
    wait_until(lambda: link.trouble, "the broker's answer")
    facts = broker_facts(link)
    assert facts == BrokerFacts(
        f"127.0.0.1:{address.port}", connected=False, refused=True, why=link.trouble
    )
    assert facts.why.startswith("the broker refused desk: ")
    well = broker.link("desk", "friend")
    assert broker_facts(well) == BrokerFacts(well.place, connected=True)


def test_without_a_broker_it_complains_once(tmp_path: Path) -> None:
    said: list[str] = []
    link = MqttLink(BrokerAddress("127.0.0.1", 9), "lost", log=said.append)
    link.start()
    wait_until(lambda: said, "the complaint")
    assert not link.wait_connected(0.6)  # several tries
    link.stop()
    assert len(said) == 1
    assert "no broker at 127.0.0.1:9" in said[0]


# -- requests --------------------------------------------------------------------------------------


def machine_requests(broker: LiveBroker) -> MachineRequests:
    """Return requests over a connected link of the desk."""
    link = broker.link("desk", "web", connect=False)
    requests = MachineRequests(link, "lab", lambda _machine: bytes(32))
    link.start()
    wait_until(lambda: link.connected, "connected")
    return requests


def test_many_threads_get_their_own_answers(broker: LiveBroker) -> None:
    machine = broker.link("pi1", "machine-m", connect=False)

    def answer(message: Received) -> None:
        assert message.response_topic is not None
        said = Answer(True, "ok", message.payload.decode()).encode()
        machine.publish(message.response_topic, said, correlation=message.correlation)

    machine.subscribe(TOPICS.commands("m"), answer)
    machine.start()
    wait_until(lambda: machine.connected, "connected")
    requests = machine_requests(broker)
    reasons: dict[int, str | None] = {}

    def ask(n: int) -> None:
        reasons[n] = requests.send("m", "stop", {"by": f"person-{n}"}).reason

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(f'"person-{n}"' in str(reasons[n]) for n in range(20))


def test_nobody_answers(broker: LiveBroker) -> None:
    requests = machine_requests(broker)
    assert requests.send("m", "stop", {}, Seconds(0.2)).code == "no-answer"
    assert requests.send("m", "start", {}, Seconds(0.2)).code == "no-answer"


def test_no_broker(broker: LiveBroker) -> None:
    requests = machine_requests(broker)
    broker.kill()
    wait_until(lambda: not broker.links[0].connected, "the loss is noticed")
    assert requests.send("m", "stop", {}, Seconds(0.2)).code == "no-broker"


def test_a_malformed_answer(broker: LiveBroker) -> None:
    machine = broker.link("pi1", "machine-m", connect=False)

    def answer(message: Received) -> None:
        machine.publish(str(message.response_topic), b"{", correlation=message.correlation)

    machine.subscribe(TOPICS.commands("m"), answer)
    machine.start()
    wait_until(lambda: machine.connected, "connected")
    assert machine_requests(broker).send("m", "stop", {}).code == "malformed-answer"


def test_what_cannot_be_asked(broker: LiveBroker) -> None:
    requests = machine_requests(broker)
    with pytest.raises(InputError, match="'explode'"):
        requests.send("m", "explode", {})
    caught: list[Exception] = []

    def ask_from_the_links_thread() -> None:
        try:
            requests.send("m", "stop", {})
        except LocalError as error:
            caught.append(error)

    link = broker.links[0]
    link.subscribe(STATE, lambda _message: ask_from_the_links_thread())
    subscribed(link)
    broker.link("pi1", "writer").publish(STATE, b"x")
    wait_until(lambda: caught, "it is refused, not hung")
