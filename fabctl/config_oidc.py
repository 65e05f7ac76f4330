"""``[web.oidc]`` of ``lab.toml``: a provider where people may sign in. Without it there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fabctl.config import OidcConfig
from fabctl.config_reader import NotAllowedError, Table, existing_file, one_of, text

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def oidc(web: Table, folder: Path) -> OidcConfig | None:
    """Return what the table says; None: there is no such table."""
    if not web.has("oidc"):
        return None
    table = web.table("oidc")
    usual = OidcConfig("https://login.example.org", "fabctl", "login")
    found = OidcConfig(
        issuer=table.need("issuer", _issuer, usual.issuer),
        client_id=table.need("client_id", text, usual.client_id),
        link=table.need("link", one_of(("login", "mail")), usual.link),
        label=table.take("label", text, usual.label),
        client_secret_file=table.take("client_secret_file", existing_file(folder), None),
    )
    table.finish()
    return found


def _issuer(value: Any) -> str:
    allowed = "https://NAME, as the provider says it; http:// only to this computer"
    try:
        address = text(value)
        parts = urlsplit(address)
    except ValueError:
        raise NotAllowedError(allowed) from None
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    if not safe or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise NotAllowedError(allowed)
    return address
