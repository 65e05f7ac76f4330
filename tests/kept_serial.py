"""A serial port that keeps what came while it was being opened."""

from __future__ import annotations

import serial


class KeptSerial(serial.Serial):
    """pyserial throws away at opening what has arrived by then.

    A board takes a second to start, and says hello after that; a stand-in that starts in no time
    may have said it by then.
    """

    def _reset_input_buffer(self) -> None:
        """Keep it."""
