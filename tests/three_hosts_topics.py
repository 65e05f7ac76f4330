"""Every topic of a lab, who may write it and who hears it: tried with each credential.

The topics come from the code; who may what is written down here once more, by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from fabctl.messaging.letters import Message, Received
from fabctl.messaging.link import MqttLink
from fabctl.messaging.signing import CARRIED_VERBS, OPEN_VERBS, SIGNED_VERBS
from fabctl.messaging.topics import LabTopics, discovery
from tests.brokers import wait_until
from tests.three_hosts import PATIENCE_S, ThreeHosts
from tests.three_hosts_files import LAB, LASER, MACHINES_OF, MILL, PI_A, PI_B, PRINTER

TOPICS = LabTopics("lab")
DESK, DASHBOARD, NOBODY = "desk", "dashboard", "without password"
HOSTS = (PI_A, PI_B, LAB)
USERS = (*HOSTS, DESK, DASHBOARD)
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
    for host in HOSTS:
        found[TOPICS.host_status(host)] = May(frozenset({host}), SEEN)
    found[TOPICS.steward_status] = May(frozenset({DESK}), SEEN)
    found[TOPICS.answer("web-0123")] = May(frozenset(HOSTS), frozenset({DESK}))
    nowhere = (
        TOPICS.host_status("stranger"), TOPICS.state("stranger"), f"{TOPICS.root}/m",
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


@dataclass
class Tried:
    """Everybody's connections, and what each of them heard."""

    scene: ThreeHosts
    writers: dict[str, MqttLink] = field(default_factory=dict)
    readers: dict[str, MqttLink] = field(default_factory=dict)
    heard: dict[str, list[Received]] = field(default_factory=dict)

    def connect(self) -> None:
        """Let everybody connect twice, and listen to everything in every way that there is."""
        for user in USERS:
            self.writers[user] = self.scene.begin(self.scene.link(user, f"writer-{user}"))
            reader = self.readers[user] = self.scene.link(user, f"reader-{user}")
            self.heard[user] = []
            for topic in ("#", "$SYS/#", f"$share/thieves-{user}/#", *expected()):
                reader.subscribe(topic, self.heard[user].append)
            self.scene.begin(reader)
            assert reader.wait_connected(PATIENCE_S), self.scene.said
            _answered(reader)

    def write(self, topic: str) -> frozenset[str]:
        """Let everybody write a topic; return whose word was not refused."""
        allowed = set()
        for user, link in self.writers.items():
            assert link.wait_connected(PATIENCE_S)
            before = link.failures
            link.publish(topic, _not_ours(user, topic))
            if link.flush(PATIENCE_S) and link.failures == before:
                allowed.add(user)
        return frozenset(allowed)

    def leave_wills(self) -> None:
        """Let everybody leave a will, for the broker to say, where they may not write."""
        topics = (TOPICS.state(PRINTER), TOPICS.command(PRINTER, "stop"), TOPICS.host_status(PI_A))
        for user, topic in ((user, topic) for topic in topics for user in USERS):
            if user not in expected()[topic].write:
                before = len(self.scene.said)
                will = Message(topic, _not_ours(user, topic))
                link = self.scene.begin(self.scene.link(user, f"will-{user}", will=will))
                wait_until(
                    lambda link=link, before=before: link.connected or self.scene.said[before:],  # type: ignore[misc]  # bound now
                    "it is let in, or not", PATIENCE_S,
                )  # fmt: skip
                link.stop(0.0, with_will=True)

    def wait_heard(self) -> None:
        """Wait until everybody has heard what was said before."""
        mark = f"fence {next(FENCES)}".encode()
        for machine in (PRINTER, MILL):
            self.writers[DESK].publish(TOPICS.command(machine, "identify"), mark)
        self.writers[PI_A].publish(TOPICS.telemetry(PRINTER, "fence"), mark)
        hear = [user for user in USERS if user != LAB]
        wait_until(
            lambda: all(mark in {one.payload for one in self.heard[user]} for user in hear),
            "the fence", PATIENCE_S,
        )  # fmt: skip
        _answered(self.readers[LAB])

    def hears(self, user: str, topic: str) -> bool:
        """Say whether somebody heard what anybody wrote to a topic."""
        words = {_not_ours(writer, topic) for writer in USERS}
        return any(one.topic == topic and one.payload in words for one in self.heard[user])


def tried(scene: ThreeHosts) -> dict[str, May]:
    """Let everybody write every topic while everybody listens; return what came of it.

    What is written is no message of ours: whoever takes it has to throw it away.
    """
    them = Tried(scene)
    them.connect()
    written = {topic: them.write(topic) for topic in expected()}
    them.leave_wills()
    them.wait_heard()
    found = {
        topic: May(writing, frozenset(user for user in USERS if them.hears(user, topic)))
        for topic, writing in written.items()
    }
    ours = {one.topic for user in USERS for one in them.heard[user]}
    assert not [topic for topic in ours if topic.startswith("$")], "the broker tells of itself"
    for user, refused in ((user, expected()) for user in USERS):
        words = {_not_ours(user, topic) for topic, may in refused.items() if user not in may.write}
        came = [one for heard in them.heard.values() for one in heard if one.payload in words]
        assert came == [], f"{user} was refused, and heard all the same"
    return found


def _not_ours(user: str, topic: str) -> bytes:
    return f"not ours: {user} {topic}".encode()


def _answered(link: MqttLink) -> None:
    """Wait until the broker has come to what is asked now: it answers in order."""
    link.publish("anything", b"is what was before done")
    assert link.flush(PATIENCE_S)


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
