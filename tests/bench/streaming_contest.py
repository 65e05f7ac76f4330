"""Senders side by side: who they are, one run of one of them, the table of them all."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.peers import environment
from tests.gcode_reading import ROOT

SCRIPT = Path(__file__).parent / "streaming_peer.py"
PINS = (
    "printrun==2.2.0", "marlin-host==0.2.1", "grbl-streamer==2.0.2", "gcode-machine==1.0.3",
    "pyserial==3.5",
)  # fmt: skip
FINISHED = "finished"
Endpoint = Callable[[], AbstractContextManager[Path]]
"""Makes a fresh endpoint and gives the path of its port."""


@dataclass(frozen=True)
class Run:
    """One file, one sender, once."""

    lines: int
    seconds: float
    cpu_seconds: float
    outcome: str

    @property
    def is_finished(self) -> bool:
        """Whether the sender says so."""
        return self.outcome == FINISHED


@dataclass(frozen=True)
class Asked:
    """What is to be streamed where."""

    port: Path
    baud: int
    file: Path
    limit_s: float


@dataclass
class Contestant:
    """A sender, and where it streams to."""

    name: str
    run: Callable[[Asked], Run]
    endpoint: Endpoint
    is_ours: bool = False
    is_plain: bool = False
    """Whether it is a bare loop for comparison, and no sender."""
    runs: list[Run] = field(default_factory=list)

    @property
    def finished(self) -> list[Run]:
        """The runs that came to their end."""
        return [run for run in self.runs if run.is_finished]

    @property
    def lines_per_s(self) -> float:
        """The median of the finished runs; 0 without one."""
        rates = [run.lines / run.seconds for run in self.finished]
        return statistics.median(rates) if rates else 0.0

    @property
    def cpu_s(self) -> float:
        """CPU seconds for 100,000 lines, the median of the finished runs; 0 without one."""
        costs = [run.cpu_seconds / run.lines * 1e5 for run in self.finished]
        return statistics.median(costs) if costs else 0.0


def script(sender: str, *options: str, ours: bool = False) -> Callable[[Asked], Run]:
    """Return what runs a sender of :mod:`tests.bench.streaming_peer` in a process of its own."""
    python = Path(sys.executable) if ours else environment("streaming", PINS)

    def run(asked: Asked) -> Run:
        words = (sender, str(asked.port), str(asked.baud), str(asked.file), *options)
        try:
            done = subprocess.run(
                [str(python), str(SCRIPT), *words],
                capture_output=True,
                text=True,
                check=False,
                cwd=ROOT,
                timeout=asked.limit_s,
            )
        except subprocess.TimeoutExpired:
            return Run(0, asked.limit_s, 0.0, f"not finished in {asked.limit_s:.0f} s")
        if done.returncode:
            return Run(0, 0.0, 0.0, f"failed: {(done.stderr.strip() or '?').splitlines()[-1]}")
        return read_run(done.stdout)

    return run


def read_run(text: str) -> Run:
    """Return the run that a script's last line tells."""
    told = json.loads(text.strip().splitlines()[-1])
    return Run(told["lines"], told["seconds"], told["cpu_seconds"], told["outcome"])


@contextmanager
def instant(folder: Path, *options: str) -> Iterator[Path]:
    """Give the port of an endpoint that answers at once."""
    link = folder / "ttyNOW0"
    link.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.bench.streaming_instant", "--link", str(link)]
    process = subprocess.Popen([*command, *options], cwd=ROOT)
    try:
        wait_for(link.is_symlink, "the instant endpoint's port")
        yield link
    finally:
        process.kill()
        process.wait()


def wait_for(true: Callable[[], bool], what: str, within_s: float = 20.0) -> None:
    """Wait until something is true.

    :raises RuntimeError: it is not, within that time.
    """
    end = time.monotonic() + within_s
    while not true():
        if time.monotonic() > end:
            raise RuntimeError(f"not within {within_s:.0f} s: {what}")
        time.sleep(0.02)


def take_turns(
    contestants: Sequence[Contestant], file: Path, *, baud: int, runs: int, limit_s: float
) -> None:
    """Let everyone stream the file so many times, one after the other."""
    for _ in range(runs):
        for one in contestants:
            with one.endpoint() as port:
                one.runs.append(one.run(Asked(port, baud, file, limit_s)))


def show_table(contestants: Sequence[Contestant]) -> None:
    """Print lines per second, CPU, and how many times as fast our first one is."""
    ours = next((one for one in contestants if one.is_ours and one.finished), None)
    for one in contestants:
        if not one.finished:
            print(f"  {one.name:34} {_failures(one)}")
            continue
        ratio = ""
        if ours is not None and not one.is_ours and not one.is_plain:
            ratio = f"   fabctl is {ours.lines_per_s / one.lines_per_s:5.2f} times as fast"
        print(
            f"  {one.name:34}{one.lines_per_s:9,.0f} lines/s{one.cpu_s:8.2f} CPU s/100,000"
            f"{ratio}{_failures(one)}"
        )


def _failures(one: Contestant) -> str:
    failed = [run.outcome for run in one.runs if not run.is_finished]
    return f"   {len(failed)} of {len(one.runs)} runs: {failed[0][:90]}" if failed else ""


def best_peer(contestants: Sequence[Contestant]) -> Contestant | None:
    """Return the fastest that is neither ours nor a bare loop."""
    peers = [c for c in contestants if not c.is_ours and not c.is_plain and c.finished]
    return max(peers, key=lambda one: one.lines_per_s, default=None)


def show_aim(what: str, value: float, aim: float, unit: str, *, at_most: bool = False) -> None:
    """Print an aim beside its figure."""
    met = value <= aim if at_most else value >= aim
    sign = "≤" if at_most else "≥"
    verdict = "met" if met else "MISSED"
    print(f"  {what}: {value:,.2f} {unit}   aim {sign} {aim:,.2f}: {verdict}")


def marlin_moves(folder: Path, lines: int) -> Path:
    """Write so many short moves, as the design note's measurements had them."""
    file = folder / f"{lines}.gcode"
    file.write_text(
        "".join(
            f"G1 X{10 + n % 2000 / 20:.3f} Y{20 + n % 2000 / 100:.3f} F9000\n" for n in range(lines)
        )
    )
    return file


def grbl_moves(folder: Path, lines: int) -> Path:
    """Write so many moves of 0.05 mm, 21 bytes each, to and fro over 95 mm."""
    file = folder / f"{lines}.nc"
    places = [0.05 * (1 + min(n % 3798, 3798 - n % 3798)) for n in range(lines)]
    file.write_text("".join(f"G1 X{place:05.2f} Y0.0 F9000\n" for place in places))
    return file
