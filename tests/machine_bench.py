"""A machine's whole host in one process, without a broker: what it says is kept in lists."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fabctl.clock import ManualClock
from fabctl.hosting.interlock_gate import InterlockGate, Line
from fabctl.hosting.job_keeper import MachineFolders
from fabctl.hosting.journal import Journal
from fabctl.hosting.machine import MachineHost
from fabctl.hosting.machine_reports import MachineReports, Stamps
from fabctl.hosting.request_desk import RequestDesk
from fabctl.hosting.waker import Waker
from fabctl.messaging.challenges import ChallengeBook
from fabctl.messaging.link import Received
from fabctl.messaging.payloads import EventPayload, StartOrder, encode
from fabctl.messaging.signing import SignedRequest, seal
from fabctl.messaging.topics import LabTopics
from fabctl.ports import Limits, MachineKind, MachineProfile, WorkArea
from fabctl.units import Celsius
from tests.scripted.fabctl_scripted import ScriptedDriver

KEY = bytes(range(32))
TOPICS = LabTopics("lab")
ANSWERS = TOPICS.answer("tester")
FILE = b"G28\nM104 S200\n; a comment\nG1 X10 Y10 Z0.2 F1200\nG1 X50 E2\nG1 X10 E4\nM104 S0\n"
COMMANDS = 6
LINES = 7


@dataclass(frozen=True)
class Said:
    """One message that was published."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    expiry_s: int | None
    response_topic: str | None
    correlation: bytes | None

    @property
    def fields(self) -> dict[str, Any]:
        """The message, read without any check."""
        found = json.loads(self.payload)
        assert isinstance(found, dict)
        return found


@dataclass
class KeptMessages:
    """Stands where the link stands: keeps what is said, hands on what a test sends."""

    said: list[Said] = field(default_factory=list)
    connected: bool = True
    losses: int = 0
    heard_by: list[tuple[str, int, bool, Callable[[Received], None]]] = field(default_factory=list)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        expiry_s: int | None = None,
        response_topic: str | None = None,
        correlation: bytes | None = None,
    ) -> bool:
        """Keep a message, as a link does while it is connected."""
        if self.connected:
            self.said.append(
                Said(topic, payload, qos, retain, expiry_s, response_topic, correlation)
            )
        return self.connected

    def subscribe(
        self,
        topic_filter: str,
        handler: Callable[[Received], None],
        qos: int = 1,
        *,
        as_published: bool = False,
    ) -> None:
        """Note who hears."""
        self.heard_by.append((topic_filter, qos, as_published, handler))

    def send(self, message: Received) -> None:
        """Hand a message to whoever hears."""
        for *_, handler in self.heard_by:
            handler(message)

    def on(self, topic: str) -> list[dict[str, Any]]:
        """Return what was said on a topic, oldest first."""
        return [one.fields for one in self.said if one.topic == topic]


def _close(journal: Journal) -> None:
    """Close what a bench left open: Python 3.13 warns of it. SQLite lets only its own thread."""
    with suppress(sqlite3.ProgrammingError):
        journal.close()


class MachineBench:
    """One machine with a scripted driver, a clock moved by hand, and a folder of its own."""

    machine = "printer-a"

    def __init__(
        self,
        folder: Path,
        *,
        boot: str = "boot-1",
        plugged: bool = True,
        line: Line | None = None,
    ) -> None:
        self.folder = folder
        self.cable = folder / "cable"
        if plugged:
            self.cable.touch()
        self.profile = MachineProfile(
            id=self.machine,
            name="Imprimante 3D A",
            kind=MachineKind.PRINTER,
            driver="scripted",
            host="pi1",
            port=str(self.cable),
            baud=250_000,
            work_area=WorkArea((0, 250), (0, 210), (0, 210)),
            limits=Limits(nozzle_max_c=Celsius(280)),
            options={"lines_per_s": 0, "wait_s": 0},
        )
        self.clock = ManualClock()
        self.messages = KeptMessages()
        self.log: list[str] = []
        self.boot = boot
        self.driver = ScriptedDriver(self.profile, self.clock)
        self.wake = Waker(self.driver)
        self.journal = Journal(folder / "machine" / "journal.db")
        weakref.finalize(self, _close, self.journal)
        self.reports = MachineReports(
            self.profile, TOPICS, self.messages, self.journal, Stamps(self.clock, boot),
            self.clock, self.log.append,
        )  # fmt: skip
        challenges = (f"challenge-{n}" for n in range(10_000))
        self.desk = RequestDesk(
            self.machine, TOPICS, lambda: KEY, boot,
            ChallengeBook(self.clock, lambda: next(challenges)),
            self.messages, self.reports, self.wake,
        )  # fmt: skip
        self.gate = InterlockGate(line, self.reports, self.clock, self.log.append) if line else None
        self.host = MachineHost(
            self.profile, self.driver, self.desk, self.reports,
            MachineFolders(folder / "machine", lambda sha256: folder / f"{sha256}.gcode"),
            self.clock, self.log.append, self.wake, self.gate,
        )  # fmt: skip

    # -- time --------------------------------------------------------------------------------

    def step(self, times: int = 1) -> None:
        """Let the host do what is to be done; nothing is waited for."""
        for _ in range(times):
            self.wake()
            self.host.step()

    def begin(self) -> None:
        """Begin as a new process does, and let the machine connect."""
        self.host._keeper.tell_what_was_left_behind()
        self.step(3)

    def shut_down(self) -> None:
        """End as SIGTERM makes a process end."""
        self.host.end()
        self.host._shut_down()

    def become_idle(self) -> None:
        """Let a sound machine connect."""
        self.begin()
        assert self.state["state"] == "idle"

    def confirm(self, line: int) -> None:
        """Let the firmware confirm lines up to this one."""
        self.cable.with_name("cable.go").write_text(str(line))
        self.step(2)

    def wait_for(self, type_: str) -> dict[str, Any]:
        """Let the preparation's thread end and the host go on; return the event it led to."""
        preparation = self.host._keeper._preparation
        if preparation is not None:
            preparation._thread.join()
        self.step(3)
        found = self.events(type_)
        assert found, self.events()
        return found[-1]

    # -- what is asked -------------------------------------------------------------------------

    def ask(self, verb: str, payload: bytes, *, retain: bool = False) -> dict[str, Any]:
        """Send bytes to a verb; return the answer."""
        before = len(self.messages.on(ANSWERS))
        topic = TOPICS.command(self.machine, verb)
        self.messages.send(Received(topic, payload, 1, retain, ANSWERS, b"c"))
        self.step()
        answers = self.messages.on(ANSWERS)[before:]
        assert len(answers) == 1
        return answers[0]

    def ask_openly(self, verb: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask for an open verb."""
        return self.ask(verb, encode(body or {"by": "person-1"}))

    def ask_signed(
        self, asked: str, body: Mapping[str, Any] | None = None, **spoilt: Any
    ) -> dict[str, Any]:
        """Ask for a signed verb, as the desk would; see :meth:`signed`."""
        return self.ask(asked, self.signed(asked, body or {"by": "person-1"}, **spoilt))

    def signed(
        self,
        asked: str,
        body: Mapping[str, Any],
        *,
        key: bytes = KEY,
        topic_verb: str | None = None,
        **spoilt: Any,
    ) -> bytes:
        """Return an envelope with a fresh challenge; the keywords make it a wrong one."""
        challenge = self.ask_openly("identify")["challenge"]
        fields: dict[str, Any] = {
            "machine": self.machine, "verb": asked, "boot": self.boot, "id": "1",
            "challenge": challenge, "body": body,
        }  # fmt: skip
        topic = TOPICS.command(self.machine, topic_verb or asked)
        return seal(key, topic, SignedRequest(**(fields | spoilt)))

    def order(self, content: bytes = FILE, **changes: Any) -> dict[str, Any]:
        """Put a file where uploads lie; return the body that starts it."""
        sha256 = hashlib.sha256(content).hexdigest()
        file = self.folder / f"{sha256}.gcode"
        if not file.exists():
            file.write_bytes(content)
        fields: dict[str, Any] = {
            "job": "job-1", "sha256": sha256, "size": len(content), "name": "ring.gcode",
            "lines": LINES, "commands": COMMANDS, "estimate_s": 100.0, "by": "person-1",
            "use": "use-1",
        }  # fmt: skip
        return StartOrder(**(fields | changes)).body()

    def start(self) -> None:
        """Start a job and wait until it runs."""
        assert self.ask_signed("start", self.order())["accepted"] is True
        self.wait_for("job-started")
        self.step()

    # -- what was said -------------------------------------------------------------------------

    @property
    def state(self) -> dict[str, Any]:
        """The last state that was said."""
        return self.messages.on(TOPICS.state(self.machine))[-1]

    @property
    def job(self) -> dict[str, Any]:
        """The last word on the job."""
        return self.messages.on(TOPICS.job(self.machine))[-1]

    @property
    def sent(self) -> list[str]:
        """What went to the machine."""
        file = self.cable.with_name("cable.sent")
        return file.read_text().splitlines() if file.exists() else []

    def events(self, type_: str | None = None) -> list[dict[str, Any]]:
        """Return the events that were said, each once, checked as the steward checks them."""
        prefix = f"{TOPICS.root}/m/{self.machine}/event/"
        found: dict[tuple[str, int], dict[str, Any]] = {}
        for one in self.messages.said:
            if one.topic.startswith(prefix):
                stamp = EventPayload.decode(one.payload).stamp
                found[stamp.boot, stamp.seq] = one.fields
        return [event for event in found.values() if type_ in {None, event["type"]}]
