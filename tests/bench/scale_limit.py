"""Where the first limit lies: the load of the benchmark of scale, doubled until something gives.

``make bench ARGS=scale_limit``: without its name it is left out, as it takes most of an hour. One
kind of load is raised after the other, the others stay as they are. What gives is an aim that is
missed and was not missed at the load of the beginning. SCALE_RAISED names the kinds,
SCALE_DOUBLINGS (4) is how often each is doubled at most; SCALE_MINUTES is 2 here.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys

from tests.gcode_reading import ROOT

USUAL = {
    "SCALE_LINES": 20.0, "SCALE_SCREENS": 200.0, "SCALE_BOOKINGS": 30.0, "SCALE_MACHINES": 100.0,
}  # fmt: skip
"""What :mod:`tests.bench.scale` takes."""
RAISED = os.environ.get("SCALE_RAISED", ",".join(USUAL)).split(",")
DOUBLINGS = int(os.environ.get("SCALE_DOUBLINGS", "4"))
SHOWN = ("nobody used", "MISSED", "machine (", "web (", "p95")


def main() -> None:
    """Print what each load does, up to the one at which something gives."""
    at_first = _run({})
    for kind in RAISED:
        for doubling in range(1, DOUBLINGS + 1):
            load = USUAL[kind] * 2**doubling
            if given := _run({kind: load}) - at_first:
                print(f" at {kind}={load:g} this gave: {'; '.join(sorted(given))}")
                break
        else:
            print(f" nothing gave up to {kind}={USUAL[kind] * 2**DOUBLINGS:g}")


def _run(load: dict[str, float]) -> frozenset[str]:
    """Run it once and print the lines that matter; return which aims were missed.

    A run that fails has given, too.
    """
    print(f" {' '.join(f'{kind}={value:g}' for kind, value in load.items()) or 'the usual load'}")
    values = {kind: f"{value:g}" for kind, value in load.items()}
    minutes = os.environ.get("SCALE_MINUTES", "2")
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "scale"],
        cwd=ROOT, env={**os.environ, "SCALE_MINUTES": minutes, **values}, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    missed, about = set(), ""
    for line in done.stdout.splitlines():
        if not line.startswith("  "):
            about = re.sub(r"[\d,]+", "…", line).strip()
        if any(word in line for word in SHOWN):
            print(f" {line}")
        if "MISSED" in line:
            missed.add(f"{about}, {line[2:46].strip()}")
    if done.returncode:
        print(done.stderr[-2000:])
        missed.add("the run itself")
    return frozenset(missed)


if __name__ == "__main__":
    main()
