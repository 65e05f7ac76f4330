"""What is wrong with the lab, looked at now and then: a page that is open asks every 5 s."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from fabctl.clock import Clock
from fabctl.model.doctor import Finding, in_order, unknown, warn
from fabctl.model.texts import text
from fabctl.units import Seconds

KEPT_FOR = Seconds(30.0)
PATIENCE = Seconds(20.0)
"""A look takes a tenth of a second. A network's folder that is away holds whoever asks for it, for
hours: one page waits so long once, and every other shows what was found before."""


class KeptFindings:
    """The last findings, for 30 s. Safe from any thread: one of its own looks."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._found: tuple[Finding, ...] = ()
        self._first_at: Seconds | None = None
        self._began = Seconds(0.0)
        self._looking: threading.Thread | None = None

    def get(
        self,
        clock: Clock,
        look: Callable[[Seconds], Sequence[Finding]],
        *,
        patience_s: Seconds = PATIENCE,
    ) -> tuple[Finding, ...]:
        """Return the findings, looked at anew by ``look`` when they are too old.

        :param look: takes how long ago somebody first asked, in s.
        """
        with self._guard:
            now = clock.monotonic()
            begun = self._begin(now, look)
            looking, waited = self._looking, now - self._began
        if looking is not None and (begun or not self._found):
            looking.join(max(0.0, patience_s - waited))
        with self._guard:
            took = clock.monotonic() - self._began
            if looking is None or not looking.is_alive() or took < PATIENCE:
                return self._found
            return tuple(in_order([*self._found, _without_end(took)]))

    def _begin(self, now: Seconds, look: Callable[[Seconds], Sequence[Finding]]) -> bool:
        """Begin a look when it is time; say whether one was begun. Under the lock."""
        if self._looking is not None and (self._looking.is_alive() or now - self._began < KEPT_FOR):
            return False
        if self._first_at is None:
            self._first_at = now
        self._began = now
        asked_for = Seconds(now - self._first_at)
        self._looking = threading.Thread(
            target=self._look, args=(look, asked_for), name="findings", daemon=True
        )
        self._looking.start()
        return True

    def _look(self, look: Callable[[Seconds], Sequence[Finding]], asked_for: Seconds) -> None:
        try:
            found = tuple(look(asked_for))
        except Exception as error:  # noqa: BLE001  # top of the thread: the page says it
            said = text("Looking for what is wrong failed: {why}", why=repr(error)[:200])
            found = (unknown("look", said),)
        with self._guard:
            self._found = found


def _without_end(took: float) -> Finding:
    said = text(
        "A look at this computer has lasted {seconds} s so far:"
        " a disk or a server does not answer.",
        seconds=int(took),
    )
    step = text("Is a network's folder away, that of the backups? Look at mount, then at dmesg.")
    return warn("look", said, step)
