"""The board's main loop: one processor that reads lines, runs commands and answers."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable

from fabctl_sim.core import CoreLoop
from fabctl_sim.marlin import heating, reports
from fabctl_sim.marlin.board import Board
from fabctl_sim.marlin.commands import TABLE
from fabctl_sim.marlin.lines import LineCutter, Verdict, is_move
from fabctl_sim.marlin.machine import STOPPED, Machine
from fabctl_sim.marlin.motion import Waiting
from fabctl_sim.marlin.wire import Wire
from fabctl_sim.marlin.words import Command
from fabctl_sim.one_way import line_end

Recorder = Callable[[Command], None]
MOVES = frozenset({"G0", "G1", "G2", "G3"})
EARLY = (b"M108", b"M112", b"M410")


class Firmware(CoreLoop):
    """One controller, driven by the time that is passed in (simulated seconds, never back).

    :param board: how it is built.
    :param now: when it is switched on; it boots first.
    :param seed: for the sensors' noise and a damaged cable.
    :param record: told of every command as it begins to run, in order.
    """

    machine: Machine

    def __init__(
        self, board: Board, now: float = 0.0, *, seed: int = 1, record: Recorder | None = None
    ) -> None:
        self.board = board
        self.machine = Machine(board, now, random.Random(seed))
        self.wire = Wire(
            board.byte_s,
            board.rx_buffer_size - 1,
            random.Random(seed + 1),
            emergency_parser=board.emergency_parser,
        )
        self.spoil_lines = 0
        self.received = 0
        self.executed = 0
        self._record = record
        self.reset(now)

    # ── what the outside does ────────────────────────────────────────────────────────────

    def receive(self, data: bytes, now: float) -> None:
        """The host writes ``data`` at ``now``."""
        self.wire.put(data, now)

    def backlog(self, now: float) -> int:
        """Bytes that the host wrote and that have not arrived."""
        return self.wire.backlog(now)

    def reset(self, now: float) -> None:
        """Pull the reset line: everything in memory is gone, heaters off, then it boots."""
        self.machine.power_up(now)
        self.machine.clock = now + self.board.boot_s
        self.wire.clear()
        self.cutter = LineCutter(self.board.max_cmd_size)
        self.queue: deque[bytes] = deque()
        self._running: Waiting | None = None
        self._command: Command | None = None
        self._wake = self._busy_at = math.inf
        self._greeted = self._booted = False
        self.machine.set_phase("booting")

    @property
    def at_work(self) -> bool:
        """Whether an answer is on its way that only needs time (not a person, not the host)."""
        machine = self.machine
        if machine.halted or machine.wait_for_user:
            return bool(machine.out)
        return bool(
            not self._booted or self.queue or machine.out or not math.isinf(self._line_due())
        )

    def catch_up(self, now: float) -> Machine:
        """Return the machine as of ``now``, to do something to it that its code did not do."""
        self.advance(now)
        self.machine.clock = max(self.machine.clock, now)
        return self.machine

    # ── the loop ─────────────────────────────────────────────────────────────────────────

    def _work_due(self) -> float:
        machine = self.machine
        if machine.halted:
            return math.inf
        if not self._booted:
            return machine.clock
        noticed = self.wire.next_emergency
        if noticed <= machine.clock:
            return noticed
        due = min(machine.report_at, self._line_due(), noticed)
        if self._running:
            wake = machine.clock if machine.woken else self._wake
            due = min(due, max(wake, machine.frozen_until), self._busy_at)
        elif self.queue:
            due = min(due, machine.frozen_until)
        return max(machine.clock, due)

    def _line_due(self) -> float:
        """When the next line can be read; infinity while the queue is full."""
        if len(self.queue) >= self.board.bufsize:
            return math.inf
        if line_end(self.wire.buffer) >= 0:
            return self.machine.clock
        arrives = self.wire.next_line_end()
        return math.inf if arrives is None else arrives

    def _step(self, now: float) -> None:
        machine = self.machine
        if not self._booted:
            self._boot()
            return
        self._notice_emergencies(now)
        if machine.halted or now < machine.clock:
            return
        self.wire.fill(machine.clock)
        machine.clock = now
        if len(self.queue) < self.board.bufsize:
            self._read(now)
        else:
            self.wire.fill(now)
        if machine.clock <= now:
            self._run(now)
        if now >= machine.report_at:
            machine.say(heating.states(machine))
            machine.autoreport(machine.report_every)

    def _boot(self) -> None:
        """First the boot loader and setup end: what was sent meanwhile is lost, the banner goes
        out. Once it is out, the main loop begins."""
        if self._greeted:
            self._booted = True
            self.machine.set_phase("ready")
            return
        self._greeted = True
        self.wire.arrived(self.machine.clock)
        self.wire.emergencies.clear()
        for line in reports.banner():
            self.machine.say(line)

    def _notice_emergencies(self, now: float) -> None:
        """With EMERGENCY_PARSER the receive interrupt sees some commands before the queue."""
        waiting = self.wire.emergencies
        while waiting and waiting[0][0] <= now:
            _, code = waiting.popleft()
            if not self.machine.halted:
                self.machine.clock = max(self.machine.clock, now)
                self.machine.emergency(code)

    def _read(self, now: float) -> None:
        """Read on from the receive buffer, at most to the end of one line."""
        buffer = self.wire.buffer
        buffer += self.wire.arrived(now)
        end = line_end(buffer)
        if end < 0:
            self.cutter.feed(bytes(buffer))
            buffer.clear()
            return
        self.cutter.feed(bytes(buffer[:end]))
        del buffer[: end + 1]
        line = self.cutter.end()
        if line:
            self._accept(line)

    def _accept(self, line: bytes) -> None:
        machine = self.machine
        if self.spoil_lines and line.lstrip().startswith(b"N"):
            self.spoil_lines -= 1
            line = line[:-1] + bytes([line[-1] ^ 1])
        verdict = machine.check.judge(line, ignore_repeats=self.board.ignore_repeats)
        if verdict is Verdict.REPEATED:
            return
        if verdict is not Verdict.GOOD:
            machine.say(f"Error:{verdict.value}{machine.check.last}")
            self._ask_again()
            return
        self.received += 1
        command = line.lstrip(b" ")
        if machine.stopped and is_move(command):
            machine.say(STOPPED)
        if not self.board.emergency_parser and command[:4] in EARLY:
            machine.emergency(int(command[1:4]))
        self.queue.append(line)

    def _ask_again(self) -> None:
        """Drop what has been received and ask for the line after the last good one."""
        machine = self.machine
        machine.ask_again = False
        self.wire.fill(machine.clock)
        self.wire.buffer.clear()
        self.cutter.clear()
        machine.say(f"Resend: {machine.check.last + 1}")
        machine.say("ok")

    def _run(self, now: float) -> None:
        """Begin the next command, or see whether the running one is done."""
        machine = self.machine
        if machine.frozen_until > now:
            return
        if not self._running:
            if self.queue:
                self._begin()
            return
        if now >= self._busy_at:
            machine.say(f"echo:busy: {machine.busy_text}")
            self._busy_at = self._next_busy()
        if machine.woken or machine.clock >= self._wake:
            self._resume()

    def _begin(self) -> None:
        machine = self.machine
        command = Command.read(self.queue[0])
        self._command = command
        machine.answered = machine.woken = False
        self.executed += 1
        if self._record:
            self._record(command)
        words = command.words()
        machine.clock += self._cost(command, extrudes="E" in words)
        self._busy_at = self._next_busy()
        handler = TABLE.get(command.code)
        if handler is None:
            machine.unknown(command.text)
            self._end()
            return
        self._running = handler(machine, command, words)
        if self._running is None:
            self._end()
        else:
            self._resume()

    def _cost(self, command: Command, *, extrudes: bool) -> float:
        if command.code not in MOVES:
            return self.board.command_cost_s
        extra = self.board.extrude_cost_s if extrudes else 0.0
        return self.board.command_cost_s + self.board.move_cost_s + extra

    def _resume(self) -> None:
        self.machine.woken = False
        if self._running is None:
            return
        try:
            self._wake = next(self._running)
        except StopIteration:
            self._running = None
            self._end()

    def _next_busy(self) -> float:
        machine = self.machine
        if not machine.keepalive_s:
            return math.inf
        return machine.clock + machine.host_seconds(machine.keepalive_s)

    def _end(self) -> None:
        """The command is done: say ok (``queue.cpp``, ok_to_send), free its place."""
        machine = self.machine
        if machine.halted:
            return
        machine.busy_text = "processing"
        if machine.ask_again:
            self._ask_again()
        if not machine.answered:
            machine.acknowledge(self._advanced() if self.board.advanced_ok else "")
        self.queue.popleft()
        machine.clock += self.board.after_ok_cost_s

    def _advanced(self) -> str:
        """``N`` of the line if it had one, free places in the planner and in the queue."""
        command = self._command
        number = f" N{command.number}" if command and command.number is not None else ""
        planner = self.machine.motion.planner
        planner.advance(self.machine.clock)
        return f"{number} P{planner.free} B{self.board.bufsize - len(self.queue)}"
