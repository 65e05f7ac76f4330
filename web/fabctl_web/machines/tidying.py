"""A web process that shares no folder with the steward keeps its own in order."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from fabctl.errors import LocalError
from fabctl.services.files import clear_strays
from fabctl.units import Seconds

if TYPE_CHECKING:
    from fabctl_web.lab import Lab

EVERY = Seconds(24 * 3600.0)
_LOG = logging.getLogger("fabctl.files")


class Tidying:
    """Deletes the job files that nobody needs any more, once a day, when one came. Thread-safe."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._done_at: Seconds | None = None

    def after_a_file(self, lab: Lab) -> None:
        """Do it if it is due. Without other web processes the steward does it."""
        if lab.config.web.peers and self._is_due(lab.clock.monotonic()):
            try:
                for path in clear_strays(lab.db, lab.clock, lab.config.paths.files):
                    _LOG.warning("%s was deleted: no job needs it any more", path.name)
            except LocalError as error:
                _LOG.warning("%s", error)

    def _is_due(self, now: Seconds) -> bool:
        with self._guard:
            if self._done_at is not None and now - self._done_at < EVERY:
                return False
            self._done_at = now
            return True
