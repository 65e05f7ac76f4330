"""The command line. Commands are imported when they are called: a machine's process stays small."""

from __future__ import annotations

import importlib
import os
import pwd
import sys
from pathlib import Path
from typing import NoReturn

import click

import fabctl
from fabctl.errors import FabError
from fabctl.whole_files import disk_full, is_full

COMMANDS: dict[str, tuple[str, str]] = {
    # name: (module:attribute, the line in `fabctl --help`)
    "demo": ("demo:demo", "Try it all: a seeded lab with simulated machines, in one command."),
    "run": ("run:run", "Run a whole lab on this computer: broker, web, steward, machines."),
    "check-config": (
        "check_config:check_config",
        "Read lab.toml and say all that is wrong.",
    ),
    "find-machines": (
        "find_machines:find_machines",
        "List the machines plugged in here, with lines for lab.toml.",
    ),
    "doctor": ("doctor:doctor", "Say everything that is wrong with the lab, and what to do."),
    "stream": ("stream:stream", "Send one file to one machine, without a lab."),
    "terminal": ("terminal:terminal", "Talk to one machine, line by line, without a lab."),
    "driver-check": (
        "driver_check:driver_check",
        "Try whether a driver keeps what fabctl asks of every driver.",
    ),
    "octoprint-key": (
        "octoprint_key:octoprint_key",
        "Ask an OctoPrint for a key; a person confirms it there.",
    ),
    "person": ("people:person", "Add people, set passwords and PINs, unlock."),
    "certify": ("certify:certify", "Certify somebody on a machine, suspend or reinstate."),
    "import": ("import_people:import_people", "Add a list of people from a CSV file."),
    "export": ("personal:export", "Hand out all that is kept about one person, as JSON."),
    "erase": ("personal:erase", "Erase what tells who one person is, for good."),
    "stats": ("stats:stats", "A year in numbers, for funders: CSV or PDF."),
    "seed": ("seed:seed", "Fill a lab without people with a year of invented ones."),
    "token": ("token:token", "Create, list and revoke personal tokens for the API."),
    "key": ("key:key", "Create, rotate and list the keys that machines check requests with."),
    "resource": (
        "resource:resource",
        "Say which machines are out of order; release one that fell silent.",
    ),
    "web": ("web:web", "Serve the pages and the API."),
    "steward": ("steward:steward", "Record what happens, and do what the clock asks for."),
    "machine": ("machine:machine", "Drive one machine."),
    "interlock": ("interlock:interlock", "Guard one machine: its lid, its relays, its permits."),
    "units": ("units:units", "List the systemd units that this computer is to run."),
    "broker-config": (
        "broker_config:broker_config",
        "Write the files of a mosquitto for the whole lab, over TLS.",
    ),
    "host": ("host:host", "Let computers with machines join the lab; list them; put them out."),
    "migrate": ("database:migrate", "Bring the database to this version, after a backup."),
    "backup": ("backup:backup", "Write one archive of the whole lab; check and list them."),
    "restore": ("restore:restore", "Put the lab of an archive into an empty place."),
    "db": ("db:db", "Move a lab into another database, SQLite or PostgreSQL."),
    "upgrade": ("upgrade:upgrade", "Back the lab up, then migrate it; --check only looks."),
    "sim": ("sim:sim", "Touch a simulated machine of the demo: pull its cable, reset it, ..."),
}
GROUPS: dict[str, tuple[str, ...]] = {
    "To begin": ("demo", "run", "find-machines", "check-config", "doctor"),
    "One machine, no lab": ("stream", "terminal", "octoprint-key", "driver-check"),
    "People and machines": (
        "person",
        "certify",
        "import",
        "export",
        "erase",
        "token",
        "resource",
        "key",
        "stats",
    ),
    "Parts of a lab (fabctl run starts them all)": (
        "web",
        "steward",
        "machine",
        "interlock",
        "units",
        "broker-config",
        "host",
        "migrate",
    ),
    "To keep it for years": ("backup", "restore", "upgrade", "db"),
    "Simulated": ("sim", "seed"),
}
EXIT_REFUSED = 2


class LazyGroup(click.Group):
    """A group that knows its commands' names and imports a command only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Return every command's name, in the order of the help page."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return one command, None when there is no such name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(f"fabctl.commands.{module}"), attribute)
        assert isinstance(command, click.Command)  # noqa: S101  # our own table above
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the commands by what a person wants to do; none is imported for it."""
        for title, names in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name, COMMANDS[name][1]) for name in names])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="`fabctl COMMAND --help` says more. Start with `fabctl demo`.",
)
@click.version_option(fabctl.__version__, prog_name="fabctl")
def cli() -> None:
    """The server of a Fab Lab: it drives the machines and runs the house.

    A lab is described by one file, lab.toml: its machines, their ports and their limits.
    Everything that people decide (who is trained, who has booked) is kept in a database and
    changed on the screens.

    Exit codes: 0 done, 1 it was tried and failed, 2 refused (bad input; nothing was done),
    130 stopped with Ctrl-C.
    """


def not_permitted(error: PermissionError) -> str:
    """Return what is said of a file that is not ours to read or write."""
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a user without a name
        user = str(os.geteuid())
    step = "name a file where that user may, such as in /tmp"
    return f"the user {user} may not read or write {error.filename} → {step}"


def main() -> NoReturn:
    """Run the command line; an error that fabctl can explain becomes one sentence on stderr."""
    try:
        cli(prog_name="fabctl")
    except FabError as error:
        click.echo(f"fabctl: {error}", err=True)
        sys.exit(EXIT_REFUSED)
    except PermissionError as error:
        if not error.filename:
            raise
        click.echo(f"fabctl: {not_permitted(error)}", err=True)
        sys.exit(EXIT_REFUSED)
    except OSError as error:
        if not is_full(error):
            raise
        where = Path(str(error.filename)) if error.filename else None
        click.echo(f"fabctl: {disk_full(where)}", err=True)
        sys.exit(EXIT_REFUSED)
    sys.exit(0)


if __name__ == "__main__":
    main()
