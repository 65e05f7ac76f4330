"""The accounts of hosts on the lab's broker: taken away, given back, and the broker told.

A mosquitto with files reads users and rights again on SIGHUP, and then ends the connections whose
user is gone (tried: 2.0.11). Its dynamic security plugin reads its file at the start only.
"""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Mapping
from pathlib import Path

from fabctl.config import DataPaths, LabConfig
from fabctl.errors import LocalError
from fabctl.hosting import lab_broker, mosquitto
from fabctl.hosting.mosquitto import Rights

DYNAMIC = "dynamic-security.json"
DEBIANS_PID = Path("/run/mosquitto/mosquitto.pid")
SYSTEM_FOLDER = Path("/etc/mosquitto")


def users_of(config: LabConfig) -> dict[str, Rights]:
    """Return the rights of every user who has an account now."""
    removed = mosquitto.removed_machines(config)
    return mosquitto.rights(config, removed, mosquitto.revoked_hosts(config.paths))


def write_users(
    config: LabConfig, out: Path, users: Mapping[str, Rights], *, dynamic_security: bool
) -> None:
    """Write users, passwords and rights into the broker's folder.

    :raises LocalError: a file cannot be written, or mosquitto_passwd fails.
    """
    if not dynamic_security:
        mosquitto.make_passwords(config, users, out)
        mosquitto.write_private(out / "acl", mosquitto.acl_text(users))
        return
    words = mosquitto.plain_passwords(config, users)
    salts = {user: secrets.token_bytes(12) for user in users}
    text = lab_broker.dynamic_security_text(users, words, salts)
    mosquitto.write_private(out / DYNAMIC, text)


def take_away(paths: DataPaths, host: str) -> None:
    """Note that a host has no account. :raises LocalError: the note cannot be written."""
    mosquitto.write_private(paths.broker_revoked(host), "")


def give_back(paths: DataPaths, host: str) -> None:
    """Let a host have an account again; it needs a new password before."""
    paths.broker_revoked(host).unlink(missing_ok=True)


def forget_password(file: Path) -> None:
    """Delete a password that counts no more: nobody is given the old one again.

    :raises LocalError: it cannot be deleted.
    """
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise LocalError(f"{file} cannot be deleted: {error.strerror}") from error


def note_folder(paths: DataPaths, out: Path) -> None:
    """Remember where a broker's files are, for :func:`folder_of`."""
    mosquitto.write_private(paths.broker_files, f"{out}\n")


def folder_of(paths: DataPaths) -> Path | None:
    """Return where the files of the lab's broker lie; None: none were written on this computer."""
    try:
        return Path(paths.broker_files.read_text().strip())
    except FileNotFoundError:
        return paths.broker if (paths.broker / "acl").exists() else None


def is_dynamic(out: Path) -> bool:
    """Say whether a broker's users are its plugin's, which reads its file at the start only."""
    return (out / DYNAMIC).exists()


def write_again(config: LabConfig, out: Path) -> None:
    """Write the users' files anew, each for whom it was before.

    :raises LocalError: a file cannot be written.
    """
    dynamic = is_dynamic(out)
    names = (DYNAMIC,) if dynamic else ("passwords", "acl")
    before = {name: (out / name).stat() for name in names}
    write_users(config, out, users_of(config), dynamic_security=dynamic)
    for name, was in before.items():
        file = out / name
        if os.geteuid() == 0 and file.stat().st_uid != was.st_uid:
            os.chown(file, was.st_uid, was.st_gid)


def reload_broker(out: Path, pid: int | None = None) -> bool:
    """Have the mosquitto of these files read them again; say whether one was found.

    :param pid: its process, where neither its pid file nor Debian's names it.
    :raises LocalError: it is not ours to signal.
    """
    pid = pid or _pid_in(out / mosquitto.PID_FILE)
    if pid is None and out.is_relative_to(SYSTEM_FOLDER):
        pid = _pid_in(DEBIANS_PID)
    if pid is None or not _is_mosquitto(pid):
        return False
    try:
        os.kill(pid, signal.SIGHUP)
    except PermissionError as error:
        raise LocalError("the broker cannot be told", next_step="use sudo") from error
    return True


def _pid_in(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None


def _is_mosquitto(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == "mosquitto"
    except OSError:
        return False
