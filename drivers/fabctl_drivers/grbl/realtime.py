"""Real-time bytes: they use no buffer and no newline, and draw no ok. Pure.

Source: Grbl ``doc/markdown/commands.md``, "Grbl v1.1 Realtime commands".
"""

from __future__ import annotations

from typing import Final

STATUS: Final = b"?"
HOLD: Final = b"!"
GO_ON: Final = b"~"
RESET: Final = b"\x18"
DOOR: Final = b"\x84"
JOG_CANCEL: Final = b"\x85"
"""Acts only in state Jog."""

FEED_100, FEED_UP_10, FEED_DOWN_10, FEED_UP_1, FEED_DOWN_1 = (bytes([b]) for b in range(0x90, 0x95))
RAPID_100, RAPID_50, RAPID_25 = (bytes([b]) for b in range(0x95, 0x98))
SPINDLE_100, SPINDLE_UP_10, SPINDLE_DOWN_10, SPINDLE_UP_1, SPINDLE_DOWN_1 = (
    bytes([b]) for b in range(0x99, 0x9E)
)
SPINDLE_STOP: Final = b"\x9e"
"""Acts only in state Hold; the next ``~`` turns it on again."""
FLOOD, MIST = b"\xa0", b"\xa1"

TAKEN_OUT: Final = bytes([*range(0x09), 0x0B, *range(0x0E, 0x20), 0x21, 0x3F, *range(0x7E, 0x100)])
"""What a job's text must not hold: real-time bytes, control characters, all from 0x7E on."""
