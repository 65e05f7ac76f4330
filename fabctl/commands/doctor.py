"""``fabctl doctor``: everything that is wrong with a lab, and what to do about it."""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import click

from fabctl.clock import SystemClock
from fabctl.commands.options import SYSTEM_CONFIG, find_config
from fabctl.config import LabConfig
from fabctl.config_file import ConfigError, load
from fabctl.errors import InputError
from fabctl.i18n import translate
from fabctl.messaging.call_broker import certificate_of, listen
from fabctl.messaging.lab_findings import clock_facts, process_facts, steward_facts
from fabctl.messaging.lab_view import LabView
from fabctl.model.doctor import Finding, Severity, anything_wrong, in_order
from fabctl.model.doctor_lab import check_broker, check_certificate, check_file
from fabctl.model.doctor_parts import (
    ProcessFacts,
    check_other_clock,
    check_process,
    check_steward,
)
from fabctl.services.doctor import clock_findings, findings_here, held_locks
from fabctl.services.doctor_computer import computer_findings
from fabctl.services.doctor_lab import (
    database_facts,
    is_desk_here,
    offered_certificates,
    remembered_faults,
)

EVERYBODY_SPEAKS_WITHIN_S = 12.0
"""The steward and the interlocks say a word every 10 s."""
WEB_ANSWERS_WITHIN_S = 3.0
MARKS = {
    Severity.BAD: "WRONG  ", Severity.WARN: "SOON   ",
    Severity.UNKNOWN: "UNKNOWN", Severity.FINE: "fine   ",
}  # fmt: skip
WRONG = 1


@click.command()
@click.option(
    "--config",
    "named",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="FABCTL_CONFIG",
    help=f"The lab's file. Default: ./lab.toml, else {SYSTEM_CONFIG}.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option("--all", "show_all", is_flag=True, help="Also print what is fine.")
@click.option(
    "--language",
    type=click.Choice(["en", "fr"]),
    default="en",
    help="Of the findings. Default: en.",
)
def doctor(named: Path | None, *, as_json: bool, show_all: bool, language: str) -> None:
    """Say everything that is wrong with the lab, and what to do about each thing.

    Looks at lab.toml, the clock, disks, power, memory, ports, the database, backups, the broker
    and every process; about 15 seconds, because it listens until each has spoken. Run it on each
    computer of the lab, on an installed one as root: sudo fabctl doctor. Nobody else may read what
    interlocks remember. It changes nothing; into each folder that fabctl writes it writes a small
    file, and deletes it.

    Exit code 0 when nothing is wrong, 1 when a person has to do something. What could not be
    looked at is said as UNKNOWN and is never counted as fine.
    """
    findings = in_order(_look(named))
    if as_json:
        click.echo(json.dumps([_plain(one, language) for one in findings], ensure_ascii=False))
    else:
        _print(findings, language, show_all=show_all)
    sys.exit(WRONG if anything_wrong(findings) else 0)


def _look(named: Path | None) -> list[Finding]:
    try:
        _progress("Reading lab.toml")
        config = load(find_config(named))
    except ConfigError as error:
        sentences = [problem.sentence(str(named or "lab.toml")) for problem in error.problems]
        return [*check_file(sentences), *_computer_alone()]
    except InputError as error:
        return [*check_file([str(error)]), *_computer_alone()]
    clock = SystemClock()
    _progress("Asking the database")
    database = database_facts(config, thorough=True)
    _progress("Looking at this computer")
    here = findings_here(config, clock, database, remembered_faults(config), by_writing=True)
    return [*check_file(()), *here, *_spoken(config, clock), *_web(config, clock)]


def _computer_alone() -> list[Finding]:
    return [*clock_findings(SystemClock(), None), *computer_findings((), by_writing=False)]


def _spoken(config: LabConfig, clock: SystemClock) -> list[Finding]:
    """Listen to the broker until every process has spoken, or long enough."""
    view = LabView(config.id, {one.id: one.host for one in config.machines.values()}, clock)
    held = held_locks(config)

    def all_heard() -> bool:
        return all(one.speaks for one in process_facts(config, view, held, waited=False))

    _progress(f"Listening to the broker, {EVERYBODY_SPEAKS_WITHIN_S:.0f} s at most")
    client = f"doctor-{os.getpid()}"
    broker, certificates = listen(config, view, client, all_heard, EVERYBODY_SPEAKS_WITHIN_S)
    heard = broker.connected is True and is_desk_here(config)
    processes = process_facts(config, view, held, waited=heard)
    found = [
        check_broker(replace(broker, own=config.broker.url is None)),
        *(check_certificate(c, clock.now()) for c in certificates),
    ]
    found += [check_process(one) for one in processes]
    if heard:
        found += check_steward(steward_facts(view), clock.now())
        found += [one for facts in clock_facts(config, view) for one in check_other_clock(facts)]
    return found


def _web(config: LabConfig, clock: SystemClock) -> list[Finding]:
    """Ask the web for its word, and look at the certificates that others are shown."""
    if not is_desk_here(config):
        return []
    _progress("Asking the web")
    found = [check_process(ProcessFacts("web", "fabctl-web", speaks=_web_speaks(config)))]
    for host, port, ca_file in offered_certificates(config):
        found.append(check_certificate(certificate_of(host, port, ca_file), clock.now()))
    return found


def _web_speaks(config: LabConfig) -> bool | None:
    if config.web.port == 0:
        return None  # the system chose one: nobody here knows which
    host = config.web.address_here
    place = f"[{host}]" if ":" in host else host
    try:
        # our own address, whatever the environment says of proxies
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(
            f"http://{place}:{config.web.port}/health", timeout=WEB_ANSWERS_WITHIN_S
        ) as answer:
            return bool(json.load(answer).get("ok"))
    except (OSError, ValueError, urllib.error.URLError):
        return False


def _progress(line: str) -> None:
    click.echo(f"{line} …", err=True)


def _plain(finding: Finding, language: str) -> dict[str, str | None]:
    step = finding.next_step
    return {
        "check": finding.check,
        "subject": finding.subject,
        "severity": finding.severity.value,
        "message": translate(finding.message, language),
        "next_step": None if step is None else translate(step, language),
    }


def _print(findings: list[Finding], language: str, *, show_all: bool) -> None:
    for one in findings:
        if one.severity is Severity.FINE and not show_all:
            continue
        click.echo(f"{MARKS[one.severity]}  {translate(one.message, language)}")
        if one.next_step is not None:
            click.echo(f"         → {translate(one.next_step, language)}")
    counts = {severity: sum(one.severity is severity for one in findings) for severity in Severity}
    click.echo(
        f"{counts[Severity.BAD]} wrong, {counts[Severity.WARN]} soon, "
        f"{counts[Severity.UNKNOWN]} not known, {counts[Severity.FINE]} fine."
    )
