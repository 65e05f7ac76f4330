"""What the tests of booking do to a lab, in few words. Minutes count from the lab's clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fabctl.model.booking_facts import ClaimKind, ResourceKind
from fabctl.model.booking_policy import Reach, Scope
from fabctl.model.booking_slots import Slot
from fabctl.model.refusal import RefusedError
from fabctl.services import bookings, closures, noshows, notices, policies, resources, waiting
from fabctl.services.bookings import ReservationView
from fabctl.services.noshows import Caught
from fabctl.services.waiting import WaitingView
from tests.servers.store.conftest import Lab

PARIS = ZoneInfo("Europe/Paris")
LAB = Scope()
PRINTER_A = Scope(Reach.RESOURCE, "printer-a")


def moment(lab: Lab, minutes: float) -> datetime:
    return lab.clock.now() + timedelta(minutes=minutes)


def slot(lab: Lab, start: float, end: float) -> Slot:
    return Slot(moment(lab, start), moment(lab, end))


def add_space(lab: Lab, name: str, inside: str | None = None, *, seat: bool = False) -> None:
    kind = ResourceKind.SEAT if seat else ResourceKind.SPACE
    with lab.database.transaction() as session:
        resources.add_resource(
            session,
            lab.clock,
            resource_id=name,
            name=name.title(),
            kind=kind,
            parent_id=inside,
            by=lab.awa,
        )


def put_into(lab: Lab, name: str, parent: str | None) -> None:
    with lab.database.transaction() as session:
        resources.put_into(session, lab.clock, resource_id=name, parent_id=parent, by=lab.awa)


def set_policy(lab: Lab, scope: Scope = LAB, **numbers: Any) -> None:
    with lab.database.transaction() as session:
        policies.set_policy(session, lab.clock, scope=scope, numbers=numbers, by=lab.awa)


def book(  # as the service
    lab: Lab,
    start: float,
    end: float,
    *,
    person: str | None = None,
    resource: str = "printer-a",
    by: str | None = None,
    override: str | None = None,
    account: str | None = None,
) -> ReservationView:
    who = person or lab.lea
    with lab.database.transaction() as session:
        return bookings.book(
            session,
            lab.clock,
            PARIS,
            person_id=who,
            resource_id=resource,
            start=moment(lab, start),
            end=moment(lab, end),
            by=by or who,
            override_reason=override,
            account_id=account,
        )


def move(
    lab: Lab,
    one: ReservationView,
    start: float,
    end: float,
    *,
    resource: str | None = None,
    by: str | None = None,
    override: str | None = None,
) -> ReservationView:
    with lab.database.transaction() as session:
        return bookings.move(
            session,
            lab.clock,
            PARIS,
            reservation_id=one.id,
            start=moment(lab, start),
            end=moment(lab, end),
            resource_id=resource,
            by=by or one.person_id,
            override_reason=override,
        )


def cancel(
    lab: Lab, one: ReservationView, by: str | None = None, reason: str | None = None
) -> ReservationView:
    with lab.database.transaction() as session:
        return bookings.cancel(
            session,
            lab.clock,
            PARIS,
            reservation_id=one.id,
            by=by or one.person_id,
            reason=reason,
        )


def check_in(lab: Lab, one: ReservationView, by: str | None = None) -> ReservationView:
    with lab.database.transaction() as session:
        return bookings.check_in(session, lab.clock, reservation_id=one.id, by=by or one.person_id)


def stop(lab: Lab, one: ReservationView) -> ReservationView:
    with lab.database.transaction() as session:
        return bookings.stop(session, lab.clock, PARIS, reservation_id=one.id, by=one.person_id)


def use_now(lab: Lab, person: str, minutes: int | None = None) -> ReservationView:
    with lab.database.transaction() as session:
        return bookings.use_now(
            session,
            lab.clock,
            PARIS,
            person_id=person,
            resource_id="printer-a",
            by=person,
            minutes=minutes,
        )


def wait_for(
    lab: Lab,
    person: str,
    start: float,
    end: float,
    resource: str = "printer-a",
    account: str | None = None,
) -> WaitingView:
    with lab.database.transaction() as session:
        return waiting.join(
            session,
            lab.clock,
            PARIS,
            person_id=person,
            resource_id=resource,
            start=moment(lab, start),
            end=moment(lab, end),
            by=person,
            account_id=account,
        )


def accept(lab: Lab, entry: WaitingView) -> ReservationView:
    with lab.database.transaction() as session:
        return waiting.accept(session, lab.clock, PARIS, waiting_id=entry.id, by=entry.person_id)


def waits(lab: Lab, person: str) -> list[WaitingView]:
    with lab.database.reading() as session:
        return waiting.of_person(session, person_id=person)


def coming(lab: Lab, person: str) -> list[ReservationView]:
    with lab.database.reading() as session:
        return bookings.coming_for_person(session, lab.clock, person_id=person)


def catch_up(lab: Lab) -> Caught:
    with lab.database.transaction() as session:
        return noshows.catch_up(session, lab.clock, PARIS)


def told(lab: Lab, person: str) -> list[str]:
    with lab.database.reading() as session:
        return [one.code for one in notices.of_person(session, person_id=person)]


def close(lab: Lab, start: float, end: float, *, resource: str = "printer-a", **more: Any) -> str:
    with lab.database.transaction() as session:
        return closures.close(
            session,
            lab.clock,
            PARIS,
            resource_id=resource,
            kind=more.pop("kind", ClaimKind.CLOSURE),
            slot=slot(lab, start, end),
            note="broken window",
            by=lab.awa,
            **more,
        ).id


@contextmanager
def refusing(*codes: str) -> Iterator[None]:
    """Expect a refusal with exactly these codes."""
    with pytest.raises(RefusedError) as refused:
        yield
    assert set(refused.value.codes) == set(codes)
