"""Short ways to read G-code in tests."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings

from fabctl.gcode.preflight import inspect
from fabctl.gcode.report import Report
from fabctl.ports import Limits, MachineKind, WorkArea
from fabctl.units import Celsius, MmPerMin

ROOT = Path(__file__).parent.parent
DATA = ROOT / "tests" / "data"
DEMO_FILES = ROOT / "hardware-sim" / "fabctl_sim" / "gcode"
AREA = WorkArea(x=(0.0, 250.0), y=(0.0, 210.0), z=(0.0, 200.0))
LIMITS = Limits(
    nozzle_max_c=Celsius(280.0),
    bed_max_c=Celsius(110.0),
    feed_max_mm_per_min=MmPerMin(12000.0),
    power_max=1000.0,
)
PRINTER, MILL, LASER, OTHER = (
    MachineKind.PRINTER,
    MachineKind.MILL,
    MachineKind.LASER,
    MachineKind.OTHER,
)

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For Hypothesis on a computer with other things to do."""


def read(program: str | bytes, kind: MachineKind = PRINTER, **options: Any) -> Report:
    """Inspect a program given as text; ``|`` stands for a new line."""
    data = program if isinstance(program, bytes) else program.replace("|", "\n").encode()
    options = {"work_area": AREA, "limits": LIMITS, **options}
    return inspect(io.BytesIO(data), kind=kind, **options)


def read_file(path: Path, kind: MachineKind, **options: Any) -> Report:
    """Inspect a file."""
    with path.open("rb") as stream:
        return inspect(stream, kind=kind, **{"work_area": AREA, "limits": LIMITS, **options})


def codes(report: Report) -> list[str]:
    """The codes of a report's problems, in its order."""
    return [problem.code for problem in report.problems]


def sentence(report: Report, code: str) -> str:
    """The first problem of this code, as people read it in English."""
    return next(str(problem.message) for problem in report.problems if problem.code == code)
