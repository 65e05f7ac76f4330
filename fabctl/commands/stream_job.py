"""What ``fabctl stream`` settles before anything is sent: the file, the driver, its options."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path

import click

from fabctl.clock import Clock
from fabctl.errors import InputError
from fabctl.ports import Driver, JobFile, Limits, MachineKind, MachineProfile, WorkArea
from fabctl.usual import KINDS, usual_baud

WARNINGS_SHOWN = 8
TOLERATED = {"no-motion"}
"""What a preflight calls an error and a person at a terminal may well mean."""
_NUMBER = re.compile(r"-?\d{1,9}(\.\d{1,9})?")


def check(file: Path, kind: MachineKind, *, force: bool) -> JobFile:
    """Return the job that a file is, after reading all of it.

    :raises InputError: it cannot be read, holds nothing to send, or its check found errors.
    """
    # `fabctl --help` stays quick
    from fabctl.gcode.machine import LONGEST_GRBL_LINE  # noqa: PLC0415
    from fabctl.gcode.preflight import LONGEST_LINE, inspect  # noqa: PLC0415

    longest = LONGEST_LINE if kind is MachineKind.PRINTER else LONGEST_GRBL_LINE
    try:
        with file.open("rb") as opened:
            report = inspect(
                opened,
                kind=kind,
                work_area=None,
                limits=Limits(),
                max_line=longest,
                own_file=True,
            )
    except OSError as error:
        raise InputError(f"the file cannot be read: {error.strerror}", device=str(file)) from error
    errors = [p for p in report.problems if p.severity == "error" and p.code not in TOLERATED]
    if errors and not (force and report.commands):
        raise InputError(
            " ".join(str(problem.message) for problem in errors[:3]),
            device=str(file),
            next_step="correct the file, or send it all the same with --force"
            if report.commands
            else None,
        )
    _warn([str(p.message) for p in report.problems if p not in errors])
    return JobFile(file.stem, file, file.name, report.lines, report.commands)


def _warn(sentences: list[str]) -> None:
    """Tell, on stderr, what the check found and the file may do all the same."""
    for sentence in sentences[:WARNINGS_SHOWN]:
        click.echo(f"note: {sentence}", err=True)
    if len(sentences) > WARNINGS_SHOWN:
        click.echo(f"note: and {len(sentences) - WARNINGS_SHOWN} more", err=True)


def profile_of(
    driver: str,
    kind: str | None,
    port: str | None,
    baud: int,
    options: Mapping[str, str | int | float | bool],
    *,
    work_area: WorkArea | None = None,
) -> MachineProfile:
    """Return the profile of a machine that no ``lab.toml`` describes.

    :param baud: 0 for the usual one.
    """
    return MachineProfile(
        id=re.sub(r"[^a-z0-9]+", "-", (port or driver).lower()).strip("-") or "machine",
        name=driver,
        kind=MachineKind(kind) if kind else KINDS.get(driver, MachineKind.PRINTER),
        driver=driver,
        host="here",
        port=port,
        baud=baud or usual_baud(driver),
        work_area=work_area,
        options=dict(options),
    )


def find_driver(profile: MachineProfile, clock: Clock) -> Driver:
    """Return a closed driver, found by its name.

    :raises InputError: there is no such driver (it says which there are), or it wants another
        profile.
    """
    from fabctl.hosting.drivers import make_driver  # noqa: PLC0415  # the same

    known = sorted(entry.name for entry in entry_points(group="fabctl.drivers"))
    if profile.driver not in known:
        raise InputError(
            f"no driver is called {profile.driver!r}", next_step=f"one of: {', '.join(known)}"
        )
    return make_driver(profile, clock)


def find_driver_with(
    profile: MachineProfile, own: Mapping[str, tuple[str, str | int | float | bool]], clock: Clock
) -> Driver:
    """Return a closed driver that also has options for which the command has words of its own.

    :param own: the driver's option → the command's word for it, and the value.
    :raises InputError: as :func:`find_driver`, or this driver knows no such option.
    """
    driver = find_driver(profile, clock)
    for name, (word, value) in own.items():
        if name in profile.options:
            raise InputError(f"{word} and --option {name} say the same thing; use one")
        profile = replace(profile, options={**profile.options, name: value})
        try:
            driver = find_driver(profile, clock)
        except InputError as error:
            raise InputError(
                f"{word} does not go with the driver {profile.driver}", next_step=error.what
            ) from error
    return driver


def own_option(text: str) -> tuple[str, str | int | float | bool]:
    """Read ``key=value``; the value is a number or a truth where it looks like one, else a word.

    A long row of digits is a word: a key of OctoPrint's may well have no letter in it.
    """
    key, equals, word = text.partition("=")
    if not equals:
        raise InputError(f"--option {text} is not KEY=VALUE")
    if _NUMBER.fullmatch(word):
        value: int | float = float(word) if "." in word else int(word)
        return key, value
    try:
        quoted = json.loads(word)
    except json.JSONDecodeError:
        return key, word
    return key, quoted if isinstance(quoted, bool | str) else word
