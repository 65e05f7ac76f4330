"""Putting a parcel where it belongs on a machine's computer: all of it, or nothing.

Everything is written into one folder first. Once that is complete it is only renamed, file by
file, lab.toml last; whoever comes after a power cut finishes or removes what it finds there.
"""

from __future__ import annotations

import grp
import json
import os
import pwd
import shutil
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fabctl.config import DataPaths
from fabctl.errors import LocalError
from fabctl.joining.parcel import Parcel
from fabctl.joining.toml_text import toml_text
from fabctl.whole_files import sync_folder, write_half

HEAD = (
    "# Written by `fabctl host join`. The lab's own lab.toml is on its server: change it there,\n\
# then join again: fabctl host join --again\n\n"
)
STAGING = ".joining"
PLAN = "plan.json"
MACHINE_USER, INTERLOCK_USER, LAB_GROUP = "fabctl-machine", "fabctl-interlock", "fabctl"
"""Who runs the units; where these users are not there, files belong to whoever joins."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where things go on this computer."""

    config_file: Path
    data: Path

    @property
    def staging(self) -> Path:
        """Where they are written first; on the same file system as the data directory."""
        return self.data / STAGING


@dataclass(frozen=True, slots=True)
class _File:
    target: Path
    content: str
    user: str
    mode: int = 0o600
    group: str | None = None
    """None: the user's own."""


def is_joined(place: Place) -> bool:
    """Say whether this computer has a lab.toml already."""
    return place.config_file.exists()


def is_a_labs_own(place: Place) -> bool:
    """Say whether the lab.toml that is there describes a lab, and was not written by a join."""
    try:
        found = tomllib.loads(place.config_file.read_text())
    except (OSError, ValueError):
        return False
    return "lab" in found and "server" not in found


def put(place: Place, parcel: Parcel, server_url: str, server_ca: str | None) -> None:
    """Write everything.

    :param server_ca: who vouches for the server from now on; None: whom this computer trusts.
    :raises LocalError: something cannot be written; what was there before still is.
    """
    files = _files(place, parcel, server_url, server_ca)
    try:
        _stage(place, files)
    except OSError as error:
        _clear(place)
        raise LocalError(
            f"{error.filename or place.data} cannot be written: {error.strerror}",
            next_step="nothing was changed; make room or use sudo, then join with a new code",
        ) from error
    finish(place)


def check_room(place: Place) -> None:
    """Make sure that files can be written, before a code is spent for them.

    :raises LocalError: they cannot.
    """
    try:
        for folder in (place.data, place.config_file.parent):
            folder.mkdir(mode=0o711, parents=True, exist_ok=True)
            probe = folder / f"{STAGING}.probe"
            write_half(probe, "x" * 65_536, mode=0o600)
            probe.unlink()
    except OSError as error:
        raise LocalError(
            f"{error.filename} cannot be written: {error.strerror}",
            next_step="make room, or use sudo; the code has not been used",
        ) from error


def finish(place: Place) -> bool:
    """Finish what a join before us had written, or remove what it had not; say which it was.

    :raises LocalError: a file cannot be put into its place; call it again. Or what lies there is
        not ours: nothing is done as root because the owner of the data directory wrote it down.
    """
    if place.staging.is_symlink() or not _is_ours(place.staging):
        raise LocalError(
            f"{place.staging} is not of a join by this user; nothing was changed",
            next_step=f"look at it, then remove it: rm -r {place.staging}",
        )
    if not (place.staging / PLAN).exists():
        _clear(place)
        return False
    try:
        for source, target in json.loads((place.staging / PLAN).read_text()):
            if Path(source).exists():
                _move(Path(source), Path(target))
    except OSError as error:
        raise LocalError(
            f"{error.filename} cannot be put into its place: {error.strerror}",
            next_step="mend that, then: fabctl host join --finish",
        ) from error
    _clear(place)
    return True


def _is_ours(folder: Path) -> bool:
    try:
        return folder.lstat().st_uid == os.geteuid()
    except FileNotFoundError:
        return True


def _clear(place: Place) -> None:
    shutil.rmtree(place.staging, ignore_errors=True)
    with suppress(FileNotFoundError, NotADirectoryError):
        _beside(place.config_file).unlink()


def tables(
    place: Place, parcel: Parcel, server_url: str, *, server_ca: bool
) -> dict[str, Mapping[str, Any]]:
    """Return what lab.toml says on this computer."""
    paths, joined = DataPaths(place.data), place.data / "joined"
    broker = {
        "url": parcel.broker_url.replace("://", f"://{parcel.host}@", 1),
        "password_file": str(paths.broker_password(parcel.host)),
    }
    server = {"url": server_url, "token_file": str(joined / "token")}
    if parcel.broker_ca is not None:
        broker["ca_file"] = str(joined / "broker-ca.pem")
    if server_ca:
        server["ca_file"] = str(joined / "server-ca.pem")
    found: dict[str, Mapping[str, Any]] = {
        "lab": parcel.tables["lab"],
        "data": {"directory": str(place.data)},
        "broker": broker,
        "server": server,
        "hosts": parcel.tables["hosts"],
        "machines": parcel.tables["machines"],
    }
    if parcel.tables["interlocks"]:
        found["interlocks"] = parcel.tables["interlocks"]
    return found


def _files(place: Place, parcel: Parcel, url: str, server_ca: str | None) -> list[_File]:
    paths, joined = DataPaths(place.data), place.data / "joined"
    files = [
        *(_File(paths.machine_key(one), key, MACHINE_USER) for one, key in parcel.keys.items()),
        *(
            _File(paths.permit_key(one), key, INTERLOCK_USER)
            for one, key in parcel.permit_keys.items()
        ),
        _File(paths.broker_password(parcel.host), parcel.broker_password, MACHINE_USER),
        _File(joined / "token", parcel.token, MACHINE_USER),
    ]
    for name, pem in (("broker-ca.pem", parcel.broker_ca), ("server-ca.pem", server_ca)):
        if pem is not None:
            files.append(_File(joined / name, pem.strip(), MACHINE_USER, 0o644))
    text = HEAD + toml_text(tables(place, parcel, url, server_ca=server_ca is not None))
    return [*files, _File(place.config_file, text.strip(), "root", 0o640, LAB_GROUP)]


def _stage(place: Place, files: list[_File]) -> None:
    _clear(place)
    place.staging.mkdir(mode=0o700, parents=True)
    plan = []
    for number, file in enumerate(files):
        # lab.toml may lie on another disk: a rename needs its source beside it
        beside = file.target == place.config_file
        source = _beside(place.config_file) if beside else place.staging / str(number)
        source.parent.mkdir(parents=True, exist_ok=True)
        write_half(source, file.content + "\n", mode=0o600)
        _give(source, file)
        plan.append((str(source), str(file.target)))
    half = place.staging / "plan.half"
    write_half(half, json.dumps(plan), mode=0o600)
    half.replace(place.staging / PLAN)
    sync_folder(place.staging)


def _beside(config_file: Path) -> Path:
    return config_file.with_name(f".{config_file.name}.joining")


def _give(path: Path, file: _File) -> None:
    """Give it to the user whose process reads it, where we may and there is such a user.

    No link is followed: we may be root, in a folder that the lab's own user can put another for.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        with suppress(KeyError):
            if os.geteuid() == 0:
                found = pwd.getpwnam(file.user)
                gid = grp.getgrnam(file.group).gr_gid if file.group else found.pw_gid
                os.fchown(descriptor, found.pw_uid, gid)
        os.fchmod(descriptor, file.mode)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    source.replace(target)
    sync_folder(target.parent)
