"""Reading ``lab.toml``: typed values, or every mistake in it at once.

:func:`load` is the only way from the file to a :class:`~fabctl.config.LabConfig`. Unknown keys
are mistakes too: a misspelt limit must not silently be no limit.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fabctl.config import DataPaths, Host, LabConfig
from fabctl.config_backup import backup
from fabctl.config_broker import broker
from fabctl.config_interlock import interlocks, summary_line
from fabctl.config_machines import machines_of
from fabctl.config_mail import mail
from fabctl.config_reader import (
    ConfigError,
    ConfigProblem,
    NotAllowedError,
    Problems,
    Table,
    flag,
    identifier,
    show,
    some_of,
    suggestion,
    text,
)
from fabctl.config_server import server
from fabctl.config_web import web
from fabctl.installed import DRIVERS, all_entry_points, entry_points

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
    machines = machines_of(top, path.parent, hosts, drivers)
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
        broker=broker(top.table("broker"), path.parent),
        hosts=hosts,
        machines=machines,
        interlocks=interlocks(top, machines, DataPaths(data), simulated=simulated),
        mail=mail(top, path.parent),
        backup_table=backup(top.table("backup"), path.parent, data),
        server=server(top, path.parent),
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


def _hosts(top: Table) -> dict[str, Host]:
    hosts = {}
    for name, table in top.tables("hosts").items():
        hosts[name] = Host(name, table.take("name", text, name))
        if name in BROKER_USERS:
            top.problems.add(table.path, repr(name), f"any name but {' and '.join(BROKER_USERS)}")
        table.finish()
    return hosts or {DEFAULT_HOST.id: DEFAULT_HOST}


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
