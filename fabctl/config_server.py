"""``[server]`` of ``lab.toml``: where the lab's server is, on a computer that joined the lab."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fabctl.config import ServerConfig
from fabctl.config_reader import NotAllowedError, Table, text


def server(top: Table, folder: Path, *, is_loopback: Callable[[str], bool]) -> ServerConfig | None:
    """Return what the table says; None without one."""
    if not top.has("server"):
        return None
    table = top.table("server")

    def file(value: Any) -> Path:
        path = folder / text(value)
        if not path.is_file():
            raise NotAllowedError("a file that exists")
        return path

    found = ServerConfig(
        url=table.need("url", _url(is_loopback), "https://localhost"),
        token_file=table.need("token_file", file, Path()),
        ca_file=table.take("ca_file", file, None),
    )
    table.finish()
    return found


def _url(is_loopback: Callable[[str], bool]) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        allowed = "https://NAME or https://NAME:PORT; http:// on this computer only"
        try:
            parts = urlsplit(text(value))
            port_ok = parts.port != 0
        except ValueError:
            raise NotAllowedError(allowed) from None
        plain = parts.scheme == "http" and is_loopback(parts.hostname or "")
        extra = parts.path.strip("/") or parts.query or parts.fragment or parts.username
        if not (parts.scheme == "https" or plain) or not parts.hostname or not port_ok or extra:
            raise NotAllowedError(allowed)
        return f"{parts.scheme}://{parts.netloc}".lower()

    return check
