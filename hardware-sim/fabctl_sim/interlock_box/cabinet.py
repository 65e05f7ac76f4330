"""The cabinet's physics: switches, pump, relays, the machine's power. Time is passed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fabctl_sim.interlock_box.agenda import Agenda
from fabctl_sim.interlock_box.inputs import Inputs
from fabctl_sim.interlock_box.journal import Journal
from fabctl_sim.interlock_box.layout import Memory
from fabctl_sim.interlock_box.relay import Monostable, Relay
from fabctl_sim.interlock_box.wiring import Role, Wiring

Switched = tuple[float, Callable[[float], None]]
USUAL_FLOW_HZ = 15.0
LEAST_HALF = 0.9
"""Of half a pulse of the flow meter: however late this process is, none is shorter."""
"""About 2 l/min through a meter of 7.5 Hz per l/min."""


class Cabinet:
    """One cabinet: water runs, the exhaust blows, the lid is closed, nothing is pressed.

    :param hold_s: how long the monostable before K1 holds, 0.150 to 0.200 s.
    """

    def __init__(
        self,
        wiring: Wiring,
        memory: Memory,
        clock: Callable[[], float],
        *,
        hold_s: float = 0.175,
        journal: Journal | None = None,
    ) -> None:
        self.wiring = wiring
        self.memory = memory
        self.clock = clock
        self.journal = journal or Journal()
        self.inputs = Inputs(wiring, memory, self.journal, clock)
        self.agenda = Agenda()
        self.k1 = Relay("K1")
        self.k2 = Relay("K2")
        self.monostable = Monostable(hold_s)
        self.wants_to_run = False
        self.flow_hz = USUAL_FLOW_HZ
        self._edges = memory.edges(wiring.k1)
        self._pulsing = False
        self._k2_line = False
        if Role.FLOW in wiring.inputs:
            self.agenda.at(clock(), self._flow, "flow")

    @property
    def powered(self) -> bool:
        """Whether both main contacts let the machine have its power."""
        return self.k1.main and self.k2.main

    @property
    def quiet(self) -> bool:
        """Whether no relay is on or moving: then nobody minds a late look at the lines."""
        return not (self._pulsing or self._k2_line or self.k1.main or self.k2.main or self.k1.due)

    def advance(self, now: float) -> None:
        """Do everything that was due by now, with what the controller drove meanwhile."""
        for at, switch in sorted(self._switched(), key=lambda change: change[0]):
            self._do_until(min(at, now))
            switch(at)
        self._do_until(now)

    def _do_until(self, end: float) -> None:
        while (due := self.next_due()) <= end:
            if due == self.agenda.next_due():
                self.agenda.do()
            elif self._pulsing and due == self.monostable.until:
                self._pulses_stopped(due)
            else:
                self._contact(self.k1 if due == self.k1.next_due() else self.k2)

    def next_due(self) -> float:
        """Return when something happens by itself."""
        due = min(self.agenda.next_due(), self.k1.next_due(), self.k2.next_due())
        return min(due, self.monostable.until) if self._pulsing else due

    def set_flow(self, hertz: float, now: float) -> None:
        """Let so many pulses per s come from the flow meter, 0 to 400."""
        if not 0 <= hertz <= 400:
            raise ValueError("0 to 400 pulses per s")
        self.flow_hz = hertz
        self.agenda.drop("flow")
        if hertz:
            self.agenda.at(now, self._flow, "flow")

    def run(self, *, wanted: bool) -> None:
        """Let the machine start work, or stop; without power it cannot start."""
        self.wants_to_run = wanted and self.powered
        self._machine()

    def status(self) -> dict[str, Any]:
        """Return everything that can be seen, as JSON values."""
        return {
            "inputs": self.inputs.levels(),
            "faults": sorted(self.inputs.faults)
            + [f"{r.name.lower()}-{r.fault}" for r in (self.k1, self.k2) if r.fault],
            "lines": {"k1_pulses": self._pulsing, "k2": self._k2_line},
            "contacts": {
                "K1": self.k1.main,
                "K1_feedback": self.k1.feedback,
                "K2": self.k2.main,
                "K2_feedback": self.k2.feedback,
            },
            "powered": self.powered,
            "active": not self.inputs.at_rest(Role.ACTIVE),
            "flow_hz": self.flow_hz,
            "flow_pulses": self.memory.pulses,
            "k1_edges": self.memory.edges(self.wiring.k1),
            "events": self.journal.count,
        }

    def _switched(self) -> list[Switched]:
        """Return what the controller changed since the last look, with its stamps."""
        found: list[Switched] = []
        risen = self._risen()
        if risen is not None:
            found.append((risen, self._pulse))
        if self.memory.driven_high(self.wiring.k2) != self._k2_line:
            found.append((self.memory.changed(self.wiring.k2), self._switch_k2))
        return found

    def _risen(self) -> float | None:
        """Return when K1's line rose last; None when it did not since the last look.

        Of edges between two looks only the last has a stamp: the others are taken as evenly
        spread, so that a cabinet which was stopped for a while invents no pause.
        """
        pin = self.wiring.k1
        edges = self.memory.edges(pin)
        new = (edges - self._edges) % 2**32
        self._edges = edges
        if not (new >= 2 or (new == 1 and self.memory.driven_high(pin))):
            return None
        at = self.memory.changed(pin)
        last = self.monostable.until - self.monostable.hold_s
        if self._pulsing and new >= 2 and 2 * (at - last) / new < self.monostable.hold_s:
            self.monostable.rise(at)
        return at

    def _pulse(self, at: float) -> None:
        self.monostable.rise(at)
        if not self._pulsing:
            self._pulsing = True
            self.journal.note(at, "pulses", on=True)
            self.k1.drive(True, at)

    def _switch_k2(self, at: float) -> None:
        self._k2_line = not self._k2_line
        self.journal.note(at, "line", relay="K2", on=self._k2_line)
        self.k2.drive(self._k2_line, at)

    def _pulses_stopped(self, at: float) -> None:
        self._pulsing = False
        last = self.monostable.until - self.monostable.hold_s
        self.journal.note(at, "pulses", on=False, last=last)
        self.k1.drive(False, at)

    def _contact(self, relay: Relay) -> None:
        at = relay.next_due()
        contact, closed = relay.move()
        self.journal.note(at, "contact", relay=relay.name, contact=contact, closed=closed)
        if contact == "feedback":
            role = Role.K1_FEEDBACK if relay is self.k1 else Role.K2_FEEDBACK
            self.inputs.put(role, safe=closed)
        else:
            self._machine()

    def _machine(self) -> None:
        """Let the machine's run signal follow its power; what lost its power does not go on."""
        self.wants_to_run = self.wants_to_run and self.powered
        if self.inputs.at_rest(Role.ACTIVE) == self.wants_to_run:
            self.journal.note(self.clock(), "machine", active=self.wants_to_run)
            self.inputs.put(Role.ACTIVE, safe=not self.wants_to_run)

    def _flow(self, due: float) -> None:
        """Half a pulse of the flow meter, and plan the next."""
        rises = not self.inputs.at_rest(Role.FLOW)
        self.inputs.put(Role.FLOW, safe=rises)
        if rises:
            self.memory.pulse()
        half = 0.5 / self.flow_hz
        # a wheel in water cannot catch up at once what this process was late by
        self.agenda.at(max(due + half, self.clock() + LEAST_HALF * half), self._flow, "flow")
