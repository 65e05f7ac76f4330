"""``python -m fabctl_sim.marlin``: a printer's controller on a pseudo-terminal."""

from __future__ import annotations

import argparse

from fabctl_sim.launch import join, make_folders, new_parser, run
from fabctl_sim.marlin.board import Board
from fabctl_sim.marlin.firmware import Firmware
from fabctl_sim.marlin.log import Log
from fabctl_sim.marlin.panel import Panel
from fabctl_sim.stand import Stand

_NAME = "fabctl_sim.marlin"
_EPILOG = """\
The control socket takes JSON lines, one object each, and answers each with one:
  {"cmd": "status"}                       phase, port, temperatures, position, counts
  {"cmd": "received", "start": 0}         the commands run so far: n (null: without number), text
  {"cmd": "clear-received"}
  {"cmd": "unplug"}   {"cmd": "plug", "reset": false}   {"cmd": "reset"}
  {"cmd": "factor", "factor": 10}         or "instant"
  {"cmd": "watch"}                        from here on, events: t (monotonic clock), kind, ...
  {"cmd": "inject", "what": W, ...}       W is one of
      flip-checksum, drop-ok             the next "count" numbered lines, the next "count" oks
      lose-bytes                         the next "count" bytes on the wire
      noise                              "flip_every" n, "lose_every" n: one byte in n; 0 ends it
      stall                              "seconds" in which the processor does nothing
      thermal-runaway, heating-failed, mintemp, maxtemp    "heater" nozzle or bed; it halts
      stop                               stopped until M999
      cable                              "direction" down, up or both; flip, lose, double, split,
                                         delay, stall: one in so many; delay_s, stall_s
      say                                "text": any line, as if the firmware had said it

--record writes one line per command as it begins to run: its number (- without), a tab, its text.
"""


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = new_parser(
        _NAME,
        "A 3D printer's controller (Marlin 2.0.9, ATmega2560) for tests and demos.",
        _EPILOG,
        baud=250_000,
    )
    add = parser.add_argument
    add("--advanced-ok", action="store_true", help="ADVANCED_OK: ok N<n> P<n> B<n>")
    add("--emergency-parser", action="store_true", help="M108, M112, M410 jump the queue")
    add("--ignore-repeats", action="store_true", help="a repeated line is dropped (Marlin 2.1.3)")
    add("--no-autoreport-temp", action="store_true", help="without M155")
    add("--name", default="Fab Lab printer", help="MACHINE_TYPE in M115")
    return parser


def build(options: argparse.Namespace) -> Stand:
    """Put a stand-in together as the command line asks."""
    board = Board(
        name=options.name,
        baud=options.baud,
        advanced_ok=options.advanced_ok,
        emergency_parser=options.emergency_parser,
        ignore_repeats=options.ignore_repeats,
        autoreport_temp=not options.no_autoreport_temp,
        boot_s=options.boot,
    )
    make_folders(options)
    log = Log(options.keep, options.record)
    firmware = Firmware(board, seed=options.seed, record=log.add)
    return join(
        options, firmware, firmware.machine, lambda stand: Panel(firmware, stand, log).answer
    )


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    run(_NAME, parser(), build)


if __name__ == "__main__":
    main()
