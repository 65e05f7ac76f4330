"""Twelve machines at 250000 baud at once, all drivers on one core: nobody's planner runs dry."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.streaming_contest import SCRIPT, Run, marlin_moves, read_run, show_aim, wait_for
from tests.gcode_reading import ROOT

RUNS = 3
MACHINES = 12
MOVES_PER_S = 500
"""What every machine's planner drains: nearly twice what a real one manages (277)."""
SECONDS = 15
START_S = 12.0
"""Until all the processes have read the file; then they begin together."""


@dataclass(frozen=True)
class Together:
    """One run of all."""

    underruns: int
    longest_gap_ms: float
    cpu_share: float
    """Of one core, in %."""
    lines_per_s: float
    endpoint_late_ms: float
    """By how much an answer of the endpoint's was late at most."""


def main() -> None:
    """Print the figures."""
    print(
        f"{MACHINES} machines at 250000 baud, each draining {MOVES_PER_S} moves per second, a "
        f"planner of 16; every driver a process, all on one core; {RUNS} runs of {SECONDS} s:"
    )
    with tempfile.TemporaryDirectory() as name:
        file = marlin_moves(Path(name), MOVES_PER_S * SECONDS)
        runs = [_together(Path(name) / str(number), file) for number in range(RUNS)]
    for run in runs:
        print(
            f"  {run.lines_per_s:6,.0f} lines/s in all, {run.cpu_share:5.1f} % of one core, "
            f"{run.underruns} underruns, longest gap {run.longest_gap_ms:.1f} ms; "
            f"the endpoint itself was {run.endpoint_late_ms:.1f} ms late at most"
        )
    share = statistics.median(run.cpu_share for run in runs)
    print(f"  median {share:.1f} % of one core; load of this computer {os.getloadavg()[0]:.1f}")
    show_aim("underruns in all runs", sum(r.underruns for r in runs), 0, "", at_most=True)


def _together(folder: Path, file: Path) -> Together:
    folder.mkdir()
    cores = sorted(os.sched_getaffinity(0))
    pacer = subprocess.Popen(
        [
            sys.executable, "-m", "tests.bench.streaming_paced", "--folder", str(folder),
            "--machines", str(MACHINES), "--move-ms", str(1000 / MOVES_PER_S),
        ],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )  # fmt: skip
    os.sched_setaffinity(pacer.pid, cores[:1])
    try:
        wait_for((folder / "ready").exists, "the paced ports")
        results = _stream_all(folder, file, cores[-1])
    finally:
        pacer.terminate()
        told = json.loads(pacer.communicate()[0])
    return _sum_up(results, told["machines"], 1000 * told["latest_s"])


def _stream_all(folder: Path, file: Path, core: int) -> list[Run]:
    begin = time.monotonic() + START_S
    senders = []
    for number in range(MACHINES):
        port = folder / f"ttyPACE{number}"
        words = ["fabctl", str(port), "250000", str(file), "driver=marlin", "window=true"]
        sender = subprocess.Popen(
            [sys.executable, str(SCRIPT), *words, f"at={begin}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
        )
        os.sched_setaffinity(sender.pid, [core])
        senders.append(sender)
    return [read_run(sender.communicate(timeout=120)[0]) for sender in senders]


def _sum_up(results: list[Run], told: list[dict[str, float]], late_ms: float) -> Together:
    for run, machine in zip(results, told, strict=True):
        if not run.is_finished or machine["moves"] != run.lines:
            raise RuntimeError(f"a job came to no good end: {run.outcome}, {machine}")
    return Together(
        underruns=int(sum(machine["underruns"] for machine in told)),
        longest_gap_ms=1000 * max(machine["longest_gap_s"] for machine in told),
        cpu_share=100 * sum(run.cpu_seconds / run.seconds for run in results),
        lines_per_s=sum(run.lines / run.seconds for run in results),
        endpoint_late_ms=late_ms,
    )
