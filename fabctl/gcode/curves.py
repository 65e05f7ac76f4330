"""The usual form of an arc's line, read without taking the line apart word by word.

G2 or G3 in the plane of X and Y with its centre in I and J, words in the order in which slicers
and CAM programs write them. Everything else is left to
:meth:`~fabctl.gcode.interpret.Interpreter.obey`; what an arc means stands in
:class:`~fabctl.gcode.moves.Mover` alone.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from fabctl.gcode.arcs import circle_fits

if TYPE_CHECKING:
    from fabctl.gcode.interpret import Interpreter

NUMBER = r"(-?+(?:\d{1,7}+(?:\.\d{0,8}+)?|\.\d{1,8}+))"
"""Of a plain word: below :data:`fabctl.gcode.lines.ABSURD`, and short. No group of a pattern that
holds it is repeated possessively: before Python 3.11.5 (Debian 12 has 3.11.2) such a group can
match what it should not (CPython gh-106052).
"""


@lru_cache(maxsize=8)
def arc_pattern(longest: int, printer: bool) -> re.Pattern[str]:
    """Return the pattern of a line with an arc. Groups: G, F, X, Y, Z, I, J, E, S, F."""
    words = "".join(f"(?:{letter}{NUMBER} ?+)?" for letter in "FXYZIJ")
    power = "()" if printer else f"(?:S{NUMBER} ?+)?"
    return re.compile(
        rf"(?![^\n]{{{longest + 1}}})G0?([23]) ?+{words}(?:K-?+[\d.]{{1,9}}+ ?+)?"
        rf"(?:E{NUMBER} ?+)?{power}(?:F{NUMBER})?[ \r]*+(?:;[^\n]*+)?\n"
    )


def take_arc(i: Interpreter, line: int, found: re.Match[str]) -> bool:
    """Carry out a line that :func:`arc_pattern` found; False: it needs more care than this."""
    g, f1, x, y, z, across, up, e, power, f2 = found.groups()
    s, mover = i.state, i.mover
    if not s.plain or s.plane != "17" or s.arc_absolute or not (across or up):
        return False
    if not s.absolute and not i.printer and math.isnan(s.z):
        return False
    scale = s.scale
    shift_x, shift_y, shift_z = (
        (s.offset_x, s.offset_y, s.offset_z) if s.absolute else (s.x, s.y, s.z)
    )
    end_x = float(x) * scale + shift_x if x else s.x
    end_y = float(y) * scale + shift_y if y else s.y
    end_z = float(z) * scale + shift_z if z else s.z
    middle = (
        s.x + (float(across) * scale if across else 0.0),
        s.y + (float(up) * scale if up else 0.0),
    )
    curve = circle_fits((s.x, s.y), (end_x, end_y), middle, g == "2")
    if curve is None or math.isnan(curve.radius + end_x + end_y):
        return False
    s.commands += 1
    i.understood += 1
    if f1 or f2:
        mover.set_feed(line, float(f2 or f1) * scale)
    if power:
        mover.set_power(line, float(power))
    if not i.printer:
        s.motion = g
    mover.follow(line, curve, (end_x, end_y, end_z), mover.extrude(float(e) if e else None))
    return True
