"""The certificates that the lab shows to others, looked at once an hour, never for long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from fabctl.clock import Clock
from fabctl.model.doctor_lab import CertificateFacts
from fabctl.units import Seconds

KEPT_FOR = Seconds(3600.0)
KEPT_FOR_WHEN_WRONG = Seconds(60.0)
"""Somebody may have put it right meanwhile, or the proxy is back."""
WAITS_AT_MOST = Seconds(1.0)
"""For the very first look. A server that does not answer, or a name that nobody resolves, may take
much longer: that is the thread's time, not the page's."""


class KeptCertificates:
    """The last look at each server's certificate. Safe from any thread: one thread looks."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._seen: dict[str, CertificateFacts] | None = None
        self._looked_at = Seconds(0.0)
        self._looking: threading.Thread | None = None

    def get(
        self,
        clock: Clock,
        servers: Sequence[str],
        look: Callable[[], Sequence[CertificateFacts]],
        *,
        patience_s: Seconds = WAITS_AT_MOST,
    ) -> list[CertificateFacts]:
        """Return what was seen last of each server; what was never seen is not known.

        :param look: goes to every server, in a thread of its own.
        :param patience_s: how long is waited for the first look.
        """
        with self._guard:
            seen = self._seen
            if servers and self._is_due(clock.monotonic()):
                self._looked_at = clock.monotonic()
                self._looking = threading.Thread(
                    target=self._look, args=(look,), name="certificates", daemon=True
                )
                self._looking.start()
            looking = self._looking
        if seen is None and looking is not None:
            looking.join(patience_s)
            with self._guard:
                seen = self._seen
        return [(seen or {}).get(one, CertificateFacts(one, None)) for one in servers]

    def _is_due(self, now: Seconds) -> bool:
        if self._looking is not None and self._looking.is_alive():
            return False
        if self._seen is None:
            return self._looking is None or now - self._looked_at >= KEPT_FOR_WHEN_WRONG
        well = all(one.ends_at is not None for one in self._seen.values())
        return now - self._looked_at >= (KEPT_FOR if well else KEPT_FOR_WHEN_WRONG)

    def _look(self, look: Callable[[], Sequence[CertificateFacts]]) -> None:
        seen = {one.server: one for one in look()}
        with self._guard:
            self._seen = seen
