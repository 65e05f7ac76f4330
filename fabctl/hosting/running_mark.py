"""What is left behind when a machine's process dies: which job ran, how far it was, what is broken.

``running.json`` is there exactly while a job runs. ``progress.bin`` holds the last confirmed line
in a memory-mapped file: writing it costs no system call, and after kill -9 the kernel still has
it. (After a power cut it may be some seconds old: it is never forced to the disk.)
``broken.json`` is there exactly while a person must look at the machine.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import asdict, dataclass
from pathlib import Path

from fabctl.hosting.durable import read_durable, remove_durably, write_durably
from fabctl.whole_files import is_full, write_whole

_LINE = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class MarkedJob:
    """A job that ran when its process died."""

    job: str | None
    """None: the mark itself cannot be read."""
    name: str = ""
    by: str | None = None
    line: int = 0
    """The last line (1-based) that the firmware confirmed; 0 before the first."""


class RunningMark:
    """The mark in one machine's folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._mark = folder / "running.json"
        self._progress = folder / "progress.bin"
        self._map = self._mapped()

    def _mapped(self) -> mmap.mmap:
        """Return the last confirmed line; without room on the disk, one that dies with us."""
        try:
            if not self._progress.exists() or self._progress.stat().st_size != _LINE.size:
                write_whole(self._progress, _LINE.pack(0))
        except OSError as error:
            if not is_full(error):
                raise
            return mmap.mmap(-1, _LINE.size)
        with self._progress.open("r+b") as file:
            return mmap.mmap(file.fileno(), _LINE.size)

    def left_behind(self) -> MarkedJob | None:
        """Return the job that a process before us did not see the end of."""
        found = read_durable(self._mark)
        if found is None:
            return None
        job, name, by = (found.get(key) for key in ("job", "name", "by"))
        return MarkedJob(
            job=job if isinstance(job, str) else None,
            name=name if isinstance(name, str) else "",
            by=by if isinstance(by, str) else None,
            line=self.line,
        )

    @property
    def line(self) -> int:
        """The last confirmed line that was noted."""
        return int(_LINE.unpack_from(self._map)[0])

    def begin(self, job: str, name: str, by: str | None) -> None:
        """Note, on the disk, that a job runs from now on.

        :raises OSError: the disk is full, or not ours to write.
        """
        self.reached(0)
        write_durably(self._mark, {"job": job, "name": name, "by": by})

    def reached(self, line: int) -> None:
        """Note the last confirmed line; cheap enough for every line."""
        _LINE.pack_into(self._map, 0, line)

    def end(self) -> None:
        """Note, on the disk, that the job's end has been told."""
        remove_durably(self._mark)

    def close(self) -> None:
        """Let go of the file; the mark stays as it is."""
        self._map.close()


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a person must look at the machine."""

    trouble: str
    """A code of :class:`fabctl.ports.Trouble`."""
    reason: str
    """One English sentence."""
    job: str | None = None
    line: int | None = None


class HoldFile:
    """The hold in one machine's folder; it outlives the process, until :meth:`clear`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "broken.json"
        self.hold = self._read()
        self.kept = self.hold is not None
        """Whether the hold is on the disk."""

    def set(self, hold: Hold) -> None:
        """Hold the machine. An older hold stays: the first failure explains more than the next.

        :raises OSError: the disk is full; the hold counts in this process all the same.
        """
        if self.hold is None:
            self.hold = hold
            write_durably(self._path, asdict(hold))
            self.kept = True

    def clear(self) -> None:
        """A person looked: forget the hold, on the disk too."""
        remove_durably(self._path)
        self.hold = None
        self.kept = False

    def _read(self) -> Hold | None:
        found = read_durable(self._path)
        if found is None:
            return None
        texts = {key: found.get(key) for key in ("trouble", "reason", "job")}
        trouble, reason, job = (
            value if isinstance(value, str) else None for value in texts.values()
        )
        line = found.get("line")
        return Hold(
            trouble=trouble or "interrupted",
            reason=reason or "The note of what happened cannot be read.",
            job=job,
            line=line if isinstance(line, int) else None,
        )
