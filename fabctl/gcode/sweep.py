"""The hot loop: plain G0 and G1 lines, found a block at a time by one regular expression.

Everything that is not such a line, or stands in a mode where it would mean something else, goes
to :meth:`~fabctl.gcode.interpret.Interpreter.obey`, which understands it too, only slower: a test
holds the two against each other.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache

from fabctl.gcode.boxes import Section
from fabctl.gcode.curves import NUMBER, arc_pattern, take_arc
from fabctl.gcode.interpret import Interpreter
from fabctl.gcode.motion import ANY_SPEED2, SAME_WAY
from fabctl.gcode.moves import SHORTEST_MM
from fabctl.ports import MachineKind


@lru_cache(maxsize=8)
def _pattern(longest: int, printer: bool) -> re.Pattern[str]:
    """Return the pattern whose matches are all lines of a block, one each.

    Groups: G word (0 or 1), F, X, Y, Z, E, S, F, any other line whole. A cutter may leave the G
    word out; a printer's S word is never plain.
    """
    words = "".join(f"(?:{letter}{NUMBER} ?+)?" for letter in "FXYZE")
    if printer:
        head, power = r"G0?([01]) ?+", "()"
    else:
        head, power = r"(?=[GXYZEFS])(?:G0?([01]) ?+)?", f"(?:S{NUMBER} ?+)?"
    fits = rf"(?![^\n]{{{longest + 1}}})"
    return re.compile(
        rf"{fits}{head}{words}{power}(?:F{NUMBER})?[ \r]*+(?:;[^\n]*+)?\n|([^\n]*+\n)"
    )


# One function on purpose: a call per line would cost more than the line's arithmetic.
def sweep(text: str, i: Interpreter) -> None:  # noqa: C901, PLR0912, PLR0915
    """Read a block of whole lines (its bytes as latin-1)."""
    state, mover, territory, takes = i.state, i.mover, i.territory, i.comments.take
    printer, laser = i.printer, i.kind is MachineKind.LASER
    append = mover.planner.batch.append
    sqrt, isnan, nan = math.sqrt, math.isnan, math.nan
    w0 = w1 = w2 = w3 = wz = t0 = t1 = t2 = t3 = tz = nan
    saw = mover.watch.saw if mover.watch is not None else None
    line = i.line
    arc = arc_pattern(i.longest, printer).match
    section: Section | None = None
    quick = False
    (
        x, y, z, e, motion, feed, speed, power, pushed, most, working, commands,
        pdx, pdy, pdz, plen,
    ) = state.hot()  # fmt: skip
    for g, f1, xs, ys, zs, es, ss, f2, other in _pattern(i.longest, printer).findall(text):
        line += 1
        if other:
            if other == "\n":
                continue
            if other[0] == ";":
                if takes(other[1:]) and territory.starting:
                    territory.begin_body()
                    section = None
                continue
            if quick:
                state.set_hot((
                    x, y, z, e, motion, feed, speed, power, pushed, most, working, commands,
                    pdx, pdy, pdz, plen,
                ))  # fmt: skip
            curve = arc(other)
            if curve and take_arc(i, line, curve):
                if not printer:
                    quick = False
                elif quick:
                    (
                        x, y, z, e, motion, feed, speed, power, pushed, most, working, commands,
                        pdx, pdy, pdz, plen,
                    ) = state.hot()  # fmt: skip
                    feed_most = mover.feed.highest or 0.0
                    section = None
                continue
            quick = False
            i.obey(line, other)
            continue
        if not quick:
            if not state.plain or not (g or state.motion in ("0", "1")):
                i.obey(line, _rebuilt(g, f1, xs, ys, zs, es, ss, f2))
                continue
            (
                x, y, z, e, motion, feed, speed, power, pushed, most, working, commands,
                pdx, pdy, pdz, plen,
            ) = state.hot()  # fmt: skip
            settings = mover.settings
            e_absolute, spinning, cutting = state.e_absolute, state.spinning, mover.cutting
            direct, scale, relative = state.direct, state.scale, not state.absolute
            shift_x, shift_y, shift_z = state.offset_x, state.offset_y, state.offset_z
            in_order = mover.may_work
            feed_most = mover.feed.highest or 0.0
            power_low, power_high = mover.power_low, mover.power.highest or 0.0
            jerk2, stand2 = settings.jerk**2, settings.retract_jerk**2
            work_a2 = 2.0 * settings.acceleration
            travel_a2 = 2.0 * settings.travel_acceleration
            feed_cap = settings.feed_max_mm_per_min
            rapid_speed = (settings.rapid_mm_per_min or 0.0) / 60.0
            section = None
            quick = True
            i.understood += 1
        commands += 1
        if f1 or f2:
            value = float(f2 or f1) * scale
            if value > 0.0:
                feed = value
                speed = min(value, feed_cap) / 60.0
                if value > feed_most:
                    mover.feed.note(line, value)
                    feed_most = value
        if ss:
            power = float(ss)
            if spinning and power > 0.0 and not power_low <= power <= power_high:
                mover.note_power(line, power)
                power_low, power_high = mover.power_low, mover.power.highest or 0.0
            if laser:
                cutting = spinning and power > 0.0
        de = 0.0
        if es:
            value = float(es) if direct else float(es) * scale
            if e_absolute:
                de = value - e
                e = value
            else:
                de = value
                e += value
            pushed += de
            if pushed > most:  # noqa: PLR1730 # a call of max() takes three times as long
                most = pushed
        if g:
            motion = g
        length = 0.0
        if xs or ys or zs:
            nx, ny, nz = x, y, z
            dx = dy = dz = 0.0
            if direct:
                if xs:
                    nx = float(xs)
                    dx = nx - x
                if ys:
                    ny = float(ys)
                    dy = ny - y
                if zs:
                    nz = float(zs)
                    dz = nz - z
            else:
                if relative:
                    if not printer:  # a relative file counts from where the tool stands
                        x = 0.0 if xs and isnan(x) else x
                        y = 0.0 if ys and isnan(y) else y
                        z = 0.0 if zs and isnan(z) else z
                    shift_x, shift_y, shift_z = x, y, z
                if xs:
                    nx = float(xs) * scale + shift_x
                    dx = 0.0 if isnan(nx) else nx - x
                if ys:
                    ny = float(ys) * scale + shift_y
                    dy = 0.0 if isnan(ny) else ny - y
                if zs:
                    nz = float(zs) * scale + shift_z
                    dz = 0.0 if isnan(nz) else nz - z
            rapid = motion == "0"
            if de > 0.0 if printer else cutting and not rapid:
                if not working:
                    working = True
                    if not (
                        in_order
                        and section is territory.section
                        and w0 <= x <= w1
                        and w2 <= y <= w3
                        and (z is wz or z == wz)
                    ):
                        mover.work_begins(line, x, y, z)
                        section = None
                if section is not territory.section:
                    section = territory.section
                    w0, w1, w2, w3, _, _ = section.work
                    t0, t1, t2, t3, _, _ = section.travel
                    wz = tz = nan
                if not (w0 <= nx <= w1 and w2 <= ny <= w3 and (nz is wz or nz == wz)):
                    territory.grow(line, nx, ny, nz, True)
                    w0, w1, w2, w3, _, _ = territory.section.work
                    wz = nz
                double = work_a2
            else:
                working = False
                if section is not territory.section:
                    section = territory.section
                    w0, w1, w2, w3, _, _ = section.work
                    t0, t1, t2, t3, _, _ = section.travel
                    wz = tz = nan
                if not (t0 <= nx <= t1 and t2 <= ny <= t3 and (nz is tz or nz == tz)):
                    territory.grow(line, nx, ny, nz, False)
                    t0, t1, t2, t3, _, _ = section.travel
                    tz = nz
                double = travel_a2
            if saw is not None:
                saw(line, x, y, nx, ny, nz, working)
            length = sqrt(dx * dx + dy * dy + dz * dz)
            x = nx
            y = ny
            z = nz
        if length > SHORTEST_MM:
            if plen:
                ratio = length / plen
                change = abs(dx - pdx * ratio)
                change_y = abs(dy - pdy * ratio)
                if change_y > change:  # noqa: PLR1730 # as above
                    change = change_y
                if dz or pdz:
                    change = max(change, abs(dz - pdz * ratio))
                entry2 = (
                    jerk2 * (length / change) ** 2 if change > SAME_WAY * length else ANY_SPEED2
                )
            else:
                entry2 = stand2
            own = rapid_speed if rapid and rapid_speed else speed
            if dz:
                own, double = mover.with_z(own, double, abs(dz) / length)
                if dz < 0.0 and spinning and not rapid:
                    mover.cuts_down = True
            append((length, own, own * own, entry2, double, commands))
            pdx = dx
            pdy = dy
            pdz = dz
            plen = length
        elif de:
            own = min(speed, settings.retract_feed_max_mm_per_min / 60.0)
            retract_a2 = 2.0 * settings.retract_acceleration
            append((abs(de), own, own * own, stand2, retract_a2, commands))
            plen = 0.0
    if quick:
        state.set_hot((
            x, y, z, e, motion, feed, speed, power, pushed, most, working, commands,
            pdx, pdy, pdz, plen,
        ))  # fmt: skip
    i.line = line


def _rebuilt(*found: str) -> str:
    """Return a line with the words that the pattern found; of two F words the last holds."""
    g, f1, x, y, z, e, s, f2 = found
    words = {"G": g, "X": x, "Y": y, "Z": z, "E": e, "S": s, "F": f2 or f1}
    return " ".join(letter + value for letter, value in words.items() if value)
