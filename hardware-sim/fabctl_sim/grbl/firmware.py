"""The controller as a core: bytes and times in, bytes out."""

from __future__ import annotations

import math

from fabctl_sim.core import CoreLoop
from fabctl_sim.grbl.board import Board
from fabctl_sim.grbl.log import Log
from fabctl_sim.grbl.machine import Machine, State
from fabctl_sim.grbl.planner import Block
from fabctl_sim.grbl.program import Program


class Firmware(CoreLoop):
    """One controller, driven by the time that is passed in (simulated seconds, never back).

    :param now: when it is switched on; it boots first.
    :param log: what was run and what was moved.
    """

    machine: Machine

    def __init__(self, board: Board, now: float = 0.0, log: Log | None = None) -> None:
        self.board = board
        self.log = log or Log()
        self.machine = Machine(board, now, self._moved)
        self._wake = now
        self.reset(now)

    @property
    def at_work(self) -> bool:
        """Whether something goes on that needs nothing but time."""
        return not math.isinf(self.next_due())

    def receive(self, data: bytes, now: float) -> None:
        """The host writes ``data`` at ``now``."""
        rx = self.machine.rx
        rx.put(data, now)
        if self.machine.reading:
            arrives = rx.next_line_end()
            self._wake = self._wake if arrives is None else min(self._wake, arrives)

    def backlog(self, now: float) -> int:
        """Bytes that the host wrote and that have not arrived."""
        return self.machine.rx.backlog(now)

    def reset(self, now: float) -> None:
        """Pull the reset line or switch it on: everything but the EEPROM is forgotten.

        With homing on ($22) it begins locked, because it does not know where it is.
        """
        m = self.machine
        m.clock = max(now, 0.0)
        if m.planner.blocks:
            m.planner.freeze(m.clock)
        m.world.lost = m.world.carriage(m.planner.position)
        m.planner.position = (0.0, 0.0, 0.0)
        m.start_over()
        m.rx.unplug()
        m.out.clear()
        m.state = State.ALARM if m.eeprom.on(22) else State.IDLE
        m.clock = now + self.board.boot_s
        self._wake = m.clock
        self._running = Program(m, self.log.ran).run()
        self._booting = True

    def catch_up(self, now: float) -> Machine:
        """Return the machine as of ``now``, to do something to it that its code did not do."""
        self.advance(now)
        if not self._booting:
            self._listen(now)
            self.machine.clock = max(self.machine.clock, now)
        return self.machine

    def limit_switch(self, axis: str, now: float, *, closed: bool) -> None:
        """Somebody closes or opens a limit switch by hand."""
        m = self.catch_up(now)
        if not closed:
            m.world.limits.discard(axis)
            return
        m.world.limits.add(axis)
        m.interrupt_limit()
        self._poke()

    def door(self, now: float, *, is_open: bool) -> None:
        """Somebody opens or closes the door (a switch on the control pin)."""
        m = self.catch_up(now)
        if is_open and not m.world.door_open:
            m.flags.append(0x84)
        m.world.door_open = is_open
        self._poke()

    def reset_pin(self, now: float) -> None:
        """Somebody presses the reset button of the control inputs: the same as 0x18."""
        self.catch_up(now).interrupt_reset()
        self._poke()

    def button(self, now: float, *, hold: bool) -> None:
        """Somebody presses feed hold or cycle start: the same as ``!`` and ``~``."""
        self.catch_up(now).flags.append(0x21 if hold else 0x7E)
        self._poke()

    def _poke(self) -> None:
        self._wake = min(self._wake, self.machine.clock)

    def _moved(self, block: Block, now: float) -> None:
        self.log.moved(block, now)

    def _work_due(self) -> float:
        m = self.machine
        due = max(self._wake, m.clock)
        return due if self._booting else min(due, m.rx.next_realtime)

    def _step(self, now: float) -> None:
        m = self.machine
        if self._booting:
            m.rx.arrived(now)
            m.rx.realtime.clear()
            self._booting = False
        while m.rx.next_realtime <= now:
            self._interrupt(*m.rx.realtime.popleft())
        if max(m.clock, self._wake) > now:
            return
        self._listen(now)
        m.clock = now
        self._wake = next(self._running)

    def _listen(self, now: float) -> None:
        """While busy the buffer can overrun; while reading every byte is taken at once."""
        m = self.machine
        m.rx.fill(m.clock)
        if m.reading:
            m.rx.read(now)
        else:
            m.rx.fill(now)

    def _interrupt(self, at: float, byte: int) -> None:
        """A question that comes while the last one is being answered is forgotten.

        Every real-time command is one flag (serial.c, system.c): two equal bytes that come before
        the main loop looks count once.
        """
        m = self.machine
        if byte == 0x18:
            m.interrupt_reset()
        elif byte == 0x3F:
            m.status_asked = at > m.reported_at
        elif byte not in _KNOWN:
            return
        elif byte not in m.flags:
            m.flags.append(byte)
        self._poke()


_KNOWN = frozenset({0x21, 0x7E, 0x84, 0x85, *range(0x90, 0x98), *range(0x99, 0x9F), 0xA0, 0xA1})
