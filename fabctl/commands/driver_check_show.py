"""What ``fabctl driver-check`` prints."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence

import click

from fabctl.driver_contract.results import Check, Result, State
from fabctl.driver_contract.running import is_kept
from fabctl.driver_contract.standin import known_drivers

_WORDS = {
    State.PASSED: ("ok", "green"),
    State.FAILED: ("FAILED", "red"),
    State.NOT_APPLICABLE: ("n/a", "bright_black"),
    State.NOT_REACHED: ("not reached", "yellow"),
}


def list_checks(checks: Iterable[Check]) -> None:
    """Print every check with what it proves, and the drivers that there are."""
    for check in checks:
        click.echo(f"{check.name}\n    {check.proves}\n    ({check.source})")
    click.echo(f"\nDrivers here: {', '.join(known_drivers())}")


def as_they_come(
    name: str, results: Iterable[Result], checks: Sequence[Check], *, quiet: bool
) -> list[Result]:
    """Print each result when it is there; return them all.

    :param quiet: to stderr, and only where that is a terminal.
    """
    done: list[Result] = []
    width = max(len(check.name) for check in checks)
    is_terminal = sys.stderr.isatty()
    if not quiet:
        click.echo(f"The driver {name}, {len(checks)} checks")
    coming = iter(results)
    for number, check in enumerate(checks, 1):
        if is_terminal:
            click.echo(f"\r{number}/{len(checks)} {check.name:{width}} …", err=True, nl=False)
        done.append(next(coming))
        if is_terminal:
            click.echo("\r" + " " * (width + 12) + "\r", err=True, nl=False)
        if not quiet:
            click.echo(_line(done[-1], width))
    return done


def _line(result: Result, width: int) -> str:
    word, colour = _WORDS[result.state]
    mark = click.style(f"{word:11}", fg=colour)
    line = f"{mark} {result.check.name:{width}} {result.seconds:5.1f} s"
    if not result.reason:
        return line
    if result.state is State.FAILED:
        check = result.check
        return f"{line}\n{'':12}{result.reason}\n{'':12}must hold: {check.proves} ({check.source})"
    return f"{line}  {result.reason}"


def summary(results: Sequence[Result]) -> str:
    """Return the last line: how many ended how."""
    counts = Counter(result.state for result in results)
    parts = ", ".join(f"{counts[state]} {state.value}" for state in State)
    verdict = "keeps" if is_kept(results) else "does not keep"
    seconds = sum(result.seconds for result in results)
    return f"{parts}, in {seconds:.0f} s: the driver {verdict} the contract, as far as it was tried"


def as_json(name: str, results: Sequence[Result]) -> str:
    """Return all results as one JSON object."""
    rows = [
        {
            "check": result.check.name,
            "proves": result.check.proves,
            "source": result.check.source,
            "state": result.state.value,
            "reason": result.reason or None,
            "seconds": round(result.seconds, 2),
        }
        for result in results
    ]
    told = {"driver": name, "kept": is_kept(results), "checks": rows}
    return json.dumps(told, ensure_ascii=False)
