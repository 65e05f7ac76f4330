"""Options that several commands share."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fabctl.errors import InputError

if TYPE_CHECKING:
    from fabctl.config import LabConfig

SYSTEM_CONFIG = Path("/etc/fabctl/lab.toml")
_PASSWORD = re.compile(r"://[^/@]*:[^/@]*@|[?&]password=")

Command = TypeVar("Command", bound=Callable[..., Any])


def find_config(named: Path | None) -> Path:
    """Return the configuration file: the one named, else ./lab.toml, else /etc/fabctl/lab.toml.

    :raises InputError: there is none.
    """
    if named is not None:
        return named
    for candidate in (Path("lab.toml"), SYSTEM_CONFIG):
        if _is_seen(candidate):
            return candidate.resolve()
    raise InputError(
        f"no lab.toml in {Path.cwd()} and no {SYSTEM_CONFIG}",
        next_step="name one with --config FILE, or try everything with `fabctl demo`",
    )


def _is_seen(file: Path) -> bool:
    try:
        return file.is_file()
    except PermissionError:
        # an installed lab's user stands in the folder of whoever typed `sudo fabctl`
        return False


def database_address(
    _context: click.Context, _option: click.Parameter, value: str | None
) -> str | None:
    """Return a database's address; of ``@FILE`` what stands in that file.

    :raises InputError: the file cannot be read.
    """
    if value is None or not value.startswith("@"):
        if value is not None and _PASSWORD.search(value):
            click.echo(
                "fabctl: a password among the words of a command is seen by everybody in the list"
                " of processes, and kept by the shell: write the address into a file, and @FILE",
                err=True,
            )
        return value
    try:
        return Path(value[1:]).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{value[1:]} cannot be read ({error})") from error


named_config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="FABCTL_CONFIG",
    help=f"The lab's file. Default: ./lab.toml, else {SYSTEM_CONFIG}.",
)
"""``--config FILE`` as it was typed: None, without it. See :func:`loaded`."""


def config_file_option(command: Command) -> Command:
    """Add ``--config FILE`` and pass it on, found but unread, as ``config_file``."""

    @functools.wraps(command)
    def with_file(*args: Any, config_file: Path | None, **kwargs: Any) -> Any:
        return command(*args, config_file=find_config(config_file), **kwargs)

    return named_config_option(with_file)  # type: ignore[return-value]  # click's decorators keep the callable


def config_option(command: Command) -> Command:
    """Add ``--config FILE``, read and check it, and pass it on as ``config``.

    :raises ConfigError: with every mistake in the file.
    """

    @functools.wraps(command)
    def with_config(*args: Any, config_file: Path | None, **kwargs: Any) -> Any:
        return command(*args, config=loaded(config_file), **kwargs)

    return named_config_option(with_config)  # type: ignore[return-value]  # the same


def loaded(config_file: Path | None) -> LabConfig:
    """Find and read the configuration.

    :raises InputError: there is none.
    :raises ConfigError: with every mistake in the file.
    """
    from fabctl.config_file import load  # noqa: PLC0415  # `fabctl --help` stays quick

    config = load(find_config(config_file))
    os.environ["FABCTL_CONFIG"] = str(config.file)  # children read the same file
    return config
