"""``[server]`` of ``lab.toml``: where the lab's server is, on a computer that joined the lab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fabctl.config import ServerConfig
from fabctl.config_broker import is_loopback
from fabctl.config_reader import Table, existing_file, web_address


def server(top: Table, folder: Path) -> ServerConfig | None:
    """Return what the table says; None without one."""
    if not top.has("server"):
        return None
    table = top.table("server")
    file = existing_file(folder)
    found = ServerConfig(
        url=table.need("url", _url, "https://localhost"),
        token_file=table.need("token_file", file, Path()),
        ca_file=table.take("ca_file", file, None),
    )
    table.finish()
    return found


def _url(value: Any) -> str:
    allowed = "https://NAME or https://NAME:PORT; http:// on this computer only"
    return web_address(value, allowed, is_loopback)
