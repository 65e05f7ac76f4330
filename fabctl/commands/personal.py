"""``fabctl export`` and ``fabctl erase``: one person's data, handed out or gone for good."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fabctl.clock import SystemClock
from fabctl.commands.options import config_option
from fabctl.config import LabConfig
from fabctl.whole_files import write_whole

# Services and SQLAlchemy are imported inside the commands: `fabctl export --help` stays quick.


@click.command()
@config_option
@click.option("--person", "person_id", required=True, metavar="ID", help="Whose, by their id.")
@click.option(
    "--file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it to this file, which only you may read. Default: print it.",
)
def export(config: LabConfig, person_id: str, file: Path | None) -> None:
    """Hand out all that is kept about one person, as JSON; the audit says who did.

    Passwords, PINs and tokens are not in it, only that there are some. It also says who has
    looked at the person's file.
    """
    from fabctl.commands.lab_database import lab_database, who_types  # noqa: PLC0415  # see the top
    from fabctl.services import personal_data  # noqa: PLC0415  # see the top

    with lab_database(config) as database, database.transaction() as session:
        found = personal_data.export(session, SystemClock(), person_id=person_id, by=who_types())
    written = json.dumps(found, ensure_ascii=False, indent=2)
    if file is None:
        click.echo(written)
        return
    write_whole(file, written + "\n", mode=0o600)
    click.echo(f"Wrote {file}.")


@click.command()
@config_option
@click.option("--person", "person_id", required=True, metavar="ID", help="Whose, by their id.")
@click.option("--yes", is_flag=True, help="Do not ask: there is no way back.")
def erase(config: LabConfig, person_id: str, *, yes: bool) -> None:
    """Erase what tells who one person is, for good. Statistics stay as they are.

    Their name, sign-in, consents, notices and more are gone; coming reservations and places are
    free again. What they did stays without a name, with their year of birth. Copies of the
    database that were made before still hold everything.
    """
    from fabctl.commands.lab_database import lab_database, who_types  # noqa: PLC0415  # see the top
    from fabctl.services import people, personal_data  # noqa: PLC0415  # see the top

    clock, by = SystemClock(), who_types()
    with lab_database(config) as database:
        with database.reading() as session:
            name = people.get_person(session, person_id).display_name
        if not yes:
            click.confirm(f"Erase the data of {name} ({person_id}) for good?", abort=True)
        with database.transaction() as session:
            personal_data.erase(session, clock, config.time_zone, person_id=person_id, by=by)
    click.echo(f"{person_id} has no name any more.")
