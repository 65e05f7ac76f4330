"""Reading G-code: lines and bytes per second, and memory for a file of 100 MB."""

from __future__ import annotations

import io
import math
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
MADE_LINES = 30_000
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


def arcs() -> bytes:
    """Return a mill's file of arcs, round and round."""
    rows = ["M3 S100", "G0 X20 Y10", "F600"]
    for n in range(MADE_LINES):
        x, y = -10 * math.cos(n * 0.3), -10 * math.sin(n * 0.3)
        after = (n + 1) * 0.3
        end = f"X{10 + 10 * math.cos(after):.4f} Y{10 + 10 * math.sin(after):.4f}"
        rows.append(f"G3 {end} I{x:.4f} J{y:.4f}")
    return "\n".join(rows).encode()


def relative() -> bytes:
    """Return a printer's file of relative moves."""
    moves = (f"G1 X{(n % 7 - 3) / 10:.3f} Y{(n % 5 - 2) / 10:.3f} E0.01" for n in range(MADE_LINES))
    return "\n".join(["G28", "G91", "M104 S200", "G1 F3000", *moves]).encode()


def main() -> None:
    """Print the table."""
    print(f"Reading G-code, every figure of the report; median and best of {RUNS}:")
    read_large()
    texts = [(path.name, path.read_bytes(), kind) for path, kind in FILES]
    texts += [("arcs", arcs(), MachineKind.MILL), ("G91", relative(), MachineKind.PRINTER)]
    for name, data, kind in texts:
        runs = [read(io.BytesIO(data), kind) for _ in range(RUNS)]
        seconds = sorted(run[0] for run in runs)
        lines = runs[0][1].lines
        median, best = lines / statistics.median(seconds), lines / seconds[0]
        print(f"  {name:20} {lines:7,} lines {median:11,.0f} lines/s {best:11,.0f} best")
