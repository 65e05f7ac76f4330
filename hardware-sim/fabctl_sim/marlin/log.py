"""The commands that a Marlin stand-in ran."""

from __future__ import annotations

from fabctl_sim.base_log import BaseLog
from fabctl_sim.marlin.words import Command


class Log(BaseLog):
    """The commands, in order; in the file: number (``-`` without), tab, text."""

    FIELDS = ("n", "text")

    def add(self, command: Command) -> None:
        """Take one command."""
        self._keep(command.number, command.text)
        self._write("-" if command.number is None else str(command.number), command.text)
