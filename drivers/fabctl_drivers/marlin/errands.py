"""What we say beside the job: who we do it for, and in which order. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from enum import Enum, auto


class Errand(Enum):
    """Why we say something that is not in the job; the ref of its last line."""

    CONNECT = auto()
    POLL = auto()
    LOCATE = auto()
    PARK = auto()
    FINISH = auto()
    MAKE_SAFE = auto()
    BY_HAND = auto()
    """A person homed or jogged; M114 after it tells where that ended."""
    STEP = auto()
    """Not the last line of anything."""


class Errands:
    """Commands that go before the next line of the job, first come, first said."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[bytes, Errand]] = deque()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, commands: Sequence[bytes], errand: Errand) -> None:
        """Queue commands; the errand is done when the last is confirmed."""
        for command in commands[:-1]:
            self._waiting.append((command, Errand.STEP))
        if commands:
            self._waiting.append((commands[-1], errand))

    @property
    def next_command(self) -> bytes:
        """The command that is said next. There must be one."""
        return self._waiting[0][0]

    def pop(self) -> tuple[bytes, Errand]:
        """Return the next command and its errand, and forget them."""
        return self._waiting.popleft()

    def clear(self) -> None:
        """Forget all of them."""
        self._waiting.clear()
