"""Reading ``lab.toml``: typed values, or every mistake in it at once.

:func:`load` is the only way from the file to a :class:`~fabctl.config.LabConfig`. Unknown keys
are mistakes too: a misspelt limit must not silently be no limit.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fabctl.config import BrokerConfig, DataPaths, Host, LabConfig
from fabctl.config_backup import backup
from fabctl.config_camera import camera_address
from fabctl.config_controller import controller
from fabctl.config_interlock import interlocks, summary_line
from fabctl.config_mail import mail
from fabctl.config_reader import (
    ConfigError,
    ConfigProblem,
    NotAllowedError,
    Problems,
    Table,
    axis,
    flag,
    identifier,
    number,
    one_of,
    show,
    some_of,
    suggestion,
    text,
    whole,
)
from fabctl.config_server import server
from fabctl.config_web import web
from fabctl.installed import DRIVERS, all_entry_points, entry_points
from fabctl.ports import Limits, MachineKind, MachineProfile, WorkArea
from fabctl.units import Celsius, MmPerMin
from fabctl.usual import usual_baud

__all__ = ["ConfigError", "ConfigProblem", "load", "read"]

LANGUAGES = ("en", "fr")
BROKER_USERS = ("desk", "dashboard")
"""Names that a host may not have: each host is a user of the broker too."""
DEFAULT_HOST = Host("here", "This computer")


def load(path: Path) -> LabConfig:
    """Return the lab that a file describes.

    :raises ConfigError: with every mistake in the file, or that it cannot be read.
    """
    try:
        raw = path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise _whole_file(path, f"a byte that is not UTF-8 at {error.start}", "UTF-8") from error
    except OSError as error:
        raise _whole_file(path, error.strerror or "nothing", "a file that can be read") from error
    whole = path.resolve()
    drivers = frozenset(entry_points(DRIVERS))
    try:
        return read(raw, whole, drivers)
    except ConfigError:
        more = frozenset(all_entry_points(DRIVERS))
        if more <= drivers:
            raise
        return read(raw, whole, drivers | more)


def _whole_file(path: Path, found: str, allowed: str) -> ConfigError:
    return ConfigError(str(path), [ConfigProblem("", found, allowed)])


def read(raw: str, path: Path, drivers: Iterable[str]) -> LabConfig:
    """Return the lab that a text describes; ``path`` (absolute) is where it came from.

    :raises ConfigError: with every mistake in it.
    """
    try:
        values = tomllib.loads(raw)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column \d+\)", str(error))
        line = int(found[1]) if found else None
        problem = ConfigProblem("", f"a mistake in the writing: {error}", "TOML 1.0", line)
        raise ConfigError(str(path), [problem]) from error
    problems = Problems(raw)
    config = _lab(Table("", values, problems), path, frozenset(drivers))
    if problems.found:
        raise ConfigError(str(path), sorted(problems.found, key=lambda one: one.line or 0))
    return config


def _lab(top: Table, path: Path, drivers: frozenset[str]) -> LabConfig:
    lab = top.table("lab")
    data = _data(top.table("data"), path.parent)
    hosts = _hosts(top)
    machines = _machines(top, path.parent, hosts, drivers)
    simulated = lab.take("simulated", flag, default=False)
    config = LabConfig(
        file=path,
        id=lab.need("id", identifier, "lab"),
        name=lab.need("name", text, "Lab"),
        time_zone=lab.take("time_zone", _zone, ZoneInfo("Europe/Paris")),
        languages=lab.take("languages", some_of(LANGUAGES), ("fr", "en")),
        simulated=simulated,
        data_directory=data,
        database_url=_database(top.table("database"), data),
        web=web(top.table("web"), path.parent),
        broker=_broker(top.table("broker"), path.parent),
        hosts=hosts,
        machines=machines,
        interlocks=interlocks(top, machines, DataPaths(data), simulated=simulated),
        mail=mail(top, path.parent, is_loopback=_is_loopback),
        backup_table=backup(top.table("backup"), path.parent, data),
        server=server(top, path.parent, is_loopback=_is_loopback),
    )
    lab.finish()
    top.finish()
    return config


def _zone(value: Any) -> ZoneInfo:
    allowed = "a time zone such as Europe/Paris"
    try:
        return ZoneInfo(text(value))
    except NotAllowedError:
        raise NotAllowedError(allowed) from None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        from zoneinfo import available_timezones  # noqa: PLC0415  # reads a directory tree

        near = suggestion(str(value), available_timezones())
        hint = near[near.rfind("(") :] if near.endswith("?)") else ""
        raise NotAllowedError(f"{allowed} {hint}".strip()) from None


def _data(table: Table, folder: Path) -> Path:
    directory = folder / table.take("directory", text, "data")
    table.finish()
    return Path(os.path.normpath(directory))


def _database(table: Table, data: Path) -> str:
    def check(value: Any) -> str:
        allowed = "sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"
        url = text(value)
        if url.startswith("sqlite:///") and ":memory:" not in url and url != "sqlite:///":
            return f"sqlite:///{data / url.removeprefix('sqlite:///')}"
        if url.startswith("postgresql+psycopg://"):
            return url
        if url.startswith("sqlite"):
            raise NotAllowedError(f"{allowed}; several processes share it, so it must be a file")
        raise NotAllowedError(allowed)

    url = table.take("url", check, f"sqlite:///{data / 'lab.db'}")
    table.finish()
    return url


def _broker(table: Table, folder: Path) -> BrokerConfig:
    file = _existing_file(folder) if table.has("url") else _nothing("only together with broker.url")
    broker = BrokerConfig(
        url=table.take("url", _broker_url, None),
        password_file=table.take("password_file", file, None),
        password_folder=table.take("password_folder", _existing_folder(folder), None),
        ca_file=table.take("ca_file", file, None),
        hosts_url=table.take("hosts_url", _hosts_url, None),
        hosts_ca_file=table.take("hosts_ca_file", _existing_file(folder), None),
    )
    if broker.password_folder and (not broker.url or urlsplit(broker.url).username):
        table.complain("password_folder", "only together with a broker.url that names no user")
    if broker.url and urlsplit(broker.url).username and not table.has("password_file"):
        table.complain("url", "a user only together with password_file")
    table.finish()
    return broker


def _broker_url(value: Any) -> str:
    allowed = "mqtts://USER@HOST:PORT, or mqtt://USER@127.0.0.1:PORT on this computer"
    parts = urlsplit(text(value))
    try:
        port_ok = parts.port is None or 1 <= parts.port <= 65_535
    except ValueError:
        port_ok = False
    extra = parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname or not port_ok or extra:
        raise NotAllowedError(allowed)
    if parts.password is not None:
        raise NotAllowedError(f"{allowed}; the password belongs in password_file")
    if parts.scheme == "mqtt" and not _is_loopback(parts.hostname):
        raise NotAllowedError(f"{allowed}; beyond this computer only mqtts://")
    return parts.geturl()


def _hosts_url(value: Any) -> str:
    allowed = "mqtts://HOST:PORT, as other computers reach it"
    try:
        url = _broker_url(value)
    except NotAllowedError:
        raise NotAllowedError(allowed) from None
    parts = urlsplit(url)
    if parts.scheme != "mqtts" or parts.username:
        raise NotAllowedError(f"{allowed}; each computer comes as its own user")
    return url


def _is_loopback(host: str) -> bool:
    import ipaddress  # noqa: PLC0415  # most files name no broker

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _existing_file(folder: Path) -> Any:
    def check(value: Any) -> Path:
        path = folder / text(value)
        if not path.is_file():
            raise NotAllowedError("a file that exists")
        return path

    return check


def _existing_folder(folder: Path) -> Any:
    def check(value: Any) -> Path:
        path = folder / text(value)
        if not path.is_dir():
            raise NotAllowedError("a folder that exists")
        return path

    return check


def _nothing(why: str) -> Any:
    def check(_value: Any) -> Path:
        raise NotAllowedError(why)

    return check


def _hosts(top: Table) -> dict[str, Host]:
    hosts = {}
    for name, table in top.tables("hosts").items():
        hosts[name] = Host(name, table.take("name", text, name))
        if name in BROKER_USERS:
            top.problems.add(table.path, repr(name), f"any name but {' and '.join(BROKER_USERS)}")
        table.finish()
    return hosts or {DEFAULT_HOST.id: DEFAULT_HOST}


def _machines(
    top: Table, folder: Path, hosts: Mapping[str, Host], drivers: frozenset[str]
) -> dict[str, MachineProfile]:
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


def summary(config: LabConfig) -> str:
    """Return what a configuration describes, in a few lines for a person."""
    broker = config.broker.url or "a private mosquitto, started by `fabctl run`"
    database = re.sub(r"://([^:/@]+):[^@]*@", r"://\1:…@", config.database_url)
    lines = [
        f"{config.name} ({config.id}), {config.time_zone.key}, {', '.join(config.languages)}"
        + (", simulated" if config.simulated else ""),
        f"data      {config.data_directory}",
        f"database  {database}",
        f"broker    {broker}",
        f"web       http://{config.web.address}:{config.web.port}"
        + (f", for people {config.web.public_url}" if config.web.public_url else ""),
    ]
    if config.mail:
        sent = f"{config.mail.host}:{config.mail.port} ({config.mail.security})"
        lines.append(f"mail      through {sent}, from {config.mail.sender}")
    lines += [
        f"machine   {machine.id}: {machine.name}, {machine.kind}, {machine.driver} on "
        f"{machine.host}"
        + (f", {show(machine.port)}" if machine.port else "")
        + (f", camera {machine.camera}" if machine.camera else "")
        for machine in config.machines.values()
    ]
    lines += [f"interlock {summary_line(one)}" for one in config.interlocks.values()]
    return "\n".join(lines)
