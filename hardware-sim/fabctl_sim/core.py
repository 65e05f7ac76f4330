"""What a stand-in's core offers to the port that carries its bytes, and what all of them share."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Protocol

Listener = Callable[[str, dict[str, object]], None]


class Core(Protocol):
    """A controller without any I/O; every time is in simulated seconds and never goes back."""

    host_rate: float

    @property
    def at_work(self) -> bool:
        """Whether something goes on that needs nothing but time."""

    def receive(self, data: bytes, now: float) -> None:
        """The host writes ``data`` at ``now``."""

    def advance(self, now: float) -> None:
        """Let everything happen that is due up to ``now``."""

    def next_due(self) -> float:
        """Return when something happens next by itself; infinity when nothing will."""

    def take_output(self, now: float) -> bytes:
        """Return what has left the controller by ``now``."""

    def backlog(self, now: float) -> int:
        """Bytes that the host wrote and that have not arrived."""

    def reset(self, now: float) -> None:
        """Pull the reset line."""


class CoreMachine(ABC):
    """The state that a core works on; ``clock`` is how far its one processor has come, in s.

    :ivar host_rate: simulated seconds per second of the host: what the firmware repeats for
        the host's sake (busy, temperatures) keeps the host's rhythm.
    :ivar out: what was said, and when its last byte has left.
    :ivar listener: told what changes; it is not the host.
    """

    def __init__(self, now: float) -> None:
        self.clock = now
        self.host_rate = 1.0
        self.listener: Listener | None = None
        self.out: deque[tuple[float, bytes]] = deque()

    @abstractmethod
    def say(self, text: str) -> None:
        """Send one line."""

    def tell(self, kind: str, **details: object) -> None:
        """Tell the listener (not the host) that something changed."""
        if self.listener:
            self.listener(kind, details)


class CoreLoop(ABC):
    """A main loop that does one thing after the other, each when it is due."""

    machine: CoreMachine

    @property
    def host_rate(self) -> float:
        """Simulated seconds per second of the host."""
        return self.machine.host_rate

    @host_rate.setter
    def host_rate(self, rate: float) -> None:
        self.machine.host_rate = rate

    def advance(self, now: float) -> None:
        """Let everything happen that is due up to ``now``."""
        due = self._work_due()
        while due <= now:
            self._step(due)
            due = self._work_due()

    def next_due(self) -> float:
        """Return when something happens next by itself; infinity when nothing will."""
        out = self.machine.out
        return min(self._work_due(), out[0][0] if out else math.inf)

    def take_output(self, now: float) -> bytes:
        """Return what has completely left the controller by ``now``."""
        ready = b""
        out = self.machine.out
        while out and out[0][0] <= now:
            ready += out.popleft()[1]
        return ready

    @abstractmethod
    def catch_up(self, now: float) -> CoreMachine:
        """Return the machine as of ``now``, to do something to it that its code did not do."""

    @abstractmethod
    def _work_due(self) -> float:
        """When :meth:`_step` has something to do."""

    @abstractmethod
    def _step(self, now: float) -> None:
        """Do what is due at ``now``."""
