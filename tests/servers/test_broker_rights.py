"""Who may say and hear what, on a real mosquitto with the generated access list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from fabctl.messaging.link import BrokerAddress, MqttLink, Received
from tests.brokers import LiveBroker, lab_config, running_broker, wait_until

MACHINES = """
[machines.printer-a]
kind = "printer"
driver = "opaque"
host = "pi1"
[machines.mill]
kind = "mill"
driver = "opaque"
host = "pi2"
"""
USERS = ("pi1", "pi2", "desk", "dashboard")
ROOT = "fab/v1/lab"
FENCES = count()
TABLE: dict[str, tuple[set[str], set[str]]] = {
    # topic: (who may write it, who hears it)
    f"{ROOT}/m/printer-a/state": ({"pi1"}, {"desk", "dashboard"}),
    f"{ROOT}/m/printer-a/meta": ({"pi1"}, {"desk", "dashboard"}),
    f"{ROOT}/m/printer-a/job": ({"pi1"}, {"desk", "dashboard"}),
    f"{ROOT}/m/printer-a/interlock": ({"pi1"}, {"desk", "dashboard"}),
    f"{ROOT}/m/printer-a/telemetry/temperatures": ({"pi1"}, {"desk", "dashboard"}),
    f"{ROOT}/m/printer-a/event/job-started": ({"pi1"}, {"desk", "dashboard"}),
    f"{ROOT}/m/mill/state": ({"pi2"}, {"desk", "dashboard"}),
    f"{ROOT}/m/printer-a/booking": ({"desk"}, {"desk", "dashboard"}),
    f"{ROOT}/m/printer-a/cmd/start": ({"desk"}, {"desk", "pi1"}),
    f"{ROOT}/m/mill/cmd/stop": ({"desk"}, {"desk", "pi2"}),
    f"{ROOT}/host/pi1/status": ({"pi1"}, {"desk", "dashboard"}),
    f"{ROOT}/host/pi2/status": ({"pi2"}, {"desk", "dashboard"}),
    f"{ROOT}/steward/status": ({"desk"}, {"desk", "dashboard"}),
    f"{ROOT}/answer/web": ({"pi1", "pi2"}, {"desk"}),
    "homeassistant/device/printer-a/config": ({"pi1"}, {"dashboard"}),
    "homeassistant/switch/door/config": (set(), set()),
    f"{ROOT}/m/printer-a": (set(), set()),
    "fab/v1/other/m/printer-a/state": (set(), set()),
    "anything": (set(), set()),
}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveBroker]:
    """Run the broker of a lab with two hosts."""
    folder: Path = tmp_path_factory.mktemp("rights")
    config = lab_config(folder, MACHINES, "[hosts.pi1]\n[hosts.pi2]\n")
    with running_broker(config) as broker:
        yield broker


@pytest.fixture(scope="module")
def links(broker: LiveBroker) -> dict[str, MqttLink]:
    """Return one connected link per user."""
    return {user: broker.link(user, f"writer-{user}") for user in USERS}


@pytest.fixture(scope="module")
def heard(broker: LiveBroker) -> dict[str, list[bytes]]:
    """Return what each user hears who asks for everything."""
    lists: dict[str, list[bytes]] = {user: [] for user in USERS}
    for user in USERS:
        link = broker.link(user, f"reader-{user}", connect=False)
        link.subscribe("#", keep_in(lists[user]))
        link.start()
        assert link.wait_connected(30.0)
        link.publish("anything", b"is my subscription there")
        assert link.flush(30.0)  # mosquitto answers a client's packets in the order they came in
    return lists


def keep_in(payloads: list[bytes]) -> Callable[[Received], None]:
    """Return a handler that keeps what it hears."""
    return lambda message: payloads.append(message.payload)


@pytest.mark.parametrize("topic", TABLE)
def test_who_may_write_and_who_hears(
    links: dict[str, MqttLink], heard: dict[str, list[bytes]], topic: str
) -> None:
    writers, readers = TABLE[topic]
    for user in USERS:
        link = links[user]
        refused_before = link.failures

        link.publish(topic, f"{user} on {topic}".encode())
        assert link.flush(30.0)

        assert (link.failures == refused_before) == (user in writers), user
    fence(links, heard)
    for user in USERS:
        expected = {f"{writer} on {topic}".encode() for writer in writers if user in readers}
        assert {p for p in heard[user] if p.endswith(f" on {topic}".encode())} == expected, user


def fence(links: dict[str, MqttLink], heard: dict[str, list[bytes]]) -> None:
    """Wait until everybody has heard something that was said after all the rest."""
    mark = f"fence {next(FENCES)}".encode()
    links["desk"].publish(f"{ROOT}/m/printer-a/cmd/identify", mark)
    links["desk"].publish(f"{ROOT}/m/mill/cmd/identify", mark)
    links["pi1"].publish(f"{ROOT}/m/printer-a/state", mark)
    wait_until(lambda: all(mark in heard[user] for user in USERS), "the fence is heard")


@pytest.mark.parametrize(("user", "password"), [(None, None), ("desk", "guess"), ("root", "x")])
def test_strangers_are_not_let_in(
    broker: LiveBroker, user: str | None, password: str | None
) -> None:
    said: list[str] = []
    link = MqttLink(
        BrokerAddress("127.0.0.1", broker.plan.port, user, password), "stranger", log=said.append
    )
    link.start()
    wait_until(lambda: said, "the refusal is told")
    link.stop()
    assert "refused" in said[0]
    assert not link.connected
