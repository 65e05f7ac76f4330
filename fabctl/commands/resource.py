"""``fabctl resource``: the lab's machines on record: out of order or not, and who has them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from fabctl.clock import SystemClock
from fabctl.commands.options import config_option
from fabctl.config import LabConfig
from fabctl.errors import InputError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from fabctl.services.machines import ResourceView
    from fabctl.services.uses import UseView
    from fabctl.store.engine import Database

# Services and SQLAlchemy are imported inside the commands: `fabctl resource --help` stays quick.


@click.group()
def resource() -> None:
    """Say which machines are out of order, and release one that fell silent.

    ID is a machine's name in lab.toml (`fabctl resource list` shows them). These commands change
    the record only: they send nothing to a machine.
    """


@resource.command("list", short_help="List the machines: in order or why not, and who has them.")
@config_option
def list_(config: LabConfig) -> None:
    """List the machines: id, name, in order or why not, and the open use if there is one."""
    from fabctl.services import machines  # noqa: PLC0415  # see the top

    with _known_machines(config) as database, database.reading() as session:
        for row in machines.list_resources(session):
            click.echo(
                f"{row.id:16} {row.name:28} {_order(config, row)}; {_use(config, session, row)}"
            )


@resource.command("out-of-order", short_help="Let nobody start or book a machine, and say why.")
@config_option
@click.argument("resource_id", metavar="ID")
@click.option("--reason", required=True, metavar="TEXT", help="Why; `resource list` shows it.")
@click.option("--next-step", metavar="TEXT", help="What happens next, for who wants to use it.")
def out_of_order(config: LabConfig, resource_id: str, reason: str, next_step: str | None) -> None:
    """Put the machine ID out of order: no job starts on it until `in-order`.

    A job that runs on it goes on: pause or stop it on the machine's page.
    """
    _set_order(config, resource_id, reason, next_step)
    click.echo(f"{resource_id} is out of order: {reason}")


@resource.command("in-order", short_help="Let a machine be used again.")
@config_option
@click.argument("resource_id", metavar="ID")
def in_order(config: LabConfig, resource_id: str) -> None:
    """Put the machine ID in order again."""
    _set_order(config, resource_id, None)
    click.echo(f"{resource_id} is in order.")


@resource.command(short_help="Free a machine that will never say how its job ended.")
@config_option
@click.argument("resource_id", metavar="ID")
@click.option("--reason", required=True, metavar="TEXT", help="Why, for the record.")
@click.option("--yes", is_flag=True, help="I have looked at the machine: do not ask.")
def release(config: LabConfig, resource_id: str, reason: str, *, yes: bool) -> None:
    """Close the open use of the machine ID, which will never report the end of its job.

    LOOK AT THE MACHINE FIRST: nothing may move or heat. This command sends it nothing: a
    machine that still works on the job goes on, and is free on record all the same.

    It is for a machine whose computer is broken or gone. One that is only offline reports what
    happened when it is back. The job becomes failed, with the reason. If the machine speaks of
    the job after all, what it says replaces this.
    """
    from fabctl.commands.lab_database import who_types  # noqa: PLC0415  # see the top
    from fabctl.services import releasing, using  # noqa: PLC0415  # see the top

    with _known_machines(config) as database:
        with database.reading() as session:
            use = _open_use(session, resource_id)
            shown = _said_of_use(config, session, use)
        click.echo(f"{resource_id} is {shown}.")
        if not yes:
            click.echo("Look at the machine first: nothing may move or heat.")
            click.confirm("Have you looked, and release it?", abort=True)
        with database.transaction() as session:
            if use.job_id is None:
                using.release_use(
                    session, SystemClock(), use_id=use.id, reason=reason, by=who_types()
                )
            else:
                releasing.release(
                    session, SystemClock(), job_id=use.job_id, reason=reason, by=who_types()
                )
    failed = f"; its job {use.job_id} counts as failed" if use.job_id else ""
    click.echo(f"{resource_id} is released{failed}.")


@contextmanager
def _known_machines(config: LabConfig) -> Iterator[Database]:
    """Yield the lab's database, in which lab.toml's machines are on record."""
    from fabctl.commands.lab_database import lab_database  # noqa: PLC0415  # see the top
    from fabctl.services import machines  # noqa: PLC0415  # see the top

    with lab_database(config) as database:
        with database.transaction() as session:
            machines.sync_resources(session, SystemClock(), config.machines.values())
        yield database


def _set_order(
    config: LabConfig, resource_id: str, reason: str | None, next_step: str | None = None
) -> None:
    from fabctl.commands.lab_database import who_types  # noqa: PLC0415  # see the top
    from fabctl.services import machines  # noqa: PLC0415  # see the top

    with _known_machines(config) as database, database.transaction() as session:
        machines.set_out_of_order(
            session,
            SystemClock(),
            resource_id=resource_id,
            reason=reason,
            next_step=next_step,
            by=who_types(),
        )


def _open_use(session: Session, resource_id: str) -> UseView:
    """Return a machine's open use, also of one that lab.toml does not name any more.

    :raises InputError: it has none, or there is no such machine.
    """
    from fabctl.services import uses  # noqa: PLC0415  # see the top

    found = uses.open_use_on(session, resource_id=resource_id)
    if found is None:
        raise InputError(
            f"no machine in use is called {resource_id!r}: there is nothing to release",
            next_step="`fabctl resource list` shows which machines are in use",
        )
    return found


def _order(config: LabConfig, row: ResourceView) -> str:
    if row.out_of_order_at is None:
        return "in order"
    since = row.out_of_order_at.astimezone(config.time_zone)
    return f"out of order since {since:%Y-%m-%d %H:%M} ({row.out_of_order_reason})"


def _use(config: LabConfig, session: Session, row: ResourceView) -> str:
    from fabctl.services import uses  # noqa: PLC0415  # see the top

    found = uses.open_use_on(session, resource_id=row.id)
    return _said_of_use(config, session, found) if found else "free"


def _said_of_use(config: LabConfig, session: Session, use: UseView) -> str:
    from fabctl.services import jobs, people  # noqa: PLC0415  # see the top

    who = people.get_person(session, use.person_id).display_name
    since = use.opened_at.astimezone(config.time_zone)
    said = f"in use by {who} since {since:%Y-%m-%d %H:%M}"
    if use.job_id is None:
        return said
    job = jobs.get_job(session, use.job_id)
    return f"{said}, job {job.id} ({job.name}, {job.state})"
