"""What holds of each step of a lab's life, checked on the rows before it and after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from fabctl.model import booking
from fabctl.model.booking_slots import Slot
from fabctl.services.gathering import Asked, gather
from fabctl.store.tables import (
    Account,
    Base,
    Certification,
    Claim,
    Person,
    Reservation,
    Resource,
)
from fabctl.store.tables_booking import Waiting
from tests.servers.store.booking_watch import PARIS, Seen, in_the_way
from tests.servers.store.conftest import Lab

_OUTCOMES = {"accepted": "accepted", "declined": "left", "lapsed": "lapsed", "missed": "missed"}


def new_lines(before: Seen, after: Seen) -> Counter[tuple[str, str]]:
    """Return what the audit says of what happened in between."""
    return Counter(line for number, line in after.audit.items() if number not in before.audit)


def every_change_has_its_line(before: Seen, after: Seen) -> None:
    """The audit has one line for each change. A move to where it was is said, too."""
    lines, changes = new_lines(before, after), Counter(_changes(before, after))
    assert changes - lines == Counter()
    extra = list((lines - changes).elements())
    assert [what for what, _ in extra] in ([], ["reservation.moved"])


def _changes(before: Seen, after: Seen) -> Iterator[tuple[str, str]]:
    for row, claim in after.reserved():
        was = before.rows[Reservation].get(row.id)
        for what in _done_to(was, row, before.rows[Claim].get(claim.id), claim):
            yield f"reservation.{what}", f"reservation:{row.id}"
    for row in after.of(Waiting):
        for what in _waited(before.rows[Waiting].get(row.id), row):
            yield f"waiting.{what}", f"waiting:{row.id}"
    yield from _by_the_staff(before, after)


_SWITCHES: tuple[tuple[type[Base], str, str, tuple[str, str]], ...] = (
    (Account, "account", "suspended_at", ("suspended", "restored")),
    (Resource, "resource", "out_of_order_at", ("out-of-order", "in-order")),
)


def _by_the_staff(before: Seen, after: Seen) -> Iterator[tuple[str, str]]:
    """Yield what was closed or reopened, whose certification changed, what was switched."""
    for row in after.of(Claim):
        was = before.rows[Claim].get(row.id)
        if row.kind == "closure" and row != was:
            yield "closure.ended" if was else "closure.made", f"claim:{row.id}"
    for number, row in after.rows[Certification].items():
        if number not in before.rows[Certification]:
            yield f"certification.{row.change}", f"person:{row.person_id}"
    for table, noun, field, (off, on) in _SWITCHES:
        for row in after.of(table):
            is_off = getattr(row, field) is not None
            if is_off != (getattr(before.rows[table][row.id], field) is not None):
                yield f"{noun}.{off if is_off else on}", f"{noun}:{row.id}"


def _waited(was: Any, row: Any) -> Iterator[str]:
    """Yield what happened to an entry of the waiting list."""
    if was is None:
        yield "joined"
    if row.claim_id and not (was and was.claim_id):
        yield "offered"
    if row.settled_at and not (was and was.settled_at):
        yield _OUTCOMES[row.outcome]


def _done_to(was: Any, row: Any, old: Any, claim: Any) -> list[str]:
    """Return what was done to a reservation, given its rows and its claim's before and after."""
    if was is None:
        return ["made"]
    ends = {"cancelled": "cancelled_at", "stopped": "stopped_at", "no-show": "no_show_at"}
    found = [what for what, at in ends.items() if getattr(row, at) and not getattr(was, at)]
    if row.checked_in_at and not was.checked_in_at and "stopped" not in found:
        found.append("checked-in")
    places = [(one.resource_id, one.start_at, one.end_at) for one in (old, claim)]
    if places[0] != places[1] and not set(found) & set(ends):
        found.append("moved")
    return found


def the_suspended_get_nothing_and_nothing_broken_is_given(before: Seen, after: Seen) -> None:
    """Whoever is suspended, or acts for a suspended group, books, moves and is offered nothing."""
    for what, subject in new_lines(before, after):
        number = subject.partition(":")[2]
        if what in {"reservation.made", "reservation.moved"}:
            row = after.rows[Reservation][number]
            resource = after.rows[Claim][row.claim_id].resource_id
        elif what in {"waiting.joined", "waiting.offered"}:
            row = after.rows[Waiting][number]
            resource = row.resource_id
        else:
            continue
        assert not after.suspended(row.account_id, row.person_id)
        assert not after.broken(resource)


def whoever_waited_longer_was_asked_first(lab: Lab, before: Seen, after: Seen) -> None:
    """An offer passes over those who came before only where the rules are against them."""
    for what, subject in new_lines(before, after):
        if what == "waiting.offered":
            offered = after.rows[Waiting][subject.partition(":")[2]]
            for other in after.of(Waiting):
                if _was_before(other, offered):
                    assert _refused_without(lab, other, offered), (other, offered)


def _was_before(one: Any, offered: Any) -> bool:
    """Say whether somebody waits in vain for the time, and has waited longer."""
    return bool(
        one.number < offered.number
        and one.settled_at is None
        and one.claim_id is None
        and in_the_way(one, offered)
    )


def _refused_without(lab: Lab, one: Any, offered: Any) -> bool:
    """Say whether the rules were against somebody even without another's offer."""
    with lab.database.reading() as session:
        own = select(Account).where(Account.person_id == one.person_id)
        account = session.get(Account, one.account_id) if one.account_id else session.scalar(own)
        assert account is not None
        asked = Asked(
            session.get_one(Person, one.person_id), account,
            session.get_one(Resource, one.resource_id),
            Slot(max(one.start_at, lab.clock.now()), one.end_at),
            was=session.get_one(Claim, offered.claim_id), using_now=True,
        )  # fmt: skip
        return bool(booking.refusals(gather(session, lab.clock, PARIS, asked)))
