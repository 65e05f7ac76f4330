"""Migration 0007 keeps what was there: partners' members, notices, what was done already."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from fabctl.clock import ManualClock
from fabctl.services import accounts
from fabctl.store.engine import open_database
from fabctl.store.migrate import OURS, Scripts, upgrade

MOMENT = "2026-11-23 09:00:00+00:00"
BEFORE = (
    "INSERT INTO person (id, display_name, role, created_at) VALUES ('p', 'Léa', 'member', :at)",
    "INSERT INTO account (id, person_id, name, created_at) VALUES ('own', 'p', 'Léa', :at)",
    "INSERT INTO account (id, name, created_at) VALUES ('org', 'Centre', :at)",
    "INSERT INTO partner_member (account_id, person_id) VALUES ('org', 'p')",
    (
        "INSERT INTO resource (id, name, kind, category, position, place_from, place_to)"
        " VALUES ('mill', 'Mill', 'machine', 'mill', 1, 0, 1)"
    ),
    (
        "INSERT INTO waiting (id, number, resource_id, person_id, start_at, end_at, created_at)"
        " VALUES ('w', 1, 'mill', 'p', :at, :later, :at)"
    ),
    (
        "INSERT INTO booking_notice (id, person_id, code, resource_id, start_at, end_at, at)"
        " VALUES ('n', 'p', 'offer-lapsed', 'mill', :at, :later, :at)"
    ),
    (
        "INSERT INTO due_work (id, kind, subject, due_at, done_at, person_id)"
        " VALUES (1, 'offer-lapsed', 'enrolment:e', :at, :at, 'p')"
    ),
    (
        "INSERT INTO due_work (id, kind, subject, due_at, done_at) VALUES"
        " (2, 'needs-deleted', 'session:s', :at, :at)"
    ),
)


def test_what_was_there_before_groups_is_there_after(
    empty_database_url: str, tmp_path: Path, clock: ManualClock
) -> None:
    backups = tmp_path / "backups"
    upgrade(empty_database_url, backups, clock, Scripts(OURS.folder, "0006"))
    database = open_database(empty_database_url)
    moments = {"at": MOMENT, "later": MOMENT.replace("09:", "10:")}
    if database.engine.dialect.name == "sqlite":  # as UtcDateTime keeps them there
        moments = {name: value.replace("+00:00", ".000000") for name, value in moments.items()}
    with database.engine.begin() as connection:
        for statement in BEFORE:
            known = {name: value for name, value in moments.items() if f":{name}" in statement}
            connection.execute(text(statement), known)
    database.close()
    upgrade(empty_database_url, backups, clock, Scripts(OURS.folder, "0007"))
    database = open_database(empty_database_url)
    with database.reading() as session:
        assert accounts.acts_for(session, "org", "p")
        kinds = session.execute(text("SELECT id, group_kind FROM account ORDER BY id")).all()
        waits = session.execute(text("SELECT id, account_id, start_at FROM waiting")).all()
        told = session.execute(
            text("SELECT person_id, code, subject, due_at IS NULL FROM notice ORDER BY code")
        ).all()
        done = session.execute(text("SELECT kind, subject FROM due_work ORDER BY id")).all()
    database.close()
    assert [tuple(row) for row in kinds] == [("org", "partner"), ("own", None)]
    assert [(row[0], row[1]) for row in waits] == [("w", None)]
    assert str(waits[0][2]).startswith("2026-11-23 09:00:00")
    assert [tuple(row) for row in told] == [
        ("p", "offer-lapsed", "resource:mill", True),
        ("p", "place-lapsed", "enrolment:e", False),
    ]
    assert [tuple(row) for row in done] == [
        ("place-lapsed", "enrolment:e"),
        ("needs-deleted", "session:s"),
    ]
