"""Finding a driver by its name: the entry-point group ``fabctl.drivers``, and nothing else."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import cast

from fabctl.clock import Clock
from fabctl.errors import InputError
from fabctl.ports import Driver, DriverFactory, MachineProfile


def make_driver(profile: MachineProfile, clock: Clock) -> Driver:
    """Return a closed driver for this machine.

    :raises InputError: no such driver, it cannot be imported, or it cannot use the profile.
    """
    found = list(entry_points(group="fabctl.drivers", name=profile.driver))
    if not found:
        raise InputError(
            f"no driver is called {profile.driver!r}",
            device=profile.id,
            next_step="install the package that brings it, or correct lab.toml",
        )
    try:
        factory = cast("DriverFactory", found[0].load())
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"the driver {profile.driver!r} ({found[0].value}) cannot be loaded: {error}",
            device=profile.id,
        ) from error
    return factory(profile, clock)
