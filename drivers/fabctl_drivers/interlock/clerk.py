"""The thread that writes to the disk, so that the scan never waits for one.

An SD card may take hundreds of ms for one fsync. The scan hands over and goes on; what could not
be written is tried again, and :attr:`Clerk.trouble` tells meanwhile.
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
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="clerk", daemon=True)
        self.trouble: str | None = None
        """Why something is not on the disk; None: all is there, or on its way."""
        self.forgot: bool | None = None
        """Whether the last :meth:`forget` is on the disk; None while it is not decided."""
        self.lost = 0
        """Entries of the record that were given up, because too many waited."""

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def record(self, entry: Mapping[str, Any]) -> None:
        """Have an entry put on record; returns at once."""
        self._work.put(_Entry(entry))

    def remember(self, fault: FaultRecord) -> None:
        """Have a fault remembered, tried until it is; returns at once."""
        self._work.put(_Memory(fault))

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
        try:
            while not self._ending:
                self._take_in()
                self._write_down()
        except Exception as error:  # noqa: BLE001  # top of a thread: said on every screen
            self.trouble = f"the record has failed: {type(error).__name__}: {error}"

    def _take_in(self) -> None:
        """Wait for work, and while something is left over, not for long."""
        left = bool(self._entries) or self._fault is not None
        try:
            work = self._work.get(timeout=AGAIN_AFTER_S if left else None)
        except queue.Empty:
            return
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

    def _write_down(self) -> None:
        try:
            if self._fault is not None:
                self._faults.write(self._fault)
                self._fault = None
            while self._entries:
                self._record.append(self._entries[0])
                self._entries.popleft()
        except DeviceError as error:
            self.trouble = str(error)
        else:
            self.trouble = None

    def _forget(self) -> None:
        try:
            self._faults.write(None)
        except DeviceError as error:
            self.trouble = str(error)
            self.forgot = False
        else:
            self._fault = None
            self.forgot = True
