"""Bytes that a whole simulated lab has written to its disk: while it prints, and left alone.

What is measured is ``write_bytes`` of ``/proc/<pid>/io`` (proc(5)): what each process caused to be
sent to the storage, whole pages of 4 KiB. The file system's own journal comes on top; what the
stand-ins of the machines write (nothing of a real lab) is left out. A day is extrapolated from
minutes, so what the steward does once an hour or once a day is hardly in it.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path

import psutil

from tests.bench.figures import show
from tests.lab import RunningLab, running_lab, wait_for

MINUTES = float(os.environ.get("DISK_MINUTES", "5"))
SETTLE_S = 30.0
DAY_S, HOUR_S = 86_400, 3_600
MEMORY_FILE_SYSTEMS = {"tmpfs", "ramfs"}
"""What is written there never counts as sent to a disk."""


def main() -> None:
    """Print what is written in a printing hour and in an idle day, process by process."""
    print(f"demo lab: bytes written to disk, from {MINUTES:g} min each, extrapolated")
    with tempfile.TemporaryDirectory() as folder:
        kind = _file_system(Path(folder))
        if kind in MEMORY_FILE_SYSTEMS:
            print(f"  not measured: {folder} is {kind}; set TMPDIR to a folder on a disk")
            return
        with running_lab(Path(folder), "--speed", "1") as lab:
            time.sleep(SETTLE_S)
            _show("a printing hour (one printer, real speed)", _written(lab), HOUR_S)
            _stop_all(lab)
            time.sleep(SETTLE_S)
            _show("an idle day", _written(lab), DAY_S)


def _file_system(folder: Path) -> str:
    mounts = sorted(psutil.disk_partitions(all=True), key=lambda one: -len(one.mountpoint))
    return next(one.fstype for one in mounts if folder.is_relative_to(one.mountpoint))


def _stop_all(lab: RunningLab) -> None:
    api = lab.api("awa")  # of the staff: she may stop what others began
    for machine in ("printer-a", "printer-b", "mill"):
        job = lab.machine(machine).get("job")
        if job:
            api.post(f"{lab.url}/api/v1/jobs/{job}/stop", timeout=20).raise_for_status()
        wait_for(f"{machine} at rest", partial(_rests, lab, machine), timeout=120)


def _rests(lab: RunningLab, machine: str) -> bool:
    return lab.state(machine) == "idle"


def _written(lab: RunningLab) -> Counter[str]:
    """Return the bytes that each process wrote in the time of the measurement."""
    before = _counted(lab)
    time.sleep(MINUTES * 60)
    after = _counted(lab)
    found: Counter[str] = Counter()
    for (pid, label), count in after.items():
        found[label] += count - before.get((pid, label), 0)
    return found


def _counted(lab: RunningLab) -> dict[tuple[int, str], int]:
    found = {}
    for process in (psutil.Process(lab.process.pid), *lab.children()):
        try:
            label, count = _label(process), process.io_counters().write_bytes
        except psutil.NoSuchProcess:
            continue  # it ended between the list and the look
        if not label.startswith("fabctl_sim"):
            found[process.pid, label] = count
    return found


def _label(process: psutil.Process) -> str:
    words = [Path(word).name for word in process.cmdline() if not word.startswith("-")]
    return " ".join(word for word in words if not word.startswith("python"))[:36]


def _show(what: str, written: Counter[str], span_s: int) -> None:
    times = span_s / (MINUTES * 60)
    print(f" {what}:")
    for label, count in written.most_common():
        show(label, count * times / 1e6, "MB")
    show("all together", written.total() * times / 1e6, "MB")
    show(f"measured, in {MINUTES:g} min", written.total() / 1e3, "kB")
