"""What is somebody's own, or a machine's: who drops, revokes, releases. Rules of services."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fabctl.errors import UnknownIdError
from fabctl.model.refusal import RefusedError
from fabctl.services import jobs, people, releasing, tokens
from tests.servers.store.conftest import Lab
from tests.servers.store.jobs_at_work import hear, prepare, started

ROLES = ("member", "trainer", "animator", "staff", "admin")
MAY = {
    "its person": "", "member": "none", "trainer": "none", "animator": "none", "staff": "",
    "admin": "", "shell": "", "nobody": "none",
}  # fmt: skip
MAY_RELEASE = {who: "" if who in {"staff", "admin", "shell"} else "staff-only" for who in MAY}


def outcome(lab: Lab, deed: Callable[[Any, str | None], object], by: str | None) -> str:
    """Return why not, after undoing what was done; empty: it was done."""
    try:
        with lab.database.transaction() as session:
            deed(session, by)
            session.rollback()
    except RefusedError as refused:
        (code,) = refused.codes
        return code
    except UnknownIdError:
        return "none"
    return ""


def outcomes(lab: Lab, deed: Callable[[Any, str | None], object]) -> dict[str, str]:
    with lab.database.transaction() as session:
        who: dict[str, str | None] = {
            role: people.add_person(session, lab.clock, display_name=role, role=role).id
            for role in ROLES
        }
    who |= {"its person": lab.lea, "shell": "shell:root", "nobody": None}
    return {name: outcome(lab, deed, by) for name, by in who.items()}


def test_who_drops_a_job(lab: Lab, tmp_path: Path) -> None:
    job = prepare(lab, tmp_path, lab.lea)

    def drop(session: Any, by: str | None) -> None:
        jobs.withdraw(session, lab.clock, job_id=job.id, by=by)

    assert outcomes(lab, drop) == MAY


def test_who_revokes_a_token(lab: Lab) -> None:
    with lab.database.transaction() as session:
        made, _ = tokens.create_token(session, lab.clock, person_id=lab.lea, name="print")

    def revoke(session: Any, by: str | None) -> None:
        tokens.revoke_token(session, lab.clock, token_id=made.id, by=by)

    assert outcomes(lab, revoke) == MAY


def test_who_releases_a_machine(lab: Lab, tmp_path: Path) -> None:
    job = started(lab, tmp_path)
    hear(lab, job, "job-started", 1)

    def release(session: Any, by: str | None) -> None:
        releasing.release(session, lab.clock, job_id=job.id, reason="its computer burnt", by=by)

    assert outcomes(lab, release) == MAY_RELEASE
