"""``[web]`` of ``lab.toml``: where pages are served, under which names, behind what."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fabctl.config import WebConfig
from fabctl.config_broker import is_loopback
from fabctl.config_oidc import oidc
from fabctl.config_reader import NotAllowedError, Table, existing_file, text, web_address, whole

_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")
"""A host name: RFC 1123, section 2.1."""
_PEERS = 'a list of addresses such as ["https://10.0.0.12"]'


def web(table: Table, folder: Path) -> WebConfig:
    """Return what the table says, the usual for what it leaves out."""
    usual = WebConfig()
    found = WebConfig(
        address=table.take("address", _address, usual.address),
        port=table.take("port", whole(0, 65_535), usual.port),
        public_url=table.take("public_url", _public_url, usual.public_url),
        names=table.take("names", _names, usual.names),
        proxy_addresses=table.take("proxy_addresses", _addresses, usual.proxy_addresses),
        peers=table.take("peers", _peers, usual.peers),
        upload_max_mb=table.take("upload_max_mb", whole(1, 4096), usual.upload_max_mb),
        kiosk_addresses=table.take("kiosk_addresses", _addresses, usual.kiosk_addresses),
        stick_folders=table.take("stick_folders", _folders, usual.stick_folders),
        oidc=oidc(table, folder),
        ca_file=table.take("ca_file", existing_file(folder), None),
    )
    table.finish()
    return found


def _address(value: Any) -> str:
    import ipaddress  # noqa: PLC0415  # most files leave the address alone

    try:
        return str(ipaddress.ip_address(text(value)))
    except (ValueError, NotAllowedError):
        raise NotAllowedError("an IP address such as 127.0.0.1, 0.0.0.0 or ::1") from None


def _addresses(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise NotAllowedError('a list of IP addresses such as ["127.0.0.1", "192.168.1.20"]')
    return tuple(_address(one) for one in value)


def _folders(value: Any) -> dict[str, Path]:
    allowed = 'a table of absolute folders by address, such as { "127.0.0.1" = "/media/usb" }'
    if not isinstance(value, dict):
        raise NotAllowedError(allowed)
    try:
        found = {_address(address): Path(text(folder)) for address, folder in value.items()}
    except NotAllowedError:
        raise NotAllowedError(allowed) from None
    if not all(folder.is_absolute() for folder in found.values()):
        raise NotAllowedError(allowed)
    return found


def _names(value: Any) -> tuple[str, ...]:
    allowed = 'a list of host names such as ["fablab.local", "machines.example.org"]'
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise NotAllowedError(allowed)
    names = tuple(name.lower().rstrip(".") for name in value)
    if not all(_NAME.fullmatch(name) for name in names):
        raise NotAllowedError(f"{allowed}, without http:// and port")
    return names


def _peers(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise NotAllowedError(_PEERS)
    return tuple(_peer(one) for one in value)


def _peer(value: Any) -> str:
    """Return another web process's address; job files are not sent in the clear."""
    try:
        url = _public_url(value)
    except NotAllowedError:
        raise NotAllowedError(_PEERS) from None
    parts = urlsplit(url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise NotAllowedError(f"{_PEERS}; beyond this computer only https://")
    return url


def _public_url(value: Any) -> str:
    allowed = "https://NAME or http://NAME:PORT, as people type it"
    return web_address(value, allowed, lambda _host: True)
