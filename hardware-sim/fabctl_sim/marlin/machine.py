"""The state that commands work on: clock, heaters, motion, what was said, whether it is halted."""

from __future__ import annotations

import math
import random

from fabctl_sim.core import CoreMachine
from fabctl_sim.marlin.board import Board
from fabctl_sim.marlin.heater import Heater
from fabctl_sim.marlin.lines import LineCheck
from fabctl_sim.marlin.motion import Motion

KILLED = "Error:Printer halted. kill() called!"
STOPPED = (
    "Error:Printer stopped due to errors. Fix the error and use M999 to restart."
    " (Temperature is reset. Set it after restarting)"
)
QUICK_STOP_S = 1.0
"""How long the planner takes no move after a quick stop (``planner.cpp``, quick_stop)."""


class Machine(CoreMachine):
    """A board and what hangs on it; ``clock`` is how far its one processor has come, in s.

    :ivar ask_again: the main loop shall drop its input and ask for the next line.
    """

    def __init__(self, board: Board, now: float, noise: random.Random) -> None:
        super().__init__(now)
        self.board = board
        self.noise = noise
        self.drop_oks = 0
        self.phase = "off"
        self.nozzle = Heater(board.nozzle, board.room_c, now)
        self.bed = Heater(board.bed, board.room_c, now)
        self.motion = Motion(board)
        self.power_up(now)

    def power_up(self, now: float) -> None:
        """Forget everything a reset forgets; what is hot stays hot and where it is."""
        self.clock = now
        self.motion.lost = self.motion.carriage_at(now)
        self.motion.planner.quick_stop(now)
        self.motion.reset()
        self._heaters_off()
        self.check = LineCheck()
        self.keepalive_s = self.board.keepalive_s
        self.extrude_min_c = self.board.extrude_min_c
        self.busy_text = "processing"
        self.wait_for_heat = self.wait_for_user = False
        self.halted = self.stopped = self.answered = self.woken = self.ask_again = False
        self.frozen_until = now
        self.report_every = 0.0
        self.report_at = math.inf
        self.out.clear()

    # ── talking ──────────────────────────────────────────────────────────────────────────

    def say(self, text: str) -> None:
        """Send one line; the processor waits for every byte of it (``TX_BUFFER_SIZE`` 0)."""
        data = text.encode("latin-1", "replace") + b"\n"
        self.clock += len(data) * self.board.byte_s
        self.out.append((self.clock, data))

    def acknowledge(self, text: str = "") -> None:
        """Say ``ok`` for the running command, unless a fault was asked for."""
        self.answered = True
        if self.drop_oks:
            self.drop_oks -= 1
        else:
            self.say(f"ok{text}")

    def unknown(self, text: str) -> None:
        """Echo a command that this build does not know; it is answered with ok all the same."""
        self.say(f'echo:Unknown command: "{text}"')

    def set_phase(self, phase: str) -> None:
        """Enter a phase: booting, ready, heating, homing, probing, waiting, stopped, halted."""
        if phase != self.phase:
            self.phase = phase
            self.tell("phase", phase=phase)

    # ── time and sensors ─────────────────────────────────────────────────────────────────

    def host_seconds(self, seconds: float) -> float:
        """Return the simulated seconds in which ``seconds`` pass for the host."""
        return seconds * self.host_rate

    def autoreport(self, every_s: float) -> None:
        """M155: report temperatures every so many of the host's seconds, 0 for never."""
        self.report_every = every_s
        self.report_at = self.clock + self.host_seconds(every_s) if every_s else math.inf

    def sensed(self, heater: Heater) -> float:
        """Return a heater's temperature as its sensor sees it, with noise, in °C."""
        return heater.temperature(self.clock) + self.noise.uniform(-1, 1) * self.board.noise_c

    def name_of(self, heater: Heater) -> str:
        """Return ``nozzle`` or ``bed``."""
        return "nozzle" if heater is self.nozzle else "bed"

    # ── stopping ─────────────────────────────────────────────────────────────────────────

    def emergency(self, code: int) -> None:
        """M108, M112 or M410, wherever it was noticed."""
        self.woken = True
        if code == 108:
            self.wait_for_heat = self.wait_for_user = False
        elif code == 112:
            self.kill("M112 Shutdown")
        else:
            self.motion.quick_stop(self.clock)
            self.frozen_until = self.clock + QUICK_STOP_S

    def kill(self, why: str) -> None:
        """Halt until a reset: heaters off, motors off, the reason and one last line."""
        self._heaters_off()
        self.motion.quick_stop(self.clock)
        self.say(f"echo:{why}")
        self.say(KILLED)
        self.halted = True
        self.set_phase("halted")

    def stop(self) -> None:
        """Stop as after a failed probing: heaters off, moves complained about until M999."""
        self._heaters_off()
        self.say(STOPPED)
        self.stopped = True
        self.set_phase("stopped")

    def restart(self, *, flush: bool) -> None:
        """M999: run again; ``flush`` asks the host for the next line."""
        if self.stopped:
            self.stopped = False
            self.set_phase("ready")
        self.ask_again = flush

    def _heaters_off(self) -> None:
        was_on = self.nozzle.target_c or self.bed.target_c
        self.nozzle.set_target(0.0, self.clock)
        self.bed.set_target(0.0, self.clock)
        if was_on:
            self.tell("heat", heater="all", target_c=0.0)
