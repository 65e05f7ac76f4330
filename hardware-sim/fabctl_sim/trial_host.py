"""A host without a computer: talks to a core in simulated time, for tests and for figures."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from fabctl_sim.core import Core


def numbered(number: int, text: str) -> bytes:
    """Return a line with number and checksum (marlinfw.org/docs/gcode/M110.html)."""
    line = f"N{number} {text}".encode("latin-1")
    checksum = 0
    for byte in line:
        checksum ^= byte
    return b"%b*%d\n" % (line, checksum)


class SilenceError(AssertionError):
    """The firmware did not say what was waited for."""


class TrialHost:
    """Sends and listens; every wait moves the simulated time, nothing sleeps.

    :param core: a controller that was just switched on; the banner is read first.
    """

    def __init__(self, core: Core, now: float = 0.0, boot_s: float = 3.0) -> None:
        self.core = core
        self.now = now
        self.number = 0
        self._heard = b""
        self._pending: deque[str] = deque()
        self.banner = self.listen(boot_s)

    def send(self, data: bytes) -> None:
        """Write bytes as they are."""
        self.core.receive(data, self.now)

    def listen(self, seconds: float) -> list[str]:
        """Let ``seconds`` pass; return the complete lines that came."""
        until = self.now + seconds
        while True:
            due = self.core.next_due()
            if due > until:
                break
            self._pass(due)
        self._pass(until)
        return self._lines()

    def hear(self, wanted: str | tuple[str, ...], seconds: float = 600.0) -> list[str]:
        """Listen until a line begins with ``wanted``; return the lines up to that one.

        :raises SilenceError: it did not come within ``seconds``.
        """
        until = self.now + seconds
        lines: list[str] = []
        while self.core.next_due() <= until:
            self._pass(self.core.next_due())
            lines += self._lines()
            if lines and lines[-1].startswith(wanted):
                return lines
        raise SilenceError(f"no {wanted!r} within {seconds} s; heard {lines}")

    def ask(self, text: str, seconds: float = 600.0) -> list[str]:
        """Send one command without number and return the answer, its ``ok`` included."""
        self.send(text.encode("latin-1") + b"\n")
        return self.hear("ok", seconds)

    def ask_numbered(self, text: str, seconds: float = 600.0) -> list[str]:
        """Send one command with the next number and return the answer."""
        self.number += 1
        self.send(numbered(self.number, text))
        return self.hear("ok", seconds)

    def exchange(self, data: bytes, seconds: float = 1.0) -> list[str]:
        """Write bytes, let ``seconds`` pass, return the lines that came, without their CR."""
        self.send(data)
        return [line.rstrip("\r") for line in self.listen(seconds)]

    def count(self, lines: Iterable[bytes], window: int) -> list[str]:
        """Send whole lines with at most ``window`` bytes unanswered; return the answers.

        0 sends one line at a time. Only ``ok`` and ``error`` are answers, the rest is passed over.
        """
        answers: list[str] = []
        flying: deque[int] = deque()
        for line in lines:
            while flying and sum(flying) + len(line) > window:
                answers.append(self._answer())
                flying.popleft()
            self.send(line)
            flying.append(len(line))
        return answers + [self._answer() for _ in flying]

    def _answer(self) -> str:
        if not self._pending:
            self._pending.extend(self.hear(("ok", "error:")))
        while self._pending:
            line = self._pending.popleft().rstrip("\r")
            if line.startswith(("ok", "error:")):
                return line
        return self._answer()

    def stream(self, texts: Iterable[str], *, window: int = 0, lines: int = 4) -> float:
        """Send numbered commands and return the seconds until the last ``ok``.

        :param window: at most so many bytes unanswered; 0 sends one line at a time.
        :param lines: at most so many lines unanswered.
        """
        begin = self.now
        flying: deque[int] = deque()
        for text in texts:
            self.number += 1
            data = numbered(self.number, text)
            while flying and (sum(flying) + len(data) > window or len(flying) >= lines):
                self.hear("ok")
                flying.popleft()
            self.send(data)
            flying.append(len(data))
        for _ in flying:
            self.hear("ok")
        return self.now - begin

    def _pass(self, until: float) -> None:
        self.now = max(self.now, until)
        self.core.advance(self.now)
        self._heard += self.core.take_output(self.now)

    def _lines(self) -> list[str]:
        *complete, self._heard = self._heard.split(b"\n")
        return [line.decode("latin-1") for line in complete]
