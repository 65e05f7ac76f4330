"""``fabctl certify``: certify somebody on a machine, suspend that, or end the suspension."""

from __future__ import annotations

from datetime import datetime

import click

from fabctl.clock import SystemClock
from fabctl.commands.options import config_option
from fabctl.config import LabConfig
from fabctl.errors import InputError
from fabctl.model.certification import Level, Standing

# Services and SQLAlchemy are imported inside the command: `fabctl certify --help` stays quick.


@click.command(short_help="Certify somebody on a machine, suspend or reinstate.")
@config_option
@click.argument("login")
@click.argument("machine")
@click.option(
    "--level",
    type=click.Choice([level.value for level in Level]),
    help="Alone (autonomous, the default), only beside a trainer, or a trainer.",
)
@click.option(
    "--until",
    metavar="YYYY-MM-DD",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Last day, in the lab's zone.",
)
@click.option("--suspend", metavar="REASON", help="Suspend the certification instead.")
@click.option("--reinstate", is_flag=True, help="End a suspension instead.")
def certify(  # one parameter for each word of the command line
    config: LabConfig,
    login: str,
    machine: str,
    level: str | None,
    until: datetime | None,
    suspend: str | None,
    *,
    reinstate: bool,
) -> None:
    """Certify the person with LOGIN on MACHINE (its id in lab.toml).

    A new grant replaces the one before and ends a suspension. The history is kept: every change
    is a new line of it, and of the audit trail.
    """
    from fabctl.commands.lab_database import find_person, lab_database, who_types  # noqa: PLC0415  # see the top
    from fabctl.services import certifications, machines  # noqa: PLC0415  # see the top

    _check(config, machine, [level or until, suspend is not None, reinstate], suspend)
    clock = SystemClock()
    with lab_database(config) as database, database.transaction() as session:
        machines.sync_resources(session, clock, config.machines.values())
        who = find_person(session, login)
        standing = certifications.standing_at(session, who.id, machine, clock.now())
        if suspend is not None:
            _require(standing is not Standing.NONE, f"{login} is not certified on {machine}")
            certifications.suspend(
                session,
                clock,
                person_id=who.id,
                resource_id=machine,
                reason=suspend.strip(),
                by=who_types(),
            )
        elif reinstate:
            _require(standing is Standing.SUSPENDED, f"{login} is not suspended on {machine}")
            certifications.reinstate(
                session, clock, person_id=who.id, resource_id=machine, by=who_types()
            )
        else:
            certifications.certify(
                session,
                clock,
                person_id=who.id,
                resource_id=machine,
                level=Level(level or Level.AUTONOMOUS),
                expires_at=_end_of_day(config, until),
                by=who_types(),
            )
        after = certifications.standing_at(session, who.id, machine, clock.now())
    done = "suspended" if suspend is not None else "certified"
    click.echo(f"{who.display_name} is {done} on {machine} (now: {after}).")


def _check(config: LabConfig, machine: str, wanted: list[object], suspend: str | None) -> None:
    """Refuse what the command line itself shows to be wrong."""
    if machine not in config.machines:
        raise InputError(
            f"no machine is called {machine!r}", next_step="one of: " + ", ".join(config.machines)
        )
    if sum(bool(one) for one in wanted) > 1:
        raise InputError(
            "what to do is not clear",
            next_step="--suspend and --reinstate go alone, without --level and --until",
        )
    _require(suspend is None or suspend.strip() != "", "a certification is suspended with a reason")


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise InputError(otherwise, next_step="`fabctl person list` shows who is certified")


def _end_of_day(config: LabConfig, day: datetime | None) -> datetime | None:
    """Return the last second of a day in the lab's zone."""
    return day and day.replace(hour=23, minute=59, second=59, tzinfo=config.time_zone)
