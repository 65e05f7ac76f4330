"""What the rules of booking look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from fabctl.model.booking_policy import BookingRules
from fabctl.model.booking_slots import Slot
from fabctl.model.certification import Standing
from fabctl.model.consent import Birth, Consent
from fabctl.model.out_of_order import Stop

PARIS = ZoneInfo("Europe/Paris")


class ResourceKind(StrEnum):
    """What can be booked."""

    MACHINE = "machine"
    SPACE = "space"
    SEAT = "seat"


class ClaimKind(StrEnum):
    """Why a resource is taken."""

    RESERVATION = "reservation"
    WORKSHOP = "workshop"
    MAINTENANCE = "maintenance"
    CLOSURE = "closure"
    OFFER = "offer"
    """Kept for the first of the waiting list until they answer."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A live claim on the resource, its parents or its children, cleaning up included."""

    slot: Slot
    kind: ClaimKind = ClaimKind.RESERVATION


@dataclass(frozen=True, slots=True)
class Held:
    """A reservation that counts: live, or a no-show."""

    slot: Slot
    resource_id: str
    category: str
    kind: ResourceKind = ResourceKind.MACHINE
    no_show: bool = False


@dataclass(frozen=True, slots=True)
class Booked:
    """What is to be booked."""

    resource_id: str = "printer-a"
    category: str = "printer"
    kind: ResourceKind = ResourceKind.MACHINE


@dataclass(frozen=True, slots=True)
class BookingFacts:
    """All that the rules look at. A reservation that is being moved is in none of the lists."""

    now: datetime
    wanted: Slot
    taken: Sequence[Slot | Taken] = ()
    """Those elsewhere in time may be among them. A bare slot is somebody's reservation."""
    certification: Standing = Standing.VALID
    """At the end of the wanted slot, not at booking time."""
    account_suspended: bool = False
    """The person's own."""
    group_suspended: bool = False
    """Whether the group's account that is charged is suspended."""
    out_of_order: bool = False
    """The resource, or what it is part of."""
    stop: Stop | None = None
    """What put it out of order, where that is known."""
    rules: BookingRules = field(default_factory=BookingRules)
    what: Booked = field(default_factory=Booked)
    zone: ZoneInfo = PARIS
    open: Sequence[Slot] | None = None
    """When it is open, around the wanted slot, merged; None: always."""
    of_account: Sequence[Held] = ()
    of_person: Sequence[Held] = ()
    birth: Birth = field(default_factory=Birth)
    consents: Sequence[Consent] = ()
    """The person's forms, oldest first."""
    was: Slot | None = None
    """Of a reservation that is being moved: where it is now."""
    using_now: bool = False
    """Neither notice nor grid are asked of somebody who stands before the machine."""

    @property
    def claims(self) -> list[Taken]:
        """The taken slots, each with its kind."""
        return [one if isinstance(one, Taken) else Taken(one) for one in self.taken]
