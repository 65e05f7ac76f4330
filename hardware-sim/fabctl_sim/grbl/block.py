"""One line of G-code, read and checked against the modes before anything happens."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from fabctl_sim.grbl import arcs
from fabctl_sim.grbl.modes import AXES, GROUPS, INCH_MM, PLANES, PROBES, USES_AXES, Modes
from fabctl_sim.grbl.words import CodeError, words

_VALUES = frozenset("FIJKLNPRSTXYZ")
_NEVER_NEGATIVE = frozenset("FNPST")
_JOG_CODES = frozenset({"G20", "G21", "G90", "G91", "G53"})
_WHOLE = frozenset(code.partition(".")[0] for code in GROUPS)
_MOST_LINE, _MOST_TOOL = 9_999_999, 255
Places = dict[str, list[float]]


@dataclass
class Block:
    """What a line asks for; ``modes`` is as it will be, ``target`` in machine mm."""

    text: str
    codes: dict[str, str]
    values: dict[str, float]
    modes: Modes
    asks: str = ""
    jog: bool = False
    target: list[float] = field(default_factory=list)
    arc: arcs.Arc | None = None
    once: str = ""
    unused: set[str] = field(default_factory=set)

    @property
    def axes(self) -> list[int]:
        """Indexes of the axis words."""
        return [index for index, letter in enumerate(AXES) if letter in self.values]

    def need(self, *letters: str) -> None:
        """Use value words that must be there.

        :raises CodeError: 28 one is missing.
        """
        if any(letter not in self.values for letter in letters):
            raise CodeError(28)
        self.unused -= set(letters)


def offset(modes: Modes, places: Places) -> list[float]:
    """Return machine minus work position per axis (interface.md, WCO)."""
    base = places[modes.coordinates]
    tool = (0.0, 0.0, modes.tool_offset)
    return [b + s + t for b, s, t in zip(base, modes.shift, tool, strict=True)]


def read(text: str, modes: Modes, places: Places, *, mist: bool, jog: bool = False) -> Block:
    """Read one stripped line.

    :raises CodeError: as interface.md lists; nothing has changed then.
    """
    block = _collected(text, modes, mist=mist, jog=jog)
    _modal(block, modes)
    _feed(block, modes)
    _tool_length(block)
    if block.axes and block.asks in ("motion", "once"):
        _target(block, modes, places)
    if block.once:
        _check_once(block)
    _check_motion(block, modes)
    if block.asks:
        block.unused -= set(AXES)
    if block.unused:
        raise CodeError(36)
    return block


def _collected(text: str, modes: Modes, *, mist: bool, jog: bool) -> Block:
    """Sort the words into codes by group and values by letter."""
    block = Block(text, {}, {}, replace(modes, shift=list(modes.shift)), jog=jog)
    for letter, number in words(text):
        if letter in "GM":
            _take_code(block, _code(letter, number), mist=mist)
        elif letter not in _VALUES:
            raise CodeError(20)
        elif letter in block.values:
            raise CodeError(25)
        elif number < 0 and letter in _NEVER_NEGATIVE:
            raise CodeError(4)
        elif letter == "T" and number > _MOST_TOOL:
            raise CodeError(38)
        else:
            block.values[letter] = number
    block.unused = set(block.values) - set("FNST")
    if block.values.get("N", 0) > _MOST_LINE:
        raise CodeError(27)
    if jog:
        _check_jog(block)
    if block.axes and not block.asks:
        block.asks = "motion"
    return block


def _code(letter: str, number: float) -> str:
    code = f"{letter}{number:g}"
    if code in GROUPS:
        return code
    fraction = number != int(number)
    raise CodeError(23 if fraction and (letter == "M" or f"G{int(number)}" in _WHOLE) else 20)


def _take_code(block: Block, code: str, *, mist: bool) -> None:
    if code == "M7" and not mist:
        raise CodeError(20)
    if code in USES_AXES:
        if block.asks:
            raise CodeError(24)
        block.asks = USES_AXES[code]
    group = GROUPS[code]
    if group in block.codes:
        raise CodeError(21)
    block.codes[group] = code
    if group == "once":
        block.once = code


def _check_jog(block: Block) -> None:
    """jogging.md: only some codes, an axis and a feed; G1 in units per minute."""
    if not set(block.codes.values()) <= _JOG_CODES or set(block.values) - set("XYZFN"):
        raise CodeError(16)
    if not block.axes:
        raise CodeError(26)
    if "F" not in block.values:
        raise CodeError(22)
    block.asks = "motion"
    block.codes["motion"] = "G1"
    block.codes["feed"] = "G94"


def _modal(block: Block, modes: Modes) -> None:
    new, codes = block.modes, block.codes
    new.motion = codes.get("motion", modes.motion)
    new.plane = codes.get("plane", modes.plane)
    new.distance = codes.get("distance", modes.distance)
    new.units = codes.get("units", modes.units)
    new.feed_mode = codes.get("feed", modes.feed_mode)
    new.coordinates = codes.get("coordinates", modes.coordinates)
    new.spindle = codes.get("spindle", modes.spindle)
    coolant = codes.get("coolant")
    if coolant == "M9":
        new.flood = new.mist = False
    elif coolant:
        new.flood, new.mist = new.flood or coolant == "M8", new.mist or coolant == "M7"
    if "S" in block.values:
        new.speed = block.values["S"]
    if "T" in block.values:
        new.tool = int(block.values["T"])


def _feed(block: Block, modes: Modes) -> None:
    """F in the unit in force; G93 wants one in every block that feeds, and keeps none."""
    new = block.modes
    given = block.values.get("F")
    if new.feed_mode == "G93":
        moves = block.asks == "motion" and new.motion not in ("G0", "G80")
        if moves and given is None:
            raise CodeError(22)
        new.feed = given or 0.0
    elif given is not None:
        new.feed = given * _unit(block)
    elif modes.feed_mode == "G93":
        new.feed = 0.0


def _unit(block: Block) -> float:
    return INCH_MM if block.modes.units == "G20" else 1.0


def _tool_length(block: Block) -> None:
    code = block.codes.get("tool length")
    if code == "G43.1":
        if block.axes != [2]:
            raise CodeError(37)
        block.modes.tool_offset = block.values["Z"] * _unit(block)
    elif code == "G49":
        block.modes.tool_offset = 0.0
    if code:
        block.modes.tool_length = code


def _target(block: Block, modes: Modes, places: Places) -> None:
    """Where the axis words lead, in machine mm."""
    wco = offset(block.modes, places)
    block.target = list(modes.position)
    for index in block.axes:
        value = block.values[AXES[index]] * _unit(block)
        if block.once == "G53":
            block.target[index] = value
        elif block.modes.distance == "G91":
            block.target[index] += value
        else:
            block.target[index] = value + wco[index]


def _check_once(block: Block) -> None:
    if block.once == "G4":
        block.need("P")
    elif block.once == "G10":
        _check_g10(block)
    elif block.once == "G92" and not block.axes:
        raise CodeError(26)
    elif block.once == "G53" and block.modes.motion not in ("G0", "G1"):
        raise CodeError(30)


def _check_g10(block: Block) -> None:
    if not block.axes:
        raise CodeError(26)
    block.need("P", "L")
    if block.values["P"] > 6:
        raise CodeError(29)
    if block.values["L"] not in (2, 20) or (block.values["L"] == 2 and "R" in block.values):
        raise CodeError(20)


def _check_motion(block: Block, modes: Modes) -> None:
    motion = block.modes.motion
    if motion == "G80":
        if block.axes and block.asks not in ("once", "tool length"):
            raise CodeError(31)
        if block.asks == "motion":
            block.asks = ""
        return
    if block.asks != "motion":
        return
    if motion != "G0" and block.modes.feed == 0.0:
        raise CodeError(22)
    if not block.axes:
        if motion in ("G0", "G1"):
            block.asks = ""
            return
        raise CodeError(26)
    if motion in ("G2", "G3"):
        _check_arc(block, modes)
    elif motion in PROBES and block.target == modes.position:
        raise CodeError(33)


def _check_arc(block: Block, modes: Modes) -> None:
    plane = PLANES[block.modes.plane]
    if not set(block.axes) & set(plane[:2]):
        raise CodeError(32)
    here = [modes.position[axis] for axis in plane]
    there = [block.target[axis] for axis in plane]
    clockwise = block.modes.motion == "G2"
    if "R" in block.values:
        block.need("R")
        radius = block.values["R"] * _unit(block)
        block.arc = arcs.by_radius(here, there, radius, clockwise=clockwise)
        return
    letters = ["IJK"[axis] for axis in plane[:2]]
    if not any(letter in block.values for letter in letters):
        raise CodeError(35)
    block.unused -= set("IJK")
    first, second = (block.values.get(letter, 0.0) * _unit(block) for letter in letters)
    block.arc = arcs.by_centre(here, there, (first, second), clockwise=clockwise)
