"""Streaming to the Marlin stand-in in real time: every sender, good cable and bad."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from fabctl_sim.process import SimProcess
from tests.bench.streaming_contest import (
    FINISHED,
    Asked,
    Contestant,
    Run,
    best_peer,
    marlin_moves,
    script,
    show_aim,
    show_table,
    take_turns,
)
from tests.bench.streaming_octoprint import octoprint_sender

RUNS = 3
LINES = 1000
LIMIT_S = 60.0
"""A run without a fault takes 5 s."""
BAUD = 250_000
TOLD = "--advanced-ok"
BAD_CABLE = ("--cable", "flip=600")
AIM, AIM_ON_A_BAD_CABLE = 1.2, 1.5


Sender = Callable[[Asked], Run]


class StandIn:
    """Makes stand-ins, and looks whether the last one did what the file says.

    :param options: of its command line.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self.seed = 1
        """Of the bad cable."""
        self._folder = folder
        self._options = options
        self._sim: SimProcess | None = None

    @contextmanager
    def port(self) -> Iterator[Path]:
        """Give the port of a fresh one."""
        with SimProcess(self._folder, *self._options, "--seed", str(self.seed)) as sim:
            self._sim = sim
            yield sim.port

    def checked(self, run: Sender) -> Sender:
        """Return what runs a sender and says "finished" only where every line was run, once."""

        def watched(asked: Asked) -> Run:
            assert self._sim is not None
            result = run(asked)
            with self._sim.control() as control:
                run_at_all = control.texts(numbered_only=False)
            done = [text for text in run_at_all if text.startswith("G1 ")]
            wanted = asked.file.read_text().splitlines()
            if result.outcome == FINISHED and done != wanted:
                return replace(result, outcome="finished, and WRONG: not the lines of the file")
            return result

        return watched


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with octoprint_sender(folder / "octoprint") as octoprint:
            _good_cable(folder, octoprint)
            _bad_cable(folder, octoprint)


def _contestants(stand: StandIn, octoprint: Sender, *, window: bool) -> list[Contestant]:
    ours = partial(script, "fabctl", "driver=marlin", ours=True)
    everyone = [
        Contestant("fabctl, one line", ours(), stand.port, is_ours=True),
        Contestant("marlin-host 0.2.1", script("marlin-host"), stand.port),
        Contestant("Printrun 2.2.0", script("printcore"), stand.port),
        Contestant("OctoPrint 1.11.8", octoprint, stand.port),
    ]
    if window:
        first = Contestant("fabctl, window", ours("window=true"), stand.port, is_ours=True)
        everyone.insert(0, first)
    for one in everyone:
        one.run = stand.checked(one.run)
    return everyone


def _good_cable(folder: Path, octoprint: Sender) -> None:
    file = marlin_moves(folder, LINES)
    for told in (True, False):
        with_or_without = "with" if told else "without"
        print(
            f"Marlin stand-in in real time, {with_or_without} ADVANCED_OK, {LINES:,} lines; "
            f"median of {RUNS} runs, because a run is long:"
        )
        options = [TOLD] if told else []
        everyone = _contestants(StandIn(folder, *options), octoprint, window=told)
        take_turns(everyone, file, baud=BAUD, runs=RUNS, limit_s=LIMIT_S)
        show_table(everyone)
        best = best_peer(everyone)
        if best is not None:
            ratio = everyone[0].lines_per_s / best.lines_per_s
            aim = AIM if told else 1.0
            show_aim(f"{everyone[0].name}, times {best.name}", ratio, aim, "")


def _bad_cable(folder: Path, octoprint: Sender) -> None:
    print(
        f"With ADVANCED_OK, one byte in 600 flipped both ways; {RUNS} runs, because a run that "
        f"hangs is given {LIMIT_S:.0f} s:"
    )
    stand = StandIn(folder, TOLD, *BAD_CABLE)
    everyone = _contestants(stand, octoprint, window=True)
    file = marlin_moves(folder, LINES)
    for seed in range(1, RUNS + 1):
        stand.seed = seed
        take_turns(everyone, file, baud=BAUD, runs=1, limit_s=LIMIT_S)
    show_table(everyone)
    for one in everyone:
        print(f"  {one.name:34}finished and right: {len(one.finished)} of {len(one.runs)}")
    show_aim("fabctl's runs finished and right", len(everyone[0].finished), RUNS, "runs")
    best = best_peer(everyone)
    if best is None:
        print("  no peer finished one run, so there is no ratio")
    else:
        ratio = everyone[0].lines_per_s / best.lines_per_s
        show_aim(f"{everyone[0].name}, times {best.name}", ratio, AIM_ON_A_BAD_CABLE, "")
