"""Permits for interlocks: issued while a use lasts and its person may still use the machine.

One question decides (:mod:`fabctl.services.access`); nothing here knows a reason of its own.
Sealing and carrying a permit is the steward's part, checking it the daemon's.
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.access import unmet
from fabctl.model.refusal import Refusal
from fabctl.permits import USUAL_S, Permit
from fabctl.services.access import may_go_on
from fabctl.services.uses import UseView, open_uses
from fabctl.store.tables import PermitSerial

SERIALS_AT_ONCE = 1000
"""At one renewal every 3 s, the disk is written once in 50 minutes."""


@dataclass(frozen=True, slots=True)
class Permission:
    """What the record says about one open use, now."""

    use: UseView
    refusals: tuple[Refusal, ...]
    """What speaks against it; an empty tuple is the only permission."""

    def permit(
        self, *, boot: str, serial: int, seconds: float = USUAL_S, challenge: str
    ) -> Permit | None:
        """Return the permit to seal, for 10 s; None: there is no permission.

        :param boot: of the interlock's daemon, as it said itself.
        :param challenge: as the daemon said it last; it takes no permit without.
        """
        if self.refusals:
            return None
        return Permit(
            machine=self.use.resource_id,
            person=self.use.person_id,
            use=self.use.id,
            boot=boot,
            serial=serial,
            seconds=seconds,
            challenge=challenge,
        )


def permissions(
    session: Session, clock: Clock, zone: ZoneInfo, machines: frozenset[str]
) -> list[Permission]:
    """Return what is permitted now: one for each open use of these machines."""
    return [
        Permission(use, tuple(_refusals(session, clock, zone, use)))
        for use in open_uses(session)
        if use.resource_id in machines
    ]


def _refusals(session: Session, clock: Clock, zone: ZoneInfo, use: UseView) -> list[Refusal]:
    found = may_go_on(session, clock, zone, person_id=use.person_id, resource_id=use.resource_id)
    return unmet(found)


def reserve_serials(session: Session, clock: Clock, *, machine: str) -> range:
    """Return serials that nobody had before and nobody will have again.

    They are given out in blocks, on record before the first is used: a steward that dies wastes
    the rest of its block. A block begins at the Unix time in s at least, so that a database put
    back from a copy does not give out serials again.
    """
    row = session.get(PermitSerial, machine, with_for_update=True)
    if row is None:
        row = PermitSerial(machine=machine, given_to=0)
        session.add(row)
    first = max(row.given_to + 1, int(clock.now().timestamp()))
    row.given_to = first + SERIALS_AT_ONCE - 1
    session.flush()
    return range(first, row.given_to + 1)
