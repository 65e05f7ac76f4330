"""Checks of one computer: its clock, disks, power, memory, Python.

Power: the bits of ``vcgencmd get_throttled`` are those of Raspberry Pi's documentation ("Raspberry
Pi OS", section "vcgencmd", "get_throttled"): 0 under-voltage now, 1 frequency capped now, 2
throttled now, 3 soft temperature limit now; the same from bit 16 on: has happened since the boot.
``in0_lcrit_alarm`` of the chip ``rpi_volt`` is bit 16 or 0, whichever was read first (Linux,
Documentation/hwmon/raspberrypi-hwmon.rst).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from fabctl.model.doctor import Finding, Severity, bad, fine, unknown, warn
from fabctl.model.texts import text

CLOCK_MAY_LAG = timedelta(minutes=2)
"""So far a clock may be behind what is on record: several computers write there."""
DISK_FEW, DISK_LOW = 0.03, 0.10
"""Shares of a disk: below the first writes begin to fail soon; below the second, make room."""
DISK_FEW_BYTES = 200_000_000
INODES_LOW = 0.05
MAKE_ROOM = text(
    "Make room: old backups elsewhere, journalctl --vacuum-size=100M."
    " Old versions in /opt/fabctl: keep current and previous."
)
MEMORY_FEW, MEMORY_LOW = 0.05, 0.12
PYTHON_LOWEST = (3, 11)
PYTHON_TRIED = (3, 13)
"""The newest with which tests passed: all with 3.11, those without servers with 3.13."""
UNDER_VOLTAGE, CAPPED, THROTTLED, HOT = 1 << 0, 1 << 1, 1 << 2, 1 << 3
SINCE_BOOT = 16
"""How many bits further left the same stands for the time since the boot."""


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """The wall clock, and what it is measured by."""

    now: datetime
    released_at: datetime
    synced: bool | None
    """Whether a time server disciplines it; None: the kernel does not say."""
    newest_record: datetime | None = None
    """The newest moment in the database; None: nothing there, or nobody could look."""
    jump: timedelta | None = None
    """How far it is ahead of what is believed; None: it is believed."""


def check_clock(facts: ClockFacts) -> list[Finding]:
    """Say whether the clock is set, and whether something keeps it right."""
    if facts.now < facts.released_at:
        return [
            bad(
                "clock",
                text(
                    "The clock shows {shown}: before this version was made.",
                    shown=f"{facts.now:%Y-%m-%d}",
                ),
                text("Connect this computer to a network, or set it: sudo timedatectl set-time …"),
            )
        ]
    record = facts.newest_record
    if record is not None and facts.now < record - CLOCK_MAY_LAG:
        return [
            bad(
                "clock",
                text(
                    "The clock is {minutes} min behind what is on record.",
                    minutes=int((record - facts.now).total_seconds() // 60),
                ),
                text(
                    "Look at the date: timedatectl. If it is right, the record was written with a"
                    " wrong one: connect this computer to a network once, for a time server."
                ),
            )
        ]
    if facts.jump is not None:
        minutes = int(abs(facts.jump).total_seconds() // 60)
        said = text("The clock jumped by {minutes} min: it is not followed yet.", minutes=minutes)
        step = text("Is the date right? Then wait 15 minutes. Else correct it: timedatectl.")
        return [warn("clock-step", said, step)]
    if facts.synced is None:
        return [
            unknown(
                "clock",
                text("Nobody knows whether a time server sets the clock: the kernel does not say."),
            )
        ]
    if not facts.synced:
        return [
            warn(
                "clock",
                text("No time server keeps the clock right."),
                text("Look at timedatectl; without a network, fit a clock with a battery."),
            )
        ]
    return [fine("clock", text("The clock is set by a time server."))]


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """A folder that fabctl writes, and the disk below it."""

    path: str
    found: bool | None = None
    """None: it may not be looked at."""
    read_only: bool | None = None
    """Whether its file system is mounted so."""
    writable: bool | None = None
    full: bool = False
    """Whether it was room that was missing."""
    why_not: str = ""
    """What the system said when it was written to."""
    disk: int | None = None
    """The same number for folders of one file system."""
    total: int | None = None
    """Bytes."""
    free: int | None = None
    """Bytes that this user may still fill."""
    inodes_free: float | None = None
    """Share, 0 to 1; None: this file system does not count them."""


def check_folders(folders: Iterable[FolderFacts]) -> list[Finding]:
    """Say of each folder whether it can be written, and of each disk whether it has room."""
    known = tuple(folders)
    disks = {one.disk: one for one in reversed(known) if one.disk is not None}
    written = [finding for one in known for finding in _writable(one)]
    return [*written, *(finding for one in disks.values() for finding in _room(one))]


def _writable(facts: FolderFacts) -> list[Finding]:
    path = facts.path
    if facts.found is None:
        said = text("The folder {path} may not be looked at by this user.", path=path)
        return [unknown("folder", said, path)]
    if not facts.found:
        step = text("Start fabctl run once, or make it for the user of fabctl.")
        return [bad("folder", text("The folder {path} is not there.", path=path), step, path)]
    if facts.read_only:
        step = text("A worn SD card does this. Save what is on it, then put in another.")
        said = text("The disk of {path} can only be read.", path=path)
        return [bad("folder", said, step, path)]
    if facts.writable is None:
        said = text("Whether {path} can be written is not known.", path=path)
        return [unknown("folder", said, path)]
    if not facts.writable:
        rights = text("Give the folder to the user of fabctl, or run this as that user.")
        step = MAKE_ROOM if facts.full else rights
        said = text("{path} cannot be written: {why}", path=path, why=facts.why_not)
        return [bad("folder", said, step, path)]
    return []


def _room(facts: FolderFacts) -> list[Finding]:
    if not facts.total or facts.free is None:
        return [
            unknown(
                "disk",
                text("How full the disk of {path} is cannot be seen.", path=facts.path),
                subject=facts.path,
            )
        ]
    share = facts.free / facts.total
    said = text(
        "Free at {path}: {free} MB of {total} MB.",
        path=facts.path,
        free=facts.free // 1_000_000,
        total=facts.total // 1_000_000,
    )
    if share < DISK_FEW or facts.free < DISK_FEW_BYTES:
        severity = Severity.BAD
    elif share < DISK_LOW:
        severity = Severity.WARN
    elif facts.inodes_free is not None and facts.inodes_free < INODES_LOW:
        return [
            warn(
                "disk",
                text(
                    "The disk of {path} holds nearly as many files as it can.",
                    path=facts.path,
                ),
                text("Delete small files that nobody needs."),
                facts.path,
            )
        ]
    else:
        return [fine("disk", said, facts.path)]
    return [
        Finding(
            "disk",
            severity,
            said,
            MAKE_ROOM,
            facts.path,
        )
    ]


@dataclass(frozen=True, slots=True)
class PowerFacts:
    """What a Raspberry Pi says about its supply. All None on another computer."""

    is_pi: bool | None = None
    throttled: int | None = None
    """``vcgencmd get_throttled``."""
    under_voltage: bool | None = None
    """``in0_lcrit_alarm`` of ``rpi_volt``, where vcgencmd may not be asked."""


def check_power(facts: PowerFacts) -> list[Finding]:
    """Say whether a Raspberry Pi gets enough voltage and stays cool. Others are not asked."""
    if facts.is_pi is None:
        return [unknown("power", text("What computer this is cannot be seen."))]
    if not facts.is_pi:
        return []
    bits = facts.throttled
    if bits is None and facts.under_voltage is not None:
        bits = UNDER_VOLTAGE << SINCE_BOOT if facts.under_voltage else 0
    if bits is None:
        return [unknown("power", text("The voltage of this Pi cannot be read."))]
    found = [*_volts(bits), *_heat(bits)]
    return found or [fine("power", text("The supply held since the start."))]


def _volts(bits: int) -> list[Finding]:
    step = text("Use the Pi's own supply and a short, thick cable; move USB devices to a hub.")
    if bits & UNDER_VOLTAGE:
        return [bad("power", text("The voltage is too low right now."), step)]
    if bits & UNDER_VOLTAGE << SINCE_BOOT:
        return [warn("power", text("The voltage was too low since the last start."), step)]
    return []


def _heat(bits: int) -> list[Finding]:
    now, ever = CAPPED | THROTTLED | HOT, (CAPPED | THROTTLED | HOT) << SINCE_BOOT
    step = text("Give it air or a heat sink; keep it away from the machine's heat.")
    if bits & now:
        return [warn("heat", text("The Pi is slowed down right now."), step)]
    if bits & ever:
        return [warn("heat", text("The Pi was slowed down since the last start."), step)]
    return []


@dataclass(frozen=True, slots=True)
class MemoryFacts:
    """Bytes; None where the kernel does not say."""

    total: int | None = None
    available: int | None = None


def check_memory(facts: MemoryFacts) -> list[Finding]:
    """Say whether memory is short."""
    if not facts.total or facts.available is None:
        return [unknown("memory", text("How much memory is free is not known."))]
    share = facts.available / facts.total
    said = text(
        "Memory free: {free} MB of {total} MB.",
        free=facts.available // 1_000_000,
        total=facts.total // 1_000_000,
    )
    if share >= MEMORY_LOW:
        return [fine("memory", said)]
    severity = Severity.BAD if share < MEMORY_FEW else Severity.WARN
    return [
        Finding(
            "memory",
            severity,
            said,
            text("End other programs here, or move machines to a second Pi."),
        )
    ]


def check_python(version: tuple[int, int]) -> list[Finding]:
    """Say whether this Python is one that fabctl was tried with."""
    shown = f"{version[0]}.{version[1]}"
    if version < PYTHON_LOWEST:
        return [
            bad(
                "python",
                text("Python {version} is too old.", version=shown),
                text("Install Debian 12 or newer: it brings Python 3.11."),
            )
        ]
    if version > PYTHON_TRIED:
        return [
            unknown(
                "python", text("fabctl was not tried with Python {version} yet.", version=shown)
            )
        ]
    return [fine("python", text("Python {version}.", version=shown))]
