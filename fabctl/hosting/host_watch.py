"""When each host was heard last: noted when it falls silent, and once an hour, not at each word."""

from __future__ import annotations

from datetime import datetime, timedelta

from fabctl.clock import Clock
from fabctl.messaging.lab_view import LabView
from fabctl.services.hosts import note_heard
from fabctl.store.engine import Database

NOTED_EVERY = timedelta(hours=1)


class HostWatch:
    """Looks at the hosts' last words, for the steward."""

    def __init__(self, view: LabView, database: Database, clock: Clock) -> None:
        self._view = view
        self._database = database
        self._clock = clock
        self._heard: dict[str, datetime] = {}
        self._noted: dict[str, datetime] = {}

    def look(self) -> None:
        """Note what is to be noted."""
        now, present = self._clock.now(), self._present()
        self._heard.update(dict.fromkeys(present, now))
        for host, at in self._heard.items():
            noted = self._noted.get(host)
            if noted is None or (at > noted and (host not in present or at - noted > NOTED_EVERY)):
                with self._database.transaction() as session:
                    note_heard(session, host, at)
                self._noted[host] = at

    def _present(self) -> set[str]:
        """Return the hosts that are there by their own last word, or the broker's for them."""
        return {host.id for host in self._view.hosts() if host.online}
