"""Job files on disk: a file goes only when no job needs it, under the database's lock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, exists, select, text, update
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import LocalError
from fabctl.gcode.report import Report
from fabctl.left_halves import is_half, left_halves
from fabctl.model.job import ENDED, JobState
from fabctl.store.engine import Database
from fabctl.store.tables import Job, JobFile
from fabctl.store.upsert import insert_unless_there

SUFFIX = ".gcode"
PREVIEWS = "previews"
"""The folder beside the files' own; what lies in it goes with its file."""
KEEP_ENDED = timedelta(days=30)
"""How long the file of an ended job stays, to be run once more."""
KEEP_PREPARED = timedelta(days=30)
"""How long a job may stay prepared; then it is withdrawn."""
KEEP_UNKNOWN = timedelta(days=1)
"""How long a file that no job names stays: its upload may be on its way into the record."""

_LOCK_NUMBER = 0x666A66


def remember_file(
    session: Session, clock: Clock, *, path: Path, sha256: str, size: int, report: Report
) -> None:
    """Put a stored file on record, in the transaction that makes a job of it.

    :raises LocalError: it is not where it should be.
    """
    _lock_files(session)
    if not path.is_file():
        raise LocalError(f"the file {path.name} is not stored", next_step="send it again")
    values = {
        "sha256": sha256,
        "size": size,
        "lines": report.lines,
        "commands": report.commands,
        "stored_at": clock.now(),
    }
    insert_unless_there(session, JobFile, values)


def size_on_record(session: Session, sha256: str) -> int | None:
    """Return how long a file is, in bytes; None: it is not on record."""
    return session.scalar(select(JobFile.size).where(JobFile.sha256 == sha256))


def drop_stray(session: Session, path: Path, sha256: str) -> None:
    """Delete a stored file that did not come on record: on a full disk its room is needed."""
    _lock_files(session)
    if session.get(JobFile, sha256) is None:
        path.unlink(missing_ok=True)


def files_to_forget(session: Session, clock: Clock) -> list[str]:
    """Return the SHA-256 of every recorded file that no job needs any more."""
    ended = [state.value for state in ENDED]
    needed = exists().where(
        Job.sha256 == JobFile.sha256,
        Job.state.not_in(ended) | (Job.ended_at > clock.now() - KEEP_ENDED),
    )
    query = select(JobFile.sha256).where(~needed, JobFile.stored_at <= clock.now() - KEEP_UNKNOWN)
    return list(session.scalars(query.order_by(JobFile.sha256)))


def clean_up(database: Database, clock: Clock, files: Path) -> list[Path]:
    """Delete the files that no job needs, and those that no job ever named; return them.

    :param files: the folder ``files`` of the data directory; ``previews`` lies beside it.
    :raises LocalError: a file cannot be deleted; the record still has it.
    """
    with database.transaction() as session:
        _lock_files(session)
        _withdraw_old(session, clock)
        doomed = files_to_forget(session, clock)
        session.execute(delete(JobFile).where(JobFile.sha256.in_(doomed)))
        known = set(session.scalars(select(JobFile.sha256)))
        paths = [files / f"{sha256}{SUFFIX}" for sha256 in doomed]
        paths += [path for path in _strays(files, known, clock) if path not in paths]
        gone = [path for path in paths if path.exists()]
        for path in gone:  # before the end of the transaction: nobody can ask for it in between
            delete_file(path)
        for path in _pictures_without(files, known, clock):
            delete_file(path)
    return gone


def clear_strays(database: Database, clock: Clock, files: Path) -> list[Path]:
    """Delete what is not on record (any more), a day old or older; return the job files of it.

    For a web process whose folder the steward does not see: :func:`clean_up` decides, and this
    follows.

    :raises LocalError: a file cannot be deleted.
    """
    with database.transaction() as session:
        _lock_files(session)
        known = set(session.scalars(select(JobFile.sha256)))
        gone = _strays(files, known, clock)
        for path in (*gone, *_pictures_without(files, known, clock)):
            delete_file(path)
    return gone


def _pictures_without(files: Path, known: set[str], clock: Clock) -> list[Path]:
    """Return what shows a file that is not there any more, and what was never drawn to its end."""
    folder = files.with_name(PREVIEWS)
    drawn = [path for path in sorted(folder.glob("*")) if not is_half(path)]
    gone = [path for path in drawn if path.name.partition(".")[0] not in known]
    return gone + left_halves(folder, clock.now())


def _withdraw_old(session: Session, clock: Clock) -> None:
    session.execute(
        update(Job)
        .where(Job.state == JobState.PREPARED.value, Job.created_at <= clock.now() - KEEP_PREPARED)
        .values(state=JobState.WITHDRAWN.value, ended_at=Job.created_at)
    )


def _strays(files: Path, known: set[str], clock: Clock) -> list[Path]:
    oldest = clock.now() - KEEP_UNKNOWN
    return [
        path
        for path in sorted(files.glob(f"*{SUFFIX}"))
        if path.stem not in known and datetime.fromtimestamp(path.stat().st_mtime, UTC) <= oldest
    ]


def delete_file(path: Path) -> None:
    """Delete a file, if it is there. :raises LocalError: it cannot be."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise LocalError(
            f"the file {path} cannot be deleted ({error.strerror})",
            next_step="let the user of fabctl write in its folder",
        ) from error


def _lock_files(session: Session) -> None:
    """Let no other transaction store or delete files before this one ends.

    SQLite has one writer at a time anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK_NUMBER})"))
