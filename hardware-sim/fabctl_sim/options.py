"""The part of the command line that every stand-in shares."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from fabctl_sim.cable import Faults


def factor(text: str) -> float:
    """Read a speed: simulated seconds per second, or ``instant`` (infinity)."""
    if text == "instant":
        return math.inf
    number = float(text)
    if not 0 < number <= 10_000:
        raise argparse.ArgumentTypeError("0 < factor <= 10000, or instant")
    return number


def faults(text: str) -> Faults:
    """Read a cable's faults."""
    try:
        return Faults.from_text(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def add_shared(parser: argparse.ArgumentParser, *, baud: int) -> None:
    """Add link, control, baud, factor, reset, boot, record, keep, cable and seed."""
    add = parser.add_argument
    add("--link", type=Path, required=True, metavar="PATH", help="the serial port's name")
    add("--control", type=Path, metavar="PATH", help="a Unix socket for tests, see below")
    add("--baud", type=int, default=baud, help="the wire's speed (%(default)s)")
    add(
        "--factor",
        type=factor,
        default=1.0,
        metavar="X",
        help="simulated seconds per second, or instant (1)",
    )
    add("--no-reset-on-open", action="store_true", help="opening the port does not reset")
    add("--boot", type=float, default=1.0, metavar="S", help="seconds from reset to banner (1)")
    add("--record", type=Path, metavar="FILE", help="append what is run to FILE")
    add("--keep", type=int, default=30_000, metavar="N", help="commands kept (%(default)s)")
    add("--seed", type=int, default=1, help="for noise (%(default)s)")
    add(
        "--cable",
        type=faults,
        default=Faults(),
        metavar="FAULTS",
        help="a bad cable, such as flip=600,lose=2000: one byte in so many; also double, and for "
        "pieces split, delay, stall with delay_s and stall_s",
    )
