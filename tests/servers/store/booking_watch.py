"""What always holds of reservations, checked on the rows themselves between two looks at them.

The tree of resources is known here by name, not by the ranges that the program works with.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select

from fabctl.store.tables import (
    Account,
    Audit,
    Base,
    Certification,
    Claim,
    Reservation,
    Resource,
)
from fabctl.store.tables_booking import Waiting
from fabctl.store.tables_notices import Notice
from tests.servers.store.conftest import Lab

PARIS = ZoneInfo("Europe/Paris")
PRINTERS = ("printer-a", "printer-b")
WITHIN = {("printer-a", "workshop"), ("printer-b", "workshop")}
CHECK_IN_BEFORE = timedelta(minutes=15)
PATIENCE = timedelta(minutes=15)
PER_DAY_MIN = 180
COMING_MOST = 2
_LOOKED_AT: tuple[type[Base], ...] = (Claim, Reservation, Waiting, Account, Resource, Certification)


def touch(one: str, other: str) -> bool:
    """Say whether claims on two resources are in each other's way."""
    return one == other or (one, other) in WITHIN or (other, one) in WITHIN


def in_the_way(one: Any, other: Any) -> bool:
    """Say whether two claims, or what people wait for, cannot both be given."""
    return bool(
        touch(one.resource_id, other.resource_id)
        and one.start_at < other.end_at
        and other.start_at < one.end_at
    )


@dataclass(frozen=True)
class Seen:
    """All rows that matter, at one moment."""

    now: datetime
    rows: Mapping[type[Base], Mapping[Any, Row[Any]]]
    audit: Mapping[int, tuple[str, str]]
    """What was done to what, of every line."""
    told: Counter[str]

    def of(self, table: type[Base]) -> list[Row[Any]]:
        """Return a table's rows."""
        return list(self.rows[table].values())

    def live(self) -> list[Row[Any]]:
        """Return the claims that count."""
        return [one for one in self.of(Claim) if one.released_at is None]

    def reserved(self) -> Iterator[tuple[Row[Any], Row[Any]]]:
        """Yield every reservation with its claim."""
        for row in self.of(Reservation):
            yield row, self.rows[Claim][row.claim_id]

    def coming(self) -> list[str]:
        """Return the ids of the reservations that are not over."""
        return [
            row.id
            for row, claim in self.reserved()
            if claim.released_at is None and row.cancelled_at is None and claim.end_at > self.now
        ]

    def suspended(self, account_id: str, person_id: str) -> bool:
        """Say whether nothing may be charged to an account, or done by a person."""
        return any(
            one.suspended_at is not None
            for one in self.of(Account)
            if account_id == one.id or one.person_id == person_id
        )

    def broken(self, resource_id: str) -> bool:
        """Say whether a resource, or what it is within, is out of order."""
        return any(
            one.out_of_order_at is not None
            for one in self.of(Resource)
            if one.id == resource_id or (resource_id, one.id) in WITHIN
        )


def look(lab: Lab, before: Seen | None = None) -> Seen:
    """Read everything; of the audit only what is new."""
    known = dict(before.audit) if before else {}
    with lab.database.reading() as session:
        rows = {
            table: {row[0]: row for row in session.execute(select(*table.__table__.columns))}
            for table in _LOOKED_AT
        }
        new = select(Audit.id, Audit.what, Audit.subject).where(Audit.id > max(known, default=0))
        known |= {number: (what, subject) for number, what, subject in session.execute(new)}
        told = Counter(session.scalars(select(Notice.code)))
    return Seen(lab.clock.now(), rows, known, told)


# -- at any moment --------------------------------------------------------------------------------


def claims_stay_apart_with_their_cleaning(seen: Seen) -> None:
    """No two claims overlap on a resource, or on one and a part of it."""
    for one, other in combinations(seen.live(), 2):
        if touch(one.resource_id, other.resource_id):
            before, after = sorted((one, other), key=lambda claim: claim.start_at)
            assert (before.free_at or before.end_at) <= after.start_at


def claims_and_what_they_are_for_agree(seen: Seen) -> None:
    """Every claim belongs to what it is for, and a reservation has one end."""
    kept = {one.claim_id for one in seen.of(Waiting) if one.settled_at is None and one.claim_id}
    assert {one.id for one in seen.live() if one.kind == "offer"} == kept
    held = {claim.id for _, claim in seen.reserved() if claim.released_at is None}
    assert held == {one.id for one in seen.live() if one.kind == "reservation"}
    for row, claim in seen.reserved():
        assert claim.kind == "reservation"
        assert row.no_show_at is None or claim.released_at is not None
        assert row.no_show_at is None or row.checked_in_at is None
        if row.cancelled_at and claim.released_at is None:
            assert claim.end_at == row.cancelled_at  # it ran, and was cut
        if row.checked_in_at:
            assert row.checked_in_at >= claim.start_at - CHECK_IN_BEFORE


def one_machine_per_person_at_a_time(seen: Seen) -> None:
    """Nobody has two printers at once, whoever is charged."""
    mine = [
        (row.person_id, claim)
        for row, claim in seen.reserved()
        if claim.released_at is None and claim.resource_id in PRINTERS
    ]
    for (person, one), (another, other) in combinations(mine, 2):
        if person == another:
            assert one.end_at <= other.start_at or other.end_at <= one.start_at


def nobody_is_above_their_quota(seen: Seen) -> None:
    """No account has more than 180 minutes a day, or more than two reservations ahead."""
    minutes: defaultdict[tuple[str, date], timedelta] = defaultdict(timedelta)
    ahead: Counter[str] = Counter()
    for row, claim in seen.reserved():
        if claim.released_at is None or row.no_show_at is not None:
            for day, length in _days(claim.start_at, claim.end_at):
                minutes[row.account_id, day] += length
        ahead[row.account_id] += claim.released_at is None and claim.start_at > seen.now
    assert max(minutes.values(), default=timedelta()) <= timedelta(minutes=PER_DAY_MIN)
    assert max(ahead.values(), default=0) <= COMING_MOST


def _days(start: datetime, end: datetime) -> Iterator[tuple[date, timedelta]]:
    while start < end:
        local = start.astimezone(PARIS)
        midnight = datetime(local.year, local.month, local.day, tzinfo=PARIS) + timedelta(days=1)
        until = min(end, midnight.astimezone(start.tzinfo))
        yield local.date(), until - start
        start = until


def every_due_thing_is_done_once(seen: Seen) -> None:
    """Nothing is missed, lapsed or accepted twice; whom it concerns is told as often."""
    lines = Counter(seen.audit.values())
    for what, code in (("reservation.no-show", "no-show"), ("waiting.lapsed", "offer-lapsed")):
        counts = [number for (said, _), number in lines.items() if said == what]
        assert set(counts) <= {1}
        assert seen.told[code] == len(counts)


def nothing_is_overdue(seen: Seen) -> None:
    """Hold right after the steward: nobody is late, no offer or wait is over."""
    for row, claim in seen.reserved():
        if claim.released_at is None and not row.checked_in_at and not row.cancelled_at:
            assert seen.now < max(claim.start_at, row.created_at) + PATIENCE
    for entry in seen.of(Waiting):
        if entry.settled_at is None:
            assert entry.end_at > seen.now
            assert entry.answer_until is None or entry.answer_until > seen.now


ALWAYS = (
    claims_stay_apart_with_their_cleaning,
    claims_and_what_they_are_for_agree,
    one_machine_per_person_at_a_time,
    nobody_is_above_their_quota,
    every_due_thing_is_done_once,
)
