"""A file to try a driver with, counted as the core counts one."""

from __future__ import annotations

import re
from pathlib import Path

from fabctl.ports import JobFile

_COMMENT = re.compile(r"\([^)]*\)|;.*")


def bare(line: str) -> str:
    """Return what of a line is no comment and no blank."""
    return "".join(_COMMENT.sub("", line).split())


def job_file(folder: Path, text: str) -> JobFile:
    """Write the next job's file into a folder, and return it."""
    name = f"job-{len(list(folder.glob('job-*'))) + 1}"
    path = folder / f"{name}.gcode"
    path.write_text(text, encoding="utf-8")
    lines = text.splitlines()
    return JobFile(name, path, path.name, len(lines), sum(bool(bare(line)) for line in lines))
