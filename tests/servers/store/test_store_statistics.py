"""Statistics on real databases: counted from the sheets, the small groups hidden, on paper too."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from fabctl.model.attendance import Presence
from fabctl.model.refusal import RefusedError
from fabctl.model.statistics import LEAST, Count
from fabctl.services import statistics
from fabctl.services.statistics_papers import statistics_csv, statistics_pdf
from fabctl.store.engine import Database
from fabctl.store.tables_workshops import AttendanceMark, Enrolment, WorkshopSession
from tests.servers.store.test_store_seed_year import PARIS, SMALL, sow
from tests.servers.store.test_store_seed_year import rows as all_rows


def of_year(database: Database, year: int = 2026) -> statistics.YearView:
    with database.reading() as session:
        return statistics.of_year(session, PARIS, year=year, by="shell:tests")


@pytest.fixture
def seeded(database: Database) -> Database:
    sow(database, replace(SMALL, reservations=400))
    return database


def counted_by_hand(database: Database, year: int) -> int:
    """Count marks that say somebody was there; the seed makes one for each, and undoes none."""
    with database.reading() as session:
        query = (
            select(AttendanceMark.presence, WorkshopSession.start_at)
            .join(Enrolment, Enrolment.id == AttendanceMark.enrolment_id)
            .join(WorkshopSession, WorkshopSession.id == Enrolment.session_id)
        )
        return sum(
            presence != Presence.ABSENT and start.astimezone(PARIS).year == year
            for presence, start in session.execute(query)
        )


def test_they_count_what_the_sheets_say(seeded: Database) -> None:
    view = of_year(seeded)
    for table in view.workshops:
        assert table.total is not None
        assert table.total.visits == counted_by_hand(seeded, 2026)
    used = [one for one in all_rows(seeded, "reservation") if one.checked_in_at]
    months = next(table for table in view.reservations if table.name == "month")
    assert months.total is not None
    assert months.total.visits <= len(used)
    assert months.total.hours > months.total.visits / 2


def test_no_small_group_is_shown(seeded: Database) -> None:
    view = of_year(seeded)
    shown = [one for table in (*view.workshops, *view.reservations) for one in table.groups]
    assert any(one.count is None for one in shown)
    assert all(one.count.people >= LEAST for one in shown if one.count)
    for table in view.workshops:
        hidden = [one for one in table.groups if one.count is None]
        assert len(hidden) != 1
        assert table.total is not None
        left = table.total.visits - sum(one.count.visits for one in table.groups if one.count)
        assert left == 0 or left >= LEAST


def test_an_undone_mark_does_not_count(seeded: Database) -> None:
    before = of_year(seeded).workshops[0].total
    with seeded.transaction() as session:
        marks = session.scalars(select(AttendanceMark).order_by(AttendanceMark.at)).all()
        mark = next(one for one in reversed(marks) if one.presence == "present")
        again = AttendanceMark(id="undo", enrolment_id=mark.enrolment_id, undoes=mark.id)
        again.at, again.recorded_at, again.by = mark.at + timedelta(minutes=1), mark.at, mark.by
        session.add(again)
    after = of_year(seeded).workshops[0].total
    assert before is not None
    assert after is not None
    assert after.visits == before.visits - 1


def test_only_the_staff_see_them(seeded: Database) -> None:
    member = next(one.id for one in all_rows(seeded, "person") if one.role == "member")
    with seeded.reading() as session, pytest.raises(RefusedError) as refused:
        statistics.of_year(session, PARIS, year=2026, by=member)
    assert [one.code for one in refused.value.refusals] == ["staff-only"]


def test_on_paper_and_for_spreadsheets(seeded: Database) -> None:
    view = of_year(seeded)
    text = statistics_csv(view, "fr")
    assert text.startswith("\ufeff;Groupe;Venues;Personnes;Heures\r\n")
    assert "Ateliers - Par mois;mars 2026;" in text
    assert "15 à 17 ans" in text
    names = {one.display_name for one in all_rows(seeded, "person")}
    assert not [name for name in names if name in text]
    assert statistics_pdf(view, "fr", "Fab Lab").startswith(b"%PDF")


def test_a_year_without_anything(database: Database) -> None:
    view = of_year(database, SMALL.today.year)
    assert all(table.total == Count(0, 0, 0) for table in view.workshops)
    assert statistics_pdf(view, "en", "Lab").startswith(b"%PDF")
