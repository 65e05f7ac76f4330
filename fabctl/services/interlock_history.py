"""The history of interlocks: trips, faults, refused permits. For the staff; it only grows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.event import MachineEvent
from fabctl.model.people import Role
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.texts import text
from fabctl.services import lookups
from fabctl.store.tables import InterlockEventRow, Person, Use
from fabctl.store.upsert import insert_unless_there

MOST_SHOWN = 200
READERS = frozenset({Role.STAFF, Role.ADMIN})
_NOT_YOURS_TO_READ = Refusal(
    "not-allowed-to-read",
    text("Only the staff may read this history."),
    text("Ask the staff."),
)


@dataclass(frozen=True, slots=True)
class InterlockEventView:
    """One line. ``person_id`` is an opaque id; it is not for public screens."""

    id: int
    happened_at: datetime
    recorded_at: datetime
    synced: bool
    """Whether the machine's clock was right; if not, it happened before it was recorded."""
    machine: str
    kind: str
    code: str | None
    count: int | None
    reason: str | None
    seconds: float | None
    job_id: str | None
    use_id: str | None
    person_id: str | None
    boot: str
    seq: int
    name: str | None = None
    """Who had the use that the interlock named, for the staff's screen; not in the export."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines; every field narrows them."""

    machine: str | None = None
    kind: str | None = None
    words: str = ""
    """Found anywhere in code, reason, job, use or person."""
    since: datetime | None = None
    before: datetime | None = None


_COLUMNS = [field.name for field in fields(InterlockEventView) if field.name != "name"]


def record_interlock_event(session: Session, clock: Clock, event: MachineEvent) -> bool:
    """Add one line; return False when it was recorded before. Idempotent."""
    now = clock.now()
    values = {
        "machine": event.machine,
        "boot": event.boot,
        "seq": event.seq,
        "kind": event.kind,
        "happened_at": event.happened_at(now),
        "synced": event.synced,
        "recorded_at": now,
        "code": event.trouble,
        "count": event.count,
        "reason": event.reason,
        "seconds": event.seconds,
        "job_id": event.job,
        "use_id": event.use,
        "person_id": event.by,
    }
    return insert_unless_there(session, InterlockEventRow, values)


def may_read(session: Session, person_id: str) -> bool:
    """Say whether somebody may read the history: the staff, with an account in order."""
    person = lookups.person(session, person_id)
    in_order = lookups.own_account(session, person_id).suspended_at is None
    return in_order and Role(person.role) in READERS


def search(
    session: Session, *, by: str, wanted: Wanted, limit: int = MOST_SHOWN
) -> list[InterlockEventView]:
    """Return lines, newest first.

    :raises RefusedError: ``by`` is not of the staff.
    """
    _require_reader(session, by)
    newest = InterlockEventRow.happened_at.desc(), InterlockEventRow.id.desc()
    rows = session.scalars(_query(wanted).order_by(*newest).limit(limit)).all()
    names = _names(session, {row.use_id for row in rows if row.use_id})
    return [replace(_view(row), name=names.get((row.machine, row.use_id))) for row in rows]


def _names(session: Session, uses: set[str]) -> dict[tuple[str, str | None], str]:
    """Return who had these uses, by machine and use: no machine names those of another one.

    A use of another database is nobody's.
    """
    query = (
        select(Use.resource_id, Use.id, Person.display_name)
        .join(Person, Person.id == Use.person_id)
        .where(Use.id.in_(uses))
    )
    return {(machine, use): name for machine, use, name in session.execute(query)}


def export_csv(session: Session, *, by: str, wanted: Wanted) -> Iterator[str]:
    """Yield the lines as CSV (RFC 4180), oldest first, with a heading. Instants in UTC.

    :raises RefusedError: ``by`` is not of the staff; before the first line.
    """
    _require_reader(session, by)
    return _csv_lines(session, wanted)


def _csv_lines(session: Session, wanted: Wanted) -> Iterator[str]:
    yield _csv_line(_COLUMNS)
    oldest = InterlockEventRow.happened_at, InterlockEventRow.id
    for row in session.scalars(_query(wanted).order_by(*oldest).execution_options(yield_per=500)):
        yield _csv_line([_cell(getattr(row, name)) for name in _COLUMNS])


def _cell(value: object) -> str:
    """Return a value as text that a spreadsheet does not take for a formula."""
    if value is None:
        return ""
    written = value.isoformat() if isinstance(value, datetime) else str(value)
    return f"'{written}" if written.startswith(("=", "+", "-", "@", "\t", "\r")) else written


def _csv_line(cells: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _require_reader(session: Session, by: str) -> None:
    if not may_read(session, by):
        raise RefusedError([_NOT_YOURS_TO_READ])


def _query(wanted: Wanted) -> Select[InterlockEventRow]:
    row = InterlockEventRow
    query = select(row)
    if wanted.machine is not None:
        query = query.where(row.machine == wanted.machine)
    if wanted.kind is not None:
        query = query.where(row.kind == wanted.kind)
    if wanted.since is not None:
        query = query.where(row.happened_at >= wanted.since)
    if wanted.before is not None:
        query = query.where(row.happened_at < wanted.before)
    if wanted.words:
        columns = (row.code, row.reason, row.job_id, row.use_id, row.person_id)
        found = [column.icontains(wanted.words, autoescape=True) for column in columns]
        query = query.where(or_(*found))
    return query


def _view(row: InterlockEventRow) -> InterlockEventView:
    return InterlockEventView(**{name: getattr(row, name) for name in _COLUMNS})
