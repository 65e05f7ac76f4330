"""What is said to a controller for ourselves, from its banner until it is known and open. Pure."""

from __future__ import annotations

from fabctl.ports import Connected, Phase
from fabctl_drivers.grbl import clearing, realtime
from fabctl_drivers.grbl.arrival import Aim, Arrival, Errand
from fabctl_drivers.grbl.endings import Endings
from fabctl_drivers.grbl.link import State
from fabctl_drivers.grbl.phases import Move


class Reception(Endings):
    """A machine that begins anew."""

    def _errand_done(self, ref: object, now: float) -> None:
        if ref is Errand.CHECK:
            if self._run is not None and self._controller.in_check_mode:
                self._run.begin()
            self._controller.ask_anew()
        elif ref is Errand.JOG:
            if self._jogs.answered():
                self._controller.say_now(realtime.JOG_CANCEL)
        elif self._arrival is not None:
            self._arrival.errand_done()
            self._controller.ask_anew()
            self._go_on_arriving(self._arrival, now)

    def _go_on_arriving(self, arrival: Arrival, now: float) -> None:
        if arrival.wants_resume:
            arrival.wants_resume = False
            self._controller.say_now(realtime.GO_ON)
        if arrival.wants is not None and self._controller.link.state is State.READY:
            self._say_errand(arrival.wants, arrival.axis)
            arrival.wants = None
        if arrival.is_done:
            self._arrival = None
            self._arrived(arrival, now)
            self._choose_pace()

    def _say_errand(self, errand: Errand, axis: str = "") -> None:
        words = errand.value
        if errand is Errand.HOME and axis:
            words = f"$H{axis}\n".encode("ascii")
        self._controller.link.send(words, errand, alone=True)

    def _arrived(self, arrival: Arrival, now: float) -> None:
        aim, is_idle = arrival.aim, arrival.state == "Idle"
        self._controller.learned()
        self._learn_its_place(arrival)
        if aim is Aim.CONNECT:
            self._connect(arrival.state)
        elif aim is Aim.CLEAR:
            if self.phase is Phase.CONNECTING:  # it has homed, or tried to
                self._connect(arrival.state)
        else:
            self._end_safely(aim, now)
            if is_idle:
                stopping = self.phase is Phase.STOPPING
                self._move(Move.MADE_SAFE if stopping else Move.FINISHED)
            else:  # safe, but locked or at an open door
                self._fail(*clearing.unexplained(arrival.state), now, None)

    def _learn_its_place(self, arrival: Arrival) -> None:
        """A machine with homing begins locked: one that is found open was homed, or unlocked."""
        homing = self._controller.identity.settings.get(22, 0.0) != 0.0
        if arrival.was_unlocked or arrival.state == "Alarm":
            self._is_placed = False
        elif arrival.has_homed or (arrival.aim is Aim.CONNECT and arrival.state == "Idle"):
            self._is_placed = homing

    def _connect(self, state: str) -> None:
        identity = self._controller.identity
        self.is_connected = True
        self._events.append(Connected(identity.name, identity.capabilities))
        if state != "Idle" and self._unexplained is None:
            self._unexplained = clearing.unexplained(state)
        if self._unexplained is None:
            self._move(Move.CONNECTED)
        else:
            self._move(Move.CONNECTED_BROKEN, *self._unexplained)
