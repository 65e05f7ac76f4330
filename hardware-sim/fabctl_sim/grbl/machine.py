"""The controller's state that everything works on: clock, motion, outputs, inputs, flags."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import Enum

from fabctl_sim.core import CoreMachine
from fabctl_sim.grbl.board import Board, Vec
from fabctl_sim.grbl.eeprom import Eeprom
from fabctl_sim.grbl.modes import Modes
from fabctl_sim.grbl.planner import Block, Planner
from fabctl_sim.grbl.receiver import Receiver
from fabctl_sim.grbl.world import World

Waiting = Generator[float, None, None]
"""Something that takes time: yields when it wants to be asked again, on the simulated clock."""


class Abort(Exception):  # noqa: N818 - not an error: the way out of whatever was going on
    """The controller starts over (soft reset)."""


class State(Enum):
    """The first field of a status report."""

    IDLE = "Idle"
    RUN = "Run"
    HOLD = "Hold"
    JOG = "Jog"
    ALARM = "Alarm"
    DOOR = "Door"
    CHECK = "Check"
    HOME = "Home"
    SLEEP = "Sleep"


MOVING = frozenset({State.RUN, State.JOG, State.HOME})


@dataclass
class Suspend:
    """Why and how far the machine is suspended.

    :ivar stopped: the deceleration is over. :ivar cancels: the jog in the buffer is dropped then.
    :ivar parked: spindle and coolant are off for the door.
    :ivar restored_at: when they will be back after the door, None while not resuming.
    """

    stopped: bool = False
    cancels: bool = False
    door: bool = False
    parked: bool = False
    restored_at: float | None = None


class Machine(CoreMachine):
    """A board; ``clock`` is how far its one processor has come, in s.

    :ivar flags: real-time bytes that were received and not yet acted on.
    :ivar reading: the main loop takes every byte as it comes (nothing can overrun).
    """

    def __init__(self, board: Board, now: float, done: Callable[[Block, float], None]) -> None:
        super().__init__(now)
        self.board = board
        self.eeprom = Eeprom()
        self.world = World(board.parked_mm)
        self.rx = Receiver(board.byte_s, board.rx_bytes)
        self._out_free_at = now
        self.planner = Planner(board.planner_blocks, done)
        self.state = State.IDLE
        self.reading = False
        self.line_number = 0
        self.reported_at = now
        self.start_over()

    def start_over(self) -> None:
        """Forget what a soft reset forgets; state, position and EEPROM stay."""
        position = self.planner.position_at(self.clock)
        self.planner.freeze(self.clock)
        self.planner.feed_percent = self.planner.rapid_percent = 100
        self.modes = Modes(position=list(position))
        self.suspend: Suspend | None = None
        self.flags: deque[int] = deque()
        self.reset_asked = self.status_asked = False
        self.probing = False
        self.alarm = 0
        self.spindle_percent = 100
        self.spindle, self.rpm = "M5", 0.0
        self.flood = self.mist = False
        self.spindle_stopped = False
        self.wco_in = self.overrides_in = 0
        self.probed: list[float] = [0.0, 0.0, 0.0]
        self.probe_worked = False
        self.rx.clear()

    # ── saying ───────────────────────────────────────────────────────────────────────────

    def say(self, text: str) -> None:
        """Send one line; the processor waits while the transmit buffer is full."""
        data = text.encode("latin-1") + b"\r\n"
        end = max(self.clock, self._out_free_at) + len(data) * self.board.out_byte_s
        self.out.append((end, data))
        self._out_free_at = end
        self.clock = max(self.clock, end - self.board.tx_bytes * self.board.out_byte_s)

    def set_state(self, state: State) -> None:
        """Be in another state and tell who listens."""
        if state is self.state:
            return
        self.state = state
        self.tell("state", state=state.value)

    # ── figures ──────────────────────────────────────────────────────────────────────────

    @property
    def position(self) -> Vec:
        """Machine position now."""
        return self.planner.position_at(self.clock)

    @property
    def laser(self) -> bool:
        """Whether laser mode is on ($32)."""
        return self.eeprom.on(32)

    def programmed_power(self, speed: float) -> float:
        """Apply the override and the ends of the range ($30, $31) to an S word."""
        if speed <= 0.0:
            return 0.0
        top, bottom = float(self.eeprom.settings[30]), float(self.eeprom.settings[31])
        return min(max(speed * self.spindle_percent / 100.0, bottom), top)

    def power(self) -> float:
        """What the spindle's output is at, in rpm (or laser power), laser_mode.md."""
        if self.spindle == "M5" or self.spindle_stopped:
            return 0.0
        if not self.laser:
            return self.programmed_power(self.rpm)
        self.planner.advance(self.clock)
        if not self.planner.blocks:
            lit = self.spindle == "M3" and self.modes.motion in ("G1", "G2", "G3")
            return self.programmed_power(self.rpm) if lit else 0.0
        block = self.planner.blocks[0]
        power = self.programmed_power(block.power)
        if block.follows:
            power *= min(1.0, self.planner.speed_at(self.clock) / block.programmed)
        return power

    def pins(self) -> str:
        """Return the letters of the inputs that are triggered (interface.md, Pn)."""
        world = self.world
        letters = "P" if world.probe_touches(self.position) else ""
        letters += "".join(axis for axis in "XYZ" if axis in world.limits)
        return letters + ("D" if world.door_open else "")

    # ── what interrupts do ───────────────────────────────────────────────────────────────

    def interrupt_reset(self) -> None:
        """0x18, the reset pin: outputs off and motion ended at once, the rest follows."""
        if self.reset_asked:
            return
        self.reset_asked = True
        self.outputs_off()
        self.planner.advance(self.clock)
        moving = self.state in MOVING or self.planner.moving or self.probing
        if moving:
            self.alarm = 6 if self.state is State.HOME else 3
        self.planner.freeze(self.clock)

    def interrupt_limit(self) -> None:
        """A limit switch closes; with hard limits on, everything ends (settings.md, $21)."""
        if not self.eeprom.on(21) or self.state in (State.ALARM, State.HOME):
            return
        self.interrupt_reset()
        self.alarm = 1

    def outputs_off(self) -> None:
        """Spindle and coolant off."""
        self.spindle, self.rpm = "M5", 0.0
        self.flood = self.mist = False

    def blocked_write(self, changed_bytes: int) -> None:
        """Write to the EEPROM: interrupts are off, what arrives meanwhile is lost."""
        if not self.board.eeprom_byte_s:
            return
        self.rx.fill(self.clock)
        for _ in range(changed_bytes):
            self.clock += self.board.eeprom_byte_s
            self.rx.deaf(self.clock)
