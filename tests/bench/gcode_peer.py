"""Reads one G-code file with one reader and prints what it took, as JSON.

Run as a script by any Python that has the reader: ``gcode_peer.py READER FILE``. It imports
nothing of this project but for the reader ``fabctl``.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Reader = Callable[[Path], dict[str, Any]]


def _fabctl() -> Reader:
    preflight = importlib.import_module("fabctl.gcode.preflight")
    ports = importlib.import_module("fabctl.ports")
    area = ports.WorkArea(x=(0.0, 250.0), y=(0.0, 210.0), z=(0.0, 210.0))

    def read(file: Path) -> dict[str, Any]:
        with file.open("rb") as stream:
            report = preflight.inspect(
                stream, kind=ports.MachineKind.PRINTER, work_area=area, limits=ports.Limits()
            )
        return {"filament_mm": report.filament_mm, "seconds": report.estimate_s}

    return read


def _octoprint() -> Reader:
    module = importlib.import_module("octoprint.util.gcodeInterpreter")

    def read(file: Path) -> dict[str, Any]:
        analysis = module.gcode()
        analysis.load(str(file))
        found = analysis.get_result()
        return {
            "filament_mm": found["extrusion_length"][0],
            "seconds": found["total_time"] * 60.0,
        }

    return read


def _gcode_lib() -> Reader:
    module = importlib.import_module("gcode_lib")

    def read(file: Path) -> dict[str, Any]:
        lines = module.load(str(file)).lines
        stats, estimate = module.compute_stats(lines), module.estimate_print(lines)
        return {"filament_mm": stats.total_extrusion, "seconds": estimate.time_seconds}

    return read


def _gcodeparser() -> Reader:
    module = importlib.import_module("gcodeparser")

    def read(file: Path) -> dict[str, Any]:
        with file.open() as stream:
            return {"commands": sum(1 for _ in module.parse_gcode_lines(stream))}

    return read


def _pygcode() -> Reader:
    module = importlib.import_module("pygcode")

    def read(file: Path) -> dict[str, Any]:
        commands = refused = 0
        with file.open() as stream:
            for line in stream:
                try:
                    commands += bool(module.Line(line).block.gcodes)
                except Exception:  # noqa: BLE001  # whatever it raises is counted and shown
                    refused += 1
        return {"commands": commands, "refused": refused}

    return read


READERS: dict[str, Callable[[], Reader]] = {
    "fabctl": _fabctl,
    "OctoPrint": _octoprint,
    "gcode-lib": _gcode_lib,
    "gcodeparser": _gcodeparser,
    "pygcode": _pygcode,
}


def _forget_peak() -> None:
    """Begin anew: the peak that getrusage tells is the parent's at first (Linux, proc(5))."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _memory_mb(which: str) -> float:
    """Return VmRSS or VmHWM (its peak)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split(f"{which}:")[1].split()[0]) / 1024


def main(reader: str, file: Path) -> None:
    """Read the file once."""
    read = READERS[reader]()
    _forget_peak()
    before = _memory_mb("VmRSS")
    begin = time.process_time()
    found = read(file)
    seconds = time.process_time() - begin  # all of them use one core, and nothing waits
    added_mb = _memory_mb("VmHWM") - before
    print(json.dumps({"seconds": seconds, "added_mb": added_mb, "found": found}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
