"""The QR code of a machine's page: from the touchscreen to the phone."""

from __future__ import annotations

import io
import ipaddress
import socket
from urllib.parse import urlsplit

import segno
from flask import request
from markupsafe import Markup

from fabctl_web.lab import Lab

NOWHERE = ("192.0.2.1", 9)
"""An address kept for documents (RFC 5737): asking for the way there sends nothing."""


def page_address(lab: Lab, path: str) -> str | None:
    """Return the address of one of our pages as a phone in the lab reaches it.

    The lab's own (``public_url``), where it has one.

    A touchscreen shows the page from this computer's own 127.0.0.1; a phone needs the
    computer's address in the lab. None when the server listens to this computer alone.
    """
    if lab.config.web.public_url:
        return lab.config.web.public_url + path
    host = urlsplit(f"//{request.host}").hostname or ""
    if not _is_own(host):
        return request.host_url.rstrip("/") + path
    if _is_own(lab.config.web.address):
        return None
    found = _address_in_the_lab()
    port = urlsplit(f"//{request.host}").port
    return f"http://{found}{f':{port}' if port else ''}{path}" if found else None


def svg(address: str) -> Markup:
    """Return a QR code to be put into a page; no style attributes, dark on white."""
    drawn = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        drawn, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=2, svgclass=None,
        lineclass=None, dark="#000",
    )  # fmt: skip
    return Markup(drawn.getvalue().decode())  # noqa: S704  # made by segno from an address


def _is_own(host: str) -> bool:
    if host in {"localhost", ""}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _address_in_the_lab() -> str | None:
    """Return this computer's own address towards the network; None without one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(NOWHERE)
        except OSError:
            return None
        return str(probe.getsockname()[0])
