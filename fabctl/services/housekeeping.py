"""What is thrown away when nobody needs it any more; the steward calls it once an hour."""

from __future__ import annotations

from pathlib import Path

from fabctl.clock import Clock
from fabctl.services import files, sign_ins, wrong_tries
from fabctl.store.engine import Database


def tidy(database: Database, clock: Clock, job_files: Path) -> list[Path]:
    """Delete ended sign-ins, old wrong tries, and job files that no job needs; return the files.

    :param job_files: the folder ``files`` of the data directory.
    :raises LocalError: a file cannot be deleted, or the database cannot be written.
    """
    with database.transaction() as session:
        sign_ins.forget_ended(session, clock)
        wrong_tries.forget_old(session, clock)
    return files.clean_up(database, clock, job_files)
