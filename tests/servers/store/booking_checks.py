"""A lab in which everything may happen, with all that is checked after every step.

A workshop with two printers in it, and a kitchen; a group that two of three people act for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
)
from sqlalchemy.orm import Session

from fabctl.clock import ManualClock
from fabctl.model.accounts import GroupKind
from fabctl.model.refusal import RefusedError
from fabctl.services import accounts, bookings, machines, people, resources
from fabctl.services.bookings import ReservationView
from fabctl.services.certifications import certify
from fabctl.store.engine import Database
from fabctl.store.tables_booking import Waiting
from tests.servers.store import booking_lab as act
from tests.servers.store import booking_steps as steps
from tests.servers.store import booking_watch as watch
from tests.servers.store.booking_lab import LAB, PRINTER_A
from tests.servers.store.booking_watch import PRINTERS, touch
from tests.servers.store.conftest import Lab, profile

CLEAN_UP = timedelta(minutes=5)


class CheckedLab(RuleBasedStateMachine):
    """A lab in which everything happens; printer-a is cleaned for five minutes after each use."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        clock = ManualClock()
        with database.transaction() as session:
            machines.sync_resources(session, clock, [profile(name) for name in PRINTERS])
            awa = people.add_person(session, clock, display_name="Awa", role="staff").id
            ids = [people.add_person(session, clock, display_name=f"P{n}").id for n in range(3)]
            for person in ids:
                for machine in PRINTERS:
                    certify(session, clock, person_id=person, resource_id=machine)
            self.group = accounts.add_group(
                session, clock, name="Copeaux", kind=GroupKind.COLLECTIVE, by=awa
            ).id
            for person in ids[:2]:
                accounts.set_member(
                    session, clock, account_id=self.group, person_id=person, may_act=True, by=awa
                )
            resources.set_pool(
                session, clock, pool_id="printers", name="P", members=PRINTERS, by=awa
            )
        self.ids = ids
        self.lab = Lab(database, clock, ids[0], ids[1], ids[2], awa)
        self.wrong: str | None = None
        self.caught_up = False
        self.closed: list[str] = []
        act.add_space(self.lab, "workshop")
        act.add_space(self.lab, "kitchen")
        for machine in PRINTERS:
            act.put_into(self.lab, machine, "workshop")
        act.set_policy(
            self.lab, LAB, coming_most=watch.COMING_MOST,
            per_day_min=watch.PER_DAY_MIN,
        )  # fmt: skip
        act.set_policy(self.lab, PRINTER_A, clean_up_min=5)
        self.seen = self.before = watch.look(self.lab)

    # -- what always holds ------------------------------------------------------------------------

    @invariant()
    def all_is_well(self) -> None:
        for holds in watch.ALWAYS:
            holds(self.seen)
        if self.caught_up:
            watch.nothing_is_overdue(self.seen)

    def _it_came_about_well(self) -> None:
        """Check each change at once: a rule may make several."""
        steps.every_change_has_its_line(self.before, self.seen)
        steps.the_suspended_get_nothing_and_nothing_broken_is_given(self.before, self.seen)
        steps.whoever_waited_longer_was_asked_first(self.lab, self.before, self.seen)

    # -- helpers ----------------------------------------------------------------------------------

    def _try(self, deed: Callable[[], Any]) -> set[str]:
        """Do it; a refusal says why and changes nothing at all."""
        codes: set[str] = set()
        try:
            deed()
        except RefusedError as refused:
            codes = set(refused.codes)
        self._look()
        if codes:
            assert (self.seen.rows, self.seen.audit) == (self.before.rows, self.before.audit)
            assert self.seen.told == self.before.told
        return codes

    @contextmanager
    def _doing(self) -> Iterator[Session]:
        with self.lab.database.transaction() as session:
            yield session
        self._look()

    def _look(self) -> None:
        self.before, self.seen = self.seen, watch.look(self.lab, self.seen)
        self.caught_up = False
        self._it_came_about_well()

    def _taken(self, resource: str, start: int, end: int) -> bool:
        wanted = act.slot(self.lab, start, end)
        mine = wanted.end + (CLEAN_UP if resource == "printer-a" else timedelta())
        return any(
            touch(resource, claim.resource_id)
            and claim.start_at < mine
            and wanted.start < (claim.free_at or claim.end_at)
            for claim in self.seen.live()
        )

    def waiting(self, *, offered: bool = False) -> list[Any]:
        """Return who waits; those who have an offer, or all."""
        found = [one for one in self.seen.of(Waiting) if one.settled_at is None]
        return [one for one in found if one.claim_id or not offered]

    def waited_for(self) -> list[str]:
        """Return the ids of the reservations that are not over and for which somebody waits."""
        waits, claims = self.waiting(), {row.id: claim for row, claim in self.seen.reserved()}
        return [
            one
            for one in self.seen.coming()
            if any(watch.in_the_way(claims[one], entry) for entry in waits)
        ]

    def _pick_reservation(self, pick: int) -> ReservationView:
        """Return one that is coming."""
        found = self.seen.coming()
        return self._view(found[pick % len(found)])

    def _view(self, reservation_id: str) -> ReservationView:
        with self.lab.database.reading() as session:
            return bookings.get_reservation(session, reservation_id)

    def teardown(self) -> None:
        """Close the database."""
        self.lab.database.close()
