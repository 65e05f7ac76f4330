"""What a computer is given when it joins: its part of lab.toml, its account, its machines' keys."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fabctl.config import LabConfig
from fabctl.errors import InputError, LocalError
from fabctl.joining.toml_text import toml_text
from fabctl.keyfile import read_key, read_words

FORM = 1
INSTALL = "sudo deploy/install.sh --apply makes accounts and keys"
_NAME = re.compile(r"[a-z0-9-]{1,128}")
_KEY = re.compile(r"[0-9a-f]{64}")
_SECRET = re.compile(r"[!-~]{1,200}")
_BROKER = re.compile(r"mqtts://[A-Za-z0-9._:\[\]-]{1,300}/?")


@dataclass(frozen=True, slots=True)
class Parcel:
    """Handed over once, over TLS; all of its secrets are this host's own."""

    host: str
    tables: Mapping[str, Any]
    """``lab``, ``hosts``, ``machines`` and ``interlocks``, as lab.toml has them."""
    broker_url: str
    """Without a user: that is the host's own name."""
    broker_password: str
    broker_ca: str | None
    """PEM; None: a certificate that everybody trusts."""
    server_ca: str | None
    token: str
    keys: Mapping[str, str]
    """By machine, 64 hex digits."""
    permit_keys: Mapping[str, str]
    """Likewise, of the machines with an interlock."""

    def encode(self) -> bytes:
        """Return it as JSON."""
        return json.dumps({"v": FORM, **asdict(self)}).encode()


def decode(raw: bytes) -> Parcel:
    """Return what a server sent; no name in it can lead out of a folder.

    :raises InputError: it is no parcel of this form.
    """
    try:
        found = json.loads(raw)
        form, parcel = found.pop("v"), Parcel(**found)
        _check(form, parcel)
        toml_text(parcel.tables).encode()  # what cannot be written is told before anything is
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise InputError(
            f"the server's answer cannot be used: {error}",
            next_step="is it a fabctl, and of this version?",
        ) from error
    return parcel


def _check(form: int, parcel: Parcel) -> None:
    names = [parcel.host, *parcel.keys, *parcel.permit_keys]
    keys = [*parcel.keys.values(), *parcel.permit_keys.values()]
    good = {
        "its version": form == FORM,
        "a name": all(_NAME.fullmatch(name) for name in names),
        "a key": all(_KEY.fullmatch(key) for key in keys),
        "a password": all(_SECRET.fullmatch(one) for one in (parcel.broker_password, parcel.token)),
        "the broker's address": _BROKER.fullmatch(parcel.broker_url) is not None,
        "a certificate": all(
            one is None or one.encode() for one in (parcel.broker_ca, parcel.server_ca)
        ),
        "the tables": set(parcel.tables) == {"lab", "hosts", "machines", "interlocks"},
    }
    for what, holds in good.items():
        if not holds:
            raise ValueError(f"{what} is not as it should be")


def pack(config: LabConfig, host: str, token: str) -> Parcel:
    """Return what a host is given, from the files of the lab's own server.

    :raises InputError: lab.toml names no such host, or no machine of it.
    :raises LocalError: a file cannot be read, or lab.toml does not say how others reach the broker.
    """
    if host not in config.hosts:
        raise InputError(f"no host is called {host!r}", limit=", ".join(config.hosts))
    machines = [one.id for one in config.machines.values() if one.host == host]
    if not machines:
        raise InputError(f"{host} has no machine in lab.toml", next_step="give it one: host = …")
    url, ca_file = _broker(config)
    interlocks = [machine for machine in machines if machine in config.interlocks]
    return Parcel(
        host=host,
        tables=_tables(config.file, host, machines),
        broker_url=url,
        broker_password=read_words(config.broker_password_file(host), INSTALL),
        broker_ca=read_words(ca_file, INSTALL) if ca_file else None,
        server_ca=read_words(config.web.ca_file, INSTALL) if config.web.ca_file else None,
        token=token,
        keys={one: read_key(config.paths.machine_key(one)).hex() for one in machines},
        permit_keys={one: read_key(config.paths.permit_key(one)).hex() for one in interlocks},
    )


def _broker(config: LabConfig) -> tuple[str, Path | None]:
    broker = config.broker
    if broker.hosts_url is not None:
        return broker.hosts_url, broker.hosts_ca_file
    if (broker.url or "").startswith("mqtts://"):
        scheme, _, rest = (broker.url or "").partition("://")
        return f"{scheme}://{rest.rpartition('@')[2]}", broker.ca_file
    raise LocalError(
        "lab.toml does not say how other computers reach the broker",
        next_step='under [broker]: hosts_url = "mqtts://NAME:8883", hosts_ca_file = "…/lab-ca.pem"',
    )


def _tables(file: Path, host: str, machines: list[str]) -> dict[str, Any]:
    whole = tomllib.loads(file.read_text())
    named = {one: dict(whole["machines"][one], host=host) for one in machines}
    interlocks = whole.get("interlocks", {})
    return {
        "lab": whole["lab"],
        "hosts": {host: whole.get("hosts", {}).get(host, {})},
        "machines": named,
        "interlocks": {one: interlocks[one] for one in machines if one in interlocks},
    }
