"""The core counts a file's commands, the driver sends them: both must mean the same lines."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabctl.gcode import lines
from fabctl_drivers import job_text

DATA = Path(__file__).parents[1] / "data"
FILES = [*sorted(DATA.glob("*.gcode")), *sorted(DATA.glob("*.nc"))]
PIECES = st.sampled_from(
    [
        b"G1",
        b" ",
        b"X10.5",
        b";",
        b"(",
        b")",
        b"N12 ",
        b"*57",
        b"%",
        b"M117 hi",
        b"\t",
        b"e-2",
        b"#",
    ]
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_on_real_files(path: Path) -> None:
    raw = path.read_bytes()
    sent = [command for line in raw.splitlines() if (command := job_text.sendable(line))]
    assert len(sent) > 100
    assert lines.count(io.BytesIO(raw)).commands == len(sent)


@given(st.lists(PIECES, max_size=12).map(b"".join))
def test_on_any_line(line: bytes) -> None:
    assert bool(lines.sendable(line)) == bool(job_text.sendable(line))
