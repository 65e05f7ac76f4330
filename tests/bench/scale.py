"""A hundred machines printing, two hundred open screens, thirty bookings a minute: what each costs.

All of it runs on this computer: a real mosquitto, a PostgreSQL that waits for its disk, one
``fabctl web`` as systemd starts it, one ``fabctl steward``, one ``fabctl machine`` for each machine
with the Marlin driver. The firmware of all machines is one process of stand-ins, the screens are
another. SCALE_MINUTES (4), SCALE_MACHINES, SCALE_SCREENS, SCALE_BOOKINGS (a minute) and SCALE_LINES
(moves a second of each machine) change the load.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from tests.bench.figures import quantile, show
from tests.bench.scale_count import LATE_S, lost, on_record, shown
from tests.bench.scale_lab import HOSTS, Scaled, running_scaled
from tests.bench.scale_people import Bookers, Printing, Visitor
from tests.bench.scale_watch import Watch
from tests.gcode_reading import ROOT
from tests.lab import wait_for

MINUTES = float(os.environ.get("SCALE_MINUTES", "4"))
MACHINES = int(os.environ.get("SCALE_MACHINES", "100"))
SCREENS = int(os.environ.get("SCALE_SCREENS", "200"))
BOOKINGS = float(os.environ.get("SCALE_BOOKINGS", "30"))
LINES = float(os.environ.get("SCALE_LINES", "20"))
JOB_S = min(240.0, 60 * MINUTES)
SLOWED = 1.05
"""A print that takes a twentieth longer than its moves is not driven fast enough."""


def main() -> None:
    """Print the figures of one run."""
    load = os.getloadavg()[0]
    print(
        f"{HOSTS} hosts, {MACHINES} machines printing {LINES:g} moves/s each, {SCREENS} open "
        f"screens, {BOOKINGS:g} bookings a minute for {MINUTES:g} min; load before {load:.1f}"
    )
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        with running_scaled(Path(folder), MACHINES, LINES) as lab:
            printing = Printing(lab, Path(folder) / "stand-ins-0.out", LINES, JOB_S)
            wait_for("every machine is idle", printing.all_idle, 600, every=1.0)
            show("to start all of it", time.monotonic() - began, "s")
            _measured(lab, printing)


def _measured(lab: Scaled, printing: Printing) -> None:
    screens = _open_screens(lab)
    bookers, visitor = Bookers(lab, BOOKINGS), Visitor(lab)
    printing.start_all()
    runs = (printing.run, bookers.run, visitor.run)
    threads = [threading.Thread(target=run) for run in runs]
    for thread in threads:
        thread.start()
    with Watch(lab, screens.pid) as watch:
        time.sleep(MINUTES * 60)
    for ended in (printing.ended, bookers.ended, visitor.ended):
        ended.set()
    for thread in threads:
        thread.join()
    printing.let_them_end()
    screens.terminate()
    told = json.loads(screens.communicate(timeout=60)[0])
    watch.show()
    _show_screens(printing, told)
    bookers.show()
    visitor.show()
    _show_record(lab, printing)


def _open_screens(lab: Scaled) -> subprocess.Popen[bytes]:
    """Open half of the screens as boards, the others each on one machine's page."""
    ids = list(lab.config.machines)
    pages = [ids[number % len(ids)] for number in range(SCREENS // 2)]
    command = [
        sys.executable, "-m", "tests.bench.scale_screens",
        "--address", lab.url.removeprefix("http://"),
        "--boards", str(SCREENS - len(pages)), "--pages", ",".join(pages),
    ]  # fmt: skip
    screens = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
    assert screens.stdout is not None
    assert screens.stdout.readline() == b"ready\n"
    return screens


def _show_screens(printing: Printing, told: dict[str, Any]) -> None:
    ids = [f"printer-{number}" for number in range(MACHINES)]
    delays, missed = shown(printing.ended_jobs, told, SCREENS, ids)
    print(f" the end of a job, from the stand-in's last ok to a screen ({len(delays):,} times)")
    show("screens that were refused a stream", float(told.get("refused", 0)), "", aim=0)
    if delays:
        show("p50", quantile(delays, 0.5) * 1000, "ms")
        show("p95", quantile(delays, 0.95) * 1000, "ms", aim=1000)
        show("slowest", max(delays) * 1000, "ms")
    show(f"not shown within {LATE_S:g} s", missed, "", aim=0)
    show("sent to screens", float(told.get("bytes", 0)) / 1e6 / MINUTES, "MB/min")


def _show_record(lab: Scaled, printing: Printing) -> None:
    found = on_record(lab)
    print(f" {len(printing.ended_jobs)} jobs that the stand-ins were given to their end")
    show("moves they were given", sum(one.moves for one in printing.ended_jobs), "")
    took = [(one.at - one.began) * LINES / one.moves for one in printing.ended_jobs]
    if took:
        show("time they took, of what the moves take, p95", quantile(took, 0.95), "", aim=SLOWED)
    show("jobs or moves that the record has otherwise", lost(printing.ended_jobs, found), "", aim=0)
    show("events that machines still keep", found.untold, "", aim=0)
    show("starts that were refused", printing.refused, "", aim=0)


if __name__ == "__main__":
    main()
