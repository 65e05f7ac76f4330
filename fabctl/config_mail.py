"""``[mail]`` of ``lab.toml``: the server that takes the lab's mail. Without it none is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fabctl.config import MailConfig
from fabctl.config_broker import is_loopback
from fabctl.config_reader import NotAllowedError, Table, existing_file, one_of, text, whole
from fabctl.model.mail import address_refusals

PORTS = {"starttls": 587, "tls": 465, "none": 25}
"""RFC 6409 and RFC 8314, section 3.3; 25 is for a relay on this computer."""
STAND_IN = "lab@example.org"


def mail(top: Table, folder: Path) -> MailConfig | None:
    """Return what the table says; None: there is no such table."""
    if not top.has("mail"):
        return None
    table = top.table("mail")
    host = table.need("host", _host, "localhost")
    security = table.take("security", one_of(PORTS), "starttls")
    if security == "none" and not is_loopback(host):
        table.complain("security", "starttls or tls; none only to a server on this computer")
    found = MailConfig(
        host=host,
        port=table.take("port", whole(1, 65_535), PORTS[security]),
        security=security,
        user=table.take("user", text, None),
        password_file=table.take("password_file", existing_file(folder), None),
        ca_file=table.take("ca_file", existing_file(folder), None),
        sender=table.need("from", _sender, STAND_IN),
    )
    if table.has("user") != table.has("password_file"):
        key = "user" if table.has("user") else "password_file"
        table.complain(key, "user and password_file together, or neither")
    table.finish()
    return found


def _host(value: Any) -> str:
    name = text(value)
    if any(sign.isspace() or sign in "/@" for sign in name):
        raise NotAllowedError("a host name such as smtp.example.org, or an IP address")
    return name


def _sender(value: Any) -> str:
    if not isinstance(value, str) or address_refusals(value):
        raise NotAllowedError("an e-mail address such as lab@example.org")
    return value
