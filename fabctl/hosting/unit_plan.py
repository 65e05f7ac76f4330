"""Which systemd units a computer of the lab runs. Pure; ``fabctl units`` prints it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from fabctl.config import LabConfig
from fabctl.config_broker import is_loopback

DESK_UNITS = ("fabctl-steward.service", "fabctl-web.service", "fabctl-backup.timer")
"""What a lab has once: on the computer that the desk is on."""
NEEDS_NETWORK = "octoprint"
"""The driver that reaches its machine over HTTP."""


@dataclass(frozen=True, slots=True)
class PlannedUnit:
    """One unit."""

    name: str
    network: bool = False
    """More than this computer: a machine's unit is closed to the network otherwise."""


def units_of(config: LabConfig, host: str, *, desk: bool) -> list[PlannedUnit]:
    """Return the units of one computer, in the order in which they are started.

    :param desk: web, steward and backup run here too.
    """
    here = [machine for machine in config.machines.values() if machine.host == host]
    broker = urlsplit(config.broker.url or "").hostname
    far_broker = broker is not None and not is_loopback(broker)
    return [
        *(
            PlannedUnit(f"fabctl-interlock@{one.id}.service")
            for one in here
            if one.id in config.interlocks
        ),
        *(
            PlannedUnit(
                f"fabctl-machine@{one.id}.service",
                far_broker or one.driver == NEEDS_NETWORK or "://" in (one.port or ""),
            )
            for one in here
        ),
        *(PlannedUnit(name, network=True) for name in DESK_UNITS if desk),
    ]
