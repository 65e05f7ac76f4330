"""``fabctl driver-check``: does a driver keep what fabctl asks of every driver?"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fabctl.errors import InputError
from fabctl.ports import MachineKind

if TYPE_CHECKING:
    from fabctl.driver_contract.results import Check
    from fabctl.driver_contract.standin import AtPort, StandIn

EXIT_BROKEN = 1
EXIT_CTRL_C = 130
BEWARE = """\
This works a machine that nobody simulates: {port}
  - it is opened about {openings} times; many boards reset when their port opens
  - {motion}
  - an alarm is cleared, as if you had looked
  - jobs are paused, stopped and cut off in the middle; the tool stays where it is
Stand at the machine, hand on its emergency stop, with nothing in the way."""
MOTION = """{file} is started about {times} times, from wherever the tool stands then; a driver with
    faults may also jog or home where it must refuse"""
NO_MOTION = "no job is started and nothing is moved by hand, because no --job was given"
OPENINGS, STARTS = 40, 16


@click.command("driver-check")
@click.argument("name", required=False)
@click.option("--stand-in", metavar="MODULE:ATTRIBUTE", help="Instead of the one it brings.")
@click.option("--port", metavar="PORT", help="A machine, instead of a stand-in; asks first.")
@click.option("--confirm-port", metavar="PORT", help="The same again, for scripts: do not ask.")
@click.option("--baud", type=click.IntRange(1), help="Of the port.")
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in MachineKind]),
    help="What the machine at the port is. Without it: other.",
)
@click.option(
    "--job",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A file of some seconds, for the machine at the port.",
)
@click.option(
    "--long-job",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="One of a minute or more. Without it: the same.",
)
@click.option(
    "--option", "options", multiple=True, metavar="KEY=VALUE", help="An option of the driver's own."
)
@click.option(
    "--gives-up-within",
    type=click.FloatRange(1),
    default=30.0,
    show_default=True,
    metavar="S",
    help="A job must have failed so long after the machine at the port was lost.",
)
@click.option(
    "--goes-on-alone", is_flag=True, help="The machine at the port holds whole files itself."
)
@click.option("--only", "only", multiple=True, metavar="CHECK", help="Only this one; repeatable.")
@click.option("--list", "list_wanted", is_flag=True, help="List the checks and drivers; try none.")
@click.option("--json", "json_wanted", is_flag=True, help="Print one JSON object at the end.")
def driver_check(
    name: str | None,
    stand_in: str | None,
    port: str | None,
    confirm_port: str | None,
    *,
    only: tuple[str, ...],
    list_wanted: bool,
    json_wanted: bool,
    **at_port: object,
) -> None:
    """Try whether the driver NAME keeps what fabctl asks of every driver.

    \b
    fabctl driver-check marlin
    fabctl driver-check mine --stand-in my_package.simulated:machine
    fabctl driver-check mine --port /dev/ttyUSB0 --baud 115200 --job part.gcode
    fabctl driver-check --list

    The same checks are part of fabctl's own tests, for its own drivers. NAME is an entry of the
    group fabctl.drivers in any installed package; the stand-in is the entry of the same name in
    fabctl.driver_standins. Every check opens the driver anew, on a cable that is cut, silent or
    noisy when the check is about that.

    With --port a machine is worked. Without --job nothing is started on it. It begins once you
    typed the port's name again (a script: --confirm-port); there is no --yes. A serial port has
    no cable in our hand, so checks that cut it are not applicable there. What a machine at a port
    has turned on, you must see yourself.

    docs/driver-development.md says how to write a driver.

    Exit codes: 0 every check passed that could be tried, 1 some did not, 2 refused (nothing was
    tried), 130 stopped with Ctrl-C.
    """
    from fabctl.commands import driver_check_show as show  # noqa: PLC0415  # --help stays quick
    from fabctl.driver_contract.catalogue import CHECKS  # noqa: PLC0415  # the same
    from fabctl.driver_contract.running import is_kept, run_checks  # noqa: PLC0415  # the same
    from fabctl.hosting.drivers import find_factory  # noqa: PLC0415  # the same

    if list_wanted:
        show.list_checks(CHECKS)
        return
    _known(name)
    assert name is not None  # noqa: S101  # _known has looked
    if port is None and (confirm_port or any(_given(at_port))):
        raise InputError("--job, --baud, --kind and their like belong to --port")
    checks = _chosen(CHECKS, only)
    factory = find_factory(name, name)
    machine = None if port is None else _at_port(port, name, at_port)
    if machine is not None:
        _confirm(machine, confirm_port, _file(at_port["job"]))
    try:
        with _standing_in(name, stand_in, machine) as standin:
            told = run_checks(factory, name, standin, checks)
            results = show.as_they_come(name, told, checks, quiet=json_wanted)
    except KeyboardInterrupt:
        raise click.exceptions.Exit(EXIT_CTRL_C) from None
    click.echo(show.as_json(name, results) if json_wanted else show.summary(results))
    if not is_kept(results):
        raise click.exceptions.Exit(EXIT_BROKEN)


def _given(at_port: dict[str, object]) -> Iterator[object]:
    return (value for key, value in at_port.items() if key != "gives_up_within")


def _known(name: str | None) -> None:
    from fabctl.driver_contract.standin import known_drivers  # noqa: PLC0415  # see above

    known = known_drivers()
    if name not in known:
        what = "which driver?" if name is None else f"no driver is called {name!r}"
        raise InputError(what, next_step=f"one of: {', '.join(known)}")


def _chosen(checks: Iterable[Check], only: tuple[str, ...]) -> list[Check]:
    chosen = [check for check in checks if not only or check.name in only or check.run is None]
    unknown = set(only) - {check.name for check in chosen}
    if unknown:
        raise InputError(
            f"no check is called {', '.join(sorted(unknown))}",
            next_step="fabctl driver-check --list",
        )
    return chosen


def _at_port(port: str, name: str, given: dict[str, object]) -> AtPort:
    from fabctl.commands.stream_job import check, own_option  # noqa: PLC0415  # see above
    from fabctl.driver_contract.standin import AtPort  # noqa: PLC0415  # see above
    from fabctl.usual import usual_baud  # noqa: PLC0415  # see above

    kind = str(given["kind"] or MachineKind.OTHER.value)
    job, long_job = _file(given["job"]), _file(given["long_job"])
    if long_job is not None and job is None:
        raise InputError("--long-job needs --job as well")
    for file in filter(None, (job, long_job)):
        check(file, MachineKind(kind), force=False)
    text = job.read_text(encoding="latin-1") if job else ""
    options = given["options"]
    assert isinstance(options, tuple)  # noqa: S101  # click's
    return AtPort(
        port=port,
        baud=int(str(given["baud"] or usual_baud(name))),
        kind=kind,
        options=dict(map(own_option, options)),
        job=text,
        long_job=long_job.read_text(encoding="latin-1") if long_job else text,
        gives_up_within_s=float(str(given["gives_up_within"])),
        goes_on_alone=bool(given["goes_on_alone"]),
    )


def _file(value: object) -> Path | None:
    return value if isinstance(value, Path) else None


def _confirm(machine: AtPort, confirmed: str | None, job: Path | None) -> None:
    """Return once a person at the machine gave its port's name again.

    :raises InputError: nobody did.
    """
    motion = MOTION.format(file=job.name, times=STARTS) if job else NO_MOTION
    if confirmed is None and sys.stdin.isatty():
        click.echo(BEWARE.format(port=machine.port, openings=OPENINGS, motion=motion), err=True)
        confirmed = click.prompt("Type the port's name again to begin", err=True)
    if confirmed != machine.port:
        raise InputError(
            "nobody confirmed that this machine may be worked",
            device=machine.port,
            next_step="stand at it and type its port's name again, or add --confirm-port PORT",
        )


@contextmanager
def _standing_in(name: str, named: str | None, machine: AtPort | None) -> Iterator[StandIn]:
    from fabctl.driver_contract.standin import find_standin  # noqa: PLC0415  # see above

    if machine is not None:
        if named is not None:
            raise InputError("--stand-in and --port exclude each other")
        yield machine
        return
    make = find_standin(name, named)
    with tempfile.TemporaryDirectory(prefix="si") as folder, make(Path(folder)) as standin:
        yield standin
