"""What will happen in the cabinet by itself: a list in order of time."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable

Deed = Callable[[float], None]
"""Takes the time at which it was due."""


class Agenda:
    """Deeds by time; a deed can be put under a key, and a new one with this key replaces it."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, str, Deed]] = []
        self._count = 0
        self._live: dict[str, int] = {}

    def at(self, time: float, deed: Deed, key: str = "") -> None:
        """Plan a deed."""
        self._count += 1
        if key:
            self._live[key] = self._count
        heapq.heappush(self._heap, (time, self._count, key, deed))

    def drop(self, key: str) -> None:
        """Forget what is planned under a key."""
        self._live.pop(key, None)

    def next_due(self) -> float:
        """Return when the next deed is due; infinity without one."""
        self._forget_replaced()
        return self._heap[0][0] if self._heap else math.inf

    def do(self) -> None:
        """Do the next deed."""
        due, _, key, deed = heapq.heappop(self._heap)
        if key:
            del self._live[key]
        deed(due)

    def _forget_replaced(self) -> None:
        while self._heap:
            _, number, key, _ = self._heap[0]
            if not key or self._live.get(key) == number:
                return
            heapq.heappop(self._heap)
