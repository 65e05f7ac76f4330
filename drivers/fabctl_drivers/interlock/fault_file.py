"""The FAULT that is remembered across restarts, in one small file.

The file is always there once a daemon has run: ``{"v": 1, "fault": null}``, or the fault. It is
replaced in one step and on the disk before anybody relies on it. What cannot be read, or is not
exactly what we write, is a FAULT: somebody has to look. On a full disk the present file is cut to
nothing instead, which needs no space, and that too reads as a FAULT after a restart.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from fabctl.errors import DeviceError
from fabctl.whole_files import write_whole
from fabctl_drivers.interlock.causes import Cause, FaultCode, FaultRecord

MOST_BYTES = 4096
_NOT_AS_WRITTEN = "the fault file is not as the daemon writes it"


class FaultFile:
    """The file ``fault.json``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, *, has_run_before: bool) -> FaultRecord | None:
        """Return the fault that is remembered; None only when the file says that there is none.

        :param has_run_before: a daemon has run with this folder: then a missing file is a fault.
        """
        try:
            with self.path.open("rb") as file:
                raw = file.read(MOST_BYTES + 1)
        except FileNotFoundError:
            gone = "the fault file is gone, though this interlock has run before"
            return FaultRecord(FaultCode.FAULT_FILE, gone) if has_run_before else None
        except OSError as error:
            return FaultRecord(FaultCode.FAULT_FILE, f"the fault file cannot be read: {error}")
        try:
            return _fault(json.loads(raw))
        except (ValueError, RecursionError):
            return FaultRecord(FaultCode.FAULT_FILE, _NOT_AS_WRITTEN)

    def write(self, fault: FaultRecord | None) -> None:
        """Remember a fault, or that there is none; on return it is on the disk.

        :raises DeviceError: the disk is full or broken. A fault is then remembered as far as can
            be: the file that was there has been emptied, where that was possible.
        """
        try:
            write_whole(self.path, _content(fault))
        except OSError as error:
            emptied = fault is not None and self._empty()
            kept = "; emptied instead, which reads as a fault" if emptied else ""
            raise DeviceError(f"{self.path} cannot be written: {error}{kept}") from error

    def _empty(self) -> bool:
        try:
            with self.path.open("wb") as file:
                os.fsync(file.fileno())
        except OSError:
            return False  # a disk that went read-only, say: the caller tells
        return True


def _content(fault: FaultRecord | None) -> bytes:
    told = None
    if fault is not None:
        told = {"code": fault.code, "why": fault.why[:500], "first_cause": fault.first_cause}
    return json.dumps({"v": 1, "fault": told}).encode() + b"\n"


def _fault(values: Any) -> FaultRecord | None:
    """Return what a file's content says.

    :raises ValueError: it is not what we write.
    """
    if not isinstance(values, dict) or values.keys() != {"v", "fault"} or values["v"] != 1:
        raise ValueError(_NOT_AS_WRITTEN)
    fault = values["fault"]
    if fault is None:
        return None
    if not isinstance(fault, dict) or fault.keys() != {"code", "why", "first_cause"}:
        raise ValueError(_NOT_AS_WRITTEN)
    first = fault["first_cause"]
    return FaultRecord(
        code=FaultCode(fault["code"]),
        why=str(fault["why"]),
        first_cause=None if first is None else Cause(first),
    )
