"""Finding a driver by its name: the entry-point group ``fabctl.drivers``, and nothing else."""

from __future__ import annotations

from typing import cast

from fabctl.clock import Clock
from fabctl.errors import InputError
from fabctl.installed import DRIVERS, all_entry_points, entry_points, load
from fabctl.ports import Driver, DriverFactory, MachineProfile


def make_driver(profile: MachineProfile, clock: Clock) -> Driver:
    """Return a closed driver for this machine.

    :raises InputError: no such driver, it cannot be imported, or it cannot use the profile.
    """
    value = entry_points(DRIVERS).get(profile.driver)
    value = value or all_entry_points(DRIVERS).get(profile.driver)
    if value is None:
        raise InputError(
            f"no driver is called {profile.driver!r}",
            device=profile.id,
            next_step="install the package that brings it, or correct lab.toml",
        )
    try:
        factory = cast("DriverFactory", load(value))
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"the driver {profile.driver!r} ({value}) cannot be loaded: {error}",
            device=profile.id,
        ) from error
    return factory(profile, clock)
