"""``fabctl demo``: a seeded lab with simulated machines, in one command."""

from __future__ import annotations

import json
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import click

from fabctl.config import LabConfig
from fabctl.errors import InputError, LocalError
from fabctl.this_computer import this_host

DEFAULT_PORT = 8080
MACHINES = {"printer-a": 1.0, "printer-b": 20.0, "mill": 20.0}
"""The machines with a stand-in, and how many times faster than life each runs."""
MILL_SETTINGS = ("30=24000", "110=3000", "111=3000", "112=1500")
"""The mill's spindle in rpm and its axes in mm/min, as Grbl numbers its settings."""
FIRST_PRINTER, FIRST_LOGIN = "printer-a", "karim"
MARK = "demo.json"


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the lab in this folder, for the next time. Default: a new one, removed at the end.",
)
@click.option("--fresh", is_flag=True, help="With --data: begin anew; an earlier demo there goes.")
@click.option("--address", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help=f"Where to listen. Default: {DEFAULT_PORT}, or a free one; 0: a free one.",
)
@click.option(
    "--speed",
    type=click.FloatRange(0.1, 10_000),
    default=MACHINES["printer-b"],
    show_default=True,
    help="How many times faster than life printer B works.",
)
def demo(data: Path | None, fresh: bool, address: str, port: int | None, speed: float) -> None:
    """Try it all: a lab with people, bookings, four simulated machines and an interlock.

    Prints the address to open, and whom to sign in as. One print is already running. Ctrl-C
    ends it; nothing is left behind, except with --data.

    Its people have passwords that everybody knows: with --address 0.0.0.0, everybody on your
    network can sign in.
    """
    with lab_folder(data, fresh=fresh) as folder:
        config = _write_config(folder, address, _free_port(address, port))
        sys.exit(_run(config, {**MACHINES, "printer-b": speed}))


@contextmanager
def lab_folder(kept: Path | None, *, fresh: bool) -> Iterator[Path]:
    """Hand out the folder to keep, or a new one that is removed at the end.

    :raises InputError: the folder holds something that is no demo lab.
    """
    if kept is None:
        with tempfile.TemporaryDirectory(prefix="fabctl-demo-") as folder:
            yield Path(folder)
        return
    folder_is_ours = (kept / "lab.toml").exists() and (kept / "sim").is_dir()
    if kept.exists() and any(kept.iterdir()) and not folder_is_ours:
        raise InputError(
            f"{kept} holds something else than a demo lab",
            next_step="name a new folder, or an empty one",
        )
    if fresh and folder_is_ours:
        shutil.rmtree(kept)
    kept.mkdir(parents=True, exist_ok=True)
    yield kept.resolve()


def _free_port(address: str, wanted: int | None) -> int:
    """Return the port to listen on: the one named, else 8080 if it is free, else any."""
    choices = [wanted] if wanted is not None else [DEFAULT_PORT, 0]
    for choice in choices:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, choice))
            except OSError as error:
                problem = error
                continue
            return int(probe.getsockname()[1])
    raise LocalError(
        f"cannot listen on {address} port {wanted}: {problem.strerror}",
        next_step="name another one with --port",
    )


def _write_config(folder: Path, address: str, port: int) -> LabConfig:
    """Write the demo's lab.toml and read it back, checked like every other."""
    from fabctl.config_file import load  # noqa: PLC0415  # `fabctl --help` stays quick

    template = Template((files("fabctl.commands") / "demo_lab.toml").read_text())
    sim = folder / "sim"
    sim.mkdir(exist_ok=True)
    values = {
        "address": json.dumps(address),
        "port": port,
        "printer_a": json.dumps(str(sim / "printer-a")),
        "printer_b": json.dumps(str(sim / "printer-b")),
        "mill": json.dumps(str(sim / "mill")),
    }
    file = folder / "lab.toml"
    file.write_text(template.substitute(values))
    (folder / MARK).unlink(missing_ok=True)
    return load(file)


def _run(config: LabConfig, factors: dict[str, float]) -> int:
    from fabctl.hosting.lab_children import THEN  # noqa: PLC0415  # the same
    from fabctl.hosting.run_lab import run_lab, say  # noqa: PLC0415  # the same
    from fabctl.hosting.supervisor import ChildSpec  # noqa: PLC0415  # the same

    def step(name: str, rank: int, *options: str) -> ChildSpec:
        command = (sys.executable, "-m", "fabctl.commands.demo_steps", name, *options)
        return ChildSpec(name, (*command, "--config", str(config.file)), start_rank=rank, once=True)

    extra = [
        *_stand_ins(config, factors),
        step("seed", THEN),
        step("first-print", THEN + 1, "--login", FIRST_LOGIN),
    ]
    say("A lab is starting …")
    return run_lab(
        config, this_host(config, None), extra=extra, on_ready=lambda: _announce(config, say)
    )


def _stand_ins(config: LabConfig, factors: dict[str, float]) -> list[Any]:
    from fabctl.hosting.lab_children import FIRST, HARDWARE  # noqa: PLC0415  # the same
    from fabctl.hosting.supervisor import ChildSpec  # noqa: PLC0415  # the same

    specs = []
    for machine, factor in factors.items():
        profile = config.machines[machine]
        link = Path(profile.port or "")
        control = link.with_suffix(".sock")
        stored = MILL_SETTINGS if machine == "mill" else ()
        command = (
            *(sys.executable, "-m", f"fabctl_sim.{profile.driver}"),
            *("--link", str(link), "--control", str(control)),
            *("--factor", str(factor), "--record", str(link.with_suffix(".commands"))),
            *(word for pair in stored for word in ("--set", pair)),
        )
        specs.append(
            ChildSpec(
                f"sim-{machine}",
                command,
                start_rank=FIRST,
                stop_rank=HARDWARE,
                ready=link.exists,
            )
        )
    return [*specs, *_cabinets(config)]


def _cabinets(config: LabConfig) -> list[Any]:
    """Return the interlocks' cabinets. They are there first: a chip that is not is a FAULT."""
    from fabctl.commands.sim_cabinet import (  # noqa: PLC0415  # the same
        cabinet_command,
        cabinet_socket,
    )
    from fabctl.hosting.lab_children import FIRST, HARDWARE  # noqa: PLC0415  # the same
    from fabctl.hosting.supervisor import ChildSpec  # noqa: PLC0415  # the same

    return [
        ChildSpec(
            f"sim-{machine}-cabinet",
            cabinet_command(config, profile),
            start_rank=FIRST - 1,
            stop_rank=HARDWARE,
            ready=partial(_answers, cabinet_socket(config, machine)),
        )
        for machine, profile in config.interlocks.items()
    ]


def _answers(path: Path) -> bool:
    """Say whether somebody listens on a Unix socket; an earlier demo's file alone is nobody."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _announce(config: LabConfig, say: Callable[[str], None]) -> None:
    """Print the address and the people; write both for programs, last of all."""
    from fabctl.commands.demo_accounts import ACCOUNTS, write_private  # noqa: PLC0415  # the same

    accounts = json.loads((config.data_directory / ACCOUNTS).read_text())
    host = "127.0.0.1" if config.web.address in {"0.0.0.0", "::"} else config.web.address  # noqa: S104  # read, not bound
    url = f"http://{host}:{config.web.port}/"
    write_private(config.data_directory / MARK, json.dumps({"url": url, "accounts": accounts}))
    say("")
    say(f"  The lab is open:  {url}")
    say("")
    say(f"  {'Sign in as':<12}{'PIN':<10}{'or password':<20}may use")
    for person in accounts:
        certified = ", ".join(person["certified_on"]) or "nothing yet"
        say(f"  {person['login']:<12}{person['pin']:<10}{person['password']:<20}{certified}")
    say("")
    say(f"  A file to print:  {files('fabctl_sim') / 'gcode' / 'keyring_tag.gcode'}")
    sim = f"{_own_name()} sim --config {config.file}"
    say(f"  Pull a cable:     {sim} printer-b unplug   (then: plug)")
    say(f"  The laser's lid:  {sim} laser open-lid   (then: close-lid)")
    say(f"  Its green button: {sim} laser reset-press   (after “Je commence” on its page, as tom)")
    say(f"  It works:         {sim} laser run   (then: open-lid, and look at its page)")
    say("  The staff's pages: in the menu, “Démo : comme à un bureau”; then sign in by password")
    say("  Ctrl-C ends the lab.")
    say("")


def _own_name() -> str:
    """Return how this program was called, so that the line shown can be typed as it is."""
    name = Path(sys.argv[0])
    return str(name) if name.name == "fabctl" else f"{sys.executable} -m fabctl"
