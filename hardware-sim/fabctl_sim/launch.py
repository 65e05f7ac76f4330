"""Putting a stand-in together and running it, whatever controller it imitates."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

from fabctl_sim.cable import Cable
from fabctl_sim.control import Answerer
from fabctl_sim.core import Core, CoreMachine
from fabctl_sim.options import add_shared
from fabctl_sim.pace import Pace
from fabctl_sim.pty_port import PtyPort
from fabctl_sim.stand import Stand


def new_parser(name: str, description: str, epilog: str, *, baud: int) -> argparse.ArgumentParser:
    """Return the command line's parser with the options that all stand-ins share.

    :param name: of the module, as in ``python -m NAME``.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m {name}",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_shared(parser, baud=baud)
    return parser


def make_folders(options: argparse.Namespace) -> None:
    """Make the folders of the port and of the control socket."""
    for place in (options.link, options.control):
        if place:
            place.parent.mkdir(parents=True, exist_ok=True)


def join(
    options: argparse.Namespace,
    core: Core,
    machine: CoreMachine,
    answerer: Callable[[Stand], Answerer],
) -> Stand:
    """Put a core behind a cable, a port and a control socket.

    :param answerer: makes what answers the control socket, once there is a stand.
    """
    cable = Cable(core, options.seed)
    cable.spoil(options.cable)
    stand = Stand(
        cable,
        PtyPort(options.link),
        Pace(options.factor, time.monotonic()),
        reset_on_open=not options.no_reset_on_open,
    )
    machine.listener = stand.tell
    if options.control:
        stand.listen(options.control, answerer(stand))
    return stand


def run(
    name: str,
    parser: argparse.ArgumentParser,
    build: Callable[[argparse.Namespace], Stand],
    mistakes: tuple[type[Exception], ...] = (OSError,),
) -> None:
    """Run until SIGTERM or SIGINT.

    :param mistakes: errors of ``build`` that a person made; they are said without a trace.
    """
    options = parser.parse_args()
    try:
        stand = build(options)
    except mistakes as error:
        sys.exit(f"{name}: {error}")
    stand.run()
