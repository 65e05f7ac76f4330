"""``fabctl broker-config``: a mosquitto for the whole lab, over TLS, with everybody's rights."""

from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from fabctl.commands.as_owner import as_owner
from fabctl.commands.options import config_option
from fabctl.config import LabConfig
from fabctl.errors import InputError, LocalError
from fabctl.whole_files import explaining_full_disk

if TYPE_CHECKING:
    from fabctl.hosting.lab_broker import Bridge

FILE = click.Path(path_type=Path, dir_okay=False, exists=True, resolve_path=True)
PLUGIN = "mosquitto_dynamic_security.so"


@click.command("broker-config")
@config_option
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
    help="Where the files go, such as /etc/mosquitto/fabctl.",
)
@click.option("--loopback-port", type=click.IntRange(0, 65535), default=1883, show_default=True,
              help="For this computer, without TLS; 0: none.")  # fmt: skip
@click.option("--listen", metavar="ADDRESS", help="For other computers, such as 0.0.0.0; with TLS.")
@click.option("--port", type=click.IntRange(1, 65535), default=8883, show_default=True)
@click.option("--cert", type=FILE, help="The broker's certificate (PEM).")
@click.option("--key", type=FILE, help="Its key (PEM).")
@click.option(
    "--bridge", metavar="URL", help="A wider broker, mqtts://USER@HOST:PORT: told, not heard."
)
@click.option("--bridge-password-file", type=FILE)
@click.option("--bridge-ca", type=FILE, help="Who vouches for the wider broker.")
@click.option("--dynamic-security", is_flag=True, help="Users as JSON for mosquitto's plugin.")
@click.option("--owner", metavar="USER", help="Whose the files are to be, such as mosquitto.")
def broker_config(  # noqa: PLR0913, PLR0917  # click passes each option by name
    config: LabConfig,
    out: Path,
    loopback_port: int,
    listen: str | None,
    port: int,
    cert: Path | None,
    key: Path | None,
    bridge: str | None,
    bridge_password_file: Path | None,
    bridge_ca: Path | None,
    *,
    dynamic_security: bool,
    owner: str | None,
) -> None:
    """Write the files of a mosquitto that the whole lab meets on.

    One user per host, "desk" for web and steward, "dashboard" for screens of others, each with
    its own rights and a password in the data directory (folder broker, or the password_folder of
    lab.toml), made when missing. Run it again after a change of hosts or machines in lab.toml;
    passwords stay, rights are written anew.

    Beyond this computer the broker is reached over TLS only. A bridge sends what a dashboard may
    see to a wider broker; nothing comes in by it.

    \b
    sudo fabctl broker-config --out /etc/mosquitto/fabctl --owner mosquitto
    sudo ln -s /etc/mosquitto/fabctl/fabctl.conf /etc/mosquitto/conf.d/
    """
    from fabctl.hosting import broker_accounts, lab_broker  # noqa: PLC0415  # --help stays quick
    from fabctl.hosting.mosquitto import plain_passwords, write_private  # noqa: PLC0415  # the same

    tls = None
    if listen is not None:
        if cert is None or key is None:
            raise InputError("--listen needs --cert and --key: beyond this computer only TLS")
        tls = lab_broker.Tls(listen, port, cert, key)
    if tls is None and not loopback_port:
        raise InputError("nobody could connect", next_step="give --listen or --loopback-port")
    users = broker_accounts.users_of(config)
    _make_folder(out)
    bridged = _bridge(bridge, bridge_password_file, bridge_ca)
    text = lab_broker.lab_broker_text(
        out,
        loopback_port=loopback_port or None,
        tls=tls,
        plugin=_plugin() if dynamic_security else None,
        bridge=lab_broker.bridge_text(bridged, users, config.id) if bridged else "",
    )
    _make_folder(config.paths.broker)
    with as_owner(config.broker_passwords):  # what root makes there, the lab could not read
        missing = [user for user in users if not config.broker_password_file(user).exists()]
        plain_passwords(config, missing)
    with as_owner(config.paths.broker):
        broker_accounts.note_folder(config.paths, out)
    broker_accounts.write_users(config, out, users, dynamic_security=dynamic_security)
    write_private(out / "fabctl.conf", text)
    for file in out.iterdir():
        if owner is not None:
            _give(file, owner)
        click.echo(f"{file}")
    click.echo(f"{len(users)} users: {', '.join(users)}; passwords in {config.broker_passwords}")


def _bridge(url: str | None, password_file: Path | None, ca_file: Path | None) -> Bridge | None:
    from fabctl.hosting import lab_broker  # noqa: PLC0415  # see above

    if url is None:
        return None
    parts = urlsplit(url)
    if parts.password is not None:  # which everybody can see in the list of processes
        raise InputError("--bridge holds a password", next_step="give --bridge-password-file")
    if parts.scheme != "mqtts" or not parts.hostname or not parts.username:
        raise InputError("--bridge is no mqtts://USER@HOST:PORT", device=url)
    if password_file is None or ca_file is None:
        raise InputError("--bridge needs --bridge-password-file and --bridge-ca", device=url)
    password = password_file.read_text().strip()
    return lab_broker.Bridge(parts.hostname, parts.port or 8883, parts.username, password, ca_file)


def _plugin() -> Path:
    """Return where mosquitto's dynamic security plugin lies.

    :raises LocalError: it is not installed.
    """
    for folder in (Path("/usr/lib"), Path("/usr/local/lib")):
        for found in (folder / PLUGIN, *folder.glob(f"*/{PLUGIN}")):
            if found.is_file():
                return found
    raise LocalError(
        f"{PLUGIN} is not installed", next_step="it comes with mosquitto 2.0 and later"
    )


def _make_folder(folder: Path) -> None:
    try:
        with explaining_full_disk(folder):
            folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    except OSError as error:
        raise LocalError(f"{folder} cannot be made: {error.strerror}") from error


def _give(file: Path, owner: str) -> None:
    try:
        ids = pwd.getpwnam(owner).pw_uid, grp.getgrnam(owner).gr_gid
        os.chown(file, *ids, follow_symlinks=False)
    except (OSError, LookupError) as error:
        raise LocalError(f"{file} cannot be given to {owner}: {error}") from error
