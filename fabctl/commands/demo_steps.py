"""What `fabctl demo` does in a process of its own: fill the lab, start the first print.

Run as ``python -m fabctl.commands.demo_steps seed|first-print --config FILE``: the demo's own
process stays small and never imports SQLAlchemy.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import threading
from collections.abc import Callable
from datetime import timedelta
from importlib.resources import as_file, files
from pathlib import Path

import click

from fabctl.clock import Clock, SystemClock
from fabctl.commands.demo_accounts import ACCOUNTS, write_private
from fabctl.commands.options import config_option
from fabctl.config import LabConfig
from fabctl.errors import DeviceError, FabError, LocalError
from fabctl.gcode.machine import inspect_for
from fabctl.gcode.preview import draw
from fabctl.gcode.sketch import Sketch
from fabctl.messaging.connect import desk_link
from fabctl.messaging.lab_view import LabView
from fabctl.messaging.requests import MachineRequests, keys_in
from fabctl.services import jobs, people, pictures
from fabctl.services.machines import sync_resources
from fabctl.services.seed import seed_demo
from fabctl.store.engine import Database, open_database

FIRST_PRINT = ("printer-a", "gear.gcode")
IDLE_WITHIN = timedelta(seconds=30)


@click.group()
def steps() -> None:
    """Steps of the demo."""


@steps.command()
@config_option
def seed(config: LabConfig) -> None:
    """Put the demo's people, certifications and reservations on record; keep them as JSON."""
    require_simulated(config)
    clock = SystemClock()
    secret = bytes.fromhex(config.paths.secret.read_text().strip())
    database = open_database(config.database_url, zone=config.time_zone)
    try:
        with database.transaction() as session:
            sync_resources(session, clock, config.machines.values())
        accounts = seed_demo(database, clock, secret)
    finally:
        database.close()
    cast = [dataclasses.asdict(person) for person in accounts.people]
    write_private(config.data_directory / ACCOUNTS, json.dumps(cast))


@steps.command()
@config_option
@click.option("--login", required=True, help="Whose print it is.")
def first_print(config: LabConfig, login: str) -> None:
    """Start a print the way a person's tap does: prepared, checked, on record, signed.

    A lab that was kept may refuse it (the printer waits for a person): the demo goes on.
    """
    require_simulated(config)
    clock = SystemClock()
    view = LabView(config.id, {id_: m.host for id_, m in config.machines.items()}, clock)
    link = desk_link(config, f"demo-{os.getpid()}", log=click.echo)
    view.attach(link)
    requests = MachineRequests(link, config.id, keys_in(config.paths))
    database = open_database(config.database_url, zone=config.time_zone)
    link.start()
    try:
        _start(config, clock, database, view, requests, _person_id(database, login))
    except FabError as error:
        click.echo(f"no first print: {error}")
    finally:
        link.stop()
        database.close()


def _person_id(database: Database, login: str) -> str:
    with database.reading() as session:
        found = people.find_by_login(session, login)
    if found is None:
        raise LocalError(f"nobody has the login {login!r}")
    return found.id


def require_simulated(config: LabConfig) -> None:
    """:raises LocalError: this is a real lab: the demo's people have known passwords."""
    if not config.simulated:
        raise LocalError(
            f"{config.file} describes a real lab; the demo only fills simulated ones",
            next_step="`fabctl demo` makes one of its own",
        )


def _start(  # the parts of a lab, each by its name
    config: LabConfig,
    clock: Clock,
    database: Database,
    view: LabView,
    requests: MachineRequests,
    person_id: str,
) -> None:
    machine = FIRST_PRINT[0]
    _wait(clock, view, lambda: view.machine(machine).state == "idle")
    job = _prepare(config, clock, database, person_id)
    with database.transaction() as session:
        order = jobs.open_use(
            session,
            clock,
            config.time_zone,
            job_id=job.id,
            person_id=person_id,
            machine_state=view.machine(machine).state,
        )
    answer = requests.send(machine, "start", order.body)
    with database.transaction() as session:
        jobs.start_answered(
            session,
            clock,
            job_id=job.id,
            accepted=answer.accepted,
            code=answer.code,
            reason=answer.reason,
        )
    if not answer.accepted:
        raise DeviceError(f"the first print was refused: {answer.reason}", device=machine)


def _wait(clock: Clock, view: LabView, holds: Callable[[], bool]) -> None:
    """Wait until the lab's view fulfils a condition; looked at whenever something was heard."""
    heard = threading.Event()
    end = view.subscribe(lambda _machine, _kind: heard.set())
    deadline = clock.monotonic() + IDLE_WITHIN.total_seconds()
    try:
        while not holds():
            left = deadline - clock.monotonic()
            if left <= 0:
                raise DeviceError("it was not ready in time", device=FIRST_PRINT[0])
            heard.wait(left)
            heard.clear()
    finally:
        end()


def _prepare(config: LabConfig, clock: Clock, database: Database, person_id: str) -> jobs.JobView:
    machine, name = FIRST_PRINT
    profile = config.machines[machine]
    with as_file(files("fabctl_sim") / "gcode" / name) as source:
        stored = _store(source, config.paths.files)
    sketch = Sketch(profile.kind)
    with stored.open("rb") as stream:
        report = inspect_for(stream, profile, watch=sketch)
    drawn = draw(sketch, report.lines)
    pictures.keep(config.paths.previews, stored.stem, profile.kind, report.thumbnail, drawn)
    with database.transaction() as session:
        return jobs.prepare(
            session,
            clock,
            person_id=person_id,
            resource_id=machine,
            name=name,
            path=stored,
            sha256=stored.stem,
            size=stored.stat().st_size,
            report=report,
        )


def _store(source: Path, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{hashlib.sha256(source.read_bytes()).hexdigest()}.gcode"
    if not target.exists():
        shutil.copyfile(source, target)
    return target


if __name__ == "__main__":
    steps(prog_name="fabctl demo (step)")
