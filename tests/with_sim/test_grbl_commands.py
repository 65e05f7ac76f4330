"""``fabctl stream`` and ``fabctl terminal`` with the stand-in of a Grbl controller."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pty_bench import PATIENCE_S, MakeGrbl

SQUARE = ("G90 G21", "M3 S500", "G1 X20 F1000", "G1 Y20", "G1 X0", "G1 Y0", "M5")


@pytest.mark.parametrize("options", [(), ("--option", "check_run=true")])
def test_fabctl_stream(grbl: MakeGrbl, folder: Path, options: tuple[str, ...]) -> None:
    bench = grbl("--factor", "50")
    job = folder / "square.nc"
    job.write_text("\n".join(SQUARE) + "\n")
    words = ["stream", str(job), "--driver", "grbl", "--port", str(bench.sim.port)]
    done = subprocess.run(
        [sys.executable, "-m", "fabctl", *words, "--baud", "115200", "--kind", "mill", "--json",
         *options],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["lines"] == len(SQUARE)
    assert bench.control.status()["moves"] == (0 if options else 4)


def test_fabctl_terminal(grbl: MakeGrbl) -> None:
    bench = grbl()
    words = ["terminal", "--driver", "grbl", "--port", str(bench.sim.port), "--baud", "115200"]
    done = subprocess.run(
        [sys.executable, "-m", "fabctl", *words],
        input="G21\nG5\n$$\n?\n",
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "error:20, an unknown" in done.stdout
    assert "$32=0" in done.stdout
    assert "<Idle|MPos:" in done.stdout


def test_fabctl_stream_dry_run(folder: Path) -> None:
    job, out = folder / "square.nc", folder / "said.bin"
    job.write_text("\n".join(SQUARE) + "\n")
    words = ["stream", str(job), "--driver", "grbl", "--port", "none", "--baud", "115200"]
    done = subprocess.run(
        [sys.executable, "-m", "fabctl", *words, "--kind", "mill", "--dry-run", str(out)],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"\n".join(line.replace(" ", "").encode() for line in SQUARE) in out.read_bytes()
