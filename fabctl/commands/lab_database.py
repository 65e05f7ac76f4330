"""The lab's database, opened for one command."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from fabctl.config import LabConfig
from fabctl.errors import InputError
from fabctl.services import people
from fabctl.services.audit import SHELL
from fabctl.services.people import PersonView
from fabctl.store.engine import Database, open_database
from fabctl.store.migrate import require_current, revision, upgrade


@contextmanager
def lab_database(config: LabConfig) -> Iterator[Database]:
    """Yield the lab's database, and close it. A new lab's tables are made first.

    :raises LocalError: it is older than this software (next step: ``fabctl migrate``).
    """
    config.data_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = open_database(config.database_url, zone=config.time_zone)
    try:
        if revision(database) is None:
            upgrade(config.database_url, config.paths.backups)
        require_current(database)
        yield database
    finally:
        database.close()


def who_types() -> str:
    """Return whom the audit trail names for this command: ``shell:`` and the Unix user.

    Behind sudo, the user who called it: the trail is about people.
    """
    user = os.environ.get("SUDO_USER") if os.getuid() == 0 else None
    return f"{SHELL}{user or _user_name(os.getuid())}"


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a container's user may have no name
        return str(uid)


def find_person(session: Session, login: str) -> PersonView:
    """Return the person with a login.

    :raises InputError: nobody has it.
    """
    found = people.find_by_login(session, login)
    if found is None:
        raise InputError(
            f"nobody has the login {login!r}", next_step="`fabctl person list` shows everybody"
        )
    return found
