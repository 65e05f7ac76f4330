"""Reads a whole file before it runs and says everything that is wrong with it.

Pure: bytes in, a :class:`Report` out, in bounded memory, whatever the bytes are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from fabctl.gcode.blocks import Block, blocks
from fabctl.gcode.boxes import Bounds, Box
from fabctl.gcode.interpret import Interpreter
from fabctl.gcode.motion import MotionSettings, default_motion
from fabctl.gcode.report import Problem, Report
from fabctl.gcode.sweep import sweep
from fabctl.gcode.verdict import conclude, foreign_format, not_gcode, not_text
from fabctl.gcode.watching import Vector, Watcher
from fabctl.model.texts import text
from fabctl.ports import Limits, MachineKind, WorkArea

__all__ = ["Bounds", "Box", "Problem", "Report", "inspect"]

LONGEST_LINE = 96
"""Marlin's line buffer in bytes (MAX_CMD_SIZE), its closing NUL included."""
_MOST_STRANGE_LINES = 5000
_MOST_ERRORS = 1000
"""After so many lines without a single command, or so many errors, the rest is not read."""
_ORIGIN = (0.0, 0.0, 0.0)


def inspect(  # noqa: PLR0913 # a report depends on all of this; everything else has a default
    stream: BinaryIO,
    *,
    kind: MachineKind,
    work_area: WorkArea | None,
    limits: Limits,
    max_line: int = LONGEST_LINE,
    progress: Callable[[int], None] | None = None,
    motion: MotionSettings | None = None,
    work_offset: Vector | None = None,
    home: Vector = _ORIGIN,
    watch: Watcher | None = None,
    own_file: bool = False,
) -> Report:
    """Read a file and report on it. Never raises for what the file holds.

    :param stream: opened for reading bytes; read to its end. Its own OSError passes through.
    :param work_area: mm, machine coordinates; None: no position is judged.
    :param max_line: the controller's line buffer in bytes with its closing NUL, 24 or more: 96
        for Marlin, 80 for Grbl. What fabctl adds to number a line is counted.
    :param progress: called with the bytes read so far, once per block. What it raises passes
        through: the way to stop early.
    :param motion: what the estimate of time believes; by default a common machine of this kind.
    :param work_offset: where a mill's or laser's zero lies in machine coordinates, mm, when that
        is known; then its positions are judged, not only its size.
    :param home: where a printer stands after G28, mm.
    :param own_file: a person gives it at the machine itself, without a lab: what only changes
        their own machine is a warning then (decision 0137).
    :param watch: told of every move (:class:`fabctl.gcode.sketch.Sketch` draws them).
    """
    i = Interpreter(
        kind=kind,
        work_area=work_area,
        limits=limits,
        motion=motion or default_motion(kind),
        max_line=max(24, max_line),
        work_offset=work_offset,
        home=home,
        watch=watch,
        own_file=own_file,
    )
    size = 0
    sound = True
    for block in blocks(stream):
        sound = sound and _readable(i, block, first=size == 0)
        size += block.size
        if sound:
            sweep(block.data.decode("latin-1"), i)
            i.mover.planner.flush()
            sound = not _hopeless(i)
        if progress is not None:
            progress(size)
    return _report(i, size, sound=sound)


def _readable(i: Interpreter, block: Block, *, first: bool) -> bool:
    """Whether a block is text; what else it is becomes a problem."""
    message = foreign_format(block.head) if first else None
    if message is None and block.nul:
        message = not_text(i.line + 1)
    if message is not None:
        i.problems.error(None if first else i.line + 1, "not-text", message)
    return message is None


def _hopeless(i: Interpreter) -> bool:
    """Note and return that reading on would only cost time."""
    if not i.understood and not i.territory.moved and i.state.commands > _MOST_STRANGE_LINES:
        i.problems.error(None, "not-gcode", not_gcode())
        return True
    if i.problems.errors > _MOST_ERRORS:
        message = text("Line {line}: reading stopped here; too much is wrong.", line=i.line)
        i.problems.error(i.line, "reading-stopped", message)
        return True
    return False


def _report(i: Interpreter, size: int, *, sound: bool) -> Report:
    i.mover.stop()
    planner, state = i.mover.planner, i.state
    seconds = planner.seconds if planner.seconds > 0.0 else None
    if sound:
        conclude(i, size)
    power = i.mover.power.highest
    return Report(
        problems=i.problems.kept(),
        problem_count=i.problems.count,
        lines=i.line,
        commands=state.commands,
        size=size,
        bounds=i.territory.bounds(),
        nozzle_max_c=i.nozzle.highest,
        bed_max_c=i.bed.highest,
        feed_max_mm_per_min=i.mover.feed.highest,
        filament_mm=round(state.most_pushed, 5),
        power=None if power is None else (i.mover.power_low, power),
        tools=tuple(sorted(i.tools)),
        waits=i.waits,
        estimate_s=None if seconds is None else round(seconds, 3),
        slicer_estimate_s=i.comments.slicer_estimate_s,
        time_table=planner.timeline.table(state.commands, planner.seconds),
        layers=i.comments.layers,
        thumbnail=i.comments.thumbnail,
    )
