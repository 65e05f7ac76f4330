"""Steps of a job's life, for the tests of jobs and of the record."""

from __future__ import annotations

import hashlib
import io
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fabctl.gcode.preflight import inspect
from fabctl.gcode.report import Report
from fabctl.model.booking_facts import PARIS
from fabctl.ports import Limits, MachineKind
from fabctl.services import bookings, jobs, recording, uses
from fabctl.services.jobs import JobView, StartOrder
from fabctl.services.recording import MachineEvent
from fabctl.services.uses import UseView
from tests.servers.store.conftest import Lab

CONTENT = b"G28\nG1 X10 Y10 F1200\nG1 X20\n"


def report(content: bytes = CONTENT) -> Report:
    return inspect(io.BytesIO(content), kind=MachineKind.PRINTER, work_area=None, limits=Limits())


def stored(files: Path, content: bytes = CONTENT) -> tuple[Path, str]:
    """Put a file in its place, as the web does, and return it with its SHA-256."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = files / f"{sha256}.gcode"
    files.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path, sha256


def book_now(lab: Lab, person: str, machine: str = "printer-a") -> None:
    now = lab.clock.now()
    with lab.database.transaction() as session:
        bookings.book(
            session,
            lab.clock,
            ZoneInfo("Europe/Paris"),
            person_id=person,
            resource_id=machine,
            start=now,
            end=now + timedelta(hours=2),
            by=person,
        )


def prepare(
    lab: Lab, files: Path, person: str, machine: str = "printer-a", content: bytes = CONTENT
) -> JobView:
    path, sha256 = stored(files, content)
    with lab.database.transaction() as session:
        return jobs.prepare(
            session,
            lab.clock,
            person_id=person,
            resource_id=machine,
            name="tag.gcode",
            path=path,
            sha256=sha256,
            size=len(content),
            report=report(content),
        )


def ask(lab: Lab, job: JobView, person: str, state: str = "idle") -> StartOrder:
    with lab.database.transaction() as session:
        return jobs.open_use(
            session, lab.clock, PARIS, job_id=job.id, person_id=person, machine_state=state
        )


def answer(lab: Lab, job: JobView, *, accepted: bool, code: str = "ok") -> JobView:
    with lab.database.transaction() as session:
        return jobs.start_answered(
            session, lab.clock, job_id=job.id, accepted=accepted, code=code, reason="because"
        )


def started(lab: Lab, files: Path) -> JobView:
    """Return Léa's job on printer-a, asked for and accepted, not heard of yet."""
    return answer(lab, asked(lab, files), accepted=True)


def asked(lab: Lab, files: Path) -> JobView:
    """Return Léa's job on printer-a, asked for; the machine has not answered yet."""
    book_now(lab, lab.lea)
    job = prepare(lab, files, lab.lea)
    ask(lab, job, lab.lea)
    return job


def hear(lab: Lab, job: JobView | None, kind: str, seq: int, **said: Any) -> bool:
    """Record what printer-a reports; by default in boot b1, at this moment, with a right clock."""
    known: dict[str, Any] = {
        "machine": "printer-a",
        "boot": "b1",
        "at": lab.clock.now(),
        "synced": True,
    } | said
    event = MachineEvent(seq=seq, kind=kind, job=job.id if job else None, **known)
    with lab.database.transaction() as session:
        return recording.record_event(session, lab.clock, event)


def sweep(lab: Lab, word: bool | None = False) -> list[str]:  # an answer, not a switch
    """Sweep while every machine says that it has a job (or not); None: they are silent."""
    with lab.database.transaction() as session:
        return recording.sweep_unanswered(session, lab.clock, lambda _machine, _job: word)


def job_now(lab: Lab, job: JobView) -> JobView:
    with lab.database.reading() as session:
        return jobs.get_job(session, job.id)


def uses_of(lab: Lab, job: JobView) -> list[UseView]:
    with lab.database.reading() as session:
        return uses.uses_of_job(session, job_id=job.id)
