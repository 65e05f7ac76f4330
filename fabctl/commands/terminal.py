"""``fabctl terminal``: a person talks to one machine, line by line."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

import click

from fabctl.clock import SystemClock
from fabctl.errors import DeviceError, FabError, LocalError
from fabctl.ports import Driver, Heard, MachineKind, MachineProfile, Phase, PhaseChanged, Tone
from fabctl.units import Seconds

PUMP_S = Seconds(0.5)
QUIET_S = 1.0
"""A script's last answer is waited for until nothing was heard for so long."""
STYLES = {
    Tone.OK: {"dim": True},
    Tone.ERROR: {"fg": "red"},
    Tone.ECHO: {"fg": "yellow"},
    Tone.OTHER: {},
}
PROMPT = "> "


@click.command()
@click.option("--driver", "driver_name", required=True, metavar="NAME", help="Such as marlin.")
@click.option("--port", metavar="PORT", help="Such as /dev/ttyUSB0 or socket://host:port.")
@click.option("--baud", type=click.IntRange(1), default=250_000, show_default=True)
@click.option("--no-colour", is_flag=True, help="Plain text; so does the variable NO_COLOR.")
def terminal(driver_name: str, port: str | None, baud: int, *, no_colour: bool) -> None:
    """Talk to one machine: what you type is said, what it answers is shown.

    \b
    fabctl terminal --driver marlin --port /dev/ttyUSB0 --baud 115200
    echo M115 | fabctl terminal --driver marlin --port /dev/ttyUSB0

    Arrow keys edit and bring back earlier lines. Ctrl-D leaves; heaters are off then, as they
    are at the beginning. A port belongs to one program: while a job runs, nobody can talk past it.
    Nothing checks what you type: stand beside the machine.

    Exit codes: 0 you left, 1 the machine was lost, 2 refused (the port is taken, no answer).
    """
    from fabctl.commands.stream_job import find_driver  # noqa: PLC0415  # `fabctl --help` stays quick

    clock = SystemClock()
    kind = MachineKind.OTHER
    profile = MachineProfile(
        port or driver_name, driver_name, kind, driver_name, "here", port, baud
    )
    driver = find_driver(profile, clock)
    colour = sys.stdout.isatty() and not no_colour and not os.environ.get("NO_COLOR")
    talk = Talk(driver, Teller(colour=colour).tell, SystemClock().monotonic)
    try:
        driver.open()
    except DeviceError as error:
        raise LocalError(f"{error}{holder_of(port)}") from error
    try:
        talk.connect()
        talk.run(typed())
    finally:
        driver.close()
    if talk.lost is not None:
        click.echo(f"fabctl: {talk.lost}", err=True)
        raise click.exceptions.Exit(1)


class Teller:
    """Shows lines, coloured by what they are."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour

    def tell(self, text: str, tone: Tone) -> None:
        """Show one line."""
        click.echo(
            click.style(text, **STYLES[tone]) if self._colour else text,  # type: ignore[arg-type]  # two kinds of style words
            color=self._colour,
        )


class Talk:
    """One conversation on an open driver; typed lines come from another thread."""

    def __init__(
        self, driver: Driver, tell: Callable[[str, Tone], None], monotonic: Callable[[], float]
    ) -> None:
        self._driver = driver
        self._tell = tell
        self._monotonic = monotonic
        self._heard_at = monotonic()
        self._reason: str | None = None
        self.lost: str | None = None
        """Why the machine left us, where it did."""

    def connect(self) -> None:
        """Wait until the machine answers.

        :raises LocalError: it does not, or a person must look at it first.
        """
        while self._driver.phase is Phase.CONNECTING:
            self._pump()
        if self._driver.phase is not Phase.IDLE:
            raise LocalError(self._reason or f"the machine is {self._driver.phase.value}")

    def run(self, lines: Iterator[str]) -> None:
        """Say every line, show every answer, until the lines end and all is answered."""
        queue: SimpleQueue[str | None] = SimpleQueue()

        def read() -> None:
            for line in lines:
                queue.put(line)
                self._driver.wake()
            queue.put(None)
            self._driver.wake()

        threading.Thread(target=read, daemon=True).start()
        ended = False
        while self._driver.phase is not Phase.CLOSED:
            with suppress(Empty):
                line = queue.get_nowait()
                ended = line is None
                self._say(line)
                continue
            if ended and self._monotonic() - self._heard_at >= QUIET_S:
                return
            self._pump()
        self.lost = self._reason or "the port was closed"

    def _say(self, line: str | None) -> None:
        self._heard_at = self._monotonic()
        if line is None or not line.strip():
            return
        try:
            self._driver.say(line)
        except FabError as error:
            self._tell(str(error), Tone.ERROR)

    def _pump(self) -> None:
        for event in self._driver.pump(PUMP_S):
            if isinstance(event, Heard):
                if event.tone is not Tone.OTHER:
                    self._heard_at = self._monotonic()
                self._tell(event.text, event.tone)
            elif isinstance(event, PhaseChanged) and event.reason:
                self._reason = event.reason
                self._tell(event.reason, Tone.ERROR)


def typed() -> Iterator[str]:
    """Yield what is typed, with editing and history at a keyboard, else what is piped in."""
    if not sys.stdin.isatty():
        yield from (line.rstrip("\n") for line in sys.stdin)
        return
    import readline  # noqa: F401, PLC0415  # only to be there: input() edits and remembers then

    with suppress(EOFError):
        while True:
            yield input(PROMPT)


def holder_of(port: str | None) -> str:
    """Return which program holds a port, as words to add to a sentence; empty where unknown.

    Linux only: it looks for the port among the open files of the processes that it may see.
    """
    if port is None or not Path(port).exists():
        return ""
    wanted = Path(port).resolve()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            if link.parent.parent.name != str(os.getpid()) and link.resolve() == wanted:
                process = link.parent.parent
                name = (process / "comm").read_text().strip()
                return f" (it is held by {name}, process {process.name})"
    return ""
