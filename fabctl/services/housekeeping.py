"""What is thrown away when nobody needs it any more; the steward calls it once an hour."""

from __future__ import annotations

from pathlib import Path

from fabctl.clock import Clock
from fabctl.left_halves import left_halves
from fabctl.services import files, sign_ins, wrong_tries
from fabctl.store.engine import Database

KEYS = "keys"


def tidy(database: Database, clock: Clock, job_files: Path) -> list[Path]:
    """Delete ended sign-ins, old wrong tries, job files that no job needs, and keys that were never
    written to their end; return the job files.

    :param job_files: the folder ``files`` of the data directory; ``keys`` lies beside it.
    :raises LocalError: a file cannot be deleted, or the database cannot be written.
    """
    with database.transaction() as session:
        sign_ins.forget_ended(session, clock)
        wrong_tries.forget_old(session, clock)
    for half in left_halves(job_files.with_name(KEYS), clock.now()):
        files.delete_file(half)
    return files.clean_up(database, clock, job_files)
