"""A mosquitto of the whole lab: its configuration for TLS, its users' rights, a bridge outwards.

The rights are the private broker's: :func:`fabctl.hosting.mosquitto.rights` is the one place.
See mosquitto.conf(5); for dynamic security mosquitto's documentation, "Dynamic Security Plugin".
All of it is pure; ``fabctl broker-config`` writes the files.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fabctl.hosting.mosquitto import DASHBOARD, LOOPBACK, Rights

ITERATIONS = 10_000
"""Of PBKDF2, per password; ours are 24 random bytes, which nobody guesses at any number."""
_WAYS = {
    "read": ("subscribePattern", "unsubscribePattern", "publishClientReceive"),
    "write": ("publishClientSend",),
}
"""What mosquitto's access list calls read and write, in the words of dynamic security."""


@dataclass(frozen=True, slots=True)
class Tls:
    """The listener for other computers."""

    address: str
    port: int
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Bridge:
    """A wider broker that is told what happens here, and can say nothing here."""

    host: str
    port: int
    user: str
    password: str
    ca_file: Path


def lab_broker_text(
    folder: Path,
    *,
    loopback_port: int | None,
    tls: Tls | None,
    plugin: Path | None = None,
    bridge: str = "",
) -> str:
    """Return the configuration, for the folder that Debian's mosquitto.conf includes.

    :param folder: where the access list and the passwords lie.
    :param loopback_port: for this computer, without TLS; None: no such listener.
    :param plugin: the dynamic security plugin, instead of access list and passwords.
    :param bridge: see :func:`bridge_text`.
    """
    who = (
        [f"plugin {plugin}", f"plugin_opt_config_file {folder / 'dynamic-security.json'}"]
        if plugin
        else [f"password_file {folder / 'passwords'}", f"acl_file {folder / 'acl'}"]
    )
    lines = ["# Written by `fabctl broker-config`.", "allow_anonymous false", *who]
    lines += ["set_tcp_nodelay true", "max_queued_messages 10000", "max_packet_size 131072"]
    lines += ["persistent_client_expiration 30d", "connection_messages false"]
    if loopback_port is not None:
        lines += ["", f"listener {loopback_port} {LOOPBACK}"]
    if tls is not None:
        lines += ["", f"listener {tls.port} {tls.address}", f"certfile {tls.certificate}"]
        lines += [f"keyfile {tls.key}", "tls_version tlsv1.2"]
    return "\n".join((*lines, "", bridge))


def bridge_text(bridge: Bridge, users: Mapping[str, Rights], lab: str) -> str:
    """Return the part that tells a wider broker what a dashboard may see; nothing comes back.

    Every line says ``out``: mosquitto subscribes to nothing on the other side. Requests and their
    answers stay here.
    """
    name = f"fabctl-{lab}"
    lines = [f"connection {name}", f"address {bridge.host}:{bridge.port}"]
    lines += ["bridge_protocol_version mqttv50", f"bridge_cafile {bridge.ca_file}"]
    lines += [f"remote_username {bridge.user}", f"remote_password {bridge.password}"]
    lines += [f"remote_clientid {name}", "cleansession false", "notifications false"]
    lines += [f"topic {topic} out 1" for topic in users[DASHBOARD].read]
    return "\n".join((*lines, ""))


def dynamic_security_text(
    users: Mapping[str, Rights], passwords: Mapping[str, str], salts: Mapping[str, bytes]
) -> str:
    """Return the same users and rights as JSON for the dynamic security plugin.

    :param salts: 12 random bytes for each user.
    """
    return json.dumps(
        {
            "defaultACLAccess": {
                "publishClientSend": False,
                "publishClientReceive": False,
                "subscribe": False,
                "unsubscribe": True,
            },
            "clients": [_client(user, passwords[user], salts[user]) for user in users],
            "groups": [],
            "roles": [{"rolename": user, "acls": list(_acls(may))} for user, may in users.items()],
        },
        indent=1,
    )


def _client(user: str, password: str, salt: bytes) -> dict[str, Any]:
    hashed = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS, 64)
    return {
        "username": user,
        "roles": [{"rolename": user}],
        "password": base64.b64encode(hashed).decode(),
        "salt": base64.b64encode(salt).decode(),
        "iterations": ITERATIONS,
    }


def _acls(may: Rights) -> Iterable[dict[str, Any]]:
    for way, topics in (("read", may.read), ("write", may.write)):
        for topic in topics:
            for kind in _WAYS[way]:
                yield {"acltype": kind, "topic": topic, "priority": 0, "allow": True}
