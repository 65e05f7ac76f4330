"""Wall clocks that a test steps: for processes, see ``stepped_clock.c``."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("stepped_clock.c")
DAY_S = 86_400


@dataclass(frozen=True)
class SteppedClock:
    """One computer's wall clock."""

    file: Path
    library: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a process of that computer needs in its environment."""
        return {"LD_PRELOAD": str(self.library), "FABCTL_STEPPED_CLOCK": str(self.file)}

    def step(self, ahead_s: int) -> None:
        """Set it so far ahead of the real time (behind: negative), in one moment."""
        with self.file.open("r+b") as file:
            os.pwrite(file.fileno(), struct.pack("=q", ahead_s), 0)


def compiled(folder: Path) -> Path:
    """Return the library; skip without a compiler on a person's computer, fail on CI."""
    if shutil.which("cc") is None:
        if os.environ.get("CI"):
            pytest.fail("cc is missing: apt-get install build-essential")
        pytest.skip("cc is missing: apt-get install build-essential")
    target = folder / "stepped_clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", target, SOURCE, "-ldl"], check=True)
    return target


def stepped_clock(library: Path, file: Path) -> SteppedClock:
    """Return a clock that shows the real time."""
    file.write_bytes(struct.pack("=q", 0))
    return SteppedClock(file, library)
