"""A printer's process in simulated time: the real host, and a broker that carries.

See :mod:`tests.soak_week`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from paho.mqtt.client import topic_matches_sub

from fabctl.clock import Clock
from fabctl.hosting.job_keeper import MachineFolders
from fabctl.hosting.journal import Journal
from fabctl.hosting.machine import MachineHost
from fabctl.hosting.machine_reports import MachineReports, Stamps
from fabctl.hosting.request_desk import RequestDesk
from fabctl.hosting.waker import Waker
from fabctl.messaging.challenges import ChallengeBook
from fabctl.messaging.link import Received
from fabctl.messaging.payloads import Answer, decode, encode
from fabctl.messaging.signing import SignedRequest, seal
from fabctl.messaging.topics import LabTopics
from fabctl.ports import Limits, MachineKind, MachineProfile, WorkArea
from fabctl.units import Celsius
from tests.soak_printer import SimulatedPrinter

TOPICS = LabTopics("lab")
ANSWERS = TOPICS.answer("soak")
KEY = bytes(range(32))
STEP_S = 1.0
"""A machine's host does its turn once a second at least, and the steward looks at its clock."""


class Broker:
    """Carries at once what is said to whoever hears it, and keeps nothing."""

    def __init__(self) -> None:
        self.connected = True
        self.losses = 0
        self.carried = self.readings = 0
        self.answers: list[bytes] = []
        self._heard_by: list[tuple[str, Callable[[Received], None]]] = []
        self._kept: dict[str, list[Callable[[Received], None]]] = {}

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,  # noqa: ARG002  # nothing is kept here
        expiry_s: int | None = None,
        response_topic: str | None = None,
        correlation: bytes | None = None,
    ) -> bool:
        """Carry a message."""
        self.carried += 1
        self.readings += "/telemetry/" in topic
        if topic == ANSWERS:
            self.answers.append(payload)
        said = Received(topic, payload, qos, False, response_topic, correlation, expiry_s)
        for handler in self._handlers(topic):
            handler(said)
        return True

    def _handlers(self, topic: str) -> list[Callable[[Received], None]]:
        if topic not in self._kept:
            self._kept[topic] = [
                heard for pattern, heard in self._heard_by if topic_matches_sub(pattern, topic)
            ]
        return self._kept[topic]

    def subscribe(
        self,
        topic_filter: str,
        handler: Callable[[Received], None],
        qos: int = 1,  # noqa: ARG002  # nothing is lost here
        *,
        as_published: bool = False,  # noqa: ARG002  # nothing is kept here
    ) -> None:
        """Note who hears."""
        self._heard_by.append((topic_filter, handler))
        self._kept.clear()


class Machine:
    """One printer with its process's heart, and all that this works with."""

    def __init__(
        self,
        folder: Path,
        name: str,
        seed: int,
        clock: Clock,
        broker: Broker,
        job_file: Callable[[str], Path],
    ) -> None:
        self.name, self._clock, self._broker = name, clock, broker
        self.profile = MachineProfile(
            name, name, MachineKind.PRINTER, "marlin", "pi1", "sim", 250_000,
            work_area=WorkArea((0, 250), (0, 210), (0, 210)),
            limits=Limits(nozzle_max_c=Celsius(280)),
        )  # fmt: skip
        self.driver = SimulatedPrinter(self.profile, clock, seed)
        self._wake = wake = Waker(self.driver)
        self.journal = Journal(folder / "journal.db")
        self.boot = f"boot-{name}"
        self.reports = MachineReports(
            self.profile, TOPICS, broker, self.journal, Stamps(clock, self.boot), clock, quiet
        )
        numbers = iter(range(10**9))
        challenges = ChallengeBook(clock, lambda: f"challenge-{next(numbers)}")
        desk = RequestDesk(
            name, TOPICS, lambda: KEY, self.boot, challenges, broker, self.reports, wake
        )
        self.host = MachineHost(
            self.profile, self.driver, desk, self.reports,
            MachineFolders(folder, job_file), clock, quiet, wake,
        )  # fmt: skip
        self.step_at: float = clock.monotonic()

    def due(self) -> float:
        """Return when something is to be done next."""
        return min(self.step_at, self.driver.due)

    def work(self, now: float) -> None:
        """Let the machine do what is due; its host takes its turn once a second, or on news."""
        if self.driver.work() or now >= self.step_at:
            self.step()

    def step(self) -> None:
        """Let the host take its turn; it waits for nothing, only for the check of a file."""
        self._wake()  # nothing is waited for, as time is not the computer's
        self.host.step()
        preparation = self.host._keeper._preparation
        if preparation is not None:
            preparation._thread.join()
            self._wake()
            self.host.step()
        self.step_at = self._clock.monotonic() + STEP_S

    def ask(self, verb: str, body: dict[str, object]) -> Answer:
        """Ask the machine for something as the desk would, signed where that is due."""
        payload = encode(body)
        if verb not in {"pause", "stop"}:
            challenge = str(decode(self._said("identify", encode({"by": "x"}))).text("challenge"))
            asked = SignedRequest(
                machine=self.name, verb=verb, boot=self.boot, id=challenge,
                challenge=challenge, body=body,
            )  # fmt: skip
            payload = seal(KEY, TOPICS.command(self.name, verb), asked)
        return Answer.decode(self._said(verb, payload))

    def _said(self, verb: str, payload: bytes) -> bytes:
        topic, broker = TOPICS.command(self.name, verb), self._broker
        broker.answers.clear()
        broker.publish(topic, payload, response_topic=ANSWERS, correlation=b"c")
        self.step()
        return broker.answers.pop()


def quiet(_line: str) -> None:
    """A log that nobody reads."""
