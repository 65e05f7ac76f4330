"""Moves: where they lead, whether they extrude or cut, how long they take."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from fabctl.gcode.arcs import Arc, arc_around, centre_from_radius, circle_fits, way_along
from fabctl.gcode.boxes import Territory
from fabctl.gcode.lines import Words
from fabctl.gcode.motion import MotionSettings, Planner, junction_speed2
from fabctl.gcode.problems import Problems
from fabctl.gcode.state import State
from fabctl.gcode.watching import Vector, Watcher, show_arc
from fabctl.model.texts import text
from fabctl.ports import Limits, MachineKind

_PLANES = {"17": (0, 1, 2, "I", "J"), "18": (2, 0, 1, "K", "I"), "19": (1, 2, 0, "J", "K")}
"""Per plane: its two axes, the axis across (0 to 2), and the letters of the centre's offsets."""
SHORTEST_MM = 1e-9
"""Moves up to this length are rounding: they take no time."""


@dataclass(slots=True)
class Peak:
    """The highest value seen, and the first line above the limit."""

    limit: float | None
    highest: float | None = None
    first_line: int | None = None

    def note(self, line: int, value: float) -> None:
        """Take a value into account."""
        if self.highest is None or value > self.highest:
            self.highest = value
        if self.first_line is None and self.limit is not None and value > self.limit * 1.0001:
            self.first_line = line


class Mover:
    """Carries out moves on a :class:`State`; the hot loop does plain ones itself."""

    def __init__(
        self, state: State, territory: Territory, problems: Problems, kind: MachineKind,
        limits: Limits, settings: MotionSettings, watch: Watcher | None = None,
    ) -> None:  # fmt: skip
        self.state = state
        self.territory = territory
        self.problems = problems
        self.printer = kind is MachineKind.PRINTER
        self._kind = kind
        self.watch = watch
        self.planner = Planner()
        self.settings = settings
        self.feed = Peak(limits.feed_max_mm_per_min)
        self.power = Peak(limits.power_max)
        self.power_low = math.inf
        self.cuts_down = False
        """A move with spindle or laser on changed Z."""

    def change_settings(self, **values: float) -> None:
        """Go on with other accelerations or speeds (M201, M203, M204, M205)."""
        self.settings = replace(self.settings, **values)
        self._set_speed()

    def set_feed(self, line: int, feed: float) -> None:
        """Take an F word in mm/min; it changes nothing unless it is above 0."""
        if feed > 0.0:
            self.state.feed = feed
            self.feed.note(line, feed)
            self._set_speed()

    def _set_speed(self) -> None:
        self.state.speed = min(self.state.feed, self.settings.feed_max_mm_per_min) / 60.0

    def set_power(self, line: int, power: float) -> None:
        """Take an S word of a spindle or laser."""
        self.state.power = power
        if power > 0.0 and self.state.spinning:
            self.note_power(line, power)

    def note_power(self, line: int, power: float) -> None:
        """Note a power above 0 that is switched on."""
        self.power.note(line, power)
        self.power_low = min(self.power_low, power)

    @property
    def cutting(self) -> bool:
        """Whether a feed move cuts now (mills and lasers)."""
        if self._kind is MachineKind.LASER:
            return self.state.spinning and self.state.power > 0.0
        return not self.printer

    @property
    def may_work(self) -> bool:
        """Whether nothing is to be said when extruding or cutting begins now."""
        if self.printer:
            return self.state.nozzle_c > 0.0
        return self._kind is not MachineKind.MILL or self.state.spinning

    def stop(self) -> None:
        """Come to a stand."""
        self.planner.stop()
        self.state.length = 0.0

    def work_begins(self, line: int, x: float, y: float, z: float) -> None:
        """Extruding or cutting starts here, after travel."""
        self.territory.grow(line, x, y, z, True)
        if self.may_work:
            return
        if self.printer and self.problems.first("cold-extrusion"):
            self.problems.warning(
                line,
                "cold-extrusion",
                text("Line {line}: the file extrudes before it heats the nozzle.", line=line),
            )
        if not self.printer and self.problems.first("spindle-off"):
            self.problems.warning(
                line,
                "spindle-off",
                text("Line {line}: the file cuts before it turns the spindle on.", line=line),
            )

    def target(self, words: Words, *, machine: bool = False) -> Vector:
        """Return where the X, Y and Z words lead, mm."""
        s = self.state
        x, y, z = words.number("X"), words.number("Y"), words.number("Z")
        if s.absolute or machine:
            shift = (0.0, 0.0, 0.0) if machine else (s.offset_x, s.offset_y, s.offset_z)
        else:
            if not self.printer:
                self._begin_at_zero(words)
            shift = (s.x, s.y, s.z)
        return (
            s.x if x is None else x * s.scale + shift[0],
            s.y if y is None else y * s.scale + shift[1],
            s.z if z is None else z * s.scale + shift[2],
        )

    def _begin_at_zero(self, words: Words) -> None:
        """A mill's relative file counts from where the tool stands."""
        s = self.state
        s.x = 0.0 if "X" in words and math.isnan(s.x) else s.x
        s.y = 0.0 if "Y" in words and math.isnan(s.y) else s.y
        s.z = 0.0 if "Z" in words and math.isnan(s.z) else s.z

    def extrude(self, word: float | None) -> float:
        """Take an E word; return the mm of filament pushed (negative: pulled back)."""
        if word is None:
            return 0.0
        s = self.state
        value = word * s.scale
        pushed = value - s.e if s.e_absolute else value
        s.e = value if s.e_absolute else s.e + value
        s.pushed += pushed
        s.most_pushed = max(s.most_pushed, s.pushed)
        return pushed

    def go(self, line: int, end: Vector, pushed: float, *, rapid: bool, moves: bool) -> None:
        """Move in a straight line; ``moves`` False: only the extruder does."""
        s = self.state
        start = (s.x, s.y, s.z)
        work = moves and self._works(pushed, rapid)
        if moves:
            if work and not s.working:
                self.work_begins(line, *start)
            s.working = work
            self.territory.grow(line, *end, work)
            if self.watch is not None:
                self.watch.saw(line, s.x, s.y, *end, work)
        # An axis that stays unknown does not move; how far one moves that becomes known is unknown.
        vector = (_way(start[0], end[0]), _way(start[1], end[1]), _way(start[2], end[2]))
        length = math.sqrt(vector[0] ** 2 + vector[1] ** 2 + vector[2] ** 2)
        self._note_depth(vector[2], rapid)
        if length > SHORTEST_MM:
            self._plan(length, vector, vector, work=work, rapid=rapid)
        elif pushed:
            self._plan_extruder(abs(pushed))
        s.x, s.y, s.z = end

    def _works(self, pushed: float, rapid: bool) -> bool:
        return pushed > 0.0 if self.printer else self.cutting and not rapid

    def _note_depth(self, rise: float, rapid: bool) -> None:
        if rise < 0.0 and not rapid and self.state.spinning:
            self.cuts_down = True

    def arc(self, line: int, words: Words, *, clockwise: bool) -> None:
        """Move along G2 or G3 in the chosen plane, with a height change across it."""
        s = self.state
        end = self.target(words)
        start = (s.x, s.y, s.z)
        pushed = self.extrude(words.number("E"))
        self.follow(line, self._curve(start, end, words, clockwise), end, pushed)

    def follow(self, line: int, curve: Arc | None, end: Vector, pushed: float) -> None:
        """Move along an arc to ``end``; None: there is none, or its start is unknown."""
        s = self.state
        start = (s.x, s.y, s.z)
        work = self._works(pushed, rapid=False)
        if work and not s.working:
            self.work_begins(line, *start)
        s.working = work
        self.territory.grow(line, *end, work)
        if curve is not None:
            self._along_arc(line, curve, start, end, work)
        elif not any(math.isnan(v) for v in (*start, *end)):
            self._bad_arc(line)
        s.x, s.y, s.z = end

    def _bad_arc(self, line: int) -> None:
        message = text("Line {line}: no circle fits this arc's start, end and centre.", line=line)
        self.problems.error(line, "bad-arc", message)

    def _curve(self, start: Vector, end: Vector, words: Words, clockwise: bool) -> Arc | None:
        """Return the arc in its plane; None where there is none or the start is unknown."""
        a, b, _, letter_i, letter_j = _PLANES[self.state.plane]
        here, there = (start[a], start[b]), (end[a], end[b])
        if math.isnan(sum(here) + sum(there)):
            return None
        scale = self.state.scale
        radius = words.number("R")
        turns = max(0, int(words.number("P") or 0))
        if radius is not None:
            middle = centre_from_radius(here, there, radius * scale, clockwise)
            return arc_around(here, there, middle, clockwise, turns) if middle else None
        if letter_i not in words and letter_j not in words:
            return None
        i, j = (words.number(letter_i) or 0.0) * scale, (words.number(letter_j) or 0.0) * scale
        centre = (i, j) if self.state.arc_absolute else (here[0] + i, here[1] + j)
        return circle_fits(here, there, centre, clockwise, turns)

    def _along_arc(self, line: int, curve: Arc, start: Vector, end: Vector, work: bool) -> None:
        a, b, c, _, _ = _PLANES[self.state.plane]
        if self.watch is not None:
            show_arc(self.watch, line, curve, start, end, work, flat=self.state.plane == "17")
        if not self.territory.knows(a, b, curve.centre, curve.radius, work):
            low_a, high_a, low_b, high_b = curve.box()
            for corner in ((low_a, low_b), (high_a, high_b)):
                point = [math.nan] * 3
                point[a], point[b] = corner
                self.territory.grow(line, point[0], point[1], point[2], work)
        rise = end[c] - start[c]
        if rise != rise:  # noqa: PLR0124 # NaN: the height is unknown
            rise = 0.0
        flat = curve.length
        length = math.hypot(flat, rise)
        if length > SHORTEST_MM:
            leaving, arriving = (way_along(curve, part, rise, c) for part in (0.0, 1.0))
            self._plan(length, leaving, arriving, work=work, rapid=False)

    def _plan(
        self, length: float, leaving: Vector, arriving: Vector, *, work: bool, rapid: bool
    ) -> None:
        """Add a move's time; ``leaving`` and ``arriving`` point along it, of its length."""
        s, settings = self.state, self.settings
        speed = s.speed
        if s.inverse_time:
            speed = min(length * s.feed / 60.0, settings.feed_max_mm_per_min / 60.0)
        if rapid and settings.rapid_mm_per_min is not None:
            speed = settings.rapid_mm_per_min / 60.0
        acceleration = settings.acceleration if work else settings.travel_acceleration
        speed, double = self.with_z(speed, 2.0 * acceleration, abs(leaving[2]) / length)
        entry2 = settings.retract_jerk**2
        if s.length > 0.0:
            before = (s.dx / s.length, s.dy / s.length, s.dz / s.length)
            after = (leaving[0] / length, leaving[1] / length, leaving[2] / length)
            entry2 = junction_speed2(before, after, settings.jerk)
        if speed > 0.0:
            self.planner.batch.append(
                (length, speed, speed * speed, entry2, double, self.state.commands)
            )
            s.dx, s.dy, s.dz = arriving
            s.length = length

    def with_z(self, speed: float, double: float, share: float) -> tuple[float, float]:
        """Return speed and twice the acceleration, held to what Z can do on its share of a move."""
        if share <= 0.0:
            return speed, double
        settings = self.settings
        return (
            min(speed, settings.z_feed_max_mm_per_min / 60.0 / share),
            min(double, 2.0 * settings.z_acceleration / share),
        )

    def _plan_extruder(self, length: float) -> None:
        settings = self.settings
        speed = min(self.state.speed, settings.retract_feed_max_mm_per_min / 60.0)
        if speed <= 0.0:
            return
        entry2 = settings.retract_jerk**2
        double = 2.0 * settings.retract_acceleration
        self.planner.batch.append(
            (length, speed, speed * speed, entry2, double, self.state.commands)
        )
        self.state.length = 0.0


def _way(start: float, end: float) -> float:
    return 0.0 if math.isnan(end) else end - start
