"""``python -m fabctl_sim.interlock_box``: the cabinet as a process."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from fabctl_sim.interlock_box.cabinet import Cabinet
from fabctl_sim.interlock_box.layout import Memory
from fabctl_sim.interlock_box.loop import Loop
from fabctl_sim.interlock_box.panel import Panel
from fabctl_sim.interlock_box.wiring import PROFILES, wired


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m fabctl_sim.interlock_box",
        description="A machine's electrical cabinet for tests and demos.",
        epilog='The control socket takes JSON lines such as {"cmd": "open-lid"}; '
        '"status" tells all, "log" lists changes with stamps (from number "start" on), '
        '"watch" streams them; an unknown cmd is answered with the list of acts.',
    )
    add = parser.add_argument
    add("--file", type=Path, required=True, metavar="PATH", help="the pins, mapped by both sides")
    add("--control", type=Path, required=True, metavar="PATH", help="the control socket")
    add("--profile", choices=sorted(PROFILES), default="laser", help="(%(default)s)")
    add(
        "--pin",
        action="append",
        default=[],
        metavar="ROLE=PIN[:LEVEL]",
        help="another pin than usual, with the level that means safe, low or high; "
        "ROLE=none when it is not there",
    )
    add("--hold", type=float, default=0.175, metavar="S", help="the monostable (%(default)s)")
    add("--lid-open", action="store_true", help="the lid stands open at power-up")
    return parser


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    options = parser().parse_args()
    try:
        for place in (options.file, options.control):
            place.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        wiring = wired(options.profile, options.pin)
        cabinet = Cabinet(wiring, Memory(options.file), time.monotonic, hold_s=options.hold)
        panel = Panel(cabinet)
        if options.lid_open:
            panel.answer({"cmd": "open-lid"})
        loop = Loop(cabinet, panel, options.control)
    except (OSError, ValueError) as error:
        sys.exit(f"fabctl_sim.interlock_box: {error}")
    loop.run()


if __name__ == "__main__":
    main()
