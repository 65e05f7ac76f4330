"""``[machines.ID]`` of ``lab.toml``: what each machine is, where it is wired, what it may do."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fabctl.config import Host
from fabctl.config_camera import camera_address
from fabctl.config_controller import controller
from fabctl.config_reader import NotAllowedError, Table, axis, number, one_of, text, whole
from fabctl.ports import Limits, MachineKind, MachineProfile, WorkArea
from fabctl.units import Celsius, MmPerMin
from fabctl.usual import usual_baud


def machines_of(
    top: Table, folder: Path, hosts: Mapping[str, Host], drivers: frozenset[str]
) -> dict[str, MachineProfile]:
    """Return every machine by its id.

    :param top: the whole file.
    :param folder: of lab.toml.
    :param drivers: the names of those that are installed.
    """
    machines: dict[str, MachineProfile] = {}
    takers: dict[tuple[str, str], str] = {}
    for name, table in top.tables("machines").items():
        profile = _machine(name, table, folder, hosts, drivers)
        machines[name] = profile
        if profile.port is None:
            continue
        place = (profile.host, os.path.realpath(profile.port))
        other = takers.setdefault(place, name)
        if other != name:
            table.complain("port", f"a port of its own; machines.{other} has this one")
    return machines


def _machine(
    name: str, table: Table, folder: Path, hosts: Mapping[str, Host], drivers: frozenset[str]
) -> MachineProfile:
    only_host = next(iter(hosts)) if len(hosts) == 1 else None
    host = one_of(hosts)
    kind = MachineKind(table.need("kind", one_of(MachineKind), MachineKind.OTHER.value))
    driver = table.need("driver", one_of(drivers), "")
    profile = MachineProfile(
        id=name,
        name=table.take("name", text, name),
        kind=kind,
        driver=driver,
        host=table.take("host", host, only_host) if only_host else table.need("host", host, ""),
        port=table.take("port", _port(folder), None),
        baud=table.take("baud", whole(300, 4_000_000), usual_baud(driver)),
        work_area=_work_area(table),
        limits=_limits(table.table("limits")),
        options=_options(table.table("options")),
        controller=controller(table.table("controller"), kind),
        camera=table.take("camera", camera_address, None),
    )
    table.finish()
    return profile


def _port(folder: Path) -> Any:
    def check(value: Any) -> str:
        port = text(value)
        return port if "://" in port else str(folder / port)

    return check


def _work_area(machine: Table) -> WorkArea | None:
    if not machine.has("work_area"):
        return None
    table = machine.table("work_area")
    x, y, z = (table.need(name, axis, (0.0, 1.0)) for name in "xyz")
    table.finish()
    return WorkArea(x, y, z)


def _limits(table: Table) -> Limits:
    nozzle = table.take("nozzle_max_c", number(0, 500, "°C"), None)
    bed = table.take("bed_max_c", number(0, 200, "°C"), None)
    feed = table.take("feed_max_mm_per_min", number(0, 200_000, "mm/min"), None)
    power = table.take("power_max", number(0, 1_000_000, "(S word)"), None)
    table.finish()
    return Limits(
        nozzle_max_c=None if nozzle is None else Celsius(nozzle),
        bed_max_c=None if bed is None else Celsius(bed),
        feed_max_mm_per_min=None if feed is None else MmPerMin(feed),
        power_max=power,
    )


def _options(table: Table) -> dict[str, str | int | float | bool]:
    def scalar(value: Any) -> str | int | float | bool:
        if not isinstance(value, str | int | float | bool):
            raise NotAllowedError("a text, a number, true or false")
        return value

    found: dict[str, str | int | float | bool] = {}
    nothing: str | int | float | bool = ""
    for key in table.keys():  # noqa: SIM118  # a Table, not a dict
        found[key] = table.need(key, scalar, nothing)
    return found
