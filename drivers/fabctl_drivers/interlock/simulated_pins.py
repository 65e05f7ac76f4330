"""gpiozero pins over a simulated cabinet: a file in memory that the cabinet's process maps too.

A level stays when this process dies, as a Raspberry Pi's does. The file's layout is described here
and once more in the simulator, which shares nothing with us; a test holds the two together.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import time
from pathlib import Path
from typing import Any

from gpiozero import (  # type: ignore[import-untyped]  # it has no types
    PinFixedPull,
    PinInvalidFunction,
    PinSetInput,
)
from gpiozero.pins.pi import PiFactory, PiPin  # type: ignore[import-untyped]  # the same

BOARD = 0xC03111
"""A Raspberry Pi 4B: what the cabinet's pins are numbered like (gpiozero, pins/data.py)."""
MAGIC = b"FABCAB1\n"
SIZE = 1024
BEAT, CHIP, WAITS = 8, 24, 32
ARRIVES, DRIVEN, WRITE_FAILS, EDGES, CHANGED = 64, 128, 192, 256, 512
LOW, HIGH, FLOATING, NOISE, READ_FAILS = 0, 1, 2, 3, 255
NOT_DRIVEN = 255
_DEAD_AFTER_NS = 2_000_000_000
"""A cabinet that has not turned for so long is gone, and what its pins show means nothing."""
_NOISE_NS = 1_000
"""For so long an input that rings keeps its level."""


class SimulatedFactory(PiFactory):  # type: ignore[misc]  # gpiozero has no types
    """Pins of one cabinet.

    :param path: the file.
    :raises OSError: there is no cabinet, none that runs, or another process has its pins.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.pin_class = SimulatedPin
        self._file = path.open("r+b")
        try:
            self._take(path)
            self._map = mmap.mmap(self._file.fileno(), SIZE)
        except OSError:
            self._file.close()
            raise
        whole = memoryview(self._map)
        self.bytes = whole
        self.beat = whole[BEAT : BEAT + 8].cast("Q")
        self.waits = whole[WAITS : WAITS + 8].cast("Q")
        self.edges = whole[EDGES:CHANGED].cast("I")
        self.changed = whole[CHANGED:SIZE].cast("Q")
        try:
            self.check()
        except OSError:
            self.close()
            raise

    def _take(self, path: Path) -> None:
        """Have the pins for this process alone, as the kernel gives a GPIO line to one only."""
        if os.fstat(self._file.fileno()).st_size != SIZE or self._file.read(8) != MAGIC:
            raise OSError(errno.EINVAL, f"{path} is no cabinet's file")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OSError(errno.EBUSY, "another process has these pins") from None

    def close(self) -> None:
        """Let go of every pin and of the file; nothing more can be read or written."""
        if self._file.closed:
            return
        super().close()
        for view in (self.beat, self.waits, self.edges, self.changed, self.bytes):
            view.release()
        self._map.close()
        self._file.close()

    def check(self) -> int:
        """Return CLOCK_MONOTONIC in ns, if there is a chip to ask; it may take its time.

        :raises OSError: the chip has vanished, or the cabinet's process has ended.
        """
        now = time.monotonic_ns()
        if self.waits[0] > now:
            time.sleep((self.waits[0] - now) * 1e-9)
            now = time.monotonic_ns()
        if not self.bytes[CHIP]:
            raise OSError(errno.ENODEV, "the GPIO chip has vanished")
        if now - self.beat[0] > _DEAD_AFTER_NS:
            raise OSError(errno.ENODEV, "the simulated cabinet does not run")
        return now

    def _get_revision(self) -> int:
        return BOARD

    @staticmethod
    def ticks() -> float:
        """Return the monotonic clock, s."""
        return time.monotonic()

    @staticmethod
    def ticks_diff(later: float, earlier: float) -> float:
        """Return the seconds between two ticks."""
        return later - earlier


class SimulatedPin(PiPin):  # type: ignore[misc]  # gpiozero has no types
    """One pin: an input without a resistor until told otherwise."""

    def __init__(self, factory: SimulatedFactory, info: Any) -> None:
        super().__init__(factory, info)
        self._pull = "floating"
        self._at = ARRIVES + self._number
        self._set_function("input")

    def close(self) -> None:
        """Let go of it: an output is driven no longer.

        :raises OSError: the chip has vanished; the level stays.
        """
        self._factory.check()
        self._set_function("input")

    def _get_function(self) -> str:
        driven = self._factory.bytes[DRIVEN + self._number]
        return "input" if driven == NOT_DRIVEN else "output"

    def _set_function(self, value: str) -> None:
        if value == "input":
            self._drive(NOT_DRIVEN)
        elif value == "output":
            self._drive(LOW)
        else:
            raise PinInvalidFunction(f"invalid function {value!r} for pin {self!r}")

    def _get_state(self) -> int:
        factory: SimulatedFactory = self._factory
        driven: int = factory.bytes[DRIVEN + self._number]
        now = factory.check()
        if driven != NOT_DRIVEN:
            return driven
        level: int = factory.bytes[self._at]
        if level <= HIGH:
            return level
        if level == READ_FAILS:
            raise OSError(errno.EIO, "this pin cannot be read")
        if level == FLOATING and self._pull != "floating":
            return HIGH if self._pull == "up" else LOW
        return now // _NOISE_NS * 0x9E3779B1 >> 16 & 1  # high and low without an order

    def _set_state(self, value: int) -> None:
        factory: SimulatedFactory = self._factory
        factory.check()
        if factory.bytes[WRITE_FAILS + self._number]:
            raise OSError(errno.EIO, "this pin cannot be written")
        if factory.bytes[DRIVEN + self._number] == NOT_DRIVEN:
            raise PinSetInput(f"cannot set state of pin {self!r}")
        self._drive(HIGH if value else LOW)

    def _drive(self, level: int) -> None:
        """Change what this pin drives: stamp, level, count, in this order."""
        factory: SimulatedFactory = self._factory
        before = factory.bytes[DRIVEN + self._number]
        if level == before:
            return
        factory.changed[self._number] = time.monotonic_ns()
        factory.bytes[DRIVEN + self._number] = level
        if (level == HIGH) != (before == HIGH):
            factory.edges[self._number] = (factory.edges[self._number] + 1) % 2**32

    def _get_pull(self) -> str:
        return self._pull

    def _set_pull(self, value: str) -> None:
        if self._get_function() != "input":
            raise PinFixedPull(f"cannot set pull on non-input pin {self!r}")
        if self.info.pull not in (value, ""):
            raise PinFixedPull(f"{self!r} has a physical pull-{self.info.pull} resistor")
        self._pull = value
