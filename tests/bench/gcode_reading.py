"""Reading G-code: lines and bytes per second, and memory for a file of 100 MB."""

from __future__ import annotations

import io
import resource
import statistics
import time
from typing import IO

from fabctl.gcode.preflight import inspect
from fabctl.gcode.report import Report
from fabctl.ports import Limits, MachineKind, WorkArea
from tests.gcode_reading import DATA, DEMO_FILES

AREA = WorkArea(x=(0.0, 250.0), y=(0.0, 210.0), z=(0.0, 210.0))
FILES = (
    (DEMO_FILES / "keyring_tag.gcode", MachineKind.PRINTER),
    (DEMO_FILES / "gear.gcode", MachineKind.PRINTER),
    (DATA / "sign.nc", MachineKind.MILL),
    (DATA / "gears-vector.gcode", MachineKind.LASER),
    (DATA / "badge-raster.gcode", MachineKind.LASER),
)
RUNS = 9
LARGE_MB = 100


class Repeated(io.BytesIO):
    """One text again and again, made while it is read."""

    def __init__(self, text: bytes, times: int) -> None:
        super().__init__()
        self._text, self._left = text, len(text) * times

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes, at most ``size``."""
        begin = -self._left % len(self._text)
        found = self._text[begin : begin + min(size or 0, self._left)]
        self._left -= len(found)
        return found


def read(stream: IO[bytes], kind: MachineKind) -> tuple[float, Report]:
    """Inspect a file; return the seconds too."""
    begin = time.perf_counter()
    assert isinstance(stream, io.BytesIO)
    report = inspect(stream, kind=kind, work_area=AREA, limits=Limits())
    return time.perf_counter() - begin, report


def read_large() -> None:
    """Read one large file. It comes first: a process's peak of memory never falls again."""
    data = (DEMO_FILES / "gear.gcode").read_bytes()
    stream = Repeated(data, LARGE_MB * 1_000_000 // len(data))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds, report = read(stream, MachineKind.PRINTER)
    added = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(
        f"  gear.gcode to {report.size / 1e6:.0f} MB: {report.lines:,} lines in {seconds:.1f} s,"
        f" {report.lines / seconds:,.0f} lines/s, {report.size / 1e6 / seconds:.1f} MB/s,"
        f" {added:.1f} MB of memory added"
    )


def main() -> None:
    """Print the table."""
    print(f"Reading G-code, every figure of the report; median and best of {RUNS}:")
    read_large()
    for path, kind in FILES:
        data = path.read_bytes()
        runs = [read(io.BytesIO(data), kind) for _ in range(RUNS)]
        seconds = sorted(run[0] for run in runs)
        lines = runs[0][1].lines
        median, best = lines / statistics.median(seconds), lines / seconds[0]
        print(f"  {path.name:20} {lines:7,} lines {median:11,.0f} lines/s {best:11,.0f} best")
