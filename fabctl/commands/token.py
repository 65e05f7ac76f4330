"""``fabctl token``: personal tokens for the API."""

from __future__ import annotations

import click

from fabctl.clock import SystemClock
from fabctl.commands.options import config_option
from fabctl.config import LabConfig

# Services and SQLAlchemy are imported inside the commands: `fabctl token --help` stays quick.


@click.group()
def token() -> None:
    """Create, list and revoke personal tokens for the API.

    A token acts as its person. Send it as the header `Authorization: Bearer fab_…`.
    """


@token.command(short_help="Create a token and print it, once.")
@config_option
@click.argument("login")
@click.option("--name", default="fabctl token create", show_default=True, help="What it is for.")
def create(config: LabConfig, login: str, name: str) -> None:
    """Create a token for the person with LOGIN and print it. It is never shown again."""
    from fabctl.commands.lab_database import find_person, lab_database, who_types  # noqa: PLC0415  # see the top
    from fabctl.services import tokens  # noqa: PLC0415  # see the top

    with lab_database(config) as database, database.transaction() as session:
        who = find_person(session, login)
        made, secret = tokens.create_token(
            session, SystemClock(), person_id=who.id, name=name, by=who_types()
        )
    click.echo(secret)
    click.echo(f"Token {made.id} acts as {who.display_name}. Keep it: it is shown once.", err=True)


@token.command("list", short_help="List tokens, without their secret part.")
@config_option
@click.argument("login", required=False)
def list_(config: LabConfig, login: str | None) -> None:
    """List the tokens of the person with LOGIN, or everybody's; never the secret part."""
    from fabctl.commands.lab_database import find_person, lab_database  # noqa: PLC0415  # see the top
    from fabctl.services import people, tokens  # noqa: PLC0415  # see the top

    with lab_database(config) as database, database.reading() as session:
        owner = find_person(session, login).id if login else None
        for row in tokens.list_tokens(session, person_id=owner):
            who = people.get_person(session, row.person_id)
            made = row.created_at.astimezone(config.time_zone)
            state = "revoked" if row.revoked_at else "valid"
            click.echo(
                f"{row.id}  {who.login or who.display_name:20} {made:%Y-%m-%d %H:%M}"
                f"  {state:7}  {row.name}"
            )


@token.command(short_help="Revoke a token, at once and for good.")
@config_option
@click.argument("token_id", metavar="ID")
def revoke(config: LabConfig, token_id: str) -> None:
    """Revoke the token with this ID (`fabctl token list` shows it), at once and for good."""
    from fabctl.commands.lab_database import lab_database, who_types  # noqa: PLC0415  # see the top
    from fabctl.services import tokens  # noqa: PLC0415  # see the top

    with lab_database(config) as database, database.transaction() as session:
        tokens.revoke_token(session, SystemClock(), token_id=token_id, by=who_types())
    click.echo(f"Token {token_id} is revoked.")
