"""The main program: start, read lines, run them, answer; a reset starts it over."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator

from fabctl_sim.grbl import dollar, gcode, reports
from fabctl_sim.grbl.machine import Abort, Machine, State, Waiting
from fabctl_sim.grbl.realtime import realtime, start_cycle
from fabctl_sim.grbl.words import CodeError, LineEditor
from fabctl_sim.one_way import line_end

Recorder = Callable[[str, str], None]


class Program:
    """What the processor does from power-up on.

    :param record: told of every line with its answer (``ok``, ``error:20``, empty for a line that
        a reset cut off), in order.
    """

    def __init__(self, machine: Machine, record: Recorder) -> None:
        self.machine = machine
        self.record = record
        self._current = ""
        self.editor = LineEditor(machine.board.line_bytes)

    def run(self) -> Waiting:
        """Run for ever."""
        m = self.machine
        while True:
            try:
                yield from self._start()
                while True:
                    line = yield from self._read()
                    yield from self._execute(line)
            except Abort:
                m.reading = False
                if self._current:
                    self.record(self._current, "")
                    self._current = ""

    def _start(self) -> Waiting:
        m = self.machine
        m.start_over()
        self.editor.clear()
        m.say("")
        m.say(m.board.banner)
        if m.world.limits and m.eeprom.on(21):
            m.say("[MSG:Check Limits]")
        if m.state in (State.ALARM, State.SLEEP):
            m.set_state(State.ALARM)
            m.say(reports.UNLOCK)
            return
        m.set_state(State.IDLE)
        if m.world.door_open:
            m.flags.append(0x84)
            yield from realtime(m)
        yield from dollar.startup(m)

    def _read(self) -> Generator[float, None, str | None]:
        """Take bytes as they come until a line ends; None: it was too long."""
        m = self.machine
        buffer = m.rx.buffer
        while True:
            end = line_end(buffer)
            self.editor.feed(buffer[:end] if end >= 0 else buffer)
            del buffer[: end + 1 if end >= 0 else len(buffer)]
            if end >= 0:
                yield from realtime(m)
                return self.editor.end()
            start_cycle(m)
            yield from realtime(m)
            if buffer:
                continue
            m.reading = True
            arrives = m.rx.next_line_end()
            yield min(math.inf if arrives is None else arrives, m.planner.next_change())
            m.reading = False

    def _execute(self, line: str | None) -> Waiting:
        m = self.machine
        try:
            yield from self._dispatch(line)
        except CodeError as error:
            self._answer(line, f"error:{error.code}")
        else:
            self._answer(line, "ok")
        if m.state is State.SLEEP:
            yield from dollar.sleep(m)

    def _dispatch(self, line: str | None) -> Waiting:
        m = self.machine
        if line is None:
            raise CodeError(11)
        if not line:
            return
        m.clock += m.board.parse_cost_s
        m.line_number += 1
        self._current = line
        if line.startswith("$"):
            yield from dollar.run(m, line)
        elif m.state in (State.ALARM, State.JOG):
            raise CodeError(9)
        else:
            yield from gcode.run(m, line)

    def _answer(self, line: str | None, answer: str) -> None:
        self.machine.say(answer)
        self._current = ""
        if line:
            self.record(line, answer)
