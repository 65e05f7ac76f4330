"""``python -m fabctl_sim.grbl``: a mill's or laser's controller on a pseudo-terminal."""

from __future__ import annotations

import argparse
from dataclasses import replace

from fabctl_sim.grbl.board import FLAVOURS
from fabctl_sim.grbl.firmware import Firmware
from fabctl_sim.grbl.log import Log
from fabctl_sim.grbl.panel import Panel
from fabctl_sim.grbl.words import CodeError
from fabctl_sim.launch import join, make_folders, new_parser, run
from fabctl_sim.stand import Stand

_NAME = "fabctl_sim.grbl"
_EPILOG = """\
The control socket takes JSON lines, one object each, and answers each with one:
  {"cmd": "status"}                       state, position, feed, power, counts, settings
  {"cmd": "received", "start": 0}         the lines run so far: n, text (stripped), answer
  {"cmd": "moves", "start": 0}            the moves run to their end: mode, end, feed, power, line
  {"cmd": "clear-received"}
  {"cmd": "unplug"}   {"cmd": "plug", "reset": false}   {"cmd": "reset"}
  {"cmd": "factor", "factor": 10}         or "instant"
  {"cmd": "watch"}                        from here on, events: t (monotonic clock), kind, ...
  {"cmd": "inject", "what": W, ...}       W is one of
      hard-limit                         "axis" X, Y or Z; "closed": false lets it go
      door                               "open": true or false (a switch, not 0x84)
      probe                              contact at machine "at" mm of "axis" (Z) and below, or
                                         "above": true; without "at" there is nothing to meet
      homing                             "fault" none, missing or stuck
      reset-pin                          the button; the control's {"cmd": "reset"} is DTR
      stall                              "seconds" in which the processor does nothing
      say                                "text": any line, as if the firmware had said it
      lose-bytes                         the next "count" bytes on the wire
      cable                              "direction" down, up or both; flip, lose, double, split,
                                         delay, stall: one in so many; delay_s, stall_s

--record appends a row per line (line, text, answer) and per move (move, mode, x y z, mm/min,
power), columns parted by tabs.
"""


def _setting(text: str) -> tuple[int, float]:
    number, sign, value = text.lstrip("$").partition("=")
    if not sign:
        raise argparse.ArgumentTypeError("a setting is NUMBER=VALUE, such as 32=1")
    return int(number), float(value)


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = new_parser(
        _NAME,
        "A mill's or laser's controller (Grbl 1.1h, ATmega328P) for tests and demos.",
        _EPILOG,
        baud=115_200,
    )
    add = parser.add_argument
    add("--flavour", choices=sorted(FLAVOURS), default="grbl", help="which firmware (%(default)s)")
    add("--laser-on-in-hold", action="store_true", help="M3 stays on in a hold in laser mode")
    add("--mist", action="store_true", help="with M7")
    add(
        "--set",
        type=_setting,
        action="append",
        default=[],
        metavar="N=V",
        help="a setting as it is stored already at power-up",
    )
    return parser


def build(options: argparse.Namespace) -> Stand:
    """Put a stand-in together as the command line asks."""
    flavour = FLAVOURS[options.flavour]
    board = replace(
        flavour,
        baud=options.baud,
        boot_s=options.boot,
        mist=flavour.mist or options.mist,
        laser_off_in_hold=not options.laser_on_in_hold,
    )
    make_folders(options)
    log = Log(options.keep, options.record)
    firmware = Firmware(board, log=log)
    for number, value in sorted(options.set, key=lambda pair: pair[0] != 22):
        firmware.machine.eeprom.set(number, value)
    firmware.reset(0.0)
    return join(
        options, firmware, firmware.machine, lambda stand: Panel(firmware, stand, log).answer
    )


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    run(_NAME, parser(), build, (OSError, CodeError))


if __name__ == "__main__":
    main()
