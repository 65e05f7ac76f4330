"""One person's data: handed out whole, erased everywhere, kept no longer than its time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Boolean, Date, DateTime, Float, Integer, insert, select, update
from sqlalchemy.types import JSON

from fabctl.clock import ManualClock
from fabctl.model.refusal import RefusedError
from fabctl.services import (
    attendance,
    people,
    personal_data,
    presence,
    retention,
    sign_ins,
    statistics,
)
from fabctl.services.audit import audit
from fabctl.services.personal_tables import ACTED, HELD, NOBODY, Held
from fabctl.store.engine import Database
from fabctl.store.metadata import METADATA
from fabctl.store.tables import Audit, Person
from fabctl.store.tables_workshops import AttendanceMark, Enrolment, Guardianship
from fabctl.store.types import UtcDateTime
from tests.servers.store.test_store_seed_year import PARIS, SMALL, sow

MARK = "Zébulon-Quatorze"
"""A name that nothing else bears."""
SHELL = "shell:tests"
TINY = replace(SMALL, people=120, reservations=400, sessions=30)
AS_WRITTEN = {"problem_report", "maintenance_done"}
"""The database never changes what these say; people are told not to name anybody there."""


def test_the_list_knows_every_column_that_names_a_person() -> None:
    known = {(held.table, held.column) for held in HELD}
    known |= {(table, column) for table, columns in ACTED.items() for column in columns}
    for table in METADATA.tables.values():
        for column in table.columns:
            to_a_person = any(key.column.table.name == "person" for key in column.foreign_keys)
            if to_a_person or column.name in {"person_id", "who"}:
                assert (table.name, column.name) in known, f"{table.name}.{column.name}"


@pytest.fixture
def seeded(database: Database) -> Database:
    sow(database, TINY)
    return database


@pytest.fixture
def later() -> ManualClock:
    return ManualClock(datetime.combine(SMALL.today, ManualClock().wall.timetz()))


def busiest(database: Database) -> str:
    """Return somebody who came to workshops and used machines."""
    with database.reading() as session:
        query = select(Enrolment.person_id).where(
            Enrolment.state == "confirmed",
            Enrolment.person_id.in_(select(METADATA.tables["use"].c.person_id)),
            Enrolment.id.in_(select(AttendanceMark.enrolment_id)),
        )
        counts = [one for one in session.scalars(query) if one]
    return max(sorted(set(counts)), key=counts.count)


def mark_everything(database: Database, person_id: str) -> set[str]:
    """Write the name into every text of every row that is theirs; add a row where there is none.

    Returns the tables that hold the name now.
    """
    marked = set()
    with database.transaction() as session:
        for held in HELD:
            table = METADATA.tables[held.table]
            if held.table in AS_WRITTEN or held.table in {"certification", "interlock_event"}:
                continue
            if held.through is None and held.table not in {"person", "account"}:
                there = session.execute(select(table).where(table.c[held.column] == person_id))
                if there.first() is None:
                    values = dict(_row(held, person_id))
                    if _can_stand_alone(held):
                        session.execute(insert(table).values(values))
            texts = _free_texts(held)
            if texts:
                theirs = personal_data._theirs(held, person_id)
                many = session.execute(update(table).where(theirs).values(texts)).rowcount  # type: ignore[attr-defined]  # a cursor's
                marked |= {held.table} if many else set()
    return marked


FREE = {
    "person": ["display_name", "search_name"],
    "account": ["name", "suspended_reason"],
    "consent_form": ["guardian_name", "guardian_phone"],
    "job": ["name", "report", "reason"],
    "credential": ["login"],
    "api_token": ["name"],
    "notice": ["words"],
    "mail_address": ["address", "signs_in"],
    "claim": ["note"],
}


def _free_texts(held: Held) -> dict[str, str]:
    return dict.fromkeys(FREE.get(held.table, ()), MARK)


STAND_ALONE = {
    "credential", "sign_in", "api_token", "feed", "birth_date", "consent_form", "lab_presence",
    "mail_address", "given_right", "notice",
}  # fmt: skip


def _can_stand_alone(held: Held) -> bool:
    return held.table in STAND_ALONE


OF_TYPE: tuple[tuple[type | tuple[type, ...], Any], ...] = (
    ((UtcDateTime, DateTime), ManualClock().now()),
    (Date, date(1990, 1, 2)),
    (Boolean, True),
    ((Integer, Float), 1),
    (JSON, {}),
)


def _row(held: Held, person_id: str) -> Iterator[tuple[str, Any]]:
    """Yield a value for every column that needs one."""
    for column in METADATA.tables[held.table].columns:
        if column.name == held.column:
            yield column.name, person_id
        elif column.name == "kind" and held.table == "credential":
            yield column.name, "password"
        elif column.name in {"login", "password_hash", "token_hash"}:
            yield column.name, f"{MARK}-{held.table}"[:64]
        elif column.foreign_keys and "person" in str(
            next(iter(column.foreign_keys)).target_fullname
        ):
            yield column.name, None if column.nullable else person_id
        elif not column.nullable and not (column.primary_key and isinstance(column.type, Integer)):
            values = (value for kinds, value in OF_TYPE if isinstance(column.type, kinds))
            yield column.name, next(values, MARK[:12])


def everything(database: Database) -> dict[str, str]:
    """Return every table's whole contents as text."""
    with database.reading() as session:
        return {
            table.name: json.dumps(
                [[str(cell) for cell in row] for row in session.execute(select(table))],
                ensure_ascii=False,
            )
            for table in METADATA.tables.values()
        }


def test_erased_means_gone_from_every_table(seeded: Database, later: ManualClock) -> None:
    person_id = busiest(seeded)
    marked = mark_everything(seeded, person_id)
    assert marked >= {"person", "account", "credential", "api_token", "notice", "mail_address"}
    found = everything(seeded)
    assert {name for name, text in found.items() if MARK[:12] in text} >= marked
    with seeded.transaction() as session:
        audit(session, later, person_id, "reservation.made", f"person:{person_id}")
        personal_data.erase(session, later, PARIS, person_id=person_id, by=SHELL)
    after = everything(seeded)
    assert {name for name, text in after.items() if MARK[:12] in text} == set()
    with seeded.reading() as session:
        assert session.get_one(Person, person_id).display_name == NOBODY
        about = select(Audit).where(Audit.subject == f"person:{person_id}").order_by(Audit.id)
        lines = session.scalars(about).all()
        assert lines[-1].what == "person.erased"
        for held in HELD:
            if held.fate == "delete":
                table = METADATA.tables[held.table]
                theirs = personal_data._theirs(held, person_id)
                assert session.execute(select(table).where(theirs)).first() is None, held.table


def test_statistics_survive(seeded: Database, later: ManualClock) -> None:
    def counted() -> list[statistics.YearView]:
        with seeded.reading() as session:
            return [
                statistics.of_year(session, PARIS, year=year, by=SHELL) for year in (2025, 2026)
            ]

    before = counted()
    with seeded.transaction() as session:
        query = select(Person.id).where(Person.role == "member").order_by(Person.id).limit(20)
        for person_id in session.scalars(query).all():
            personal_data.erase(session, later, PARIS, person_id=person_id, by=SHELL)
    assert counted() == before


def test_coming_reservations_and_places_are_free_again(
    seeded: Database, later: ManualClock
) -> None:
    with seeded.transaction() as session:
        live = personal_data._coming
        people = session.scalars(select(Person.id).order_by(Person.id)).all()
        who = next(one for one in people if live(session, one, later.now()))
        personal_data.erase(session, later, PARIS, person_id=who, by=SHELL)
        assert not live(session, who, later.now())


def test_only_the_staff_erase_and_nobody_exports_a_strangers_data(
    seeded: Database, later: ManualClock
) -> None:
    with seeded.transaction() as session:
        query = select(Person.id).where(Person.role == "member").order_by(Person.id)
        one, other = session.scalars(query.limit(2)).all()
        for work in (
            lambda: personal_data.erase(session, later, PARIS, person_id=one, by=other),
            lambda: personal_data.export(session, later, person_id=one, by=other),
        ):
            with pytest.raises(RefusedError):
                work()


def test_who_uses_a_machine_is_not_erased(seeded: Database, later: ManualClock) -> None:
    with seeded.transaction() as session:
        use = METADATA.tables["use"]
        person_id = session.scalars(select(use.c.person_id)).first()
        assert person_id is not None
        last = session.scalars(select(use.c.id).where(use.c.person_id == person_id)).first()
        session.execute(update(use).where(use.c.id == last).values(closed_at=None))
        with pytest.raises(RefusedError) as refused:
            personal_data.erase(session, later, PARIS, person_id=person_id, by=SHELL)
        assert refused.value.codes == {"uses-a-machine"}


def test_the_export_is_whole_and_holds_no_secret(seeded: Database, later: ManualClock) -> None:
    person_id = busiest(seeded)
    marked = mark_everything(seeded, person_id)
    with seeded.transaction() as session:
        found = personal_data.export(session, later, person_id=person_id, by=person_id)
    assert marked <= found.keys()
    assert {"reservation", "claim", "use", "enrolment", "attendance_mark", "audit"} <= found.keys()
    written = json.dumps(found)
    assert "password_hash" not in written
    assert "token_hash" not in written
    with seeded.transaction() as session:  # the one who looked is in the next one
        again = personal_data.export(session, later, person_id=person_id, by=SHELL)
    assert [one["who"] for one in again["readings"]] == [person_id]


def test_who_looked_at_a_sheet_looked_at_the_files_of_those_on_it(
    seeded: Database, later: ManualClock
) -> None:
    person_id = busiest(seeded)
    with seeded.transaction() as session:
        query = select(Enrolment.session_id).where(
            Enrolment.person_id == person_id, Enrolment.state == "confirmed"
        )
        held = session.scalars(query).first()
        assert held is not None
        attendance.sheet(session, later, PARIS, session_id=held, by=SHELL)
    with seeded.reading() as session:
        found = personal_data.who_read(session, person_id=person_id)
    assert [(one.who, one.what) for one in found] == [(SHELL, "attendance.read")]


def test_who_looked_comes_in_pages_the_latest_first(seeded: Database, later: ManualClock) -> None:
    person_id = busiest(seeded)
    subject = f"person:{person_id}"
    with seeded.transaction() as session:
        for _ in range(personal_data.MOST_READINGS + 1):
            audit(session, later, SHELL, "needs.read", subject)
        first, more = personal_data.read_lately(session, person_id=person_id)
        before = first[-1].number
        rest, no_more = personal_data.read_lately(session, person_id=person_id, before=before)
        whole = personal_data.who_read(session, person_id=person_id)
    assert (len(first), more, len(rest), no_more) == (personal_data.MOST_READINGS, True, 1, False)
    assert [*first, *rest] == whole[::-1]


def test_what_is_old_is_forgotten_once(seeded: Database, later: ManualClock) -> None:
    mark_everything(seeded, busiest(seeded))
    with seeded.transaction() as session:
        assert not retention.apply(session, later, PARIS)
    later.advance(timedelta(days=365 + 5).total_seconds())
    with seeded.transaction() as session:
        kinds = {one.kind for one in retention.apply(session, later, PARIS)}
    assert "notices" in kinds
    assert "people" not in kinds
    later.advance(timedelta(days=3 * 365).total_seconds())
    erased, rounds = 0, 0
    with seeded.transaction() as session:
        while done := retention.apply(session, later, PARIS):
            erased += sum(one.rows for one in done if one.kind == "people")
            rounds += 1
            assert rounds < 40
        left = session.scalars(select(Person).where(Person.display_name != NOBODY)).all()
        guards = set(session.scalars(select(Guardianship.guardian_id)))
    assert erased > 60
    assert all(one.role != "member" or one.id in guards for one in left)


@pytest.mark.parametrize("trace", ["visit", "sign-in"])
def test_who_only_comes_or_signs_in_is_kept_for_three_years(
    database: Database, clock: ManualClock, trace: str
) -> None:
    with database.transaction() as session:
        one = people.add_person(session, clock, display_name="Zoé").id
    clock.advance(timedelta(days=30).total_seconds())
    with database.transaction() as session:
        if trace == "visit":
            presence.check_in(session, clock, person_id=one, by=SHELL)
            presence.check_out(session, clock, person_id=one, by=SHELL)
        else:
            token = sign_ins.open_sign_in(session, clock, one, kind="desk")
            sign_ins.close_sign_in(session, token)

    def kept_after(days: int) -> bool:
        clock.advance(timedelta(days=days).total_seconds())
        with database.transaction() as session:
            retention.apply(session, clock, PARIS)
            return session.get_one(Person, one).display_name == "Zoé"

    assert [kept_after(days) for days in (2 * 365, 365, 1)] == [True, True, False]
