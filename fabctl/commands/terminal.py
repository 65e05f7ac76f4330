"""``fabctl terminal``: a person talks to one machine, line by line."""

from __future__ import annotations

import os
import sys

import click

from fabctl.clock import SystemClock
from fabctl.commands.terminal_holder import holder_of
from fabctl.commands.terminal_keyboard import Lines, lines
from fabctl.commands.terminal_talk import Talk
from fabctl.errors import DeviceError, InputError, LocalError
from fabctl.ports import Driver, Tone, WorkArea

STYLES: dict[Tone, dict[str, bool | str]] = {
    Tone.OK: {"dim": True},
    Tone.ERROR: {"fg": "red"},
    Tone.ECHO: {"fg": "yellow"},
    Tone.OTHER: {},
}
EXIT_LOST = 1
EXIT_CTRL_C = 130


@click.command()
@click.option("--driver", "driver_name", required=True, metavar="NAME", help="Such as marlin.")
@click.option("--port", metavar="PORT", help="Such as /dev/ttyUSB0 or socket://host:port.")
@click.option("--baud", type=click.IntRange(1), help="Without it: marlin 250000, grbl 115200.")
@click.option("--area", metavar="X,Y,Z", help="Work area in mm from 0: how far /jog may go.")
@click.option(
    "--option", "options", multiple=True, metavar="KEY=VALUE", help="An option of the driver's own."
)
@click.option("--no-colour", is_flag=True, help="Plain text; so does the variable NO_COLOR.")
def terminal(
    driver_name: str,
    port: str | None,
    baud: int | None,
    area: str | None,
    options: tuple[str, ...],
    *,
    no_colour: bool,
) -> None:
    """Talk to one machine: what you type is said, what it answers is shown.

    \b
    fabctl terminal --driver marlin --port /dev/ttyUSB0
    fabctl terminal --driver grbl --port /dev/ttyACM0
    echo M115 | fabctl terminal --driver marlin --port /dev/ttyUSB0

    Words with a slash ask the driver: /home, /jog x10 y-5, /cancel, /feed 120, /rapid 50,
    /spindle 90, /stop, /clear, /help, /quit.

    Arrow keys edit and bring back earlier lines, those of earlier sessions too. Ctrl-D leaves;
    heaters, spindle and laser are off then, as they are at the beginning. A port belongs to one
    program: while a job runs, nobody can talk past it. Nothing checks what you type: stand beside
    the machine.

    Exit codes: 0 you left, 1 the machine was lost, 2 refused (the port is taken, no answer),
    130 you left with Ctrl-C.
    """
    from fabctl.commands.stream_job import (  # noqa: PLC0415  # `fabctl --help` stays quick
        find_driver,
        own_option,
        profile_of,
    )

    own = dict(map(own_option, options))
    profile = profile_of(driver_name, None, port, baud or 0, own, work_area=_area(area))
    driver = find_driver(profile, SystemClock())
    colour = sys.stdout.isatty() and not no_colour and not os.environ.get("NO_COLOR")
    try:
        driver.open()
    except DeviceError as error:
        raise LocalError(f"{error}{holder_of(port)}") from error
    _leave(_talk(driver, colour=colour))


def _talk(driver: Driver, *, colour: bool) -> str | None:
    """Talk until the person leaves; return why the machine left, where it did."""
    with lines() as typed:
        talk = Talk(driver, Teller(typed, colour=colour).tell, SystemClock().monotonic)
        try:
            talk.connect()
            talk.run(typed)
        except KeyboardInterrupt:
            raise click.exceptions.Exit(EXIT_CTRL_C) from None
        finally:
            driver.close()
    return talk.lost


def _leave(lost: str | None) -> None:
    if lost is not None:
        click.echo(f"fabctl: {lost}", err=True)
        raise click.exceptions.Exit(EXIT_LOST)


def _area(text: str | None) -> WorkArea | None:
    """Read ``250,210,200``.

    :raises InputError: it is not three lengths above 0.
    """
    if text is None:
        return None
    try:
        x, y, z = (float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(f"--area is {text!r}", limit="X,Y,Z in mm") from error
    if not (0.0 < x < 1e5 and 0.0 < y < 1e5 and 0.0 < z < 1e5):
        raise InputError(f"--area is {text!r}", limit="above 0, below 100,000 mm")
    return WorkArea((0.0, x), (0.0, y), (0.0, z))


class Teller:
    """Shows lines, coloured by what they are."""

    def __init__(self, typed: Lines, *, colour: bool) -> None:
        self._typed = typed
        self._colour = colour

    def tell(self, text: str, tone: Tone) -> None:
        """Show one line."""
        # two kinds of style words
        shown = click.style(text, **STYLES[tone]) if self._colour else text  # type: ignore[arg-type]
        self._typed.show(shown, colour=self._colour)
