"""What happened in the cabinet, with stamps: reaction times are measured here."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

Event = dict[str, Any]


class Journal:
    """The last events, numbered from 1.

    :param keep: how many.
    """

    def __init__(self, keep: int = 20_000) -> None:
        self._events: deque[Event] = deque(maxlen=keep)
        self.count = 0
        self.listener: Callable[[Event], None] = lambda _event: None

    def note(self, at: float, kind: str, **details: object) -> None:
        """Keep one event.

        :param at: CLOCK_MONOTONIC, s.
        """
        self.count += 1
        event = {"n": self.count, "t": at, "kind": kind, **details}
        self._events.append(event)
        self.listener(event)

    def since(self, start: int) -> list[Event]:
        """Return the events with numbers from ``start`` on, as far as they are kept."""
        return [event for event in self._events if event["n"] >= start]
