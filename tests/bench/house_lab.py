"""A seeded lab on SQLite for the benchmark of the house, and a real `fabctl web` over it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import requests
from sqlalchemy import Engine, event, select

from fabctl.clock import SystemClock
from fabctl.config import LabConfig
from fabctl.messaging.keys import make_secret
from fabctl.services import machines, tokens
from fabctl.services.seed_year import Plan, seed_year
from fabctl.store.engine import Database, open_database
from fabctl.store.migrate import upgrade
from fabctl.store.tables import Certification, Person
from tests.lab import wait_for
from tests.web_lab import lab_config

MACHINES = tuple(f"Machine {number}" for number in range(1, 17))
CLIENTS = 20


@dataclass(frozen=True)
class House:
    """A lab with years of data."""

    config: LabConfig
    today: date
    rows: int

    def open(self) -> Database:
        """Open its database; to be closed by whoever asks."""
        return open_database(self.config.database_url, zone=self.config.time_zone)


def seeded(folder: Path, years: int) -> House:
    """Make a lab of 16 machines and 40 resources below a folder, with so many years of data."""
    config = lab_config(folder, names=MACHINES)
    upgrade(config.database_url, folder / "backups")
    config.paths.root.mkdir(exist_ok=True)
    make_secret(config.paths.secret)
    today = datetime.now(config.time_zone).date()
    db = open_database(config.database_url, zone=config.time_zone)
    with db.transaction() as session:
        machines.sync_resources(session, SystemClock(), config.machines.values())
        done = seed_year(session, config.time_zone, Plan(today, years=years), by="shell:bench")
    db.close()
    return House(config, today, sum(done.rows.values()))


def bookers(house: House, many: int = CLIENTS) -> list[tuple[str, str]]:
    """Return the ids and API tokens of people who may book the machines, one each."""
    db = house.open()
    with db.transaction() as session:
        certified = select(Certification.person_id).distinct()
        query = select(Person.id).where(Person.id.in_(certified)).order_by(Person.id).limit(many)
        found = [
            (one, tokens.create_token(session, SystemClock(), person_id=one, name="bench")[1])
            for one in session.scalars(query).all()
        ]
    db.close()
    return found


def at(house: House, days: int, hour: int) -> datetime:
    """Return an hour by the lab's clocks, so many days from today."""
    day = house.today + timedelta(days=days)
    return datetime.combine(day, time(hour), house.config.time_zone)


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """Yield a list that every statement is added to; BEGIN, COMMIT and PRAGMA are none."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


@contextmanager
def served(house: House) -> Iterator[str]:
    """Yield the address of a real `fabctl web` without a broker: bookings need none."""
    config = house.config
    machine = "\n".join(
        f'[machines.{one.id}]\nname = "{one.name}"\nkind = "printer"\ndriver = "opaque"'
        for one in config.machines.values()
    )
    config.file.write_text(
        f"""
[lab]
id = "test"
name = "Lab"
simulated = true
[data]
directory = "{config.data_directory}"
[database]
url = "{config.database_url}"
[broker]
url = "mqtt://127.0.0.1:1"
[web]
port = 0
[hosts.pi1]
name = "Pi"
{machine}
"""
    )
    command = [sys.executable, "-m", "fabctl", "web", "--config", str(config.file)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, line
        wait_for("the board", lambda: requests.get(found[0], timeout=5).ok)
        yield found[0].rstrip("/")
    finally:
        process.terminate()
        process.wait(10)
