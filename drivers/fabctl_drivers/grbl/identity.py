"""Who answers: Grbl, grblHAL or FluidNC, how much it buffers, and its settings. Pure.

Sources: Grbl ``doc/markdown/interface.md`` ("Welcome message", ``$I``: ``[VER:]``,
``[OPT:letters,blocks,bytes]``) and ``settings.md``; grblHAL ``report.c`` (``[FIRMWARE:grblHAL]``,
a line buffer of 256); FluidNC wiki, "Protocol" (``[VER:3.7 FluidNC v3.7.8:]``, no sizes in OPT).
"""

from __future__ import annotations

import re
from enum import StrEnum

from fabctl_drivers.grbl.counting import DEFAULT_BYTES

GRBL_LINE, LONG_LINE = 79, 255
"""Bytes of a line at most: the line buffer (80, 256) without its closing NUL."""


class Flavour(StrEnum):
    """The firmwares that speak Grbl's protocol."""

    GRBL = "Grbl"
    GRBLHAL = "grblHAL"
    FLUIDNC = "FluidNC"


_VERSION = re.compile(rb"\d+\.\d+\w*")
_FLUIDNC = re.compile(rb"FluidNC (v[\w.]+)")
_SETTING = re.compile(rb"\$(\d+)=\s*(-?[\d.]+)")


class Identity:
    """What the firmware told of itself since its last start."""

    def __init__(self) -> None:
        self.flavour = Flavour.GRBL
        self.version: str | None = None
        self.rx_bytes = DEFAULT_BYTES
        """Bytes that may be under way."""
        self.options = ""
        """The letters of ``[OPT:…]``."""
        self.settings: dict[int, float] = {}

    @property
    def name(self) -> str:
        """Firmware and version."""
        return f"{self.flavour} {self.version}" if self.version else self.flavour.value

    @property
    def longest_line(self) -> int:
        """Bytes of a line at most, its newline not counted."""
        return GRBL_LINE if self.flavour is Flavour.GRBL else LONG_LINE

    @property
    def laser_mode(self) -> bool:
        """Setting $32."""
        return self.settings.get(32, 0.0) == 1.0

    @property
    def capabilities(self) -> frozenset[str]:
        """What it has, by our names."""
        found = {"laser-mode"} if self.laser_mode else set()
        if self.settings.get(22, 0.0):
            found.add("homing")
        return frozenset(found)

    def hear_banner(self, text: bytes) -> None:
        """Take in the welcome message."""
        if fluidnc := _FLUIDNC.search(text):
            self.flavour, self.version = Flavour.FLUIDNC, fluidnc[1].decode("ascii")
        elif version := _VERSION.search(text):
            hal = b"grblhal" in text.lower()
            self.flavour = Flavour.GRBLHAL if hal else Flavour.GRBL
            self.version = version[0].decode("ascii")

    def hear(self, text: bytes) -> None:
        """Take in a line of the answers to ``$I`` and ``$$``; any other says nothing here."""
        if text.startswith(b"[VER:"):
            self._hear_version(text)
        elif text.startswith(b"[OPT:"):
            self._hear_options(text)
        elif text.startswith(b"[FIRMWARE:") and b"grblhal" in text.lower():
            self.flavour = Flavour.GRBLHAL
        elif (setting := _SETTING.match(text)) and setting[2].count(b".") <= 1:
            self.settings[int(setting[1])] = float(setting[2].strip(b".") or b"0")

    def _hear_version(self, text: bytes) -> None:
        if fluidnc := _FLUIDNC.search(text):
            self.flavour, self.version = Flavour.FLUIDNC, fluidnc[1].decode("ascii")
        elif self.flavour is not Flavour.FLUIDNC and (version := _VERSION.search(text)):
            self.version = version[0].decode("ascii")

    def _hear_options(self, text: bytes) -> None:
        letters, *sizes = text[5:].rstrip(b"]").decode("ascii", "replace").split(",")
        self.options = letters
        if len(sizes) >= 2 and sizes[1].isdecimal() and int(sizes[1]) >= 32:
            self.rx_bytes = int(sizes[1]) - 1
