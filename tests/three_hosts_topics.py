"""Every topic of a lab, who may write it and who hears it: tried with each credential.

The topics come from the code; who may what is written down here once more, by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

from fabctl.messaging.link import MqttLink, Received
from fabctl.messaging.signing import CARRIED_VERBS, OPEN_VERBS, SIGNED_VERBS
from fabctl.messaging.topics import LabTopics, discovery
from tests.brokers import wait_until
from tests.three_hosts import PATIENCE_S, ThreeHosts
from tests.three_hosts_files import LAB, LASER, MACHINES_OF, MILL, PI_A, PI_B, PRINTER

TOPICS = LabTopics("lab")
DESK, DASHBOARD, NOBODY = "desk", "dashboard", "without password"
USERS = (PI_A, PI_B, DESK, DASHBOARD)
SEEN = frozenset({DESK, DASHBOARD})
NONE: frozenset[str] = frozenset()
FENCES = count()


@dataclass(frozen=True)
class May:
    """Who may write a topic, and who hears what is written there."""

    write: frozenset[str]
    hear: frozenset[str]


def expected() -> dict[str, May]:
    """Return what is to hold, topic by topic."""
    found: dict[str, May] = {}
    for host, machines in MACHINES_OF.items():
        for machine in machines:
            found.update(_of_machine(machine, host))
    for host in (PI_A, PI_B):
        found[TOPICS.host_status(host)] = May(frozenset({host}), SEEN)
    found[TOPICS.steward_status] = May(frozenset({DESK}), SEEN)
    found[TOPICS.answer("web-0123")] = May(frozenset({PI_A, PI_B}), frozenset({DESK}))
    nowhere = (
        TOPICS.host_status(LAB), TOPICS.state("stranger"), f"{TOPICS.root}/m",
        f"{TOPICS.root}/m/{PRINTER}",
        LabTopics("other").state(PRINTER), LabTopics("other").command(PRINTER, "stop"),
        "homeassistant/switch/door/config", discovery("stranger"), "$SYS/broker/uptime",
        "$share/all/anything", "anything",
    )  # fmt: skip
    return found | dict.fromkeys(nowhere, May(NONE, NONE))


def _of_machine(machine: str, host: str) -> Iterator[tuple[str, May]]:
    own = frozenset({host})
    for topic in (TOPICS.meta, TOPICS.state, TOPICS.job, TOPICS.interlock):
        yield topic(machine), May(own, SEEN)
    yield TOPICS.telemetry(machine, "temperatures"), May(own, SEEN)
    yield TOPICS.event(machine, "job-finished"), May(own, SEEN)
    yield discovery(machine), May(own, frozenset({DASHBOARD}))
    yield TOPICS.booking(machine), May(frozenset({DESK}), SEEN)
    for verb in sorted(OPEN_VERBS | SIGNED_VERBS | CARRIED_VERBS):
        yield TOPICS.command(machine, verb), May(frozenset({DESK}), frozenset({DESK, host}))


def tried(scene: ThreeHosts) -> dict[str, May]:
    """Let everybody write every topic while everybody listens; return what came of it.

    What is written is no message of ours: whoever takes it has to throw it away.
    """
    heard: dict[str, list[bytes]] = {user: [] for user in USERS}
    writers = {user: scene.begin(scene.link(user, f"writer-{user}")) for user in USERS}
    for user in USERS:
        reader = scene.link(user, f"reader-{user}")
        reader.subscribe("#", _keep_in(heard[user]))
        scene.begin(reader)
        assert reader.wait_connected(PATIENCE_S), scene.said
        reader.publish("anything", b"is my subscription there")
        assert reader.flush(PATIENCE_S)  # answered in the order in which they came
    found = {topic: _written(writers, topic) for topic in expected()}
    _fence(writers, heard)
    return {
        topic: May(writing, frozenset(user for user in USERS if _came(heard[user], topic)))
        for topic, writing in found.items()
    }


def _keep_in(payloads: list[bytes]) -> Callable[[Received], None]:
    return lambda message: payloads.append(message.payload)


def _came(payloads: list[bytes], topic: str) -> bool:
    return any(
        one.startswith(b"not ours: ") and one.endswith(f" {topic}".encode()) for one in payloads
    )


def _written(writers: dict[str, MqttLink], topic: str) -> frozenset[str]:
    allowed = set()
    for user, link in writers.items():
        assert link.wait_connected(PATIENCE_S)
        before = link.failures
        link.publish(topic, f"not ours: {user} {topic}".encode())
        if link.flush(PATIENCE_S) and link.failures == before:
            allowed.add(user)
    return frozenset(allowed)


def _fence(writers: dict[str, MqttLink], heard: dict[str, list[bytes]]) -> None:
    """Wait until everybody has heard something that was said after all the rest."""
    mark = f"fence {next(FENCES)}".encode()
    for machine in (PRINTER, MILL):
        writers[DESK].publish(TOPICS.command(machine, "identify"), mark)
    writers[PI_A].publish(TOPICS.telemetry(PRINTER, "fence"), mark)
    wait_until(lambda: all(mark in heard[user] for user in USERS), "the fence", PATIENCE_S)


def as_markdown(rows: dict[str, May]) -> str:
    """Return the table for the document: one machine of Pi A stands for those of every host."""
    users = (*USERS, NOBODY)
    lines = ["| topic | " + " | ".join(users) + " |", "|---|" + "---|" * len(users)]
    for topic, may in rows.items():
        if f"/{LASER}/" in topic or f"/{MILL}/" in topic:
            continue
        words = (_words(user, may) for user in users)
        lines.append(f"| `{topic}` | " + " | ".join(words) + " |")
    return "\n".join(lines)


def _words(user: str, may: May) -> str:
    parts = [word for word, who in (("writes", may.write), ("hears", may.hear)) if user in who]
    return ", ".join(parts) or "–"
