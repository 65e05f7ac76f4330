"""The thread that writes to the disk, so that the scan never waits for one.

An SD card may take hundreds of ms for one fsync. The scan hands over and goes on; what could not
be written is tried again, and :attr:`Clerk.trouble` tells meanwhile. A fault goes before every
entry of the record, and no entry, whatever is wrong with it, keeps a fault from the disk.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fabctl.errors import DeviceError
from fabctl_drivers.interlock.causes import FaultRecord
from fabctl_drivers.interlock.fault_file import FaultFile
from fabctl_drivers.interlock.record import Record

MOST_WAITING = 1000
AGAIN_AFTER_S = 2.0


@dataclass(frozen=True, slots=True)
class _Entry:
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Memory:
    fault: FaultRecord | None


class _End:
    pass


_Work = _Entry | _Memory | _End


class Clerk:
    """Keeps the record and the memory of a FAULT.

    :param faults: nobody else writes it once the clerk was started.
    """

    def __init__(self, record: Record, faults: FaultFile) -> None:
        self._record = record
        self._faults = faults
        self._work: queue.SimpleQueue[_Work] = queue.SimpleQueue()
        self._entries: deque[Mapping[str, Any]] = deque()
        self._fault: FaultRecord | None = None
        """A fault that is not on the disk yet."""
        self._asked: FaultRecord | None = None
        self._on_disk: FaultRecord | None = None
        self._odd: str | None = None
        self._disk: str | None = None
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="clerk", daemon=True)
        self.forgot: bool | None = None
        """Whether the last :meth:`forget` is on the disk; None while it is not decided."""
        self.lost = 0
        """Entries of the record that were given up: too many waited, or one could not be told."""

    @property
    def trouble(self) -> str | None:
        """Why something is not on the disk; None: all is there, or on its way."""
        return self._disk or self._odd

    @property
    def kept(self) -> bool:
        """Whether the fault that was to be remembered last is on the disk."""
        return self._asked is None or self._on_disk == self._asked

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs; nothing is written without it, but for a fault."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def record(self, entry: Mapping[str, Any]) -> None:
        """Have an entry put on record; returns at once."""
        self._work.put(_Entry(entry))

    def remember(self, fault: FaultRecord) -> None:
        """Have a fault remembered, tried until it is; returns at once.

        Without the thread it is written here and now: the outputs are off in a FAULT, and the
        scan may wait.
        """
        self._asked = fault
        self._work.put(_Memory(fault))
        if self._thread.ident is not None and not self._thread.is_alive():
            self._fault = fault
            self._write_fault()

    def forget(self) -> None:
        """Have the memory cleared, tried once; :attr:`forgot` tells how it went."""
        self.forgot = None
        self._work.put(_Memory(None))

    def end(self, within_s: float) -> bool:
        """Write what can be written and end; say whether it ended in time."""
        self._work.put(_End())
        self._thread.join(within_s)
        return not self._thread.is_alive()

    # -- in the thread -------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            self._take_in()
            done = self._write_fault() and self._write_entry()
            if self._ending and not (done and self._entries):
                return

    def _take_in(self) -> None:
        """Take in all that came. Wait for it when nothing is left over; not long when it failed."""
        left = bool(self._entries) or self._fault is not None
        wait_s = None if not left else AGAIN_AFTER_S if self._disk else 0.0
        try:
            self._sort(self._work.get(timeout=wait_s) if wait_s != 0.0 else self._work.get_nowait())
            while True:
                self._sort(self._work.get_nowait())
        except queue.Empty:
            return

    def _sort(self, work: _Work) -> None:
        if isinstance(work, _Entry):
            self._entries.append(work.values)
            if len(self._entries) > MOST_WAITING:
                self._entries.popleft()
                self.lost += 1
        elif isinstance(work, _Memory):
            if work.fault is None:
                self._forget()
            else:
                self._fault = work.fault
        else:
            self._ending = True

    def _write_fault(self) -> bool:
        """Put the fault on the disk, when there is one; return whether none is left over."""
        if self._fault is None:
            return True
        try:
            self._faults.write(self._fault)
        except DeviceError as error:
            self._disk = str(error)
            return False
        self._on_disk, self._fault, self._disk = self._fault, None, None
        return True

    def _write_entry(self) -> bool:
        """Put one entry on the record; return whether that went well."""
        if not self._entries:
            return True
        try:
            self._record.append(self._entries[0])
        except DeviceError as error:
            self._disk = str(error)
            return False
        except Exception as error:  # noqa: BLE001  # no entry ends the thread: it keeps the faults
            self._odd = f"an entry cannot be put on record: {type(error).__name__}: {error}"
            self.lost += 1
        self._entries.popleft()
        self._disk = None
        return True

    def _forget(self) -> None:
        """Clear the memory, and what a supervisor has seen with it."""
        try:
            self._faults.write(None)
        except DeviceError as error:
            self._disk = str(error)
            self.forgot = False
        else:
            self._fault = self._asked = self._on_disk = None
            self._disk = self._odd = None
            self.forgot = True
