"""The steward's permits: every 3 s one for each open use that is still permitted, signed.

Losing this office takes nothing on at once: an interlock's permit lasts 10 s, nothing new can be
armed after that, and what runs drains by the daemon's own rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol
from zoneinfo import ZoneInfo

from fabctl.clock import Clock
from fabctl.messaging.interlocks import InterlockView
from fabctl.messaging.payloads import encode
from fabctl.messaging.speaker import Speaker
from fabctl.messaging.topics import LabTopics
from fabctl.permits import USUAL_S, seal
from fabctl.services.permits import Permission, permissions, reserve_serials
from fabctl.services.using import permission_ended
from fabctl.store.engine import Database
from fabctl.units import Seconds

RENEW_EVERY = Seconds(3.0)
EXPIRY_S = 5
"""A permit that no machine fetched by then is worth nothing: the next one is on its way."""


class Interlocks(Protocol):
    """What knows the interlocks' last words: a :class:`~fabctl.messaging.lab_view.LabView`."""

    def interlock(self, machine_id: str) -> InterlockView:
        """Return what is known of a machine's interlock."""


class PermitOffice:
    """Used by the steward's main thread.

    :param key_of: for each machine with an interlock, what returns the key of its permits.
    :param zone: the lab's, for opening hours.
    """

    def __init__(  # noqa: PLR0913  # what it works with, each thing by its name
        self,
        topics: LabTopics,
        database: Database,
        link: Speaker,
        clock: Clock,
        log: Callable[[str], None],
        interlocks: Interlocks,
        key_of: Mapping[str, Callable[[], bytes]],
        *,
        zone: ZoneInfo,
        permit_s: Seconds = USUAL_S,
        renew_every: Seconds = RENEW_EVERY,
    ) -> None:
        self.renew_every = renew_every
        """How often :meth:`renew` is to be called."""
        self._permit_s = permit_s
        self._topics = topics
        self._zone = zone
        self._database = database
        self._link = link
        self._clock = clock
        self._log = log
        self._interlocks = interlocks
        self._key_of = dict(key_of)
        self._serials: dict[str, Iterator[int]] = {}
        self._ended: set[str] = set()
        """Uses whose permission has ended and was told."""

    @property
    def machines(self) -> frozenset[str]:
        """The machines it issues permits for."""
        return frozenset(self._key_of)

    def renew(self) -> None:
        """Send the permits that are due now, and take back those that nobody has a use for.

        :raises LocalError: a key or the database cannot be read; what was not sent ends by itself.
        """
        if not self._key_of:
            return
        with self._database.reading() as session:
            found = permissions(session, self._clock, self._zone, self.machines)
        self._ended &= {one.use.id for one in found}
        for one in found:
            if one.refusals:
                self._end(one)
            else:
                self._send(one)
        self._take_back({one.use.resource_id: one.use.id for one in found})

    def _send(self, permission: Permission) -> None:
        """Send a permit to an interlock that was heard; an unheard one would not take it."""
        machine = permission.use.resource_id
        said = self._interlocks.interlock(machine).said
        if said.boot is None or said.challenge is None:
            return
        serial = self._next_serial(machine)
        permit = permission.permit(
            boot=said.boot, serial=serial, challenge=said.challenge, seconds=self._permit_s
        )
        if permit is not None:
            message = seal(self._key_of[machine](), permit)
            self._link.publish(self._topics.command(machine, "permit"), message, expiry_s=EXPIRY_S)

    def _next_serial(self, machine: str) -> int:
        serial = next(self._serials.get(machine, iter(())), None)
        if serial is not None:
            return serial
        with self._database.transaction() as session:
            block = iter(reserve_serials(session, self._clock, machine=machine))
        self._serials[machine] = block
        return next(block)

    def _end(self, permission: Permission) -> None:
        """Renew no more. A use without a job is over; a job drains and ends its own use."""
        use = permission.use
        if use.id in self._ended:
            return
        self._ended.add(use.id)
        reasons = ", ".join(refusal.code for refusal in permission.refusals)
        self._log(f"{use.resource_id}: permits for use {use.id} end ({reasons})")
        with self._database.transaction() as session:
            permission_ended(
                session, self._clock, use_id=use.id, refusals=list(permission.refusals)
            )

    def _take_back(self, uses: Mapping[str, str]) -> None:
        """Drop a permit whose use is over: whoever closed it may have died before saying so."""
        for machine in self._key_of:
            permit = self._interlocks.interlock(machine).said.permit
            if permit is not None and permit.use != uses.get(machine):
                topic = self._topics.command(machine, "drop-permit")
                self._link.publish(topic, encode({"by": None}), expiry_s=EXPIRY_S)
