"""Options of ``fabctl stream`` that become the driver's own, and the dry run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, runtime_checkable

import click

from fabctl.errors import InputError
from fabctl.ports import Driver, JobFile

USUAL_BAUD = 250_000

Options = dict[str, str | int | float | bool]


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


def own_options(*, baud: int, window: str | None) -> Options:
    """Return the driver's options that ``--baud`` and ``--window`` stand for."""
    options: Options = {} if baud else {"baud": "auto"}
    if window is not None:
        words: Options = {"on": True, "off": False}
        options["window"] = words[window] if window in words else _bytes(window)
    return options


def _bytes(window: str) -> int:
    if not window.isdecimal():
        raise InputError(f"--window is {window!r}", limit="on, off or a number of bytes")
    return int(window)


@runtime_checkable
class Rehearsing(Protocol):
    """A driver that can tell what it would say."""

    def rehearse(self, job: JobFile) -> Iterator[bytes]:
        """Yield every piece that would be written; no port is opened."""


def dry_run(driver: Driver, job: JobFile, out: Path) -> int:
    """Write what would be sent, exactly, to a file; return the bytes. No port is opened.

    :raises InputError: the driver cannot tell, or the file cannot be read or written.
    """
    if not isinstance(driver, Rehearsing):
        raise InputError("this driver has no dry run", next_step="marlin has one")
    try:
        with out.open("wb") as written:
            return sum(written.write(piece) for piece in driver.rehearse(job))
    except OSError as error:
        raise InputError(f"the dry run failed: {error}") from error
