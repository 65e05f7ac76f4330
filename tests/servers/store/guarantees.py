"""Taking the database's guarantees away, for controls: a test of a guarantee must then fail."""

from __future__ import annotations

from sqlalchemy import text

from fabctl.store.engine import Database

SQLITE = (
    "DROP TRIGGER claim_no_overlap_insert",
    "DROP TRIGGER claim_no_overlap_update",
    "DROP TRIGGER claim_no_overlap_nested",
    "DROP TRIGGER audit_append_only_update",
    "DROP TRIGGER audit_append_only_delete",
    "DROP TRIGGER interlock_append_only_update",
    "DROP TRIGGER interlock_append_only_delete",
    "DROP INDEX use_one_open",
    "DROP TRIGGER session_places_insert",
    "DROP TRIGGER session_places_update",
    "DROP TRIGGER session_places_fewer",
    "DROP TRIGGER certification_append_only_update",
    "DROP TRIGGER certification_append_only_delete",
    "DROP INDEX enrolment_one_live",
    "DROP TRIGGER problem_report_append_only_update",
    "DROP TRIGGER problem_report_append_only_delete",
    "DROP TRIGGER maintenance_done_append_only_update",
    "DROP TRIGGER maintenance_done_append_only_delete",
)
POSTGRESQL = (
    "ALTER TABLE claim DROP CONSTRAINT claim_no_overlap",
    "ALTER TABLE claim DROP CONSTRAINT claim_no_overlap_nested",
    "DROP TRIGGER audit_append_only ON audit",
    "DROP TRIGGER interlock_append_only ON interlock_event",
    "DROP INDEX use_one_open",
    "DROP TRIGGER session_places ON enrolment",
    "DROP TRIGGER session_places_fewer ON workshop_session",
    "DROP TRIGGER certification_append_only ON certification",
    "DROP INDEX enrolment_one_live",
    "DROP TRIGGER problem_report_append_only ON problem_report",
    "DROP TRIGGER maintenance_done_append_only ON maintenance_done",
)


def drop_guarantees(database: Database) -> None:
    """Drop every trigger, the exclusion constraint, and the index of open uses."""
    statements = SQLITE if database.engine.dialect.name == "sqlite" else POSTGRESQL
    with database.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
