"""A working day of a laser in simulated time: the pure chain, the machine's gate, the steward.

What is real: the chain with its contacts (:mod:`tests.interlock_bench`), the words of its socket,
the gate of the machine's process, the permit office, the record in SQLite. What is played: the
broker, which carries at once what is said and forgets what nobody hears; people; time.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from fabctl.clock import ManualClock
from fabctl.hosting.interlock_gate import InterlockGate
from fabctl.hosting.interlock_line import Heard, _state
from fabctl.hosting.machine_reports import Stamps
from fabctl.hosting.permit_office import RENEW_EVERY, PermitOffice
from fabctl.hosting.steward import _for_the_record
from fabctl.interlock import InputRole
from fabctl.interlock import InterlockState as State
from fabctl.messaging.interlocks import InterlockPayload
from fabctl.messaging.lab_view import LabView
from fabctl.messaging.link import Received
from fabctl.messaging.payloads import EventPayload, EventType
from fabctl.messaging.topics import LabTopics
from fabctl.model.booking_facts import PARIS
from fabctl.model.refusal import RefusedError
from fabctl.ports import MachineKind, MachineProfile
from fabctl.services import bookings, people, uses, using
from fabctl.services.certifications import certify, suspend
from fabctl.services.machines import sync_resources
from fabctl.services.recording import record_event
from fabctl.services.uses import UseView
from fabctl.store.engine import Database
from fabctl.units import Seconds
from fabctl_drivers.interlock.telling import entry, gist, words
from tests.interlock_bench import KEY, MACHINE, Bench

SCAN_MS = 96
"""As long as a scan may be late without a trip (100 ms), to save time."""
LAB = LabTopics("lab")
ZONE = ZoneInfo("Europe/Paris")
SLOT_MIN = 45
LOST = 0.1
"""Of the daemon's words."""
LATEST_S = 1.2
"""After so long a word comes at the latest; they keep their order, as on any stream."""
WORK = frozenset({State.RUNNING, State.DRAIN})


@dataclass
class DeadOrAlive:
    """The steward's process."""

    office: PermitOffice
    view: LabView
    renew_at: float


class Day:
    """One laser, from the morning on. It is the line, the broker and the clock of all parts.

    :param seed: of everything that happens by chance.
    """

    def __init__(self, database: Database, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311  # a story, not a secret
        self.database = database
        self.clock = ManualClock()
        self.bench = Bench()
        self.clock.elapsed = Seconds(self.bench.now)
        self.record: list[dict[str, Any]] = []
        """What the daemon puts on its disk."""
        self.untold: deque[EventPayload] = deque()
        """The machine's journal: what the steward has not recorded yet."""
        self.stamps = Stamps(self.clock, "machine-boot")
        self.kept: InterlockPayload | None = None
        """What the broker keeps."""
        self.gate = InterlockGate(self, self, self.clock, lambda _line: None)
        self.heard: list[Heard] = []
        self.line = Random(seed + 1)  # noqa: S311  # so that the story stays the same
        self.on_the_way: deque[tuple[float, InterlockPayload]] = deque()
        """Words of the daemon, with when they arrive."""
        self.lost = 0
        self.steward: DeadOrAlive | None = None
        self.back_at: float | None = None
        self.restarts = 0
        self.refused: list[str] = []
        self._gist: tuple[object, ...] = ()
        self._tell_at = 0.0
        self._seq = 0
        with database.transaction() as session:
            machine = MachineProfile(
                MACHINE, "Laser", MachineKind.LASER, "opaque", "pi", None, 115_200
            )
            sync_resources(session, self.clock, [machine])
            self.people = [
                people.add_person(session, self.clock, display_name=name).id
                for name in ("Léa", "Karim", "Awa")
            ]
            for person in self.people:
                certify(session, self.clock, person_id=person, resource_id=MACHINE)
        self.start_steward()

    # -- the steward -----------------------------------------------------------------------------

    def start_steward(self) -> None:
        """Start a steward that knows nothing but the database and what the broker keeps."""
        view = LabView("lab", {MACHINE: "pi"}, self.clock)
        office = PermitOffice(
            LAB,
            self.database,
            self,
            self.clock,
            lambda _line: None,
            view,
            {MACHINE: lambda: KEY},
            zone=PARIS,
        )
        self.steward = DeadOrAlive(office, view, self.bench.now)
        self.back_at = None
        if self.kept is not None:
            self._carry(self.kept)

    def kill_steward(self, for_s: float) -> None:
        """Kill it; what it was about to say is lost."""
        if self.steward is not None:
            self.steward, self.back_at = None, self.bench.now + for_s
            self.restarts += 1

    def _let_steward_work(self) -> None:
        steward = self.steward
        if steward is None:
            if self.back_at is not None and self.bench.now >= self.back_at:
                self.start_steward()
            return
        while self.untold:
            with self.database.transaction() as session:
                event = _for_the_record(MACHINE, self.untold[0])
                record_event(session, self.clock, event)
                record_event(session, self.clock, event)  # at least once is promised
            self.untold.popleft()
        if self.bench.now >= steward.renew_at:
            steward.renew_at = self.bench.now + RENEW_EVERY
            steward.office.renew()

    # -- what the parts say: Speaker, Teller and Line ----------------------------------------------

    def publish(self, topic: str, payload: bytes, **_more: Any) -> bool:
        """Carry what the steward says to the machine."""
        place = LAB.place(topic)
        assert place is not None
        if place.name == "permit":
            self.gate.forward(payload)
        elif place.name == "drop-permit":
            self.gate.drop("test")
        return True

    def interlock(self, said: InterlockPayload) -> None:
        """Carry what the machine says of its interlock."""
        self.kept = said
        self._carry(said)

    def _carry(self, said: InterlockPayload) -> None:
        if self.steward is not None:
            message = Received(LAB.interlock(MACHINE), said.encode(self.stamps.next()), 1, False)
            self.steward.view.take(message)

    def event(self, type_: EventType, **fields: Any) -> None:
        """Keep what the machine tells until the steward has recorded it."""
        self.untold.append(EventPayload(type_, self.stamps.next(), **fields))

    def ask(self) -> int:
        """Nothing is streamed here: no job's end is waited for."""
        raise NotImplementedError

    def take(self) -> list[Heard]:
        """Hand the daemon's words to the gate."""
        heard, self.heard = self.heard, []
        return heard

    def forward(self, permit: bytes) -> bool:
        """Hand a permit to the chain."""
        answer = self.bench.chain.take_permit(permit, self.bench.now)
        if answer.code is not None:
            self.refused.append(answer.code)
        return True

    def drop(self, why: str) -> None:
        """Take the chain's permit away."""
        self.bench.chain.drop_permit(self.bench.now, why)

    # -- time --------------------------------------------------------------------------------------

    def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds * 1000 / SCAN_MS)):
            self._tick()

    def until(self, state: State, within_s: float) -> bool:
        """Wait for a state; say whether it came."""
        for _ in range(round(within_s * 1000 / SCAN_MS)):
            if self.bench.chain.state is state:
                return True
            self._tick()
        return False

    def _tick(self) -> None:
        self.bench.scan(SCAN_MS)
        self.clock.elapsed = Seconds(self.bench.now)
        self.clock.wall += timedelta(milliseconds=SCAN_MS)
        chain = self.bench.chain
        if chain.events or self.bench.now >= self._tell_at or self.bench.ms % 1000 < SCAN_MS:
            self.record += [entry(one, "boot-1", self.clock.now()) for one in chain.take_events()]
            self._tell()
        if self.on_the_way and self.on_the_way[0][0] <= self.bench.now:
            self._hear()
        if self.untold or self.bench.ms % 1000 < SCAN_MS:
            self._let_steward_work()

    def _tell(self) -> None:
        """As the daemon's socket does: what is new at once, everything every 0.5 s."""
        new = gist(self.bench.view)
        if new != self._gist or self.bench.now >= self._tell_at:
            self._gist, self._tell_at = new, self.bench.now + 0.5
            self._seq += 1
            said = _state(words(self.bench.view, self._seq, {}))
            assert said is not None
            self._send(said)

    def _send(self, said: InterlockPayload) -> None:
        """Lose a word, or put it on its way behind those before it."""
        if self.line.random() < LOST:
            self.lost += 1
            return
        before = self.on_the_way[-1][0] if self.on_the_way else 0.0
        late = self.line.choice([0.0, 0.0, 0.1, LATEST_S]) * self.line.random()
        self.on_the_way.append((max(before, self.bench.now + late), said))

    def _hear(self) -> None:
        while self.on_the_way and self.on_the_way[0][0] <= self.bench.now:
            _, said = self.on_the_way.popleft()
            self.heard.append(Heard(self.clock.monotonic(), said))
        self.gate.step()

    # -- people ----------------------------------------------------------------------------------

    def book(self, person: str, minutes: int) -> None:
        """Reserve the laser from now on."""
        now = self.clock.now()
        with self.database.transaction() as session:
            bookings.book(
                session,
                self.clock,
                ZONE,
                person_id=person,
                resource_id=MACHINE,
                start=now,
                end=now + timedelta(minutes=minutes),
                by=person,
            )

    def begin(self, person: str) -> UseView | None:
        """Tap “I begin”; None: it was refused."""
        state = "running" if self.bench.chain.state in WORK else "idle"
        try:
            with self.database.transaction() as session:
                return using.begin_use(
                    session,
                    self.clock,
                    PARIS,
                    person_id=person,
                    resource_id=MACHINE,
                    machine_state=state,
                )
        except RefusedError:
            return None

    def finish(self, use: UseView, by: str, *, say_so: bool) -> None:
        """Tap “I'm done”; without ``say_so`` the page dies before it drops the permit."""
        with self.database.transaction() as session:
            using.finish_use(session, self.clock, use_id=use.id, by=by)
        if say_so:
            self.gate.drop("done")

    def suspend(self, person: str) -> None:
        """Suspend somebody's certification, as the staff do in the middle of things."""
        with self.database.transaction() as session:
            suspend(session, self.clock, person_id=person, resource_id=MACHINE, reason="x", by=None)

    def load(self) -> None:
        """Put material in."""
        self.bench.lid(closed=False)
        self.run(self.random.uniform(2, 30))
        self.bench.lid(closed=True)
        self.run(2.0)

    def press(self) -> bool:
        """Press the green button; say whether that armed."""
        if not self.until(State.READY, 6.0):
            return False
        self.run(1.0)
        self.bench.safe[InputRole.RESET] = False
        self.run(0.4)
        self.bench.safe[InputRole.RESET] = True
        self.run(0.3)
        return self.bench.is_in(State.ARMED)

    def cut(self, seconds: float, *, trip: bool) -> None:
        """Run a job on the laser's own panel; with ``trip`` somebody opens the lid."""
        self.bench.safe[InputRole.ACTIVE] = False
        self.run(seconds)
        if trip:
            self.bench.lid(closed=False)
            self.run(self.random.uniform(0.5, 8))
        self.bench.safe[InputRole.ACTIVE] = True
        self.bench.lid(closed=True)
        self.run(self.random.uniform(1.5, 20))

    # -- the two records -------------------------------------------------------------------------

    def by_the_interlock(self) -> dict[str, float]:
        """Return the seconds of work of each use, from the interlock's own record alone."""
        sums: dict[str, float] = defaultdict(float)
        was, since, whose = None, 0.0, None
        for line in self.record:
            if was in WORK and line["state"] != was:
                assert whose is not None
                sums[whose] += line["mono_s"] - since
            if line["state"] != was:
                was, since = line["state"], line["mono_s"]
            if was == State.RUNNING:
                whose = line["use"] or whose
        return dict(sums)

    def by_the_lab(self) -> dict[str, UseView]:
        """Return every use on record."""
        with self.database.reading() as session:
            found = uses.uses_of_resource(session, resource_id=MACHINE, limit=1000)
        return {use.id: use for use in found}
