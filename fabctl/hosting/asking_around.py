"""Which firmware answers at a port: asked by the drivers themselves, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fabctl.clock import Clock
from fabctl.errors import DeviceError
from fabctl.hosting.drivers import make_driver
from fabctl.ports import Connected, Driver, MachineKind, MachineProfile, Phase
from fabctl.units import Seconds
from fabctl.usual import KINDS

Way = tuple[str, int, float]
"""A driver, bits per second, and for how many s an answer is waited for: a board that was reset by
the opening says its first word after some seconds, a printer's later than a small Grbl board's."""
WAYS: Sequence[Way] = (
    ("grbl", 115_200, 5.0),
    ("marlin", 250_000, 12.0),
    ("marlin", 115_200, 12.0),
)
"""In the order in which they are tried. Grbl first: a Grbl would say ok to much of Marlin's."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a device said of itself."""

    driver: str
    baud: int
    firmware: str

    @property
    def kind(self) -> MachineKind:
        """What such a machine usually is."""
        return KINDS.get(self.driver, MachineKind.PRINTER)


def ask(
    port: str, clock: Clock, tried: Callable[[str], None], ways: Sequence[Way] = WAYS
) -> Answer | None:
    """Ask who is there; None: nobody that we know. The port is closed on return.

    A printer's heaters are commanded off by its driver before anything else.

    :param tried: told each way in words, before it is tried.
    :raises DeviceError: the port cannot be opened: in use, forbidden, gone.
    """
    for driver, baud, patience in ways:
        tried(f"{driver} at {baud}")
        profile = MachineProfile(
            "asked", "asked", KINDS.get(driver, MachineKind.PRINTER), driver, "here", port, baud
        )
        firmware = _firmware(make_driver(profile, clock), clock, Seconds(patience))
        if firmware is not None:
            return Answer(driver, baud, firmware)
    return None


def _firmware(driver: Driver, clock: Clock, patience: Seconds) -> str | None:
    driver.open()
    end = clock.monotonic() + patience
    try:
        while driver.phase is Phase.CONNECTING and clock.monotonic() < end:
            for event in driver.pump(Seconds(0.2)):
                if isinstance(event, Connected):
                    return event.firmware or "a firmware without a name"
    except DeviceError:
        return None  # the port went away under the question
    finally:
        driver.close()
    return None
