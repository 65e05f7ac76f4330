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
    return find_factory(profile.driver, profile.id)(profile, clock)


def find_factory(driver: str, machine: str) -> DriverFactory:
    """Return what makes drivers of this name.

    :param machine: for whom, for the errors.
    :raises InputError: there is no such driver, or it cannot be imported.
    """
    value = entry_points(DRIVERS).get(driver) or all_entry_points(DRIVERS).get(driver)
    if value is None:
        raise InputError(
            f"no driver is called {driver!r}",
            device=machine,
            next_step="install the package that brings it, or correct lab.toml",
        )
    try:
        return cast("DriverFactory", load(value))
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"the driver {driver!r} ({value}) cannot be loaded: {error}", device=machine
        ) from error
