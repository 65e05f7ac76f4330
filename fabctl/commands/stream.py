"""``fabctl stream``: one file, one machine, no lab."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fabctl.clock import SystemClock
from fabctl.commands.stream_from_line import FromLine, resumed
from fabctl.commands.stream_job import (
    check,
    find_driver_with,
    own_option,
    profile_of,
)
from fabctl.commands.stream_options import Baud, dry_run, from_line_options, own_options
from fabctl.commands.stream_pause import OnHold
from fabctl.commands.stream_run import (
    Result,
    Signals,
    Streaming,
    as_json,
    hear_signals,
    refused,
    sentence,
)
from fabctl.errors import FabError, InputError
from fabctl.ports import Driver, JobFile, MachineKind, Outcome
from fabctl.usual import IF_LOCKED

NO_PORT = "loop://"
"""Of a dry run, which opens none."""
EXIT_FAILED = 1
EXIT_SIGNALS = 128


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--driver", "driver_name", required=True, metavar="NAME", help="Such as marlin.")
@click.option("--port", metavar="PORT", help="Such as /dev/ttyUSB0 or socket://host:port.")
@click.option("--baud", type=Baud(), help="Without it: marlin 250000, grbl 115200.")
@click.option("--window", metavar="on|off|BYTES", help="Lines sent ahead, where that is proven.")
@click.option("--check-run", is_flag=True, help="Have the controller read it all; nothing moves.")
@click.option(
    "--dry-run",
    "dry_run_to",
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="Send nothing: write what would be sent, exactly, to this file.",
)
@from_line_options
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in MachineKind]),
    help="What the machine is. Without it: a mill for grbl, else a printer.",
)
@click.option(
    "--option", "options", multiple=True, metavar="KEY=VALUE", help="An option of the driver's own."
)
@click.option(
    "--on-hold",
    type=click.Choice([choice.value for choice in OnHold]),
    default=OnHold.WAIT.value,
    show_default=True,
    help="A hold that nobody here asked for: wait, go on by itself, or fail after 60 s.",
)
@click.option("--force", is_flag=True, help="Send the file in spite of what its check found.")
@click.option("--json", "json_wanted", is_flag=True, help="Print the result as one JSON object.")
def stream(  # noqa: PLR0913  # one for each option
    file: Path,
    driver_name: str,
    port: str | None,
    baud: int | None,
    window: str | None,
    *,
    dry_run_to: Path | None,
    from_line: FromLine,
    kind: str | None,
    options: tuple[str, ...],
    check_run: bool,
    on_hold: str,
    force: bool,
    json_wanted: bool,
) -> None:
    """Send FILE to one machine, and stay until it has done it all.

    \b
    fabctl stream part.gcode --driver marlin --port /dev/ttyUSB0
    fabctl stream sign.nc --driver grbl --port /dev/ttyACM0 --check-run
    fabctl stream part.gcode --driver octoprint --port http://octopi.local --option api_key_file=KEY
    fabctl stream part.gcode --driver marlin --port /dev/ttyUSB0 --from-line 15000

    PORT is anything that pyserial's serial_for_url takes, or a server's address. The file is
    checked before anything is sent. Heaters, spindle and laser are turned off when the port opens
    and when the program ends, however it ends. Ctrl-C stops cleanly: no more lines, and the same
    off.

    --from-line goes on with a line in the middle. It shows where the tool will go, in which order
    and how hot, and begins once you typed the line's number again; a script has to give the line's
    exact text with --confirm-line. A printer homes X and Y, never Z.

    At a terminal p pauses, Enter goes on, s stops. Elsewhere kill -USR1 goes on. Every pause is
    said, with its reason. One that nobody here asked for (a button at the machine, a damaged byte)
    waits; --on-hold says otherwise. No option goes on by itself where the program waits for a
    person (M0) or a door was open.

    Progress goes to stderr. --json prints to stdout, at the end, {"lines", "bytes", "seconds",
    "lines_per_second", "resends", "outcome": "finished", "stopped" or "failed", "reason",
    "pauses": how often it was held, "pause_reasons"}.

    A dry run needs no PORT; with --json it prints {"outcome": "dry-run", "lines", "bytes", "file"}.

    Exit codes: 0 finished, 1 failed (or cancelled at the machine), 2 refused before anything
    was sent, 130 stopped with Ctrl-C (143 with SIGTERM, 129 with SIGHUP).
    """
    clock = SystemClock()
    try:
        from_line.check(driver_name, kind)
        if dry_run_to is not None:
            port = port or NO_PORT
        profile = profile_of(driver_name, kind, port, baud or 0, dict(map(own_option, options)))
        own = own_options(baud=baud, window=window, check_run=check_run)
        whole = check(file, profile.kind, force=force)
        driver = find_driver_with(profile, own, clock)
        with resumed(whole, profile.kind, from_line, sends=dry_run_to is None) as job:
            if dry_run_to is not None:
                _dry_run(driver, driver_name, job, dry_run_to, json_wanted=json_wanted)
                return
            with hear_signals() as signals:
                number = from_line.line or 0
                run = Streaming(
                    driver,
                    job,
                    clock,
                    signals,
                    profile.kind,
                    from_line=number,
                    on_hold=OnHold(on_hold),
                    if_locked=IF_LOCKED.get(driver_name),
                )
                result = run.run()
    except FabError as error:
        if json_wanted:
            click.echo(as_json(refused(error)))
        raise
    _finish(result, signals, json_wanted=json_wanted)


def _dry_run(driver: Driver, name: str, job: JobFile, out: Path, *, json_wanted: bool) -> None:
    if out.exists() and out.samefile(job.path):
        raise InputError("--dry-run would overwrite the file itself", device=str(out))
    written = dry_run(driver, name, job, out)
    if json_wanted:
        told = {"outcome": "dry-run", "lines": job.commands, "bytes": written, "file": str(out)}
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        click.echo(f"{written} bytes written to {out}")


def _finish(result: Result, signals: Signals, *, json_wanted: bool) -> None:
    click.echo(as_json(result) if json_wanted else sentence(result))
    if result.outcome == Outcome.FINISHED:
        return
    by_signal = result.outcome == Outcome.STOPPED and signals.number is not None
    code = EXIT_SIGNALS + (signals.number or 0) if by_signal else EXIT_FAILED
    raise click.exceptions.Exit(code)
