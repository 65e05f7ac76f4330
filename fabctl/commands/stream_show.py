"""What ``fabctl stream`` shows while it works: a bar on a terminal, else a line now and then."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TextIO

from fabctl.ports import JobProgress

PLAIN_EVERY_S = 10.0
BAR_WIDTH = 24
_LEFT_AFTER_S = 5.0
"""Before that, a rate says little about the time that is left."""


class Show:
    """Writes to one stream, usually stderr; a terminal that is gone is no failure of the job.

    :param commands: commands in the file, ≥ 1.
    """

    def __init__(self, stream: TextIO, commands: int, now: float) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._commands = commands
        self._started_at = self._told_at = now
        self._temperatures = ""
        self._bar = ""

    def begin(self, now: float) -> None:
        """The job begins: rates count from here."""
        self._started_at = self._told_at = now

    def say(self, sentence: str) -> None:
        """Write a sentence on a line of its own."""
        self._wipe()
        self._write(f"{sentence}\n")

    def temperatures(self, values: Mapping[str, float | None]) -> None:
        """Take in the newest readings, in °C."""
        shown = [_heater(name, values) for name in ("nozzle", "bed")]
        self._temperatures = "  ".join(part for part in shown if part)

    def progress(self, event: JobProgress, now: float) -> None:
        """Show how far the firmware has confirmed the job."""
        if not self._is_terminal and now - self._told_at < PLAIN_EVERY_S:
            return
        self._told_at = now
        text = self._text(event, now)
        if self._is_terminal:
            self._wipe()
            self._bar = f"[{_bar(event.commands_done / self._commands)}] {text}"
            self._write(self._bar)
        else:
            self._write(f"{text}\n")

    def end(self) -> None:
        """Leave the terminal as it was found."""
        self._wipe()

    def _text(self, event: JobProgress, now: float) -> str:
        done, elapsed_s = event.commands_done, max(1e-6, now - self._started_at)
        rate = done / elapsed_s
        parts = [f"{100 * done / self._commands:5.1f} %", f"line {event.line}"]
        parts.append(f"{rate:.0f} lines/s")
        if rate > 0 and elapsed_s >= _LEFT_AFTER_S:
            parts.append(f"{duration((self._commands - done) / rate)} left")
        if event.resends:
            parts.append(f"{event.resends} resent")
        return "  ".join([*parts, self._temperatures]).rstrip()

    def _wipe(self) -> None:
        if self._bar:
            self._write("\r" + " " * len(self._bar) + "\r")
            self._bar = ""

    def _write(self, text: str) -> None:
        with suppress(OSError):  # the terminal was closed: the job goes on to its safe end
            self._stream.write(text)
            self._stream.flush()


def duration(seconds: float) -> str:
    """Return ``m:ss``, or ``h:mm:ss`` from an hour on."""
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _bar(part: float) -> str:
    full = round(BAR_WIDTH * min(1.0, max(0.0, part)))
    return "#" * full + "." * (BAR_WIDTH - full)


def _heater(name: str, values: Mapping[str, float | None]) -> str:
    now_c, target_c = values.get(f"{name}_c"), values.get(f"{name}_target_c")
    if now_c is None:
        return ""
    return f"{name} {now_c:.0f}" + (f"/{target_c:.0f} °C" if target_c else " °C")
