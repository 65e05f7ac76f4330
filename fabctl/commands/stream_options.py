"""Options of ``fabctl stream``: those that become the driver's own, and the dry run."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path

import click

from fabctl.commands.stream_from_line import FromLine
from fabctl.errors import DeviceError, InputError
from fabctl.ports import Driver, JobFile, Rehearsable
from fabctl.whole_files import disk_full, is_full

OwnOptions = dict[str, tuple[str, str | int | float | bool]]


class Baud(click.ParamType[int]):
    """A number of bits per second, or ``auto``."""

    name = "N|auto"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Return the number; 0 for ``auto``."""
        if value == "auto":
            return 0
        try:
            number = int(value)
        except ValueError:
            self.fail(f"{value!r} is neither a number nor auto", param, ctx)
        return number if number > 0 or value == 0 else self.fail("above 0", param, ctx)


def own_options(*, baud: int | None, window: str | None, check_run: bool) -> OwnOptions:
    """Return the driver's options that the command has words for: option → (word, value).

    :param baud: None for the usual one, 0 to find it out.
    :raises InputError: the window is none.
    """
    options: OwnOptions = {}
    if baud == 0:
        options["baud"] = ("--baud auto", "auto")
    if window is not None:
        words = {"on": True, "off": False}
        options["window"] = ("--window", words[window] if window in words else _bytes(window))
    if check_run:
        options["check_run"] = ("--check-run", True)
    return options


def _bytes(window: str) -> int:
    if not window.isdecimal():
        raise InputError(f"--window is {window!r}", limit="on, off or a number of bytes")
    return int(window)


def from_line_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command ``--from-line`` and its companions, as one argument ``from_line``."""

    @click.option("--from-line", "line", type=click.IntRange(2), metavar="N", help="Go on there.")
    @click.option("--confirm-line", metavar="TEXT", help="Line N's exact text, for scripts.")
    @click.option("--home", type=click.Choice(["xy", "none"]), help="Printers: xy if not said.")
    @click.option("--z-now", type=float, metavar="MM", help="Printers: the nozzle's height now.")
    @click.option("--safe-z", type=float, metavar="MM", help="Mills: at which all is clear.")
    @wraps(command)
    def with_from_line(
        line: int | None,
        confirm_line: str | None,
        home: str | None,
        z_now: float | None,
        safe_z: float | None,
        **others: object,
    ) -> None:
        command(from_line=FromLine(line, confirm_line, home, z_now, safe_z), **others)

    return with_from_line


def dry_run(driver: Driver, name: str, job: JobFile, out: Path) -> int:
    """Write what would be sent, exactly, to a file; return the bytes. No port is opened.

    :raises InputError: the driver cannot tell, the job would not finish, or the file cannot be
        read or written.
    """
    if not isinstance(driver, Rehearsable):
        raise InputError(f"the driver {name} has no dry run", next_step="marlin and grbl have one")
    try:
        with out.open("wb") as written:
            return sum(written.write(piece) for piece in driver.rehearse(job))
    except DeviceError as error:
        raise InputError(f"the dry run ended early: {error}") from error
    except OSError as error:
        out.unlink(missing_ok=True)  # half of it would be mistaken for all
        if is_full(error):
            raise disk_full(out) from error
        raise InputError(f"the dry run failed: {error}") from error
