"""Facts about this computer, for :mod:`fabctl.model.doctor_computer`: read, never changed."""

from __future__ import annotations

import errno
import os
import pwd
import re
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import psutil

from fabctl.config import LabConfig
from fabctl.model.doctor import Finding
from fabctl.model.doctor_computer import (
    FolderFacts,
    MemoryFacts,
    PowerFacts,
    check_folders,
    check_memory,
    check_power,
    check_python,
)

MODEL = Path("/proc/device-tree/model")
HWMON = Path("/sys/class/hwmon")
MOUNTS = Path("/proc/self/mountinfo")
ESCAPED = re.compile(r"\\([0-7]{3})")
"""How a blank stands there: octal."""
VCGENCMD_WITHIN_S = 3.0


def computer_findings(folders: Iterable[Path], *, by_writing: bool) -> list[Finding]:
    """Look at disks, power, memory and Python.

    :param folders: the lab's data directory first: its owner is the user of fabctl.
    :param by_writing: write a small file into each folder and delete it; else ask for the rights.
    """
    known = tuple(folders)
    owner = _owner_of(known[0]) if known else None
    facts = [folder_facts(one, by_writing=by_writing, owner=owner) for one in known]
    return [
        *check_folders(facts),
        *check_power(power_facts()),
        *check_memory(memory_facts()),
        *check_python((sys.version_info.major, sys.version_info.minor)),
    ]


def folders_of(config: LabConfig) -> list[Path]:
    """Return the folders that fabctl writes here; those that come into being later left out."""
    paths = config.paths
    later = (
        paths.files, paths.previews, paths.tmp, paths.keys, paths.broker, paths.backups,
        config.backup.directory,
    )  # fmt: skip
    return list(dict.fromkeys([paths.root, *(one for one in later if _may_be_there(one))]))


def _may_be_there(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:
        return True  # nobody can see from here


def _owner_of(path: Path) -> int | None:
    try:
        return path.stat().st_uid
    except OSError:
        return None


def folder_facts(path: Path, *, by_writing: bool, owner: int | None = None) -> FolderFacts:
    """Look at one folder and the disk below it.

    :param owner: the user id of fabctl: root may write everywhere, which proves nothing for it.
    """
    shown = str(path)
    try:
        found = path.is_dir()
        if not found:
            return FolderFacts(shown, found=False)
        status, system = path.stat(), os.statvfs(path)
    except OSError:
        return FolderFacts(shown)
    read_only, here_only = _read_only(path, system)
    unseen = here_only and not by_writing
    why = "" if read_only or unseen else _why_not_writable(path, by_writing=by_writing)
    if not read_only and not why and os.geteuid() == 0 and not _is_open_to(owner, status):
        why = f"owner {status.st_uid}, not {owner}"
    return FolderFacts(
        path=shown,
        found=True,
        read_only=read_only,
        writable=None if unseen else not read_only and not why,
        full=why == os.strerror(errno.ENOSPC),
        why_not=why,
        disk=status.st_dev,
        total=system.f_blocks * system.f_frsize,
        free=system.f_bavail * system.f_frsize,
        inodes_free=system.f_favail / system.f_files if system.f_files else None,
    )


def _read_only(path: Path, system: os.statvfs_result) -> tuple[bool, bool]:
    """Say whether a disk can only be read, or else only this process may not write there.

    systemd shows a unit all but its own folders read-only (``ProtectSystem=strict``).
    """
    if not system.f_flag & os.ST_RDONLY:
        return False, False
    try:
        disk = is_disk_read_only(MOUNTS.read_text(errors="replace"), path.resolve())
    except OSError:
        disk = None
    return disk is not False, disk is False


def is_disk_read_only(mounts: str, path: Path) -> bool | None:
    """Say whether the file system below a path can only be read, whoever looks; None: not known.

    After " - " stand the options of the file system itself, which a kernel makes "ro" when the
    disk fails; before it those of one mount alone (proc_pid_mountinfo(5)).
    """
    found, longest = None, -1
    for line in mounts.splitlines():
        mount, _dash, system = line.partition(" - ")
        words, options = mount.split(), system.split()
        if len(words) < 6 or len(options) < 3:
            continue
        place = Path(ESCAPED.sub(lambda one: chr(int(one[1], 8)), words[4]))
        if path.is_relative_to(place) and len(place.parts) >= longest:
            found, longest = "ro" in options[2].split(","), len(place.parts)
    return found


def _is_open_to(user: int | None, folder: os.stat_result) -> bool:
    """Say whether a user may write a folder, as its rights go; None: any."""
    if user is None or folder.st_uid == user or folder.st_mode & stat.S_IWOTH:
        return True
    if not folder.st_mode & stat.S_IWGRP:
        return False
    try:
        found = pwd.getpwuid(user)
    except KeyError:
        return False
    return folder.st_gid in os.getgrouplist(found.pw_name, found.pw_gid)


def _why_not_writable(path: Path, *, by_writing: bool) -> str:
    if not by_writing:
        return "" if os.access(path, os.W_OK | os.X_OK) else "Permission denied"
    try:
        with tempfile.NamedTemporaryFile(dir=path, prefix=".doctor-") as file:
            file.write(b"fabctl doctor\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.strerror or str(error)
    return ""


def memory_facts() -> MemoryFacts:
    """Ask the kernel how much memory could be had without swapping."""
    found = psutil.virtual_memory()
    return MemoryFacts(found.total, found.available)


def power_facts(model: Path = MODEL, hwmon: Path = HWMON) -> PowerFacts:
    """Ask the Raspberry Pi's firmware, or the kernel in its stead."""
    try:
        is_pi = b"Raspberry Pi" in model.read_bytes()
    except FileNotFoundError:
        return PowerFacts(is_pi=False)  # no device tree: no Pi starts without one
    except OSError:
        return PowerFacts()
    return PowerFacts(is_pi, _throttled(), _alarm(hwmon)) if is_pi else PowerFacts(is_pi=False)


def _throttled() -> int | None:
    """Return the bits of ``vcgencmd get_throttled`` (``throttled=0x50000``), where it answers."""
    try:
        said = subprocess.run(
            ["vcgencmd", "get_throttled"],
            check=True, capture_output=True, text=True, timeout=VCGENCMD_WITHIN_S,
        ).stdout  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None  # not there, or this user may not ask (group video): not known
    return read_throttled(said)


def read_throttled(said: str) -> int | None:
    """Return the bits in an answer of vcgencmd; None: it is not one."""
    name, equals, value = said.strip().partition("=")
    if name != "throttled" or not equals:
        return None
    try:
        return int(value, 16)
    except ValueError:
        return None


def _alarm(hwmon: Path) -> bool | None:
    """Return the alarm of the kernel's chip ``rpi_volt``; None: there is none."""
    for chip in sorted(hwmon.glob("hwmon*")):
        try:
            if (chip / "name").read_text().strip() == "rpi_volt":
                return (chip / "in0_lcrit_alarm").read_text().strip() != "0"
        except OSError:
            continue  # a chip that left, or keeps to itself: the next may be it
    return None
