"""Lines that speak to a Grbl itself: ``$…``, and ``[…]`` to the ESP firmwares.

The driver sends them alone, from a machine at rest; what is a person's it refuses. A test holds
the two against each other. Source: Grbl ``doc/markdown/commands.md`` and ``settings.md``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fabctl.gcode.codes import STORED, STORED_ALONE
from fabctl.model.texts import Text, text

if TYPE_CHECKING:
    from fabctl.gcode.interpret import Interpreter

_A_PERSONS = re.compile(r"\$(?:C|X|SLP|RST=.*|J=.*)")
"""Check mode, unlocking, sleeping, restoring, jogs."""
_HARMLESS = re.compile(r"\$(?:[$#GIN]?|H[A-Z]*)")
"""Questions, and homing. All else with ``$`` stores something."""
_PASSED_OVER = str.maketrans("", "", " \t/")


def obey(i: Interpreter, line: int, sent: str) -> None:
    """Judge a line that begins with ``$`` or ``[``, and know what it leaves behind."""
    said = sent.translate(_PASSED_OVER).upper()
    i.understood += 1
    i.mover.stop()
    if _A_PERSONS.fullmatch(said):
        why = text("Line {line}: {command} belongs to a person; a file may not send it.")
        _note(i, line, sent, why, is_error=True)
    elif _HARMLESS.fullmatch(said):
        _note(i, line, sent, _ALONE, is_error=False)
        if said.startswith("$H"):
            i.forget_position()
    elif said.startswith("["):
        _note(i, line, sent, _ALONE if i.own_file else _NO_PART, is_error=not i.own_file)
    else:
        _note(i, line, sent, STORED_ALONE if i.own_file else STORED, is_error=not i.own_file)


_ALONE = text("Line {line}: {command} is sent alone, when all before it has ended.")
_NO_PART = text("Line {line}: {command} speaks to the controller itself; it is no part of a job.")


def _note(i: Interpreter, line: int, sent: str, why: Text, *, is_error: bool) -> None:
    command = sent[:20]
    message = Text(why.template, {"line": line, "command": command})
    if is_error:
        i.problems.error(line, "controller-command", message)
    elif i.problems.first("controller-command", command):
        i.problems.warning(line, "controller-command", message)
