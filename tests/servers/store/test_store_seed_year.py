"""The seeded year: the same every time, within the rules that the database keeps, believable."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from fabctl.clock import ManualClock
from fabctl.errors import LocalError
from fabctl.model.booking_slots import Slot
from fabctl.ports import MachineKind, MachineProfile
from fabctl.services import people
from fabctl.services.availability import availability
from fabctl.services.machines import sync_resources
from fabctl.services.seed_year import Plan, Sown, seed_year
from fabctl.store.engine import Database, open_database
from fabctl.store.metadata import METADATA
from fabctl.store.tables import Claim, Resource

PARIS = ZoneInfo("Europe/Paris")
SMALL = Plan(date(2026, 11, 23), people=300, reservations=800, sessions=60)
KINDS = (MachineKind.PRINTER, MachineKind.PRINTER, MachineKind.MILL, MachineKind.LASER)


def sow(database: Database, plan: Plan = SMALL) -> Sown:
    machines = [
        MachineProfile(f"m-{number}", f"M {number}", kind, "marlin", "pi", None, 115200)
        for number, kind in enumerate(KINDS)
    ]
    with database.transaction() as session:
        sync_resources(session, ManualClock(), machines)
        return seed_year(session, PARIS, plan, by="shell:tests")


def rows(database: Database, table: str) -> Sequence[Any]:
    found = METADATA.tables[table]
    with database.reading() as session:
        return session.execute(select(found).order_by(*found.primary_key)).all()


def test_a_small_year_holds_together(database: Database) -> None:
    done = sow(database)
    assert (done.rows["person"], done.rows["reservation"]) == (300, 800)
    assert done.rows["workshop_session"] == 60
    with database.reading() as session:
        assert len(session.scalars(select(Resource)).all()) == 40
        # what the triggers looked at row by row, looked at again as a whole
        claims = session.scalars(select(Claim).where(Claim.released_at.is_(None))).all()
        room = {row.id: row.parent_id for row in session.scalars(select(Resource))}
        week = Slot(claims[0].start_at, claims[0].start_at + timedelta(days=7))
        assert len(availability(session, PARIS, week)) == 40
    by_resource: dict[str, list[Claim]] = {}
    for claim in claims:
        for one in {claim.resource_id, room[claim.resource_id] or claim.resource_id}:
            by_resource.setdefault(one, []).append(claim)
    for resource_id, held in by_resource.items():
        own = sorted((c for c in held if c.resource_id == resource_id), key=lambda c: c.start_at)
        pairs = pairwise(own)
        assert all((a.free_at or a.end_at) <= b.start_at for a, b in pairs)
        for whole in own:
            others = [c for c in held if c.resource_id != resource_id]
            assert not any(c.start_at < whole.end_at and whole.start_at < c.end_at for c in others)


def test_everybody_is_believable(database: Database) -> None:
    sow(database)
    crowd = rows(database, "person")
    known = [2026 - one.birth_year for one in crowd if one.birth_year]
    assert min(known) >= 10
    assert max(known) <= 82
    assert len(known) > 270
    assert len({one.display_name for one in crowd}) > 200
    assert Counter(one.role for one in crowd)["member"] == 270
    minors = {one.id for one in crowd if one.birth_year and 2026 - one.birth_year < 18}
    assert minors <= {form.person_id for form in rows(database, "consent_form")}
    certified = {(one.person_id, one.resource_id) for one in rows(database, "certification")}
    assert all((use.person_id, use.resource_id) in certified for use in rows(database, "use"))


def test_the_same_seed_gives_the_same_lab(tmp_path: Path, migrated_sqlite: Path) -> None:
    found = []
    for number, plan in enumerate((SMALL, SMALL, replace(SMALL, seed=2))):
        shutil.copyfile(migrated_sqlite, tmp_path / f"{number}.db")
        opened = open_database(f"sqlite:///{tmp_path}/{number}.db")
        sow(opened, plan)
        found.append({table: rows(opened, table) for table in ("person", "claim", "enrolment")})
        opened.close()
    assert found[0] == found[1]
    assert all(found[0][table] != found[2][table] for table in found[0])


def test_a_lab_with_people_is_left_alone(database: Database) -> None:
    with database.transaction() as session:
        people.add_person(session, ManualClock(), display_name="Léa")
    with pytest.raises(LocalError, match="has people already"):
        sow(database)
    assert len(rows(database, "person")) == 1
    assert not rows(database, "claim")


def test_more_years_are_more_of_everything(database: Database) -> None:
    done = sow(database, replace(SMALL, years=2, more_people=50))
    assert (done.rows["person"], done.rows["reservation"]) == (350, 1600)
    first = min(row.start_at for row in rows(database, "claim"))
    assert first.date() <= SMALL.today - timedelta(days=690)
