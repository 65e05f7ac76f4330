"""What is typed: at a keyboard with editing and a history that lasts, else what is piped in."""

from __future__ import annotations

import os
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

PROMPT = "> "
KEPT_LINES = 1000


def history_file() -> Path:
    """Return where the history is kept: ``$XDG_STATE_HOME/fabctl/terminal_history``.

    Source: XDG Base Directory Specification, ``$XDG_STATE_HOME``, by default ~/.local/state.
    """
    base = os.environ.get("XDG_STATE_HOME") or ""
    state = Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "state"
    return state / "fabctl" / "terminal_history"


class Lines:
    """Lines from somewhere, and a place to show others meanwhile."""

    def __iter__(self) -> Iterator[str]:
        """Yield every line that is piped in."""
        yield from (line.rstrip("\n") for line in sys.stdin)

    def show(self, text: str, *, colour: bool) -> None:
        """Show a line."""
        click.echo(text, color=colour)


class Keyboard(Lines):
    """Lines that a person types. Read them in a thread of their own; show from any other."""

    def __init__(self) -> None:
        import readline  # noqa: PLC0415  # it changes how input() works; only wanted here

        self._readline = readline
        self._is_asking = False

    def __iter__(self) -> Iterator[str]:
        """Yield every line, until Ctrl-D."""
        with suppress(EOFError):
            while True:
                self._is_asking = True
                line = input(PROMPT)
                self._is_asking = False
                yield line
        self._is_asking = False

    def show(self, text: str, *, colour: bool) -> None:
        """Show a line above what is being typed."""
        if not self._is_asking:
            click.echo(text, color=colour)
            return
        typed = self._readline.get_line_buffer()
        click.echo(f"\r\x1b[K{text}\n{PROMPT}{typed}", nl=False, color=True)

    def load(self, file: Path) -> None:
        """Read the lines of earlier sessions; a file that is absent or unreadable has none."""
        self._readline.set_history_length(KEPT_LINES)
        with suppress(OSError):
            self._readline.read_history_file(file)

    def save(self, file: Path) -> str | None:
        """Write the lines, for this user alone; return why that was not possible."""
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))
            file.chmod(0o600)
            self._readline.write_history_file(file)
        except OSError as error:
            return f"the history was not kept: {error.strerror} ({file})"
        return None


@contextmanager
def lines() -> Iterator[Lines]:
    """Give the lines that come on stdin; the terminal is left as it was found."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        yield Lines()
        return
    keyboard, file = Keyboard(), history_file()
    keyboard.load(file)
    before = termios.tcgetattr(sys.stdin)
    try:
        yield keyboard
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
        click.echo()
        if trouble := keyboard.save(file):
            click.echo(f"fabctl: {trouble}", err=True)
