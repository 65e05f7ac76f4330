"""What a database refuses or cannot do, as an error that fabctl can explain.

Called for every error of a driver, so that no caller ever sees a raw ``IntegrityError`` for
one of our guarantees, nor a raw ``OperationalError`` for a full disk.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

from fabctl.errors import DiskFullError, FabError, LocalError
from fabctl.model.access import busy_refusal
from fabctl.model.booking_refusals import overlap_refusal
from fabctl.model.mail import address_taken
from fabctl.model.people import login_taken, pin_not_possible
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.workshops import already_enrolled, session_full
from fabctl.whole_files import disk_full

_REFUSALS: Mapping[str, Callable[[], Refusal]] = {
    "claim_no_overlap": overlap_refusal,
    "claim_no_overlap_nested": overlap_refusal,
    "use_one_open": busy_refusal,
    "uq_credential_login": login_taken,
    "uq_credential_pin_hash": pin_not_possible,
    "ix_mail_address_signs_in": address_taken,
    "session_places": session_full,
    "enrolment_one_live": already_enrolled,
}
_ONLY_GROWS: Mapping[str, str] = {
    "audit_append_only": "the audit trail only grows: a line",
    "interlock_append_only": "an interlock's history only grows: a line",
    "certification_append_only": "a certification's history only grows: a row",
    "problem_report_append_only": "problem reports stay as they were written: one",
    "maintenance_done_append_only": "the history of maintenance only grows: a row",
}
_SQLITE_WORDS: Mapping[str, str] = {
    # SQLite names the columns of a unique index, not the index.
    "claim_no_overlap": "claim_no_overlap",
    "UNIQUE constraint failed: use.resource_id": "use_one_open",
    "UNIQUE constraint failed: credential.login": "uq_credential_login",
    "UNIQUE constraint failed: credential.pin_hash": "uq_credential_pin_hash",
    "UNIQUE constraint failed: mail_address.signs_in": "ix_mail_address_signs_in",
    "audit_append_only": "audit_append_only",
    "interlock_append_only": "interlock_append_only",
    "session_places": "session_places",
    "UNIQUE constraint failed: enrolment.session_id, enrolment.person_id": "enrolment_one_live",
    "certification_append_only": "certification_append_only",
    "problem_report_append_only": "problem_report_append_only",
    "maintenance_done_append_only": "maintenance_done_append_only",
}
_RESTORE = "keep the file aside, and put the newest copy of the backups folder in its place"
_SQLITE_FAULTS: Mapping[str, tuple[str, str]] = {
    # primary result code: what happened, what to do
    "SQLITE_READONLY": (
        "the database may not be written",
        "give the user of fabctl the right to write the file and its folder",
    ),
    "SQLITE_CANTOPEN": (
        "the database cannot be opened",
        "check that its folder exists and that the user of fabctl may write there",
    ),
    "SQLITE_PERM": (
        "the database may not be opened",
        "give the user of fabctl the right to read and write the file and its folder",
    ),
    "SQLITE_CORRUPT": ("the database file is damaged", _RESTORE),
    "SQLITE_NOTADB": ("this file is not a database", _RESTORE),
    "SQLITE_IOERR": ("the disk reported a fault", "check the disk and its cable, then the logs"),
    "SQLITE_BUSY": (
        "another program kept the database locked for too long; nothing was changed",
        "try again; if it stays, look for a program that holds the file open",
    ),
}
_POSTGRESQL_FAULTS: Mapping[str, tuple[str, str]] = {
    # SQLSTATE, or its first two characters
    "55P03": ("another program kept a row locked for too long; nothing was changed", "try again"),
    "40": ("two changes crossed each other; nothing was changed", "try again"),
    "42501": (
        "the user of fabctl lacks a right in the database",
        "make that user the owner of the database",
    ),
    "25006": ("the database may only be read now", "check the database server"),
}


_FULL_SQLITE = frozenset({"SQLITE_FULL", "SQLITE_IOERR_SHMSIZE"})
"""The latter: no room for the index of the write-ahead log, which also who only reads needs."""
_FULL_POSTGRESQL = "53100"


def explained(error: BaseException, file: Path | None = None) -> FabError | None:
    """Return the error that explains a driver's error; None when it is none of ours (a bug).

    :param file: where SQLite's database lies; None: it is PostgreSQL.
    """
    name = _guarantee(error) or ""
    if name in _REFUSALS:
        return RefusedError([_REFUSALS[name]()])
    if name in _ONLY_GROWS:
        return LocalError(f"{_ONLY_GROWS[name]} was about to be changed or deleted")
    if getattr(error, "sqlite_errorname", "") in _FULL_SQLITE:
        return disk_full(file or Path())
    if getattr(error, "sqlstate", None) == _FULL_POSTGRESQL:
        return DiskFullError(
            "the disk of the database server is full; nothing was changed",
            next_step="free some space on the server's disk",
        )
    fault = _fault(error)
    return LocalError(fault[0], next_step=fault[1]) if fault else None


def _guarantee(error: BaseException) -> str | None:
    """Return the name of the guarantee that refused, if one did."""
    if isinstance(error, sqlite3.IntegrityError):
        return _SQLITE_WORDS.get(str(error))
    name = getattr(getattr(error, "diag", None), "constraint_name", None)
    return name if isinstance(name, str) else None


def _fault(error: BaseException) -> tuple[str, str] | None:
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorname", "")
        return _SQLITE_FAULTS.get("_".join(code.split("_")[:2]))
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        return _POSTGRESQL_FAULTS.get(state) or _POSTGRESQL_FAULTS.get(state[:2])
    if type(error).__module__.startswith("psycopg") and type(error).__name__ in _UNREACHABLE:
        # before a connection stands there is no SQLSTATE, only the server's or libpq's own words
        words = str(error).strip().rpartition("\n")[2].strip()
        return (f"the database server cannot be used ({words})", _CHECK_SERVER)
    return None


_CHECK_SERVER = "check that it runs, and the address, user and password in [database] url"
_UNREACHABLE = frozenset({"OperationalError", "ConnectionTimeout"})
