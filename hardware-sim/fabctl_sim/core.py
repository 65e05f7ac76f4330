"""What a stand-in's core offers to the port that carries its bytes."""

from __future__ import annotations

from typing import Protocol


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
