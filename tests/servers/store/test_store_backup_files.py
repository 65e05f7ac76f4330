"""What a backup does with the files of others: links, rights, files that are being written."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from fabctl.backup.checking import verify
from fabctl.backup.making import make_backup
from fabctl.backup.restoring import Place, restore
from fabctl.clock import ManualClock
from fabctl.config import DataPaths, LabConfig
from fabctl.config_file import load
from fabctl.hosting.journal import Journal
from fabctl.store.snapshot import sqlite_troubles
from fabctl_drivers.interlock.causes import FaultCode, FaultRecord
from fabctl_drivers.interlock.fault_file import FaultFile
from tests.backup_lab import written_lab


@pytest.fixture
def small(migrated_sqlite: Path, tmp_path: Path) -> LabConfig:
    """A lab on SQLite."""
    shutil.copy(migrated_sqlite, tmp_path / "lab.db")
    return written_lab(tmp_path / "lab", f"sqlite:///{tmp_path}/lab.db", seeded=False)


def test_a_link_is_named_and_not_followed(
    small: LabConfig, clock: ManualClock, tmp_path: Path
) -> None:
    """Whoever backs up may be allowed to read more than whoever made the link."""
    secret = tmp_path / "secret"
    secret.write_text("somebody else's")
    links = (small.paths.files / "evil.gcode", small.paths.machine("mill") / "evil")
    for link in links:
        link.symlink_to(secret)
    made = make_backup(small, clock)
    assert sorted(made.manifest.unread) == sorted(map(str, links))
    assert not [name for name in made.manifest.entries if "evil" in name]


def test_a_machines_events_are_copied_while_they_are_written(
    small: LabConfig, clock: ManualClock, tmp_path: Path
) -> None:
    """Its file has no log beside it: a plain copy would be torn."""
    folder = small.paths.machine("mill")
    (folder / "journal.db").unlink()
    journal = Journal(folder / "journal.db")
    done = threading.Event()
    writer = threading.Thread(target=_write_events, args=(folder / "journal.db", done))
    writer.start()
    (folder / "journal.db.unreadable").write_bytes(b"SQLite format 3\0" + bytes(5000))
    (folder / "lock").write_text("1")
    try:
        for number in range(4):
            clock.advance(60)
            archive = make_backup(small, clock).archive
            back = tmp_path / f"back-{number}"
            restore(archive, Place(back))
            copy = load(back / "lab.toml").paths.machine("mill")
            assert sqlite_troubles(copy / "journal.db") == []
            assert (copy / "journal.db.unreadable").exists()
            assert not (copy / "lock").exists()
    finally:
        done.set()
        writer.join()
        journal.close()


def _write_events(file: Path, done: threading.Event) -> None:
    """Write events of several pages each, as fast as can be."""
    with closing(sqlite3.connect(file, isolation_level=None)) as journal:
        journal.execute("PRAGMA synchronous = OFF")
        number = 0
        while not done.is_set():
            number += 1
            journal.execute(
                "INSERT INTO event (type, boot, seq, payload) VALUES ('x', 'b', ?, ?)",
                (number, bytes(20_000)),
            )
            if number % 20 == 0:
                journal.execute("DELETE FROM event")


def test_the_brokers_passwords_are_kept_wherever_they_lie(
    small: LabConfig, clock: ManualClock, tmp_path: Path
) -> None:
    (tmp_path / "lab" / "words").mkdir()
    (tmp_path / "lab" / "words" / "desk.password").write_text("word")
    broker = replace(small.broker, url="mqtts://b", password_folder=tmp_path / "lab" / "words")
    made = make_backup(replace(small, broker=broker), clock)
    restore(made.archive, Place(tmp_path / "new"))
    assert (tmp_path / "new" / "words" / "desk.password").read_text() == "word"
    # lab.toml is read by more than its owner: a certificate beside it must be, too
    assert stat.S_IMODE((tmp_path / "new" / "words").stat().st_mode) == 0o711


def test_an_interlock_that_remembered_no_fault_comes_back_in_fault(
    small: LabConfig, clock: ManualClock, tmp_path: Path
) -> None:
    """A fault may have been latched after the backup."""
    kept = FaultRecord(FaultCode.K1_WELDED, "seen at 8", None)
    for machine, fault in (("laser", None), ("saw", kept)):
        folder = small.paths.interlock(machine)
        folder.mkdir(parents=True)
        FaultFile(folder / "fault.json").write(fault)
    done = restore(make_backup(small, clock).archive, Place(tmp_path / "new"))
    assert done.in_fault == ("laser",)
    back = load(tmp_path / "new" / "lab.toml").paths
    laser = FaultFile(back.interlock("laser") / "fault.json").read(has_run_before=False)
    assert laser is not None
    assert "put back from a backup" in laser.why
    assert FaultFile(back.interlock("saw") / "fault.json").read(has_run_before=False) == kept


def test_an_interlock_without_its_memory_does_not_begin_as_a_new_one(
    small: LabConfig, clock: ManualClock, tmp_path: Path
) -> None:
    """It could not be read, say; one of another computer keeps its own there."""
    small.file.write_text(f"{small.file.read_text()}\n[interlocks.mill]\n[interlocks.far]\n")
    small.paths.interlock("mill").mkdir(parents=True)
    done = restore(make_backup(small, clock).archive, Place(tmp_path / "new"))
    assert done.in_fault == ("mill",)
    back = DataPaths(tmp_path / "new" / "data")
    fault = FaultFile(back.interlock("mill") / "fault.json").read(has_run_before=False)
    assert fault is not None
    assert fault.code is FaultCode.FAULT_FILE
    assert not back.interlock("far").exists()


def test_what_may_not_be_read_is_named_and_the_rest_is_kept(
    small: LabConfig, tmp_path: Path
) -> None:
    """In an installed lab some folders belong to other users."""
    (small.data_directory / "machines").chmod(0)
    small.paths.machine_key("mill").chmod(0)
    no_rights = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
    command = [sys.executable, "-m", "fabctl", "backup", "--config", str(small.file)]
    done = subprocess.run(
        [*(no_rights if os.geteuid() == 0 else []), *command],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    lacks = (str(small.data_directory / "machines"), str(small.paths.machine_key("mill")))
    for one in lacks:
        assert f"{one} is a link or may not be read" in done.stderr
    archive = Path(done.stdout.splitlines()[0])
    assert verify(archive).manifest.unread == lacks
    restore(archive, Place(tmp_path / "new"))
    assert load(tmp_path / "new" / "lab.toml").paths.machine_key("printer-a").exists()


def test_files_get_their_rights_back(small: LabConfig, clock: ManualClock, tmp_path: Path) -> None:
    """As `deploy/install.sh` sets them: keys for a group, a folder that passes its group on."""
    small.paths.machine_key("mill").chmod(0o640)
    small.paths.files.chmod(0o2750)
    if os.geteuid() == 0:
        shutil.chown(small.paths.machine_key("mill"), "nobody", "nogroup")
        os.chown(small.paths.secret, 54321, 54321)  # whoever that was
        shutil.chown(small.data_directory, "nobody", "nogroup")
    archive = make_backup(small, clock).archive
    assert archive.owner() == archive.parent.owner() == small.data_directory.owner()
    restore(archive, Place(tmp_path / "new"))
    back = load(tmp_path / "new" / "lab.toml").paths
    assert stat.S_IMODE(back.machine_key("mill").stat().st_mode) == 0o640
    assert stat.S_IMODE(back.files.stat().st_mode) == 0o2750
    assert stat.S_IMODE(back.secret.stat().st_mode) == 0o600
    if os.geteuid() == 0:
        assert (back.machine_key("mill").owner(), back.machine_key("mill").group()) == (
            "nobody",
            "nogroup",
        )
        assert back.secret.owner() == back.root.owner()
