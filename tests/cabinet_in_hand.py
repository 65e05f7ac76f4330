"""A simulated cabinet in this process, whose clock and whose lines a test has in its hand."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from fabctl_sim.interlock_box.cabinet import Cabinet
from fabctl_sim.interlock_box.layout import Level, Memory
from fabctl_sim.interlock_box.panel import Panel
from fabctl_sim.interlock_box.wiring import Role, wired

K1, K2 = 17, 27


class Bench:
    """A cabinet, its panel, and a hand on the lines; the clock goes in steps of 1 ms."""

    def __init__(self, file: Path, profile: str = "laser", *changes: str) -> None:
        self.now = 100.0
        self.file = file
        self.cabinet = Cabinet(wired(profile, changes), Memory(file), lambda: self.now)
        self.panel = Panel(self.cabinet)

    def drive(self, pin: int, level: int) -> None:
        """Write one output as a controller does: stamp, level, count."""
        with self.file.open("r+b") as file:
            content = bytearray(file.read())
            (count,) = struct.unpack_from("I", content, 256 + 4 * pin)
            file.seek(512 + 8 * pin)
            file.write(struct.pack("Q", round(self.now * 1e9)))
            file.seek(128 + pin)
            file.write(bytes([level]))
            file.seek(256 + 4 * pin)
            file.write(struct.pack("I", count + 1))

    def arrives(self, role: Role) -> Level:
        """Return what the controller's pin of a role gets."""
        content = self.file.read_bytes()
        return Level(content[64 + self.cabinet.wiring.inputs[role].pin])

    def wait(self, seconds: float, *, pulse_s: float = 0.0, level: int = 0) -> int:
        """Let time pass, with K1's line toggled every ``pulse_s``; return its last level."""
        toggle = self.now
        for _ in range(round(seconds * 1000)):
            if pulse_s and self.now >= toggle:
                level = 1 - level
                self.drive(K1, level)
                toggle += pulse_s
            self.cabinet.advance(self.now)
            self.now = round(self.now + 0.001, 6)
        self.cabinet.advance(self.now)
        return level

    def ask(self, command: str, **details: object) -> dict[str, Any]:
        return self.panel.answer({"cmd": command, **details})

    def changes(self, role: str) -> list[tuple[float, str]]:
        events = self.cabinet.journal.since(1)
        return [(e["t"], e["level"]) for e in events if e.get("role") == role][1:]
