"""Reads one line as a controller would and carries it out on paper.

Two dialects: printers speak Marlin's (:mod:`fabctl.gcode.marlin`), mills and lasers RS274/NGC as
Grbl does (:mod:`fabctl.gcode.rs274`). This module holds what both share.
"""

from __future__ import annotations

import math

from fabctl.gcode import marlin, rs274
from fabctl.gcode.boxes import Frame, Territory
from fabctl.gcode.codes import judgement, known
from fabctl.gcode.comments import CommentReader
from fabctl.gcode.lines import Words, sendable
from fabctl.gcode.motion import MotionSettings
from fabctl.gcode.moves import Mover, Peak
from fabctl.gcode.problems import Problems
from fabctl.gcode.scrutiny import strange_bytes, without_stray
from fabctl.gcode.state import first_state
from fabctl.gcode.watching import Vector, Watcher
from fabctl.model.texts import Text, text
from fabctl.ports import Limits, MachineKind, WorkArea

_MOTION_LETTERS = "XYZIJKRPEFS"
_NUMBERING_BYTES = 15
"""What a sender adds to a line for Marlin: N, up to nine digits, a blank, ``*``, a checksum."""
_MOST_TOOLS = 64


class Interpreter:
    """One file's reading: its state, its figures, its problems."""

    def __init__(  # noqa: PLR0913  # all that a reading depends on
        self, *, kind: MachineKind, work_area: WorkArea | None, limits: Limits,
        motion: MotionSettings, max_line: int, work_offset: Vector | None, home: Vector,
        watch: Watcher | None = None, own_file: bool = False,
    ) -> None:  # fmt: skip
        self.kind = kind
        self.printer = kind is MachineKind.PRINTER
        self.own_file = own_file
        """A person at the machine gives it: what only changes their machine is a warning."""
        self.home = home
        self.state = first_state(kind)
        self.problems = Problems()
        self.comments = CommentReader()
        frame = _frame(kind, work_offset)
        area = _shifted(work_area, work_offset)
        self.territory = Territory(area, frame, start_section=self.printer)
        self.mover = Mover(self.state, self.territory, self.problems, kind, limits, motion, watch)
        if watch is not None:
            watch.comments = self.comments
        self.nozzle = Peak(limits.nozzle_max_c)
        self.bed = Peak(limits.bed_max_c)
        self.longest = max_line - 1 - (_NUMBERING_BYTES if self.printer else 0)
        """Bytes a line may have, without its newline."""
        self.line = 0
        """Lines read so far."""
        self.tools: set[int] = set()
        self.waits = 0
        self.spindle_used = False
        self.laser_words = False
        """A printer's move carries an S word, as lasers' moves do."""
        self.understood = 0
        """Above 0 once a line had G-code's form; the hot loop counts its runs only."""

    def obey(self, line: int, raw: str) -> None:
        """Carry out one raw line; ``raw`` holds its bytes as latin-1."""
        sent = sendable(raw.encode("latin-1"), printer=self.printer).decode("latin-1")
        if not sent:
            stripped = raw.strip()
            if stripped.startswith(";"):
                self.take_comment(stripped[1:])
            return
        self.state.commands += 1
        if not self.printer:
            sent = without_stray(self.problems, line, sent)
            if not sent:
                return
        if len(sent) > self.longest:
            self._too_long(line, len(sent))
        if strange_bytes(self.problems, line, sent, printer=self.printer):
            return
        if self.printer:
            marlin.obey(self, line, sent)
        else:
            rs274.obey(self, line, sent)

    def take_comment(self, comment: str) -> None:
        """Read a comment's text, without its semicolon."""
        if self.comments.take(comment):
            self.territory.begin_body()

    def forget_position(self) -> None:
        """The tool stands somewhere that the file does not say."""
        self.state.x = self.state.y = self.state.z = math.nan

    def choose_tool(self, tool: int) -> None:
        """T: another tool, from a stand."""
        if len(self.tools) < _MOST_TOOLS:
            self.tools.add(tool)
        self.mover.stop()

    def feed_and_power(self, line: int, words: Words) -> None:
        """Take a line's F and S."""
        feed, power = words.number("F"), words.number("S")
        if feed is not None:
            scale = 1.0 if self.state.inverse_time else self.state.scale
            self.mover.set_feed(line, feed * scale)
        if power is not None:
            self.mover.set_power(line, power)

    def move(self, line: int, code: str, words: Words, *, machine: bool = False) -> None:
        """Carry out G0, G1, G2, G3 or G5, feed and power already taken.

        :param machine: the words are machine coordinates (G53).
        """
        if code in ("2", "3"):
            self.mover.arc(line, words, clockwise=code == "2")
            return
        end = self.mover.target(words, machine=machine)
        if code == "5":
            self._control_points(line, end, words)
        pushed = self.mover.extrude(words.number("E"))
        if machine and not self.printer:
            self._machine_move(words)
            return
        moves = any(axis in words for axis in "XYZ")
        self.mover.go(line, end, pushed, rapid=code == "0", moves=moves)

    def _machine_move(self, words: Words) -> None:
        """G53 on a mill: to a place that the file's own coordinates cannot name."""
        s = self.state
        self.mover.stop()
        s.x = math.nan if "X" in words else s.x
        s.y = math.nan if "Y" in words else s.y
        s.z = math.nan if "Z" in words else s.z

    def _control_points(self, line: int, end: Vector, words: Words) -> None:
        """A Bézier curve (G5) stays inside its control points."""
        i, j, p, q = ((words.number(c) or 0.0) * self.state.scale for c in "IJPQ")
        for x, y in ((self.state.x + i, self.state.y + j), (end[0] + p, end[1] + q)):
            self.territory.grow(line, x, y, math.nan, False)

    def unreadable(self, line: int, words: Words) -> bool:
        """Note the first word of a move that has no usable number; return whether there is one."""
        word = words.unreadable(_MOTION_LETTERS)
        if word is None:
            return False
        self.bad_word(line, word)
        return True

    def bad_word(self, line: int, word: str) -> None:
        """Note a word of a move that has no usable number."""
        message = text(
            "Line {line}: “{found}” is no word with a usable number.", line=line, found=word
        )
        self.problems.error(line, "bad-number", message)

    def judge(self, line: int, command: str, words: Words, *, marlins: bool) -> None:
        """Note what is to be said against a command.

        :param marlins: its code and words are Marlin's, not RS274's.
        """
        verdict = judgement(command, words.values, printer=marlins)
        if verdict is None:
            if not known(command, printer=marlins):
                self.unknown_command(line, command)
            return
        may_run = verdict.own if self.own_file else None
        message = Text((may_run or verdict.why).template, {"line": line, "command": command})
        if verdict.error and may_run is None:
            self.problems.error(line, "forbidden-command", message)
        elif self.problems.first("changes-settings", command):
            self.problems.warning(line, "changes-settings", message)

    def unknown_command(self, line: int, name: str) -> None:
        """Note, once per name, a command that no document of the firmware names."""
        if self.problems.first("unknown-command", name):
            message = text(
                "Line {line}: {command} is not known here; the machine may not know it either.",
                line=line, command=name,
            )  # fmt: skip
            self.problems.warning(line, "unknown-command", message)

    def _too_long(self, line: int, length: int) -> None:
        message = text(
            "Line {line}: it is {found} bytes long without comments; the controller takes at most"
            " {limit}.",
            line=line, found=length, limit=self.longest,
        )  # fmt: skip
        self.problems.error(line, "line-too-long", message)


def _frame(kind: MachineKind, work_offset: Vector | None) -> Frame:
    if kind is MachineKind.PRINTER or work_offset is not None:
        return Frame.MACHINE
    return Frame.PLACED if kind is MachineKind.LASER else Frame.UNKNOWN


def _shifted(area: WorkArea | None, offset: Vector | None) -> WorkArea | None:
    """Return the work area as the file's coordinates see it."""
    if area is None or offset is None:
        return area
    x, y, z = offset
    return WorkArea(
        x=(area.x[0] - x, area.x[1] - x),
        y=(area.y[0] - y, area.y[1] - y),
        z=(area.z[0] - z, area.z[1] - z),
    )
