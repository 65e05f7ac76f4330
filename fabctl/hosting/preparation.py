"""Before a job: is the file on our disk the one that was meant, and may it run on this machine?

Reading a big file takes seconds, so it happens in a thread of its own while the machine idles
(and its host goes on answering). Nothing is sent to the machine before all of it is right.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fabctl.errors import FabError, InputError
from fabctl.file_fetching import Source, Wanted, fetch
from fabctl.messaging.payloads import StartOrder
from fabctl.ports import JobFile, MachineProfile, Trouble
from fabctl.whole_files import disk_full, is_full

CHUNK = 1 << 20
PART = ".fetching-"
"""What comes from elsewhere is called so until it is whole."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The file may run."""

    file: JobFile
    estimate_s: float | None
    time_table: tuple[float, ...]
    """As :func:`fabctl.gcode.timeline.time_fraction` reads it."""


@dataclass(frozen=True, slots=True)
class NotReady:
    """The file may not run; one English sentence says why."""

    reason: str
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """How a preparation ended; it comes once, unless it was cancelled."""

    job: str
    result: Ready | NotReady


class CancelledError(FabError):
    """Nobody wants the result any more."""


class Preparation:
    """Links (or copies) the file into the machine's folder, hashes it, and reads it through.

    :param source: where the file with this sha256 should lie.
    :param folder: the machine's own; the file stays there as ``job.gcode`` until the next job.
    :param done: called from the thread with the result.
    :param elsewhere: who is asked for a file that is not on this computer; None: nobody.
    """

    def __init__(
        self,
        order: StartOrder,
        profile: MachineProfile,
        source: Path,
        folder: Path,
        done: Callable[[Prepared], None],
        elsewhere: Source | None = None,
    ) -> None:
        self._elsewhere = elsewhere
        self._order = order
        self._profile = profile
        self._source = source
        self._target = folder / "job.gcode"
        self._done = done
        self._cancelled = threading.Event()
        self._guard = threading.Lock()
        self._is_fetching = False
        self._thread = threading.Thread(target=self._run, name=f"prepare-{order.job}", daemon=True)

    def begin(self) -> None:
        """Start; returns at once."""
        self._thread.start()

    def cancel(self) -> None:
        """Give up: ``done`` is not called any more, and the machine's folder is left alone.

        Waits for the thread's end; not where it waits for another computer, which may be silent.
        """
        with self._guard:
            self._cancelled.set()
            is_fetching = self._is_fetching
        if not is_fetching:
            self._thread.join()

    def _run(self) -> None:
        try:
            result: Ready | NotReady = self._prepare()
        except CancelledError:
            return
        except FabError as error:
            result = NotReady(str(error))
        except OSError as error:
            result = _cannot_have(error, self._target)
        except Exception as error:  # noqa: BLE001  # top of the thread: the job's end shows it
            result = NotReady(f"The file could not be checked: {type(error).__name__}: {error}")
        with self._guard:
            if not self._cancelled.is_set():
                self._done(Prepared(self._order.job, result))

    def _prepare(self) -> Ready:
        from fabctl.gcode.machine import inspect_for  # noqa: PLC0415  # an idle machine needs none

        self._take_file()
        with self._target.open("rb") as file:
            self._check_hash(file)
            file.seek(0)
            report = inspect_for(file, self._profile, progress=self._stop_if_cancelled)
        if report.errors:
            raise InputError(f"The file may not run here: {report.errors[0].message}")
        found = (report.lines, report.commands)
        if found != (self._order.lines, self._order.commands):
            raise InputError("The file has another number of lines than was said")
        return Ready(
            JobFile(self._order.job, self._target, self._order.name, *found),
            report.estimate_s,
            report.time_table,
        )

    def _take_file(self) -> None:
        """Have the file in our own folder, so that it stays while it runs."""
        self._target.unlink(missing_ok=True)
        try:
            os.link(self._source, self._target)
        except FileNotFoundError as error:
            if self._elsewhere is None:
                raise InputError("The file is not on this computer") from error
            self._fetch(self._elsewhere)
        except OSError:  # another file system, or one without hard links
            self._copy()
        size = self._target.stat().st_size
        if size != self._order.size:
            raise InputError(f"The file has {size} bytes, not {self._order.size}")

    def _fetch(self, source: Source) -> None:
        """Have the file from another computer, beside its place until it is whole."""
        folder = self._target.parent
        for left in folder.glob(f"{PART}*"):  # of a process that was killed meanwhile
            left.unlink(missing_ok=True)
        part = folder / f"{PART}{secrets.token_hex(8)}"
        with self._guard:
            self._stop_if_cancelled()
            self._is_fetching = True
        fetch(source, Wanted(self._order.sha256, self._order.size), part, self._stop_if_cancelled)
        with self._guard:  # from here on cancel() waits for us
            if self._cancelled.is_set():
                part.unlink(missing_ok=True)
            self._stop_if_cancelled()
            self._is_fetching = False
            part.replace(self._target)

    def _copy(self) -> None:
        try:
            shutil.copyfile(self._source, self._target)
        except OSError:
            self._target.unlink(missing_ok=True)  # on a full disk its room is needed
            raise

    def _check_hash(self, file: BinaryIO) -> None:
        digest = hashlib.sha256()
        while chunk := file.read(CHUNK):
            self._stop_if_cancelled()
            digest.update(chunk)
        if digest.hexdigest() != self._order.sha256:
            raise InputError("The file's sha256 is not the one that was signed for")

    def _stop_if_cancelled(self, _bytes_read: int = 0) -> None:
        if self._cancelled.is_set():
            raise CancelledError("the preparation was cancelled")


def _cannot_have(error: OSError, target: Path) -> NotReady:
    """Return why a job's file cannot be had or read."""
    if is_full(error):
        return NotReady(f"{disk_full(target)}.", Trouble.DISK_FULL)
    return NotReady(f"The file cannot be read: {error}.", Trouble.FILE_UNREADABLE)
