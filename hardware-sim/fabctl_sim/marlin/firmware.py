"""The board's main loop: one processor that reads lines, runs commands and answers."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable

from fabctl_sim.marlin import heating, reports
from fabctl_sim.marlin.board import Board
from fabctl_sim.marlin.commands import TABLE
from fabctl_sim.marlin.heater import Heater
from fabctl_sim.marlin.lines import LineCheck, LineCutter, Verdict
from fabctl_sim.marlin.motion import Motion, Waiting
from fabctl_sim.marlin.wire import Wire
from fabctl_sim.marlin.words import Command

KILLED = "Error:Printer halted. kill() called!"
STOPPED = (
    "Error:Printer stopped due to errors. Fix the error and use M999 to restart."
    " (Temperature is reset. Set it after restarting)"
)
Listener = Callable[[str, dict[str, object]], None]
Recorder = Callable[[Command], None]


class Firmware:
    """One controller, driven by the time that is passed in (simulated seconds, never back).

    :param board: how it is built.
    :param now: when it is switched on; it boots first.
    :param seed: for the sensors' noise and a damaged cable.
    :param record: told of every command as it begins to run, in order.
    :ivar host_rate: simulated seconds per second of the host: what the firmware repeats for
        the host's sake (busy, temperatures) keeps the host's rhythm.
    """

    def __init__(
        self,
        board: Board,
        now: float = 0.0,
        *,
        seed: int = 1,
        record: Recorder | None = None,
    ) -> None:
        self.board = board
        self.noise = random.Random(seed)
        self.wire = Wire(board.byte_s, board.rx_buffer_size - 1, random.Random(seed + 1))
        self.nozzle = Heater(board.nozzle, board.room_c, now)
        self.bed = Heater(board.bed, board.room_c, now)
        self.motion = Motion(board)
        self.host_rate = 1.0
        self.spoil_lines = 0
        self.drop_oks = 0
        self.received = 0
        self.executed = 0
        self.phase = "booting"
        self._listen: Listener | None = None
        self._record = record
        self._out: deque[tuple[float, bytes]] = deque()
        self.reset(now)

    # ── what the outside does ────────────────────────────────────────────────────────────

    def receive(self, data: bytes, now: float) -> None:
        """The host writes ``data`` at ``now``."""
        self.wire.put(data, now)

    def advance(self, now: float) -> None:
        """Let everything happen that is due up to ``now``."""
        due = self._work_due()
        while due <= now:
            self._step(due)
            due = self._work_due()

    def next_due(self) -> float:
        """Return when something happens next by itself; infinity when nothing will."""
        return min(self._work_due(), self._out[0][0] if self._out else math.inf)

    def take_output(self, now: float) -> bytes:
        """Return what has completely left the board by ``now``."""
        ready = b""
        while self._out and self._out[0][0] <= now:
            ready += self._out.popleft()[1]
        return ready

    def reset(self, now: float) -> None:
        """The reset line is pulled: everything in memory is gone, heaters off, then it boots."""
        self.motion.lost = self.motion.carriage_at(now)
        self.motion.planner.quick_stop(now)
        self.motion.reset()
        self.nozzle.set_target(0.0, now)
        self.bed.set_target(0.0, now)
        self.wire.clear()
        self.check = LineCheck()
        self.cutter = LineCutter(self.board.max_cmd_size)
        self.queue: deque[bytes] = deque()
        self.keepalive_s = self.board.keepalive_s
        self.busy_text = "processing"
        self.extrude_min_c = self.board.extrude_min_c
        self.wait_for_heat = self.wait_for_user = False
        self.halted = self.stopped = False
        self._running: Waiting | None = None
        self._command: Command | None = None
        self._answered = False
        self._wake = self._busy_at = self._report_at = math.inf
        self._report_every = 0.0
        self._out.clear()
        self.clock = now + self.board.boot_s
        self._booted = False
        self.set_phase("booting")

    @property
    def at_work(self) -> bool:
        """Whether anything is going on that only needs time (not a person, not the host)."""
        if self.halted or self.wait_for_user:
            return bool(self._out)
        return bool(
            not self._booted
            or self.queue
            or self._out
            or self.motion.planner.blocks
            or not math.isinf(self._line_due())
        )

    def fail(self, kind: str, heater: str = "nozzle") -> None:
        """Inject a fault of :data:`heating.FAULTS` in ``nozzle`` or ``bed``."""
        if not self.halted:
            heating.fault(self, kind, self.bed if heater == "bed" else self.nozzle)

    def listen(self, listener: Listener) -> None:
        """Tell ``listener`` of changes from now on: a kind and its details."""
        self._listen = listener

    def backlog(self, now: float) -> int:
        """Bytes that the host wrote and that have not arrived."""
        return self.wire.backlog(now)

    def catch_up(self, now: float) -> None:
        """What is injected next happens at ``now``, not when the processor last did something."""
        self.clock = max(self.clock, now)

    def stall(self, seconds: float, now: float) -> None:
        """The processor does nothing at all for ``seconds``."""
        self.clock = max(self.clock, now) + seconds

    # ── what commands use ────────────────────────────────────────────────────────────────

    def say(self, text: str) -> None:
        """Send one line; the processor waits for every byte of it (``TX_BUFFER_SIZE`` 0)."""
        data = text.encode("latin-1", "replace") + b"\n"
        self.clock += len(data) * self.board.byte_s
        self._out.append((self.clock, data))

    def acknowledge(self, text: str = "") -> None:
        """Say ``ok`` for the running command, unless a fault was asked for."""
        self._answered = True
        if self.drop_oks:
            self.drop_oks -= 1
            return
        self.say(f"ok{text}")

    def tell(self, kind: str, **details: object) -> None:
        """Tell the listener that something changed."""
        if self._listen:
            self._listen(kind, details)

    def set_phase(self, phase: str) -> None:
        """Enter a phase: booting, ready, heating, homing, probing, waiting, stopped, halted."""
        if phase != self.phase:
            self.phase = phase
            self.tell("phase", phase=phase)

    def sensed(self, heater: Heater) -> float:
        """Return a heater's temperature as its sensor sees it, with noise."""
        return heater.temperature(self.clock) + self.noise.uniform(-1, 1) * self.board.noise_c

    def name_of(self, heater: Heater) -> str:
        """Return ``nozzle`` or ``bed``."""
        return "nozzle" if heater is self.nozzle else "bed"

    def host_seconds(self, seconds: float) -> float:
        """Return the simulated seconds in which ``seconds`` pass for the host."""
        return seconds * self.host_rate

    def autoreport(self, every_s: float) -> None:
        """M155: report temperatures every so many of the host's seconds, 0 for never."""
        self._report_every = every_s
        self._report_at = self.clock + self.host_seconds(every_s) if every_s else math.inf

    def unknown(self, command: Command) -> None:
        """Echo a command that this build does not know; it is answered with ok all the same."""
        self.say(f'echo:Unknown command: "{command.text}"')

    def emergency(self, code: int) -> None:
        """M108, M112 and M410, wherever they were noticed."""
        if code == 108:
            self.wait_for_heat = self.wait_for_user = False
            self._wake = self.clock
        elif code == 112:
            self.kill()
        else:
            self.motion.quick_stop(self.clock)
            self._wake = self.clock

    def kill(self) -> None:
        """Halt until a reset: heaters off, motors off, one last line."""
        self._switch_off()
        self.motion.quick_stop(self.clock)
        self.queue.clear()
        self._running = None
        self._answered = True
        self.say(KILLED)
        self.halted = True
        self.set_phase("halted")

    def stop(self) -> None:
        """Stop as after a failed probing: heaters off, moves refused until M999."""
        self._switch_off()
        self.say(STOPPED)
        self.stopped = True
        self.set_phase("stopped")

    def restart(self, *, flush: bool) -> None:
        """M999."""
        if self.stopped:
            self.stopped = False
            self.set_phase("ready")
        if flush:
            self._ask_again()

    def _switch_off(self) -> None:
        for heater in (self.nozzle, self.bed):
            heater.set_target(0.0, self.clock)
        self.tell("heat", heater="all", target_c=0.0)

    # ── the loop ─────────────────────────────────────────────────────────────────────────

    def _work_due(self) -> float:
        if self.halted:
            return math.inf
        due = self._report_at if self._booted else self.clock
        if self.wire.emergencies and self.board.emergency_parser:
            due = min(due, self.wire.emergencies[0][0])
            if due < self.clock:
                return due
        if self._running:
            due = min(due, self._wake, self._busy_at)
        elif self.queue:
            due = self.clock
        return max(self.clock, min(due, self._line_due()))

    def _line_due(self) -> float:
        """When the next line can be read; infinity while the queue is full."""
        if len(self.queue) >= self.board.bufsize:
            return math.inf
        if _line_end(self.wire.buffer) >= 0:
            return self.clock
        arrives = self.wire.next_line_end()
        return math.inf if arrives is None else arrives

    def _step(self, now: float) -> None:
        if not self._booted:
            self._boot()
            return
        self._notice_emergencies(now)
        if self.halted or now < self.clock:
            return
        self.wire.fill(self.clock)
        self.clock = now
        if len(self.queue) < self.board.bufsize and self._read(now):
            return
        if self._running:
            self._continue(now)
        elif self.queue:
            self._begin()
        if now >= self._report_at:
            self.say(heating.states(self))
            self.autoreport(self._report_every)

    def _boot(self) -> None:
        """The boot loader and setup have run; what was sent meanwhile is lost."""
        self.wire.arrived(self.clock)
        self.wire.buffer.clear()
        self._booted = True
        for line in reports.banner():
            self.say(line)
        self.set_phase("ready")

    def _notice_emergencies(self, now: float) -> None:
        """With EMERGENCY_PARSER the receive interrupt sees some commands before the queue."""
        waiting = self.wire.emergencies
        while waiting and waiting[0][0] <= now:
            _, code = waiting.popleft()
            if self.board.emergency_parser and not self.halted:
                self.clock = max(self.clock, now)
                self.emergency(code)

    def _read(self, now: float) -> bool:
        """Read on from the receive buffer; True when that completed a line."""
        self.wire.buffer += self.wire.arrived(now)
        end = _line_end(self.wire.buffer)
        if end < 0:
            self.cutter.feed(bytes(self.wire.buffer))
            self.wire.buffer.clear()
            return False
        self.cutter.feed(bytes(self.wire.buffer[:end]))
        del self.wire.buffer[: end + 1]
        line = self.cutter.end()
        if line:
            self._accept(line)
        return True

    def _accept(self, line: bytes) -> None:
        if self.spoil_lines and line.lstrip().startswith(b"N"):
            self.spoil_lines -= 1
            line = line[:-1] + bytes([line[-1] ^ 1])
        verdict = self.check.judge(line)
        if verdict is Verdict.DUPLICATE:
            return
        if verdict is not Verdict.GOOD:
            self.say(f"Error:{verdict.value}{self.check.last}")
            self._ask_again()
            return
        self.received += 1
        command = line.lstrip(b" ")
        if self.stopped and command.split(b"G", 1)[-1][:1] in (b"0", b"1", b"2", b"3"):
            self.say(STOPPED)
        if not self.board.emergency_parser and command[:4] in (b"M108", b"M112", b"M410"):
            self.emergency(int(command[1:4]))
        if not self.halted:
            self.queue.append(line)

    def _ask_again(self) -> None:
        """Drop what has been received and ask for the line after the last good one."""
        self.wire.fill(self.clock)
        self.wire.buffer.clear()
        self.cutter.clear()
        self.say(f"Resend: {self.check.last + 1}")
        self.say("ok")

    def _begin(self) -> None:
        command = Command.read(self.queue[0])
        self._command = command
        self._answered = False
        self.executed += 1
        if self._record:
            self._record(command)
        words = {} if command.code in ("M117", "M118") else command.words()
        self.clock += self.board.command_cost_s
        if command.code in ("G0", "G1", "G2", "G3"):
            self.clock += self.board.move_cost_s
            self.clock += self.board.extrude_cost_s if "E" in words else 0.0
        self._busy_at = self._next_busy()
        handler = TABLE.get(command.code)
        if handler is None:
            self.unknown(command)
        waiting = handler(self, command, words) if handler else None
        if waiting is None:
            self._end()
        else:
            self._running = waiting
            self._resume()

    def _continue(self, now: float) -> None:
        if now >= self._busy_at:
            self.say(f"echo:busy: {self.busy_text}")
            self._busy_at = self._next_busy()
        if self.clock >= self._wake:
            self._resume()

    def _resume(self) -> None:
        running = self._running
        if running is None:
            return
        try:
            self._wake = next(running)
        except StopIteration:
            self._running = None
            self._end()

    def _next_busy(self) -> float:
        return self.clock + self.host_seconds(self.keepalive_s) if self.keepalive_s else math.inf

    def _end(self) -> None:
        """The command is done: say ok (``queue.cpp``, ok_to_send), free its place."""
        if self.halted:
            return
        self.busy_text = "processing"
        if not self._answered:
            self.acknowledge(self._advanced() if self.board.advanced_ok else "")
        self.queue.popleft()
        self.clock += self.board.after_ok_cost_s

    def _advanced(self) -> str:
        """``N`` of the line if it had one, free places in the planner and in the queue."""
        command = self._command
        number = f" N{command.number}" if command and command.number is not None else ""
        self.motion.planner.advance(self.clock)
        return f"{number} P{self.motion.planner.free} B{self.board.bufsize - len(self.queue)}"


def _line_end(data: bytearray) -> int:
    """Return where the first CR or LF is, -1 without one."""
    ends = [at for at in (data.find(b"\n"), data.find(b"\r")) if at >= 0]
    return min(ends) if ends else -1
