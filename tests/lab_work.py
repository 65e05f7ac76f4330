"""What tests do in a running lab over the API: book, send a file, start, look at the record."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from tests.lab import RunningLab, wait_for

DATA = Path(__file__).parent / "data"
TAG = DATA / "keyring_tag.gcode"


def commands_of(path: Path) -> list[str]:
    """Return what a G-code file asks for: its lines without comments and blanks."""
    lines = (line.split(";")[0].strip() for line in path.read_text().splitlines())
    return [line for line in lines if line]


def executed(lab: RunningLab, machine: str) -> list[str]:
    """Return every command the stand-in ran, numbered and checked or not."""
    with lab.sim(machine) as sim:
        return sim.texts(numbered_only=False)


def book_now(lab: RunningLab, api: requests.Session, machine: str, minutes: int = 60) -> str:
    """Book a machine from now on and return the reservation's id."""
    start = datetime.now(UTC)
    body = {
        "resource": machine,
        "start": start.isoformat(),
        "end": (start + timedelta(minutes=minutes)).isoformat(),
    }
    answer = api.post(f"{lab.url}/api/v1/reservations", json=body, timeout=20)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def send_file(lab: RunningLab, api: requests.Session, machine: str, path: Path = TAG) -> str:
    """Send a file to a machine and return the prepared job's id."""
    with path.open("rb") as file:
        answer = api.post(
            f"{lab.url}/api/v1/machines/{machine}/jobs", files={"file": file}, timeout=60
        )
    assert answer.status_code == 201, answer.text
    assert answer.json()["report"]["ok"] is True
    return str(answer.json()["id"])


def ask(lab: RunningLab, api: requests.Session, job: str, verb: str) -> requests.Response:
    """Ask for a job to be started, paused, resumed or stopped."""
    return api.post(f"{lab.url}/api/v1/jobs/{job}/{verb}", timeout=20)


def start(lab: RunningLab, api: requests.Session, machine: str, path: Path = TAG) -> str:
    """Send a file, start it, and return the job's id once the machine runs it."""
    wait_for(f"{machine} is idle", lambda: lab.state(machine) == "idle")
    job = send_file(lab, api, machine, path)
    answer = ask(lab, api, job, "start")
    assert answer.status_code == 202, answer.text
    wait_for(f"{machine} runs", lambda: lab.state(machine) == "running")
    return job


def job_now(lab: RunningLab, api: requests.Session, job: str) -> dict[str, Any]:
    """Return a job as the API shows it; an empty dict while the web is away."""
    try:
        answer = api.get(f"{lab.url}/api/v1/jobs/{job}", timeout=10)
    except requests.RequestException:
        return {}
    return dict(answer.json()) if answer.ok else {}


def wait_for_job(
    lab: RunningLab, api: requests.Session, job: str, state: str, timeout: float = 60
) -> dict[str, Any]:
    """Wait until a job is in a state on record; return it."""

    def there() -> dict[str, Any] | None:
        shown = job_now(lab, api, job)
        return shown if shown.get("state") == state else None

    return wait_for(f"job {job} is {state}", there, timeout)


def record(lab: RunningLab, query: str, *values: str) -> list[tuple[Any, ...]]:
    """Ask the lab's database file directly, read-only: what is on record, past every service."""
    database = sqlite3.connect(f"file:{lab.data}/lab.db?mode=ro", uri=True, timeout=10)
    try:
        return database.execute(query, values).fetchall()
    finally:
        database.close()
