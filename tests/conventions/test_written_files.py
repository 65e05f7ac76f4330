"""Whatever writes a file is known, and how it ends on a full disk is written down.

Read from the code: who adds a way to write says here why it is not :mod:`fabctl.whole_files`,
and adds a line to docs/full-disk.md with the test that fills the disk there.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("fabctl", "drivers/fabctl_drivers", "web/fabctl_web")
METHODS = {"write_text", "write_bytes"}
FUNCTIONS = {
    "copyfile",
    "copy",
    "copy2",
    "copytree",
    "mkstemp",
    "NamedTemporaryFile",
    "TemporaryFile",
}
MODULES = {"shutil", "tempfile"}
WRITES = {
    "fabctl/whole_files.py": "the helper",
    # too large for memory; each follows the helper's order
    "web/fabctl_web/uploads.py": "uploads",
    "fabctl/backup/writing.py": "archives",
    "fabctl/backup/checking.py": "what is unpacked of an archive",
    "fabctl/backup/gathering.py": "copies for an archive, gone with their folder",
    "fabctl/store/snapshot.py": "copies of a database",
    "fabctl/hosting/preparation.py": "a job's file beside its machine",
    "fabctl/file_fetching.py": "the same from another host",
    # SQLite's own files, and locks that hold nothing
    "fabctl/store/engine.py": "an empty file for SQLite, with its rights",
    "fabctl/store/migrate.py": "the same, and a lock",
    "fabctl/hosting/locks.py": "locks",
    # written in place, on purpose
    "drivers/fabctl_drivers/interlock/record.py": "appended line by line",
    "drivers/fabctl_drivers/interlock/fault_file.py": "emptied, when nothing else can be written",
    "drivers/fabctl_drivers/interlock/simulated_pins.py": "a simulated cabinet's memory",
    "fabctl/hosting/running_mark.py": "the line of a running job, mapped into memory",
    # helpers of one command, or of one moment
    "fabctl/unpack_bgcode.py": "by its library, into the folder of uploads; then its probe",
    "fabctl/services/doctor_computer.py": "a probe",
    "fabctl/commands/stream_options.py": "a dry run",
    "fabctl/commands/stream_from_line.py": "the rest of a file, for one command",
    "fabctl/commands/terminal_keyboard.py": "the history of a terminal",
    "fabctl/commands/interlock_sheet.py": "a document of this repository",
    "fabctl/commands/demo.py": "the demo's lab.toml",
    "fabctl/commands/demo_steps.py": "the demo's files",
    "fabctl/hosting/run_lab.py": "/dev/null",
    "fabctl/driver_contract/job_text.py": "a job for a driver's contract tests",
}


def test_every_module_that_writes_files_is_known() -> None:
    found = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if _has_a_way_to_write(path.read_text())
    }
    assert found == WRITES.keys()


def test_what_the_document_says_was_tried_is_there() -> None:
    text = (ROOT / "docs/full-disk.md").read_text()
    named = set(re.findall(r"`(test_\w+\.py)`", text))
    assert len(named) > 4
    assert named <= {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    table = text.partition("## What happens where")[2].partition("## ")[0]
    rows = [row for row in table.splitlines() if row.startswith("| ")][1:]
    assert len(rows) > 20
    assert [row for row in rows if not re.search(r"`test_\w+\.py` \|$", row)] == []


def _has_a_way_to_write(code: str) -> bool:
    return "O_CREAT" in code or any(map(_writes, ast.walk(ast.parse(code))))


def _writes(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    match node.func:
        case ast.Attribute(value=ast.Name(id=module), attr=name) if module in MODULES:
            return name in FUNCTIONS
        case ast.Attribute(attr=name) if name in METHODS:
            return True
        case ast.Attribute(attr="open") | ast.Name(id="open"):
            return any(map(_is_mode_to_write, node.args[:2]))
    return False


def _is_mode_to_write(argument: ast.expr) -> bool:
    match argument:
        case ast.Constant(value=str(mode)):
            return bool(re.fullmatch(r"[rwaxbt+]{1,3}", mode)) and bool(set(mode) & set("wax+"))
    return False
