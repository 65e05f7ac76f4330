"""Streaming to the Grbl stand-in in real time: check mode, and moves that must not starve."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path

from fabctl_sim.process import SimProcess
from tests.bench.streaming_cncjs import cncjs
from tests.bench.streaming_contest import (
    Contestant,
    best_peer,
    grbl_moves,
    script,
    show_aim,
    show_table,
    take_turns,
)

RUNS = 3
LINES = 1000
LONG_LINES = 3000
"""The steady rate is that of the lines which a long job has more than a short one."""
LIMIT_S = 30.0
OURS = "fabctl"
BAUD = 115_200
WIRE_CEILING = BAUD / 10 / 21
"""Lines of 21 bytes per second that the wire carries: 549. fabctl leaves out their blanks."""
FULL_FEED = 333.0
"""Lines of 0.05 mm per second that the stand-in's axes can run (1000 mm/min)."""


@contextmanager
def _stand_in(folder: Path) -> Iterator[Path]:
    with SimProcess(folder, controller="grbl") as sim:
        yield sim.port


def main() -> None:
    """Print the tables."""
    if "grbl" not in entry_points(group="fabctl.drivers").names:
        print("Grbl: left out, there is no driver of that name yet")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = grbl_moves(folder, LINES)
        print(
            f"Grbl stand-in in real time, check mode, {LINES:,} lines; median of {RUNS} runs, "
            "because a run is long:"
        )
        check = _contest(folder, file, RUNS, "check_run=true")
        for one in check:
            ceiling = 100 * one.lines_per_s / WIRE_CEILING
            _show_share(one, f"of {WIRE_CEILING:.0f} lines/s", ceiling, 92.0)
        _moves(folder)


def _moves(folder: Path) -> None:
    print(
        f"The same, moves of 0.05 mm at F9000, {LINES:,} lines, then {LONG_LINES:,}; median of "
        f"{RUNS} runs:"
    )
    short = _contest(folder, grbl_moves(folder, LINES), RUNS)
    long = _contest(folder, grbl_moves(folder, LONG_LINES), RUNS)
    for few, many in zip(short, long, strict=True):
        if few.finished and many.finished:
            more_s = LONG_LINES / many.lines_per_s - LINES / few.lines_per_s
            feed = 100 * (LONG_LINES - LINES) / more_s / FULL_FEED
            _show_share(few, f"of full feed, {FULL_FEED:.0f} lines/s", feed, 98.0)


def _show_share(one: Contestant, of_what: str, share: float, aim: float) -> None:
    """Print a share in %; the aim is for our first one."""
    if one.name == OURS:
        show_aim(f"{one.name}, {of_what}", share, aim, "%")
    else:
        print(f"  {one.name}, {of_what}: {share:.2f} %")


def _contest(folder: Path, file: Path, runs: int, *options: str) -> list[Contestant]:
    endpoint = partial(_stand_in, folder)
    ours = partial(script, "fabctl", "driver=grbl", *options, ours=True)
    contestants = [
        Contestant(OURS, ours(), endpoint, is_ours=True),
        Contestant("fabctl, one line at a time", ours("rx_bytes=1"), endpoint, is_ours=True),
        Contestant("grbl-streamer 2.0.2", script("grbl-streamer", *options), endpoint),
    ]
    theirs = cncjs("check") if options else cncjs()
    if theirs is not None:
        contestants.append(Contestant("cncjs 1.11.5", theirs, endpoint))
    take_turns(contestants, file, baud=BAUD, runs=runs, limit_s=LIMIT_S)
    show_table(contestants)
    best = best_peer(contestants)
    if best is not None:
        show_aim(f"times {best.name}", contestants[0].lines_per_s / best.lines_per_s, 1.0, "")
    return contestants
