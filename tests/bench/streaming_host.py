"""What the host itself costs: an endpoint that answers at once, every sender, lines per second."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tests.bench.streaming_cncjs import cncjs
from tests.bench.streaming_contest import (
    Contestant,
    best_peer,
    grbl_moves,
    instant,
    marlin_moves,
    script,
    show_aim,
    show_table,
    take_turns,
)
from tests.bench.streaming_octoprint import octoprint_sender

RUNS = 5
LINES = 20_000
SLOW_LINES = 4_000
LIMIT_S = 120.0
ONE_AIM, WINDOW_AIM = 13_000, 40_000


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _marlin(folder)
        _grbl(folder)


def _marlin(folder: Path) -> None:
    print(f"An endpoint that answers at once, Marlin, {LINES:,} lines; median of {RUNS} runs:")
    plain, told = partial(instant, folder), partial(instant, folder, "--queue", "4")
    wide = partial(instant, folder, "--queue", "64")
    ours = partial(script, "fabctl", "driver=marlin", ours=True)
    bare = partial(script, "plain", ours=True)
    with ExitStack() as stack:
        octoprint = stack.enter_context(octoprint_sender(folder / "octoprint"))
        one_at_a_time = [
            Contestant("fabctl, one line at a time", ours(), plain, is_ours=True),
            Contestant("marlin-host 0.2.1", script("marlin-host"), plain),
            Contestant("bare ping-pong loop", bare(), plain, is_plain=True),
        ]
        slow = [
            Contestant(f"Printrun 2.2.0 ({SLOW_LINES:,} lines)", script("printcore"), plain),
            Contestant("OctoPrint 1.11.8", octoprint, plain),
        ]
        windows = [
            Contestant("fabctl, 120 bytes, queue of 4", ours("window=true"), told, is_ours=True),
            Contestant("fabctl, 4096 bytes, queue of 64", ours("window=4096"), wide, is_ours=True),
            Contestant("bare window of 120 bytes", bare("window=120"), told, is_plain=True),
            Contestant("bare window of 2240 bytes", bare("window=2240"), wide, is_plain=True),
        ]
        everyone = [*one_at_a_time, *windows]
        take_turns(everyone, marlin_moves(folder, LINES), baud=250_000, runs=RUNS, limit_s=LIMIT_S)
        short = marlin_moves(folder, SLOW_LINES)
        take_turns(slow[:1], short, baud=250_000, runs=RUNS, limit_s=LIMIT_S)
        take_turns(slow[1:], marlin_moves(folder, LINES), baud=250_000, runs=RUNS, limit_s=LIMIT_S)
    peers = [*one_at_a_time[:2], *slow]
    show_table([*peers, one_at_a_time[2], *windows])
    show_aim("fabctl, one line at a time", peers[0].lines_per_s, ONE_AIM, "lines/s")
    show_aim("fabctl, 120 bytes", windows[0].lines_per_s, WINDOW_AIM, "lines/s")
    show_aim("fabctl, 4096 bytes", windows[1].lines_per_s, WINDOW_AIM, "lines/s")
    _show_cpu(peers)


def _grbl(folder: Path) -> None:
    print(f"The same for Grbl, {LINES:,} lines, 127 bytes counted; median of {RUNS} runs:")
    endpoint = partial(instant, folder, "--grbl")
    contestants = [
        Contestant("fabctl", script("fabctl", "driver=grbl", ours=True), endpoint, is_ours=True),
        Contestant("grbl-streamer 2.0.2", script("grbl-streamer"), endpoint),
        Contestant(
            "bare window of 127 bytes",
            script("plain", "grbl=1", "window=127", ours=True),
            endpoint,
            is_plain=True,
        ),
    ]
    theirs = cncjs()
    if theirs is not None:
        contestants.append(Contestant("cncjs 1.11.5", theirs, endpoint))
    file = grbl_moves(folder, LINES)
    take_turns(contestants, file, baud=115_200, runs=RUNS, limit_s=LIMIT_S)
    show_table(contestants)
    _show_cpu(contestants)


def _show_cpu(contestants: list[Contestant]) -> None:
    """Hold our CPU against the thriftiest peer's."""
    peers = [one for one in contestants if not one.is_ours and not one.is_plain and one.finished]
    least = min((one.cpu_s for one in peers), default=0.0)
    what = "fabctl's CPU seconds for 100,000 lines, and the least of the peers'"
    show_aim(what, contestants[0].cpu_s, least, "s", at_most=True)
    best = best_peer(contestants)
    if best is not None:
        show_aim(f"times {best.name}", contestants[0].lines_per_s / best.lines_per_s, 1.0, "")
