"""What can be said about a file only once it is read whole, or at its first bytes."""

from __future__ import annotations

from fabctl.gcode.boxes import START_MARGIN_MM, Exit, Frame
from fabctl.gcode.interpret import Interpreter
from fabctl.gcode.problems import figure
from fabctl.model.texts import Text, text
from fabctl.ports import MachineKind

_FORMATS: tuple[tuple[bytes, Text], ...] = (
    (b"\x89PNG", text("This is a PNG picture, not G-code.")),
    (b"\xff\xd8\xff", text("This is a JPEG picture, not G-code.")),
    (b"GIF8", text("This is a GIF picture, not G-code.")),
    (b"%PDF", text("This is a PDF document, not G-code.")),
    (b"GCDE", text("This is binary G-code (.bgcode): export it as plain G-code instead.")),
    (b"PK\x03\x04", text("This is a ZIP archive or a 3MF project: slice it to G-code first.")),
    (b"\x1f\x8b", text("This is a compressed file: unpack it first.")),
    (b"\x7fELF", text("This is a program, not G-code.")),
    (b"\xef\xbb\xbf", text("The file begins with a byte-order mark: save it as plain text.")),
    (b"\xff\xfe", text("The file is UTF-16 text: save it as plain text (ASCII or UTF-8).")),
    (b"\xfe\xff", text("The file is UTF-16 text: save it as plain text (ASCII or UTF-8).")),
    (b"solid ", text("This is a model (STL), not G-code: slice it first.")),
    (b"<", text("This is a page or a drawing (HTML, XML or SVG), not G-code.")),
)


def foreign_format(head: bytes) -> Text | None:
    """Return a sentence when a file's first bytes are those of another format."""
    return next((message for magic, message in _FORMATS if head.startswith(magic)), None)


def not_text(line: int) -> Text:
    """Return the sentence for a file with NUL bytes."""
    return text("Line {line}: from here on this is no text but binary data.", line=line)


def not_gcode() -> Text:
    """Return the sentence for a file without a single command."""
    return text("No line of this file is G-code.")


def conclude(i: Interpreter, size: int) -> None:
    """Add what only the whole file shows."""
    if size == 0:
        i.problems.error(None, "empty-file", text("The file is empty."))
        return
    if i.state.commands == 0:
        message = text("The file holds comments only: there is nothing to send.")
        i.problems.error(None, "nothing-to-send", message)
        return
    _note_motion(i)
    _note_exits(i)
    _note_peaks(i)
    (_conclude_printer if i.printer else _conclude_cutter)(i)


def _note_motion(i: Interpreter) -> None:
    if i.territory.moved or i.state.most_pushed > 0.0:
        return
    if not i.understood:
        i.problems.error(None, "not-gcode", not_gcode())
        return
    message = text("Nothing moves: the file holds no G0, G1, G2 or G3 to a position.")
    i.problems.error(None, "no-motion", message)


def _note_exits(i: Interpreter) -> None:
    placed = i.territory.frame is Frame.PLACED
    for exit_ in i.territory.exits.values():
        if placed:
            i.problems.warning(exit_.line, "outside-if-zero-is-home", _placing(exit_))
        else:
            i.problems.error(exit_.line, "outside-work-area", _leaving(exit_))
    for exit_ in i.territory.start_exits.values():
        i.problems.warning(exit_.line, "start-outside-work-area", _start(exit_))
    for axis, need, available in i.territory.too_large():
        message = text(
            "The file needs {found} mm in {axis}, counted with its zero; the work area has"
            " {limit} mm.",
            axis=axis, found=figure(need), limit=figure(available),
        )  # fmt: skip
        i.problems.error(None, "larger-than-work-area", message)


def _values(exit_: Exit) -> dict[str, str | float]:
    low, high = exit_.limits
    return {
        "line": exit_.line,
        "axis": exit_.axis,
        "found": figure(exit_.furthest),
        "low": figure(low),
        "high": figure(high),
    }


def _leaving(exit_: Exit) -> Text:
    return text(
        "Line {line}: {axis} leaves the work area; it goes to {found} mm, {low} to {high} mm are"
        " allowed.",
        **_values(exit_),
    )


def _placing(exit_: Exit) -> Text:
    return text(
        "Line {line}: {axis} goes to {found} mm; place the zero so that it fits into {low} to"
        " {high} mm.",
        **_values(exit_),
    )


def _start(exit_: Exit) -> Text:
    return text(
        "Line {line}: before the first layer {axis} goes to {found} mm, at most {margin} mm outside"
        " {low} to {high} mm.",
        margin=figure(START_MARGIN_MM),
        **_values(exit_),
    )


def _note_peaks(i: Interpreter) -> None:
    feed, power = i.mover.feed, i.mover.power
    if feed.first_line is not None:
        message = text(
            "Line {line}: the feed goes up to {found} mm/min; the machine does at most {limit}"
            " mm/min.",
            line=feed.first_line, found=figure(feed.highest or 0.0),
            limit=figure(feed.limit or 0.0),
        )  # fmt: skip
        i.problems.warning(feed.first_line, "feed-too-high", message)
    if power.first_line is not None and not i.printer:
        message = text(
            "Line {line}: the power goes up to S{found}; the machine's full power is S{limit}.",
            line=power.first_line, found=figure(power.highest or 0.0),
            limit=figure(power.limit or 0.0),
        )  # fmt: skip
        i.problems.error(power.first_line, "power-too-high", message)


def _conclude_printer(i: Interpreter) -> None:
    extrudes = i.state.most_pushed > 0.0
    if not extrudes and i.spindle_used:
        message = text("This file is for a laser or a mill: it uses M3 or M4 and never extrudes.")
        i.problems.error(None, "cutter-file", message)
    elif not extrudes and i.laser_words:
        message = text("This file is for a laser: its moves carry S words and never extrude.")
        i.problems.error(None, "cutter-file", message)
    elif not extrudes and i.territory.moved:
        i.problems.warning(None, "no-extrusion", text("The file moves but never extrudes."))
    if extrudes and not i.state.homed:
        i.problems.warning(None, "no-homing", text("The file never homes the machine (G28)."))
    if i.state.nozzle_c > 0.0 or i.state.bed_c > 0.0:
        i.problems.warning(
            None,
            "heater-left-on",
            text("At its end the file leaves a heater on (nozzle {nozzle} °C, bed {bed} °C).",
                 nozzle=figure(i.state.nozzle_c), bed=figure(i.state.bed_c)),
        )  # fmt: skip


def _conclude_cutter(i: Interpreter) -> None:
    if i.kind is MachineKind.OTHER:
        return
    if i.state.most_pushed > 0.0 or i.nozzle.highest:
        message = text("This file is for a 3D printer: it extrudes or heats a nozzle.")
        i.problems.error(None, "printer-file", message)
        return
    if i.state.spinning:
        message = text("At its end the file leaves the spindle or laser on (no M5, M2 or M30).")
        i.problems.warning(None, "spindle-left-on", message)
    work = i.territory.bounds().work
    if i.kind is MachineKind.MILL and work is not None and work.z is None:
        message = text("The file never moves in Z: it looks like a laser's, not a mill's.")
        i.problems.warning(None, "laser-file", message)
    if i.kind is MachineKind.LASER and i.mover.cuts_down:
        message = text("The file cuts downwards in Z: it looks like a mill's, not a laser's.")
        i.problems.warning(None, "mill-file", message)
