"""A process that holds both relays of a cabinet: K2 high, K1 toggled every 10 ms, until it dies.

``python -m tests.cabinet_hand FOLDER [PERIOD_S]``: what a daemon does at the pins, and nothing
else, so that the cabinet can be tested without one. Whenever something kept it from that for
longer than :data:`LATE_S` it adds a line to ``FOLDER/late``.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from fabctl_drivers.interlock.gpio import Gpio
from tests.cabinet_bench import laser

LATE_S = 0.1
"""K1 lets go after 150 ms at the earliest."""


def main() -> None:
    """Hold them; says ``holding`` once."""
    folder, *more = sys.argv[1:]
    period = float(more[0]) if more else 0.01
    gpio = Gpio(laser(Path(folder)), simulated=True)
    gpio.write_k2(on=True)
    due = turned = time.monotonic()
    print("holding", flush=True)  # noqa: T201  # the test waits for this line
    while True:
        gpio.read()
        gpio.toggle_k1()
        before, turned = turned, time.monotonic()
        if turned - before > max(LATE_S, 1.5 * period):
            with Path(folder, "late").open("a") as late:
                late.write(f"{turned - before:.3f} s\n")
        due = max(due + period, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main()
