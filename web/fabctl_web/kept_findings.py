"""What is wrong with the lab, looked at now and then: a page that is open asks every 5 s."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from fabctl.clock import Clock
from fabctl.model.doctor import Finding
from fabctl.units import Seconds

KEPT_FOR = Seconds(30.0)


class KeptFindings:
    """The last findings, for 30 s. Safe from any thread: one looks, the others wait for it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._found: tuple[Finding, ...] = ()
        self._looked_at: Seconds | None = None
        self._first_at: Seconds | None = None

    def get(
        self, clock: Clock, look: Callable[[Seconds], Sequence[Finding]]
    ) -> tuple[Finding, ...]:
        """Return the findings, looked at anew by ``look`` when they are too old.

        :param look: takes how long ago somebody first asked, in s.
        """
        with self._guard:
            now = clock.monotonic()
            if self._first_at is None:
                self._first_at = now
            if self._looked_at is None or now - self._looked_at >= KEPT_FOR:
                self._found, self._looked_at = tuple(look(Seconds(now - self._first_at))), now
            return self._found
