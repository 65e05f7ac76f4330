"""``camera`` of a machine in ``lab.toml``: the address of a snapshot."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from fabctl.config_reader import NotAllowedError, text

ALLOWED = "http://HOST/PATH or https://HOST/PATH of a JPEG or PNG snapshot"


def camera_address(value: Any) -> str:
    """Return the address. :raises NotAllowedError: it is none, or holds a password."""
    said = text(value)
    try:
        parts = urlsplit(said)
        sound = parts.port != 0 and said.isascii() and said.isprintable() and " " not in said
    except ValueError:
        raise NotAllowedError(ALLOWED) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or not sound:
        raise NotAllowedError(ALLOWED)
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise NotAllowedError(f"{ALLOWED}, without user and password: pages and logs may show it")
    return said
