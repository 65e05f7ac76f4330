"""What a person does with a machine by hand: homing, jogs, overrides, single lines. Pure.

Sources: Grbl ``doc/markdown/commands.md`` (``$H``, real-time bytes), ``jogging.md``,
``interface.md`` (``[OPT:H…]``: single axes may be homed, ``$HX``).
"""

from __future__ import annotations

from collections.abc import Mapping

from fabctl.errors import InputError, LocalError
from fabctl.ports import Override, Phase
from fabctl.units import MmPerMin
from fabctl_drivers.grbl import jogging, person, realtime
from fabctl_drivers.grbl.arrival import Aim, Arrival, Errand
from fabctl_drivers.grbl.conduct import Conduct
from fabctl_drivers.grbl.link import State
from fabctl_drivers.grbl.person import Now
from fabctl_drivers.grbl.phases import Move, next_phase
from fabctl_drivers.grbl.settings import Key

COOLANTS = {"flood": realtime.FLOOD, "mist": realtime.MIST}


class Hands(Conduct):
    """A machine with a person beside it."""

    # ---- homing

    def home(self, axes: str = "") -> None:
        """Home the machine; CONNECTING until that is done.

        :param axes: letters of XYZ; empty for all. One alone only where the firmware can.
        :raises LocalError: a job runs, the machine is not idle, or its homing is switched off.
        :raises InputError: there is no such axis, or not alone.
        """
        axis = self._axis_to_home(axes)
        next_phase(self.phase, Move.HOME)
        if self.phase is not Phase.IDLE or not self._is_free:
            raise LocalError("homing needs an idle machine")
        if self._controller.identity.settings.get(22) == 0.0:
            raise LocalError("this machine has no homing", next_step="set $22=1 if it has switches")
        self._move(Move.HOME)
        self._arrival = Arrival(Aim.CLEAR, Key.HOME, is_known=True)
        self._arrival.home(axis)
        self._go_on_arriving(self._arrival, self._heard_at)

    def _axis_to_home(self, axes: str) -> str:
        wanted = axes.upper()
        if len(set(wanted)) != len(wanted) or not set(wanted) <= set("XYZ"):
            raise InputError(f"the axes are {axes!r}", limit="letters of XYZ, each once")
        if wanted == "" or len(wanted) == 3:
            return ""
        if len(wanted) > 1 or "H" not in self._controller.identity.options:
            raise InputError(
                f"this machine does not home {axes.upper()} alone", next_step="home all its axes"
            )
        return wanted

    @property
    def _is_free(self) -> bool:
        """Whether nobody else's line is under way."""
        return self._controller.link.state is State.READY and not self._spoken.is_busy

    # ---- jogs

    def jog(self, by_mm: Mapping[str, float], feed: MmPerMin) -> None:
        """Move by hand, added to jogs under way.

        Checked against the work area where the machine knows where it is: it has homed.

        :raises LocalError: a job runs, a line of a person does, or the controller takes no more.
        :raises InputError: the distances or the feed make no sense.
        :raises TargetOutOfRangeError: it would end outside the work area.
        """
        line = jogging.line_of(by_mm, feed)
        link = self._controller.link
        if self.phase is not Phase.IDLE or self._spoken.is_busy:
            raise LocalError(f"jogging needs an idle machine; it is {self.phase.value}, or at work")
        begin = self._jogs.begin(self.report)
        area = self._settings.work_area if self._is_placed else None
        if begin is None and area is not None:
            raise LocalError("nobody knows yet where the jog begins", next_step="wait a moment")
        end = None if begin is None else jogging.target(begin, by_mm, area)
        if not link.has_room(len(line)):
            raise LocalError("the controller takes no more jogs now")
        link.send(line, Errand.JOG)
        self._jogs.said(end)
        self._spoken.stale()
        self.report = None  # no job starts before it is known to be Idle again
        self._controller.ask_anew()
        self._choose_pace()

    def cancel_jog(self) -> None:
        """End all jogs at once, whoever began them; the firmware ignores it in another state."""
        if self.phase is Phase.IDLE:
            self._jogs.cancel()
            self._controller.say_now(realtime.JOG_CANCEL)

    # ---- overrides

    def override(self, which: Override, percent: int, now: float) -> None:
        """Set feed, rapids or spindle to so many percent of what the program says.

        :raises InputError: there is no such percentage.
        :raises LocalError: the controller is not connected.
        """
        self._require_connected()
        told = None if self.report is None else self.report.overrides_percent
        self._dials.ask(which, percent, told, now)

    def toggle_coolant(self, name: str) -> None:
        """Turn ``flood`` or ``mist`` on or off while it works.

        :raises InputError: there is none of that name.
        :raises LocalError: the controller is not connected.
        """
        if name not in COOLANTS:
            raise InputError(f"no coolant is called {name!r}", limit=", ".join(COOLANTS))
        self._require_connected()
        self._controller.link.say_now(COOLANTS[name])

    def _require_connected(self) -> None:
        if not self.is_connected:
            raise LocalError("the controller is not connected")

    def _turn_dials(self, now: float) -> None:
        """Say the next step of the overrides; the last one is looked at in a report."""
        if now < self._dials.due_at:
            return
        said = self._dials.step(now)
        if said:
            self._controller.link.say_now(said)
        if self._dials.waits_for_report:
            self._controller.ask_anew()

    # ---- single lines

    def say(self, text: str) -> None:
        """Say one line of a person's; real-time characters at once, lines in their turn.

        :raises LocalError: the phase does not allow it, or nobody answers.
        :raises InputError: nothing to send, more than one line, or too long.
        """
        word = text.strip()
        byte = person.REALTIME.get(word)
        line = None if byte else person.line_of(text, self._controller.identity.longest_line)
        person.require_takes(self.phase, line)
        if not self.is_connected and not self.is_settling:
            raise LocalError("the controller does not answer", next_step="check its power")
        self._spoken.was_used = True
        if line is not None:
            self._spoken.add(line)
            self._go_on_saying()
        elif byte == realtime.STATUS:
            self._spoken.shows_report = True
            self._controller.ask_anew()
        elif byte:
            self._controller.say_now(byte)
            self._spoken.stale()

    def _go_on_saying(self) -> None:
        """Say what may be said of a person's lines."""
        link = self._controller.link
        while (line := self._spoken.coming) is not None and not self.is_settling:
            then = self._spoken.look(all_answered=link.state is State.READY)
            no_room = then is Now.SAY and not link.has_room(len(line.data))
            if no_room or then in {Now.WAIT, Now.ASK}:
                break  # a person's waiting line has the state asked for soon
            self._spoken.take()
            if then is Now.DROP:
                self._tell_person(
                    f"{line.text} was not sent: the controller's state is {self._spoken.state}"
                )
                continue
            self._spoken.said(line)
            self.report = None
            link.send(line.data, line, alone=line.goes_alone)
            self._controller.ask_anew()
        self._choose_pace()
