"""Which of a lab's hosts this computer is: nobody else reads it anywhere."""

from __future__ import annotations

import socket
from pathlib import Path

from fabctl.config import LabConfig
from fabctl.errors import InputError

NOTES = "install.conf"
"""Beside lab.toml: what the installer was told, ``KEY=VALUE`` in each line."""


def host_here(config: LabConfig) -> str | None:
    """Return the only host, else the one that this computer was told to be, else by its name.

    None: nobody knows. What it was told counts before its name, also where lab.toml has no such.
    """
    if len(config.hosts) == 1:
        return next(iter(config.hosts))
    name = name_here(config)
    return name if name in config.hosts else None


def name_here(config: LabConfig) -> str:
    """Return how this computer would be called in lab.toml: as it was told, else its own name."""
    return _told(notes_of(config)) or socket.gethostname().split(".")[0].lower()


def notes_of(config: LabConfig) -> Path:
    """Return the file in which this computer is told which host it is: ``host=NAME``."""
    return config.file.parent / NOTES


def this_host(config: LabConfig, named: str | None) -> str:
    """Return which of the lab's hosts this computer is.

    :param named: by whoever starts it; None: nobody said.
    :raises InputError: no such host, or nothing says which it is.
    """
    choices = ", ".join(config.hosts)
    if named is not None:
        if named not in config.hosts:
            raise InputError(f"no host is called {named!r}", limit=choices)
        return named
    found = host_here(config)
    if found is not None:
        return found
    raise InputError(
        f"lab.toml has several hosts, and this computer is called {name_here(config)!r}",
        limit=choices,
        next_step=f"say which it is with --host, or in {notes_of(config)}: host=NAME",
    )


def _told(notes: Path) -> str:
    try:
        lines = notes.read_text().splitlines()
    except (OSError, UnicodeDecodeError):  # not installed here, or not a file of ours
        return ""
    told = [line.removeprefix("host=").strip() for line in lines if line.startswith("host=")]
    return told[-1] if told else ""
