"""What the record says of each machine: bookings, in order or not. Read every few seconds."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fabctl.clock import Clock
from fabctl.services import machines
from fabctl.services.machines import ResourceView
from fabctl.store.engine import Database

KEEP_S = 5.0
"""How old an answer may be. A booking made here is seen at once; this is for the others
(the command line, another web process)."""


@dataclass(frozen=True)
class OutOfOrder:
    """Staff says that a machine is not to be used."""

    since: datetime
    reason: str
    """In the words of who said so."""


@dataclass(frozen=True)
class Booked:
    """A machine's bookings, without names, and whether it may be used at all."""

    busy_until: datetime | None = None
    """The end of the reservation that holds now."""
    next_start: datetime | None = None
    out_of_order: OutOfOrder | None = None

    def now(self, now: datetime) -> bool:
        """Say whether the machine is reserved at the moment ``now``."""
        return self.busy_until is not None and self.busy_until > now


class Bookings:
    """The projection that board and streams share. Safe from any thread."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._lock = threading.Lock()
        self._found: Mapping[str, Booked] = {}
        self._read_at: float | None = None

    def of(self, machine: str) -> Booked:
        """Return one machine's bookings."""
        with self._lock:
            if self._read_at is None or self._clock.monotonic() - self._read_at > KEEP_S:
                self._found = self._read()
                self._read_at = self._clock.monotonic()
            return self._found.get(machine, Booked())

    def forget(self) -> None:
        """Read again at the next question: a booking was made or cancelled here."""
        with self._lock:
            self._read_at = None

    def _read(self) -> Mapping[str, Booked]:
        with self._db.reading() as session:
            found = machines.bookings_projection(session, self._clock)
            order = {row.id: _order(row) for row in machines.list_resources(session)}
        return {id_: Booked(*times, order.get(id_)) for id_, times in found.items()}


def _order(row: ResourceView) -> OutOfOrder | None:
    if row.out_of_order_at is None:
        return None
    return OutOfOrder(row.out_of_order_at, row.out_of_order_reason or "")
