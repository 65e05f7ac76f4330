"""Which program holds a port."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def holder_of(port: str | None) -> str:
    """Return which program holds a port, as words to add to a sentence; empty where unknown.

    Linux only: it looks for the port among the open files of the processes that it may see.
    """
    if port is None or not Path(port).exists():
        return ""
    wanted = Path(port).resolve()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            process = link.parent.parent
            if process.name != str(os.getpid()) and link.resolve() == wanted:
                return f" (it is held by {_name(process)}, process {process.name})"
    return ""


def _name(process: Path) -> str:
    """Return what a process is called; ours by their command, for every one is called python."""
    words = (process / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    for number, word in enumerate(words[:4]):
        if Path(word).name == "fabctl":
            return " ".join(["fabctl", *words[number + 1 : number + 2]]).strip()
    return (process / "comm").read_text().strip()
