"""What the machines last said, with its age: a copy, shown as unknown once it is too old."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fabctl.clock import Clock
from fabctl.messaging.interlocks import InterlockPayload, InterlockView, view_of
from fabctl.messaging.last_words import ClockView, LastWords
from fabctl.messaging.link import MqttLink, Received
from fabctl.messaging.payloads import (
    JobPayload,
    MachineState,
    PresencePayload,
    StatePayload,
    decode,
    read_stamp,
)
from fabctl.messaging.readings import NOTHING, Reading
from fabctl.messaging.topics import LabTopics
from fabctl.units import Seconds

KINDS = ("state", "job", "interlock", "telemetry", "event", "host")
_STEWARD = ""
"""Its place among those that say whether they are there; no host has this name."""
Listener = Callable[[str, str], None]


@dataclass(frozen=True)
class MachineView:
    """One machine, as far as we know now."""

    id: str
    state: str
    """A :class:`MachineState`; ``unknown`` when the last word is older than its promise."""
    reason: str | None = None
    trouble: str | None = None
    job: str | None = None
    waiting: str | None = None
    age_s: float | None = None
    """Seconds since the state was said; None: nothing was heard yet, or no one knows."""
    progress: float | None = None
    line: int | None = None
    lines: int | None = None
    eta_s: int | None = None
    temperatures: Mapping[str, float | None] = field(default_factory=dict)
    position: Reading = NOTHING
    feed: Reading = NOTHING
    power: Reading = NOTHING


@dataclass(frozen=True)
class PresenceView:
    """The last word about a host's or the steward's presence."""

    id: str
    """The host's; empty for the steward."""
    online: bool | None = None
    """None: nothing was heard yet."""
    age_s: float | None = None
    """Seconds since it was said; None: nothing was heard, or the broker had kept it."""
    figures: Mapping[str, int | str | None] = field(default_factory=dict)
    """What the steward counts: ``recorded``, ``repeated``, ``failures``, ``last_failure``."""


class LabView:
    """Every machine's last word. Safe from many threads.

    :param hosts: the host of each machine: a host that is offline takes its machines with it.
    """

    def __init__(self, lab: str, hosts: Mapping[str, str], clock: Clock) -> None:
        self._topics = LabTopics(lab)
        self._hosts = dict(hosts)
        self._clock = clock
        self._machines = {machine: LastWords() for machine in hosts}
        self._offline_hosts: set[str] = set()
        self._present: dict[str, tuple[PresencePayload, Seconds | None]] = {}
        self._link: MqttLink | None = None
        self._listeners: list[Listener] = []
        self._guard = threading.Lock()
        self._version = 0

    def attach(self, link: MqttLink) -> None:
        """Follow the lab over this link; call it before the link starts."""
        self._link = link
        link.subscribe(self._topics.steward_status, self.take)
        for kind in KINDS:
            link.subscribe(self._topics.every(kind), self.take, qos=0 if kind == "telemetry" else 1)

    @property
    def version(self) -> int:
        """Counts what was heard: the same number means that nothing new came."""
        return self._version

    def machine(self, machine_id: str) -> MachineView:
        """Return what is known of a machine; all unknown for a name never heard of."""
        with self._guard:
            known = self._machines.get(machine_id)
            if known is None:
                return MachineView(machine_id, MachineState.UNKNOWN.value)
            return self._view(machine_id, known, self._clock.monotonic())

    def all(self) -> list[MachineView]:
        """Return every machine of the lab, in the order of lab.toml."""
        now = self._clock.monotonic()
        with self._guard:
            return [self._view(name, known, now) for name, known in self._machines.items()]

    @property
    def connected(self) -> bool | None:
        """Whether the broker is there; None: this view follows no link."""
        return None if self._link is None else self._link.connected

    @property
    def link(self) -> MqttLink | None:
        """The link that this view follows; None: none."""
        return self._link

    def hosts(self) -> list[PresenceView]:
        """Return the last word of every host that has a machine."""
        return [self._presence(host) for host in dict.fromkeys(self._hosts.values())]

    def steward(self) -> PresenceView:
        """Return the steward's last word; it says one every 10 s."""
        return self._presence(_STEWARD)

    def clock_of(self, machine_id: str) -> ClockView | None:
        """Return which time a machine's computer showed last; None: it said nothing of late."""
        with self._guard:
            known = self._machines.get(machine_id)
            return None if known is None else known.clock

    def _presence(self, name: str) -> PresenceView:
        with self._guard:
            found = self._present.get(name)
            if found is None:
                return PresenceView(name)
            said, at = found
            return PresenceView(name, said.online, self._age(at), said.figures)

    def interlock(self, machine_id: str) -> InterlockView:
        """Return what is known of a machine's interlock; unknown once its word is too old."""
        with self._guard:
            known = self._machines.get(machine_id, LastWords())
            age = self._age(known.interlock_at)
            cut_off = known.is_offline or self._hosts.get(machine_id) in self._offline_hosts
            return view_of(machine_id, known.interlock, age, cut_off=cut_off)

    def says_offline(self, machine_id: str) -> bool:
        """Say whether a machine's process lives and says itself that its machine is not there.

        One such word proves nothing: it may be its last, or its will, which the broker says.
        """
        with self._guard:
            known = self._machines.get(machine_id, LastWords())
            return known.says_offline(self._age(known.said_at))

    def hears_interlock(self, machine_id: str) -> bool:
        """Say whether an interlock's word is fresh, and whoever passes it on is there."""
        return self.heard_of_interlock(machine_id).known

    def heard_of_interlock(self, machine_id: str) -> InterlockView:
        """Return an interlock's word, also while its machine is not there.

        Not for what depends on the machine: :meth:`interlock` knows nothing then.
        """
        with self._guard:
            known = self._machines.get(machine_id, LastWords())
            passed_on = not known.is_offline or known.says_offline(self._age(known.said_at))
            age = self._age(known.interlock_at)
            return view_of(machine_id, known.interlock, age, cut_off=not passed_on)

    def subscribe(self, callback: Listener) -> Callable[[], None]:
        """Have ``callback(machine id, kind)`` called, in the link's thread, for all that is heard.

        It must return at once. Age alone calls nobody: a page asks again by itself.

        :returns: a function that ends the subscription.
        """
        with self._guard:
            self._listeners.append(callback)

        def end() -> None:
            with self._guard:
                if callback in self._listeners:
                    self._listeners.remove(callback)

        return end

    def take(self, message: Received) -> None:
        """Take in one message. :raises PayloadError: it is malformed; nothing changes then."""
        place = self._topics.place(message.topic)
        if place is None:
            return
        with self._guard:
            touched = self._take(place.kind, place.owner, place.name, message)
            self._version += bool(touched)
            listeners = list(self._listeners)
        for machine_id in touched:
            for listener in listeners:
                listener(machine_id, place.kind)

    def _take(self, kind: str, owner: str, name: str, message: Received) -> list[str]:
        """Apply a message; return the machines it concerns."""
        if kind in {"host", "steward"}:
            self._take_presence(owner, message)
            return self._machines_of(owner)
        known = self._machines.get(owner)
        if known is None:
            return []
        if kind == "state":
            known.state = StatePayload.decode(message.payload)
            known.said_at = self._said_at(known.state.max_age_s, message)
            stamp = read_stamp(decode(message.payload))
            known.take_stamp(stamp, self._clock.now(), kept=message.retain)
        elif kind == "interlock":
            known.interlock = InterlockPayload.decode(message.payload)
            known.interlock_at = self._said_at(known.interlock.max_age_s, message)
        elif kind == "job":
            known.job = JobPayload.decode(message.payload)
        elif kind == "telemetry":
            known.readings.take(name, message.payload, self._clock.monotonic())
        return [owner]

    def _take_presence(self, name: str, message: Received) -> None:
        said = PresencePayload.decode(message.payload)
        at = None if message.retain else self._clock.monotonic()
        self._present[name] = (said, at)
        if name != _STEWARD:
            (self._offline_hosts.discard if said.online else self._offline_hosts.add)(name)

    def _machines_of(self, host: str) -> list[str]:
        return [machine for machine, its_host in self._hosts.items() if its_host == host]

    def _said_at(self, max_age_s: int, message: Received) -> Seconds | None:
        """Return when a state was said, on our clock.

        A state that the broker had kept says by its remaining life how old it is: machines
        publish theirs with an expiry equal to its promise. Without one, nobody knows (None).
        """
        now = self._clock.monotonic()
        if not message.retain:
            return now
        if message.expiry_s is None or message.expiry_s > max_age_s:
            return None
        return Seconds(now - (max_age_s - message.expiry_s))

    def _age(self, said_at: Seconds | None) -> float | None:
        return None if said_at is None else max(0.0, self._clock.monotonic() - said_at)

    def _view(self, machine_id: str, known: LastWords, now: Seconds) -> MachineView:
        state = known.state
        age = None if known.said_at is None else max(0.0, now - known.said_at)
        host_gone = self._hosts[machine_id] in self._offline_hosts
        return MachineView(
            id=machine_id,
            state=_believed(state, age, host_gone=host_gone).value,
            reason=state.reason if state else None,
            trouble=state.trouble if state else None,
            job=(state.job if state else None) or known.job.job,
            waiting=state.waiting if state else None,
            age_s=age,
            progress=known.job.progress if known.job.job else None,
            line=known.job.line if known.job.job else None,
            lines=known.job.lines if known.job.job else None,
            eta_s=known.job.eta_s,
            temperatures=known.readings.of("temperatures", now).values,
            position=known.readings.of("position", now),
            feed=known.readings.of("feed", now),
            power=known.readings.of("power", now),
        )


def _believed(state: StatePayload | None, age: float | None, *, host_gone: bool) -> MachineState:
    """Return the state to show. ``offline`` is believed at any age: it permits nothing."""
    if host_gone or (state is not None and state.state is MachineState.OFFLINE):
        return MachineState.OFFLINE
    if state is None or age is None or age > state.max_age_s:
        return MachineState.UNKNOWN
    return state.state
