"""What `fabctl doctor` says about a computer: one table for each check, with its edges."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fabctl.config import BackupConfig
from fabctl.model.doctor import Finding, Severity, anything_wrong, in_order
from fabctl.model.doctor_computer import (
    ClockFacts,
    FolderFacts,
    MemoryFacts,
    PowerFacts,
    check_clock,
    check_folders,
    check_memory,
    check_power,
    check_python,
)
from fabctl.model.texts import text
from fabctl.services.doctor_computer import (
    folder_facts,
    folders_of,
    is_disk_read_only,
    power_facts,
    read_throttled,
)
from fabctl.services.lock_holders import listed_as_held
from tests.web_lab import lab_config

BAD, WARN, UNKNOWN, FINE = Severity.BAD, Severity.WARN, Severity.UNKNOWN, Severity.FINE
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def severities(findings: list[Finding]) -> list[Severity]:
    """Return how bad each is; every wrong one has a next step."""
    assert all(one.next_step is not None for one in findings if one.severity in {BAD, WARN})
    return [one.severity for one in findings]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (ClockFacts(NOW, NOW, synced=True), FINE),
        (ClockFacts(NOW - SECOND, NOW, synced=True), BAD),
        (ClockFacts(datetime(1970, 1, 1, tzinfo=UTC), NOW, synced=False), BAD),
        (ClockFacts(NOW, NOW, synced=False), WARN),
        (ClockFacts(NOW, NOW, synced=None), UNKNOWN),
        (ClockFacts(NOW, NOW, synced=False, jump=timedelta(days=-1)), WARN),
        (ClockFacts(NOW, NOW, synced=True, newest_record=NOW + timedelta(minutes=2)), FINE),
        (ClockFacts(NOW, NOW, synced=True, newest_record=NOW + timedelta(minutes=2) + SECOND), BAD),
        (ClockFacts(NOW, NOW, synced=None, newest_record=NOW + timedelta(days=1)), BAD),
    ],
)
def test_the_clock(facts: ClockFacts, expected: Severity) -> None:
    assert severities(check_clock(facts)) == [expected]


GB = 1_000_000_000


def folder(**other: object) -> FolderFacts:
    usual = {
        "path": "/data", "found": True, "read_only": False, "writable": True,
        "disk": 1, "total": 10 * GB, "free": 5 * GB, "inodes_free": 0.5,
    }  # fmt: skip
    return FolderFacts(**(usual | other))  # type: ignore[arg-type]  # a table's words


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (folder(), [FINE]),
        (folder(free=GB), [FINE]),
        (folder(free=GB - 1), [WARN]),
        (folder(free=300_000_000), [WARN]),
        (folder(free=300_000_000 - 1), [BAD]),
        (folder(total=GB // 2, free=200_000_000), [FINE]),
        (folder(total=GB // 2, free=200_000_000 - 1), [BAD]),
        (folder(inodes_free=0.05), [FINE]),
        (folder(inodes_free=0.049), [WARN]),
        (folder(inodes_free=None), [FINE]),
        (folder(free=None), [UNKNOWN]),
        (folder(read_only=True, writable=False), [BAD, FINE]),
        (folder(writable=False, why_not="Permission denied"), [BAD, FINE]),
        (folder(writable=False, full=True, free=0), [BAD, BAD]),
        (folder(writable=None), [UNKNOWN, FINE]),
        (FolderFacts("/data", found=False), [BAD]),
        (FolderFacts("/data"), [UNKNOWN]),
    ],
)
def test_a_folder_and_its_disk(facts: FolderFacts, expected: list[Severity]) -> None:
    assert severities(check_folders([facts])) == expected


def test_folders_of_one_disk_are_one_disk() -> None:
    found = check_folders([folder(path="/a"), folder(path="/b"), folder(path="/c", disk=2)])
    assert [(one.check, one.subject) for one in found] == [("disk", "/c"), ("disk", "/a")]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (PowerFacts(is_pi=False), []),
        (PowerFacts(is_pi=None), [UNKNOWN]),
        (PowerFacts(is_pi=True), [UNKNOWN]),
        (PowerFacts(is_pi=True, throttled=0), [FINE]),
        (PowerFacts(is_pi=True, throttled=0x1), [BAD]),
        (PowerFacts(is_pi=True, throttled=0x10000), [WARN]),
        (PowerFacts(is_pi=True, throttled=0x50005), [BAD, WARN]),
        (PowerFacts(is_pi=True, throttled=0x8), [WARN]),
        (PowerFacts(is_pi=True, throttled=0x20000), [WARN]),
        (PowerFacts(is_pi=True, throttled=0x100000), [FINE]),
        (PowerFacts(is_pi=True, under_voltage=True), [WARN]),
        (PowerFacts(is_pi=True, under_voltage=False), [FINE]),
        (PowerFacts(is_pi=True, throttled=0, under_voltage=True), [FINE]),
    ],
)
def test_the_power_of_a_pi(facts: PowerFacts, expected: list[Severity]) -> None:
    assert severities(check_power(facts)) == expected


@pytest.mark.parametrize(
    ("said", "bits"),
    [("throttled=0x50000\n", 0x50000), ("throttled=0x0", 0), ("VCHI initialization failed", None),
     ("throttled=", None), ("", None)],
)  # fmt: skip
def test_the_words_of_vcgencmd(said: str, bits: int | None) -> None:
    assert read_throttled(said) == bits


@pytest.mark.parametrize(("alarm", "expected"), [("1\n", True), ("0\n", False), (None, None)])
def test_the_kernels_alarm_stands_in_for_vcgencmd(
    tmp_path: Path, alarm: str | None, expected: bool | None
) -> None:
    model, chip = tmp_path / "model", tmp_path / "hwmon" / "hwmon0"
    model.write_bytes(b"Raspberry Pi 4 Model B Rev 1.4\0")
    chip.mkdir(parents=True)
    chip.joinpath("name").write_text("rpi_volt\n" if alarm else "cpu_thermal\n")
    if alarm:
        chip.joinpath("in0_lcrit_alarm").write_text(alarm)
    found = power_facts(model, tmp_path / "hwmon")
    assert (found.is_pi, found.under_voltage) == (True, expected)
    assert power_facts(tmp_path / "none", tmp_path).is_pi is False


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (MemoryFacts(100, 12), FINE),
        (MemoryFacts(1000, 119), WARN),
        (MemoryFacts(100, 5), WARN),
        (MemoryFacts(1000, 49), BAD),
        (MemoryFacts(100), UNKNOWN),
        (MemoryFacts(), UNKNOWN),
    ],
)
def test_memory(facts: MemoryFacts, expected: Severity) -> None:
    assert severities(check_memory(facts)) == [expected]


@pytest.mark.parametrize(
    ("version", "expected"), [((3, 10), BAD), ((3, 11), FINE), ((3, 13), FINE), ((3, 99), UNKNOWN)]
)
def test_python(version: tuple[int, int], expected: Severity) -> None:
    assert severities(check_python(version)) == [expected]


def test_the_worst_comes_first_and_only_the_wrong_counts() -> None:
    made = [Finding(one.value, one, text("Python {version}.", version=1)) for one in Severity]
    assert in_order(reversed(made)) == made
    assert [anything_wrong([one]) for one in made] == [True, True, False, False]


def test_a_folder_that_is_there_or_not(tmp_path: Path) -> None:
    there = folder_facts(tmp_path, by_writing=True)
    assert (there.found, there.writable, there.read_only) == (True, True, False)
    assert list(tmp_path.iterdir()) == []
    assert folder_facts(tmp_path / "none", by_writing=True).found is False


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may write in everybody's folders")
def test_a_folder_of_somebody_else_is_no_folder_of_fabctl(tmp_path: Path) -> None:
    assert folder_facts(tmp_path, by_writing=True, owner=0).writable is True
    assert folder_facts(tmp_path, by_writing=True, owner=12345).writable is False


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may write in everybody's folders")
def test_a_folder_that_its_rights_open(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)  # a stick of FAT, mounted for everybody
    assert folder_facts(tmp_path, by_writing=True, owner=12345).writable is True


def test_the_folder_of_backups_is_looked_at_once(tmp_path: Path) -> None:
    config = lab_config(tmp_path)
    config.paths.backups.mkdir(parents=True)
    assert folders_of(config) == [config.data_directory, config.paths.backups]
    stick = tmp_path / "stick"
    config = replace(config, backup_table=BackupConfig(stick))
    assert folders_of(config) == [config.data_directory, config.paths.backups]
    stick.mkdir()
    assert folders_of(config)[-1] == stick


MOUNTS = r"""22 1 8:1 / / ro,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
30 22 8:1 /var/lib/fabctl /var/lib/fabctl rw,relatime shared:2 - ext4 /dev/sda1 rw
31 22 8:17 / /media/stick ro,nosuid shared:3 - vfat /dev/sdb1 rw,uid=999
32 22 8:33 / /mnt/worn\040card ro,relatime - ext4 /dev/sdc1 ro,errors=remount-ro
33 22 8:34 / /mnt/over rw - ext4 /dev/sdd1 rw
34 22 8:35 / /mnt/over ro - ext4 /dev/sde1 ro
"""


@pytest.mark.parametrize(
    ("path", "read_only"),
    [
        ("/media/stick/backups", False),
        ("/mnt/worn card", True),
        ("/mnt/worn card-not", False),
        ("/mnt/over/x", True),
        ("/var/lib/fabctl", False),
    ],
)
def test_a_sandbox_is_no_worn_card(path: str, read_only: bool) -> None:
    assert is_disk_read_only(MOUNTS, Path(path)) is read_only
    assert is_disk_read_only("", Path(path)) is None


LOCKS = """1: FLOCK  ADVISORY  WRITE 708 08:01:2546 0 EOF
1: -> FLOCK  ADVISORY  WRITE 709 08:01:9999 0 EOF
2: POSIX  ADVISORY  WRITE 710 08:01:77 0 EOF
"""


@pytest.mark.parametrize(("inode", "held"), [(2546, True), (9999, False), (77, False), (1, False)])
def test_a_lock_that_somebody_holds(inode: int, held: bool) -> None:
    assert listed_as_held(LOCKS, 8, 1, inode) is held
    other_device = None if held else False  # btrfs and overlayfs show another one to stat(2)
    assert listed_as_held(LOCKS, 8, 2, inode) is other_device
