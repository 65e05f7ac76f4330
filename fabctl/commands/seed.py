"""``fabctl seed``: fill a new lab with a year of invented people and what they did."""

from __future__ import annotations

import time
from datetime import date, datetime

import click

from fabctl.clock import SystemClock
from fabctl.commands.options import config_option
from fabctl.config import LabConfig
from fabctl.errors import InputError


@click.command()
@config_option
@click.option("--year", is_flag=True, help="Yes, a whole year: 30,000 reservations, 300 sessions.")
@click.option("--years", type=click.IntRange(1, 20), default=1, show_default=True, help="How many.")
@click.option(
    "--seed", "number", type=int, default=1, show_default=True, help="The same gives the same lab."
)
@click.option(
    "--today",
    metavar="YYYY-MM-DD",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The lab's last day but 28, which are still to come. Default: today.",
)
def seed(config: LabConfig, year: bool, years: int, number: int, today: datetime | None) -> None:
    """Fill a lab that has no people yet, for a demo or to measure how fast it is.

    Adds 3,000 people (1,000 more for each further year), rooms and seats around the machines of
    lab.toml up to 40 resources, opening hours, and for each year 30,000 reservations and 300
    workshop sessions with enrolments, attendance and uses. Nobody of them can sign in: add
    yourself with `fabctl person add` afterwards. There is no way back: use a lab made for it.
    """
    from fabctl.commands.lab_database import lab_database, who_types  # noqa: PLC0415  # --help stays quick
    from fabctl.services.machines import sync_resources  # noqa: PLC0415  # the same
    from fabctl.services.seed_year import Plan, seed_year  # noqa: PLC0415  # the same

    if not year and years == 1:
        raise InputError("what to seed is not clear", next_step="give --year, or --years N")
    day = today.date() if today else date.today()  # noqa: DTZ011  # the day on the wall
    began = time.monotonic()
    with lab_database(config) as database, database.transaction() as session:
        sync_resources(session, SystemClock(), config.machines.values())
        plan = Plan(day, seed=number, years=years)
        done = seed_year(session, config.time_zone, plan, by=who_types())
    for table, rows in done.rows.items():
        click.echo(f"{rows:>9,} {table.replace('_', ' ')}")
    click.echo(f"Seeded in {time.monotonic() - began:.0f} s.")
