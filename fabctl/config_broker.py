"""``[broker]`` of ``lab.toml``: the message broker, and who we are there."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fabctl.config import BrokerConfig
from fabctl.config_reader import NotAllowedError, Table, existing_file, text


def broker(table: Table, folder: Path) -> BrokerConfig:
    """Return what the table says; without one: a private broker.

    :param folder: of lab.toml.
    """
    file = existing_file(folder) if table.has("url") else _nothing("only together with broker.url")
    found = BrokerConfig(
        url=table.take("url", _broker_url, None),
        password_file=table.take("password_file", file, None),
        password_folder=table.take("password_folder", _existing_folder(folder), None),
        ca_file=table.take("ca_file", file, None),
        hosts_url=table.take("hosts_url", _hosts_url, None),
        hosts_ca_file=table.take("hosts_ca_file", existing_file(folder), None),
    )
    user = urlsplit(found.url or "").username
    if found.password_folder and (not found.url or user):
        table.complain("password_folder", "only together with a broker.url that names no user")
    if user and not table.has("password_file"):
        table.complain("url", "a user only together with password_file")
    table.finish()
    return found


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
    if parts.scheme == "mqtt" and not is_loopback(parts.hostname):
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


def is_loopback(host: str) -> bool:
    """Say whether a host of an address is this computer itself."""
    import ipaddress  # noqa: PLC0415  # most files name no broker

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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
