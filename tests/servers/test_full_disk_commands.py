"""Commands on a full disk: one sentence with the disk and what to do, nothing torn, then once more.

Each command is one that writes; each is tried with no room at all, and with too little of it.
"""

from __future__ import annotations

import io
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

import fabctl.__main__
from fabctl.backup.checking import verify
from fabctl.clock import ManualClock
from fabctl.commands.octoprint_key import _keep
from fabctl.commands.stream_options import dry_run
from fabctl.config import LabConfig
from fabctl.errors import DiskFullError
from fabctl.hosting.drivers import make_driver
from fabctl.ports import JobFile, MachineKind, MachineProfile
from fabctl.store.migrate import upgrade
from fabctl.store.snapshot import sqlite_revision, sqlite_troubles
from fabctl.store.version import HEAD
from fabctl.whole_files import disk_of, is_full, write_whole
from tests.backup_lab import written_lab
from tests.databases import migrated_copy
from tests.servers.store.test_store_migrations import next_version
from tests.small_disk import LEFT_KIB, SmallDisk, small_disk

ROOT = Path(__file__).parents[2]
Write = Callable[[Path], None]
HALVES = (".new", ".part", ".half", ".tmp")


@dataclass
class LabOnDisk:
    """A small lab whose every file lies on a disk of 6 MB."""

    config: LabConfig
    disk: SmallDisk
    person: str

    @property
    def database(self) -> Path:
        return self.config.file.with_name("lab.db")

    @property
    def archive(self) -> Path:
        return max(self.config.backup.directory.glob("lab-*"))

    def fabctl(self, *words: str) -> tuple[int, str]:
        """Run a command in this process; return its exit code and what it said on stderr."""
        said, before = io.StringIO(), sys.argv
        sys.argv = ["fabctl", *words]
        try:
            with redirect_stderr(said), redirect_stdout(io.StringIO()):
                fabctl.__main__.main()
        except SystemExit as end:
            return int(end.code or 0), said.getvalue()
        finally:
            sys.argv = before
        raise AssertionError("a command ends with an exit code")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabOnDisk]:
    with small_disk(tmp_path_factory.mktemp("full"), 6144) as disk:
        folder = disk.path / "lab"
        folder.mkdir()
        url = f"sqlite:///{folder}/lab.db"
        migrated_copy(url, folder)
        config = written_lab(folder, url)
        with closing(sqlite3.connect(folder / "lab.db")) as database:
            person = database.execute("SELECT id FROM person LIMIT 1").fetchone()[0]
        found = LabOnDisk(config, disk, person)
        assert found.fabctl("backup", "--config", str(config.file)) == (0, "")
        yield found


@pytest.fixture(autouse=True)
def room(lab: LabOnDisk) -> None:
    """Each test begins with room, however the one before ended."""
    lab.disk.make_room()


COMMANDS = {
    # what: words, and how much room is too little for it beside none at all
    "backup": ("backup --config {lab}", 512),
    "verify": ("backup --config {lab} verify {archive}", 64),
    "restore": ("restore {archive} --to {disk}/again", 512),
    "export": ("export --config {lab} --person {person} --file {disk}/person.json", 16),
    "stats": ("stats --config {lab} --year 2026 --csv {disk}/a.csv --pdf {disk}/a.pdf", 16),
    "rotate": ("key rotate --config {lab} --yes mill", 1),
    "create": ("key create --config {lab}", 1),
    "broker": ("broker-config --config {lab} --out {disk}/mosquitto", 4),
    "copy": ("db copy --from sqlite:///{db} --to sqlite:///{disk}/other.db", 256),
}


@pytest.mark.parametrize("what", COMMANDS)
def test_a_command_says_which_disk_is_full_and_works_once_there_is_room(
    lab: LabOnDisk, what: str
) -> None:
    pattern, most = COMMANDS[what]
    places = {
        "lab": lab.config.file, "archive": lab.archive, "disk": lab.disk.path,
        "person": lab.person, "db": lab.database,
    }  # fmt: skip
    words = pattern.format(**places).split()
    if what == "create":
        lab.config.paths.machine_key("mill").unlink()
    for left in (one for one in (*LEFT_KIB, 256, 512) if one <= most):
        lab.disk.fill(left)
        code, said = lab.fabctl(*words)
        assert code == 2, (left, said)
        assert "full" in said
        assert str(lab.disk.path) in said
        assert "free some space" in said
        assert not [name for name in lab.disk.names() if name.endswith(HALVES)]
        assert not (lab.disk.path / "again" / "lab.toml").exists()
    lab.disk.make_room()
    assert lab.fabctl(*words)[0] == 0
    assert sqlite_troubles(lab.database) == []
    verify(lab.archive)
    shutil.rmtree(lab.disk.path / "again", ignore_errors=True)  # room for the next command


def test_a_migration_that_finds_no_room_changes_nothing(lab: LabOnDisk, tmp_path: Path) -> None:
    scripts = next_version(tmp_path / "scripts", "SELECT 1")
    url, copies = f"sqlite:///{lab.database}", lab.disk.path / "copies-before"
    for left in (0, 64, 256):
        lab.disk.fill(left)
        with pytest.raises(DiskFullError, match="free some space on the disk mounted at"):
            upgrade(url, copies, scripts=scripts)
        assert list(copies.glob("*")) == []
        lab.disk.make_room()
        assert sqlite_troubles(lab.database) == []
        assert sqlite_revision(lab.database) == HEAD
    whole = lab.disk.path / "to-migrate.db"
    shutil.copyfile(lab.database, whole)
    assert upgrade(f"sqlite:///{whole}", copies, scripts=scripts).after == "0099"
    whole.unlink()


# -- files that a command writes where a person says --------------------------------------------

GCODE = b"G28\nG1 X10 Y10 F1200\n" + b"G1 X20 E1\nG1 X30 E1\n" * 2000


def key(out: Path) -> None:
    """As `fabctl octoprint-key --out` does."""
    _keep("k" * 8000, out)


def notes(out: Path) -> None:
    """As `fabctl interlock ID --commission` does after each answer."""
    write_whole(out, "n" * 8000)


def rehearsal(out: Path) -> None:
    """As `fabctl stream --dry-run` does."""
    source = out.parent.parent / "part.gcode"
    source.write_bytes(GCODE)
    profile = MachineProfile("a", "A", MachineKind.PRINTER, "marlin", "here", "none", 115200)
    driver = make_driver(profile, ManualClock())
    lines = GCODE.count(b"\n")
    dry_run(driver, "marlin", JobFile("job", source, "part.gcode", lines, lines), out)


@pytest.mark.parametrize("write", [key, notes, rehearsal])
@pytest.mark.parametrize("left", [0, 4])
def test_a_file_is_whole_or_not_there(lab: LabOnDisk, write: Write, left: int) -> None:
    out = lab.disk.path / f"{write.__name__}.out"
    lab.disk.fill(left)
    with pytest.raises(OSError if write is notes else DiskFullError):
        write(out)
    assert not out.exists()
    lab.disk.make_room()
    write(out)
    assert out.stat().st_size >= 8000
    out.unlink()


def test_a_file_that_was_there_stands(lab: LabOnDisk) -> None:
    file = lab.disk.path / "notes.json"
    write_whole(file, "as it was")
    lab.disk.fill()
    with pytest.raises(OSError, match="No space left") as caught:
        write_whole(file, "n" * 8000)
    assert is_full(caught.value)
    assert disk_of(Path(caught.value.filename)) == lab.disk.path
    assert file.read_text() == "as it was"
    lab.disk.make_room()


PUT = """
. deploy/install-steps.sh
printf '%s' "$2" | put "$1" 0640 root:root
"""


def test_what_the_installer_writes_is_whole_or_as_it_was(lab: LabOnDisk) -> None:
    """lab.toml, units and rules go through one step of the installer."""
    file, content = lab.disk.path / "etc" / "lab.toml", "# a line\n" * 2000

    def put(text: str) -> subprocess.CompletedProcess[str]:
        words = ["bash", "-euo", "pipefail", "-c", PUT, "put", str(file), text]
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)

    assert put(content).returncode == 0
    for left in (0, 4, 16):
        lab.disk.fill(left)
        done = put("# another\n" * 3000)
        assert done.returncode != 0
        assert "No space left" in done.stderr
        assert f"free some space on the disk of {file.parent}" in done.stderr
        assert file.read_text() == content
        assert [one.name for one in file.parent.iterdir()] == ["lab.toml"]
    lab.disk.make_room()
    assert put("# another\n" * 3000).returncode == 0
