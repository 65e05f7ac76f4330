"""``fabctl person``: add people, set passwords and PINs, unlock: a new lab's, and help."""

from __future__ import annotations

import sys

import click

from fabctl.clock import SystemClock
from fabctl.commands.options import config_option
from fabctl.config import LabConfig
from fabctl.errors import InputError
from fabctl.model.people import Role

# Services and SQLAlchemy are imported inside the commands: `fabctl person --help` stays quick.


@click.group()
def person() -> None:
    """Add people, set passwords and PINs, unlock.

    Passwords and PINs are asked for, or read from standard input (one line). They are never
    given on the command line: other users of the computer could read them there.
    """


@person.command(short_help="Add a person who signs in with LOGIN.")
@config_option
@click.argument("login")
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default="member",
    show_default=True,
    help="Animators, staff and admins also act for others.",
)
@click.option("--birth-year", type=click.IntRange(1900, 2100), help="Where a minimum age counts.")
def add(config: LabConfig, login: str, name: str, role: str, birth_year: int | None) -> None:
    """Add a person who signs in with LOGIN; NAME is what screens show, such as "Léa M."."""
    from fabctl.commands.lab_database import lab_database, who_types  # noqa: PLC0415  # see the top
    from fabctl.services import people  # noqa: PLC0415  # see the top

    password = asked_secret("Password", twice=True)
    with lab_database(config) as database, database.transaction() as session:
        added = people.add_person(
            session,
            SystemClock(),
            display_name=name,
            login=login,
            password=password,
            role=role,
            birth_year=birth_year,
            by=who_types(),
        )
    click.echo(f"Added {added.display_name} ({added.login}, {added.role}).")


@person.command("list", short_help="List everybody, with PINs and certifications.")
@config_option
def list_(config: LabConfig) -> None:
    """List everybody: login, name, role, whether a PIN is set, certifications."""
    from fabctl.commands.lab_database import lab_database  # noqa: PLC0415  # see the top
    from fabctl.services import certifications, people  # noqa: PLC0415  # see the top

    with lab_database(config) as database, database.reading() as session:
        for who in people.list_people(session):
            held = certifications.of_person(session, SystemClock(), person_id=who.id)
            machines = ", ".join(f"{row.resource_id} ({row.standing})" for row in held)
            pin = "PIN" if who.has_pin else "-"
            state = " suspended" if who.suspended else ""
            click.echo(
                f"{who.login or '-':20} {who.display_name:24} {who.role:9} {pin:4}{machines}{state}"
            )


@person.command("set-password", short_help="Set a new password; signs out everywhere.")
@config_option
@click.argument("login")
def set_password(config: LabConfig, login: str) -> None:
    """Give the person with LOGIN a new password, and sign them out everywhere."""
    from fabctl.commands.lab_database import find_person, lab_database, who_types  # noqa: PLC0415  # see the top
    from fabctl.services import people  # noqa: PLC0415  # see the top

    with lab_database(config) as database:
        with database.reading() as session:
            who = find_person(session, login)
        password = asked_secret("New password", twice=True)
        with database.transaction() as session:
            people.set_password(
                session, SystemClock(), person_id=who.id, password=password, by=who_types()
            )
    click.echo(f"{who.display_name} has a new password.")


@person.command("set-pin", short_help="Set, or draw, a PIN of six digits.")
@config_option
@click.argument("login")
@click.option("--draw", is_flag=True, help="Draw a free PIN and print it.")
def set_pin(config: LabConfig, login: str, *, draw: bool) -> None:
    """Give the person with LOGIN a PIN of six digits, for the lab's touchscreens."""
    from fabctl.commands.lab_database import find_person, lab_database, who_types  # noqa: PLC0415  # see the top
    from fabctl.services import people  # noqa: PLC0415  # see the top

    secret = _lab_secret(config)
    with lab_database(config) as database:
        with database.reading() as session:
            who = find_person(session, login)
        pin = None if draw else asked_secret("New PIN", twice=True)
        clock, by = SystemClock(), who_types()
        with database.transaction() as session:
            if pin is None:
                drawn = people.draw_pin(session, clock, person_id=who.id, secret=secret, by=by)
                done = f"The PIN of {who.display_name} is {drawn}."
            else:
                people.set_pin(session, clock, person_id=who.id, pin=pin, secret=secret, by=by)
                done = f"{who.display_name} has a new PIN."
    click.echo(done)


@person.command("add-badge", short_help="Give a badge for the touchscreens.")
@config_option
@click.argument("login")
def add_badge(config: LabConfig, login: str) -> None:
    """Give the person with LOGIN a badge: hold it before a reader at this computer.

    The reader types the number; only a keyed hash of it is kept. People may have several; the
    page "Badges" of the staff takes one away.
    """
    from fabctl.commands.lab_database import find_person, lab_database, who_types  # noqa: PLC0415  # see the top
    from fabctl.services import badges  # noqa: PLC0415  # see the top

    secret = _lab_secret(config)
    with lab_database(config) as database:
        with database.reading() as session:
            who = find_person(session, login)
        number = asked_secret("Badge")
        with database.transaction() as session:
            badges.add_badge(
                session, SystemClock(), secret, person_id=who.id, number=number, by=who_types()
            )
    click.echo(f"{who.display_name} has a badge more.")


@person.command(short_help="Let somebody locked out, or locked screens, try again.")
@config_option
@click.argument("login", required=False)
@click.option("--screens", is_flag=True, help="Unlock every screen that takes no PIN or badge now.")
def unlock(config: LabConfig, login: str | None, *, screens: bool) -> None:
    """Let the person with LOGIN try their password again at once, or PINs at all locked screens.

    Too many wrong tries lock a login for a minute, then longer each time, up to an hour; a
    touchscreen for 15 s, up to 15 minutes. Unlocking forgets the wrong tries; passwords and PINs
    stay as they are (`set-password` and `set-pin` are for the forgotten ones).
    """
    from fabctl.commands.lab_database import find_person, lab_database, who_types  # noqa: PLC0415  # see the top
    from fabctl.services import unlocking  # noqa: PLC0415  # see the top

    if (login is not None) == screens:
        raise InputError(
            "what to unlock is not clear",
            next_step="name one LOGIN, or give --screens for the touchscreens",
        )
    clock, by = SystemClock(), who_types()
    with lab_database(config) as database, database.transaction() as session:
        if login is not None:
            done = [f"{find_person(session, login).display_name} may try their password again."]
            unlocking.unlock_login(session, clock, login=login, by=by)
        else:
            locked = unlocking.locked_devices(session, clock)
            for device in locked:
                unlocking.unlock_device(session, clock, device=device, by=by)
            done = [f"Screen {device} takes PINs again." for device in locked]
    click.echo("\n".join(done or ["No screen is locked."]))


def asked_secret(what: str, *, twice: bool = False) -> str:
    """Return what somebody types without showing it, or one line of standard input."""
    if sys.stdin.isatty():
        typed: str = click.prompt(what, hide_input=True, confirmation_prompt=twice)
        return typed
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise InputError(f"no {what.lower()} on standard input")
    return line


def _lab_secret(config: LabConfig) -> bytes:
    """Return the lab's secret; a new lab's is made."""
    from fabctl.messaging.keys import make_secret, read_key  # noqa: PLC0415  # see the top

    make_secret(config.paths.secret)
    return read_key(config.paths.secret)
