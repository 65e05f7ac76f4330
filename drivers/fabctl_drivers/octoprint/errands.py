"""What the driver has the server do, as data: asked by the watch, run by the worker. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class JobCommand(StrEnum):
    """What can be asked about the job under way."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Upload:
    """Send a file, select it and print it. Result: whether the server began to print."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Command:
    """Pause, resume or cancel. Result: None; nothing to command is no error.

    :param name: only when this file is the one under way; None: whatever is under way.
    """

    command: JobCommand
    name: str | None


@dataclass(frozen=True, slots=True)
class HeatersOff:
    """Set every target to 0 °C. Result: None."""

    tools: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AskHistory:
    """Ask how a file's print ended. Result: True, False, or None when it is not recorded."""

    name: str


@dataclass(frozen=True, slots=True)
class Sweep:
    """Remove our files whose names begin so. Result: how many could not be removed yet."""

    prefix: str


@dataclass(frozen=True, slots=True)
class Poll:
    """Ask for the status. Result: the messages of :func:`status.read_poll`."""


@dataclass(frozen=True, slots=True)
class Listen:
    """Open the push connection. Result: the open connection."""


Errand = Upload | Command | HeatersOff | AskHistory | Sweep | Poll | Listen
