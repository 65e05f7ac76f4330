"""What a machine with a driver usually is, where nobody said: one place for every command and file.

Sources: Marlin ``Configuration.h`` (``BAUDRATE 250000``), Grbl ``grbl/config.h`` (``BAUD_RATE
115200``; grblHAL and FluidNC the same).
"""

from __future__ import annotations

from collections.abc import Mapping

from fabctl.ports import MachineKind

_BAUD: Mapping[str, int] = {"marlin": 250_000, "grbl": 115_200}
_OTHER_BAUD = 115_200
KINDS: Mapping[str, MachineKind] = {"grbl": MachineKind.MILL}
"""What a machine with a driver is for ``fabctl stream``; every other one is a printer."""

IF_LOCKED: Mapping[str, str] = {
    "grbl": "let fabctl do it: --option when_locked=home (or unlock); where the board locks because"
    " it resets whenever its port opens, add --option keep_running=true; or do it by hand in"
    " `fabctl terminal` ($H or $X)"
}
"""What to do about a machine that is found locked, where there is no lab and no screen."""


def usual_baud(driver: str) -> int:
    """Return the bits per second that a driver's firmware is built with."""
    return _BAUD.get(driver, _OTHER_BAUD)
