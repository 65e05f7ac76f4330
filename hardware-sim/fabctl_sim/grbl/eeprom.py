"""What survives a power cycle: settings, offsets, start-up lines, the build's text."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from fabctl_sim.grbl.words import CodeError

Number = int | float

DEFAULTS: dict[int, Number] = {
    0: 10, 1: 25, 2: 0, 3: 0, 4: 0, 5: 0, 6: 0,
    10: 1, 11: 0.010, 12: 0.002, 13: 0,
    20: 0, 21: 0, 22: 0, 23: 0, 24: 25.0, 25: 500.0, 26: 250, 27: 1.0,
    30: 1000.0, 31: 0.0, 32: 0,
    100: 250.0, 101: 250.0, 102: 250.0,
    110: 1000.0, 111: 1000.0, 112: 1000.0,
    120: 200.0, 121: 200.0, 122: 200.0,
    130: 200.0, 131: 200.0, 132: 200.0,
}  # fmt: skip
"""settings.md's example print-out, with faster axes: 1000 mm/min and 200 mm/s² (a small mill)."""

_RATES = (30, 31)
COORDINATES = ("G54", "G55", "G56", "G57", "G58", "G59", "G28", "G30")
STARTUP_LINES = 2


@dataclass
class Eeprom:
    """The stored values; every writer returns how many bytes of the memory changed."""

    settings: dict[int, Number] = field(default_factory=lambda: dict(DEFAULTS))
    places: dict[str, list[float]] = field(
        default_factory=lambda: {name: [0.0, 0.0, 0.0] for name in COORDINATES}
    )
    startup: list[str] = field(default_factory=lambda: [""] * STARTUP_LINES)
    build: str = ""

    def axis(self, base: int) -> tuple[float, float, float]:
        """Return three settings that follow each other, such as ``$110`` to ``$112``."""
        s = self.settings
        return float(s[base]), float(s[base + 1]), float(s[base + 2])

    def on(self, number: int) -> bool:
        """Whether a boolean setting is set."""
        return bool(self.settings[number])

    def shown(self, number: int) -> str:
        """Return a setting as ``$$`` prints it."""
        value = self.settings[number]
        if isinstance(value, int):
            return str(value)
        return f"{value:.0f}" if number in _RATES else f"{value:.3f}"

    def set(self, number: int, value: float) -> int:
        """Store a setting.

        :raises CodeError: 3 no such setting, 4 negative, 6, 10 and 17 see interface.md.
        """
        if number not in self.settings:
            raise CodeError(3)
        if value < 0:
            raise CodeError(4)
        if number == 0 and value < 3:
            raise CodeError(6)
        if number == 20 and value and not self.on(22):
            raise CodeError(10)
        old = self.settings[number]
        self.settings[number] = self._typed(number, value)
        if number == 22 and not value:
            self.settings[20] = 0
        return _changed(_float(old), _float(self.settings[number]))

    def _typed(self, number: int, value: float) -> Number:
        if not isinstance(DEFAULTS[number], int):
            return value
        if number in {4, 5, 6, 13, 20, 21, 22, 32}:
            return int(bool(value))
        return int(value)

    def place(self, name: str, values: list[float]) -> int:
        """Store an offset or a position."""
        old, self.places[name] = self.places[name], list(values)
        return _changed(_floats(old), _floats(values))

    def line(self, number: int, text: str) -> int:
        """Store a start-up line."""
        old, self.startup[number] = self.startup[number], text
        return _changed(old.encode("latin-1"), text.encode("latin-1"))

    def note(self, text: str) -> int:
        """Store the build's text (``$I=``)."""
        old, self.build = self.build, text
        return _changed(old.encode("latin-1"), text.encode("latin-1"))

    def restore(self, what: str) -> int:
        """Back to the defaults: ``$`` settings, ``#`` places, ``*`` everything."""
        changed = 0
        if what in "$*":
            for number, value in DEFAULTS.items():
                changed += _changed(_float(self.settings[number]), _float(value))
            self.settings = dict(DEFAULTS)
        if what in "#*":
            changed += sum(self.place(name, [0.0, 0.0, 0.0]) for name in COORDINATES)
        if what == "*":
            changed += sum(self.line(n, "") for n in range(STARTUP_LINES)) + self.note("")
        return changed


def _float(value: float) -> bytes:
    return struct.pack("<f", value)


def _floats(values: list[float]) -> bytes:
    return struct.pack("<3f", *values)


def _changed(old: bytes, new: bytes) -> int:
    """Bytes that differ, and one of checksum; nothing is written when nothing changed."""
    size = max(len(old), len(new))
    pairs = zip(old.ljust(size, b"\0"), new.ljust(size, b"\0"), strict=True)
    different = sum(a != b for a, b in pairs)
    return different + 1 if different else 0
