"""A file gone on with from a line, as ``fabctl stream --from-line`` sends it, without a machine."""

from __future__ import annotations

from io import BytesIO

from fabctl.gcode.lines import sendable
from fabctl.gcode.resume.prelude import Choices, prelude
from fabctl.gcode.resume.resume_at import find
from fabctl.ports import MachineKind

USUAL = Choices()


def sent(data: bytes) -> list[tuple[int, str]]:
    """Return (line, command) for all that is sent of a file."""
    rows = ((number, sendable(raw)) for number, raw in enumerate(data.split(b"\n"), start=1))
    return [(number, row.decode()) for number, row in rows if row]


def steps(data: bytes, line: int, kind: MachineKind, choices: Choices = USUAL) -> list[str]:
    """Return the commands before the line."""
    return [step.command for step in prelude(find(BytesIO(data), line, kind), kind, choices)]
