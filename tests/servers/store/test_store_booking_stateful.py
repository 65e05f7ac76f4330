"""Whatever people, staff and the clock do in whatever order, the invariants hold after every step.

A workshop with two printers in it, and a kitchen. The tree is known here by name, not by the ranges
that the program works with, so that each checks the other.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import combinations, count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import Row, func, select

from fabctl.clock import ManualClock
from fabctl.model import booking
from fabctl.model.booking_changes import CHECK_IN_BEFORE
from fabctl.model.refusal import RefusedError
from fabctl.services import closures, machines, people
from fabctl.services.certifications import certify, suspend
from fabctl.store.engine import Database, open_database
from fabctl.store.tables import Audit, Claim, Reservation
from fabctl.store.tables_booking import Waiting
from fabctl.store.tables_notices import Notice
from tests.databases import PostgreSQL
from tests.servers.store import booking_lab as act
from tests.servers.store.booking_lab import PARIS, PRINTER_A
from tests.servers.store.conftest import Lab, profile
from tests.servers.store.guarantees import drop_guarantees

PRINTERS = ("printer-a", "printer-b")
RESOURCES = (*PRINTERS, "workshop", "kitchen")
WITHIN = {("printer-a", "workshop"), ("printer-b", "workshop")}
CLEAN_UP = timedelta(minutes=5)

people_numbers = st.sampled_from(range(3))
resource_names = st.sampled_from(RESOURCES)
starts = st.integers(0, 24).map(lambda step: step * 5)
lengths = st.integers(1, 18).map(lambda step: step * 5)
picks = st.integers(0, 30)


def touch(one: str, other: str) -> bool:
    return one == other or (one, other) in WITHIN or (other, one) in WITHIN


class BookingLife(RuleBasedStateMachine):
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
        self.ids = ids
        self.lab = Lab(database, clock, ids[0], ids[1], ids[2], awa)
        self.caught_up = False
        self.closed: list[str] = []
        act.add_space(self.lab, "workshop")
        act.add_space(self.lab, "kitchen")
        for machine in PRINTERS:
            act.put_into(self.lab, machine, "workshop")
        act.set_policy(self.lab, PRINTER_A, clean_up_min=5)

    # -- what people do ---------------------------------------------------------------------------

    @rule(person=people_numbers, resource=resource_names, start=starts, lasts=lengths)
    def book(self, person: int, resource: str, start: int, lasts: int) -> None:
        wanted = (act.moment(self.lab, start), act.moment(self.lab, start + lasts))
        taken = self._taken(resource, *wanted)
        codes = self._try(
            lambda: act.book(
                self.lab, start, start + lasts, person=self.ids[person], resource=resource
            )
        )
        assert ("overlap" in codes) == taken

    @rule(pick=picks, resource=resource_names, start=starts, lasts=lengths)
    def move(self, pick: int, resource: str, start: int, lasts: int) -> None:
        one = self._pick_reservation(pick)
        if one:
            begun = one.start <= self.lab.clock.now()
            kept = (one.start, one.resource_id) == (act.moment(self.lab, start), resource)
            codes = self._try(
                lambda: act.move(self.lab, one, start, start + lasts, resource=resource)
            )
            assert ("has-begun" in codes) == (begun and not kept)

    @rule(pick=picks, lasts=st.integers(-2, 18).map(lambda step: step * 5))
    def change_the_end(self, pick: int, lasts: int) -> None:
        one = self._pick_reservation(pick)
        if one:
            now = self.lab.clock.now()
            start = (one.start - now).total_seconds() / 60
            codes = self._try(lambda: act.move(self.lab, one, start, lasts))
            assert ("has-begun" in codes) == (one.start <= now and lasts <= 0)

    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        one = self._pick_reservation(pick)
        if one:
            self._try(lambda: act.cancel(self.lab, one))

    @rule(pick=picks)
    def check_in(self, pick: int) -> None:
        one = self._pick_reservation(pick)
        if one:
            self._try(lambda: act.check_in(self.lab, one))

    @rule(pick=picks)
    def stop(self, pick: int) -> None:
        one = self._pick_reservation(pick)
        if one:
            self._try(lambda: act.stop(self.lab, one))

    @rule(person=people_numbers, resource=resource_names, start=starts, lasts=lengths)
    def wait_for(self, person: int, resource: str, start: int, lasts: int) -> None:
        self._try(lambda: act.wait_for(self.lab, self.ids[person], start, start + lasts, resource))

    @rule(person=people_numbers)
    def accept(self, person: int) -> None:
        offered = [one for one in act.waits(self.lab, self.ids[person]) if one.answer_until]
        if offered:
            self._try(lambda: act.accept(self.lab, offered[0]))

    # -- what the staff do ------------------------------------------------------------------------

    @rule(resource=resource_names, start=starts, lasts=lengths, firm=st.booleans())
    def close(self, resource: str, start: int, lasts: int, firm: bool) -> None:
        self._try(
            lambda: self.closed.append(
                act.close(
                    self.lab, start, start + lasts, resource=resource, cancel_reservations=firm
                )
            )
        )

    @rule()
    def reopen(self) -> None:
        if not self.closed:
            return
        one = self.closed.pop()
        with self.lab.database.transaction() as session:
            closures.reopen(session, self.lab.clock, PARIS, closure_id=one, by=self.lab.awa)
        self.caught_up = False

    @rule(person=people_numbers, machine=st.sampled_from(PRINTERS), on=st.booleans())
    def suspend(self, person: int, machine: str, on: bool) -> None:
        with self.lab.database.transaction() as session:
            clock, who = self.lab.clock, self.ids[person]
            if on:
                suspend(session, clock, person_id=who, resource_id=machine, reason="x")
            else:
                certify(session, clock, person_id=who, resource_id=machine)
        self.caught_up = False

    # -- what the clock does ----------------------------------------------------------------------

    @rule(minutes=st.sampled_from([1, 5, 14, 15, 16, 60]))
    def time_passes(self, minutes: int) -> None:
        self.lab.clock.advance(minutes * 60)
        self.caught_up = False

    @rule()
    def catch_up(self) -> None:
        act.catch_up(self.lab)
        again = act.catch_up(self.lab)
        assert (again.no_shows, again.lapsed, again.missed, again.offers) == ([], [], [], [])
        self.caught_up = True

    # -- what always holds ------------------------------------------------------------------------

    @invariant()
    def claims_stay_apart_with_their_cleaning(self) -> None:
        for one, other in combinations(self._live(), 2):
            if touch(one.resource_id, other.resource_id):
                before, after = sorted((one, other), key=lambda claim: claim.start_at)
                assert (before.free_at or before.end_at) <= after.start_at

    @invariant()
    def claims_and_what_they_are_for_agree(self) -> None:
        with self.lab.database.reading() as session:
            rows = session.execute(
                select(Reservation, Claim).join(Claim, Claim.id == Reservation.claim_id)
            ).all()
            kept = set(
                session.scalars(
                    select(Waiting.claim_id).where(
                        Waiting.settled_at.is_(None), Waiting.claim_id.is_not(None)
                    )
                )
            )
        offers = {claim.id for claim in self._live() if claim.kind == "offer"}
        assert offers == kept
        held = {claim.id for _, claim in rows if claim.released_at is None}
        assert held == {claim.id for claim in self._live() if claim.kind == "reservation"}
        for row, claim in rows:
            assert claim.kind == "reservation"
            assert (row.no_show_at is None) or claim.released_at is not None
            assert row.no_show_at is None or row.checked_in_at is None
            if row.cancelled_at and claim.released_at is None:
                assert claim.end_at == row.cancelled_at  # it ran, and was cut

    @invariant()
    def whoever_checked_in_did_so_for_this_start(self) -> None:
        with self.lab.database.reading() as session:
            query = select(Reservation.checked_in_at, Claim.start_at).join(
                Claim, Claim.id == Reservation.claim_id
            )
            rows = session.execute(query.where(Reservation.checked_in_at.is_not(None))).all()
        assert all(came is not None and came >= start - CHECK_IN_BEFORE for came, start in rows)

    @invariant()
    def one_machine_per_person_at_a_time(self) -> None:
        with self.lab.database.reading() as session:
            query = (
                select(Reservation.person_id, Claim.start_at, Claim.end_at)
                .join(Claim, Claim.id == Reservation.claim_id)
                .where(Claim.released_at.is_(None), Claim.resource_id.in_(PRINTERS))
            )
            rows = session.execute(query).all()
        for one, other in combinations(rows, 2):
            if one.person_id == other.person_id:
                assert one.end_at <= other.start_at or other.end_at <= one.start_at

    @invariant()
    def every_due_thing_is_done_once(self) -> None:
        with self.lab.database.reading() as session:
            for what in ("reservation.no-show", "waiting.lapsed", "waiting.accepted"):
                per_subject = select(func.count()).where(Audit.what == what).group_by(Audit.subject)
                assert set(session.scalars(per_subject)) <= {1}
            told = session.scalar(
                select(func.count()).where(Notice.code == "no-show").select_from(Notice)
            )
            missed = session.scalar(
                select(func.count()).select_from(Audit).where(Audit.what == "reservation.no-show")
            )
        assert told == missed

    @invariant()
    def after_the_steward_nothing_is_overdue(self) -> None:
        if not self.caught_up:
            return
        now = self.lab.clock.now()
        with self.lab.database.reading() as session:
            rows = session.execute(
                select(Reservation, Claim)
                .join(Claim, Claim.id == Reservation.claim_id)
                .where(
                    Claim.released_at.is_(None),
                    Reservation.checked_in_at.is_(None),
                    Reservation.cancelled_at.is_(None),
                )
            ).all()
            waits = session.scalars(select(Waiting).where(Waiting.settled_at.is_(None))).all()
        for row, claim in rows:
            assert now < max(claim.start_at, row.created_at) + timedelta(minutes=15)
        for entry in waits:
            assert entry.end_at > now
            assert entry.answer_until is None or entry.answer_until > now

    # -- helpers ----------------------------------------------------------------------------------

    def _try(self, deed: Callable[[], Any]) -> set[str]:
        """Do it; a refusal says why and changes nothing at all."""
        self.caught_up = False
        before = self._everything()
        try:
            deed()
        except RefusedError as refused:
            codes = set(refused.codes)
        else:
            return set()
        assert codes
        assert self._everything() == before
        return codes

    def _everything(self) -> list[list[Row[Any]]]:
        tables = (Claim, Reservation, Waiting, Audit, Notice)
        with self.lab.database.reading() as session:
            return [
                list(session.execute(select(*table.__table__.columns).order_by(table.id)).all())
                for table in tables
            ]

    def _live(self) -> list[Claim]:
        with self.lab.database.reading() as session:
            return list(session.scalars(select(Claim).where(Claim.released_at.is_(None))))

    def _taken(self, resource: str, start: datetime, end: datetime) -> bool:
        mine = end + (CLEAN_UP if resource == "printer-a" else timedelta())
        return any(
            touch(resource, claim.resource_id)
            and claim.start_at < mine
            and start < (claim.free_at or claim.end_at)
            for claim in self._live()
            if claim.kind != "maintenance"
        )

    def _pick_reservation(self, pick: int) -> Any:
        """Return one that is coming, as a view with the person it belongs to."""
        found = [one for person in self.ids for one in act.coming(self.lab, person)]
        return found[pick % len(found)] if found else None

    def teardown(self) -> None:
        """Close the database."""
        self.lab.database.close()


def live(new_url: Callable[[], str], examples: int, steps: int) -> None:
    class Life(BookingLife):
        def __init__(self) -> None:
            super().__init__(open_database(new_url()))

    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking here takes minutes
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


def test_booking_in_sqlite(tmp_path: Path, migrated_sqlite: Path) -> None:
    numbering = count()

    def new_url() -> str:
        file = tmp_path / f"{next(numbering)}.db"
        shutil.copyfile(migrated_sqlite, file)
        return f"sqlite:///{file}"

    live(new_url, examples=25, steps=40)


def test_control_without_rule_and_guarantee_an_invariant_fails(
    tmp_path: Path, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbering = count()
    rules = tuple(one for one in booking.RULES if one.__name__ != "_overlap")
    assert len(rules) == len(booking.RULES) - 1
    monkeypatch.setattr(booking, "RULES", rules)

    def new_url() -> str:
        file = tmp_path / f"{next(numbering)}.db"
        shutil.copyfile(migrated_sqlite, file)
        unguarded = open_database(f"sqlite:///{file}")
        drop_guarantees(unguarded)
        unguarded.close()
        return f"sqlite:///{file}"

    with pytest.raises(AssertionError):
        live(new_url, examples=25, steps=40)


def test_booking_in_postgresql(postgresql_server: PostgreSQL) -> None:
    live(
        lambda: postgresql_server.url(
            postgresql_server.new_database(like=postgresql_server.migrated)
        ),
        examples=6,
        steps=30,
    )
