"""What ``fabctl interlock ID`` does besides guarding: show, clear a fault, commission."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import click

from fabctl.commands.interlock_commission import Commissioning
from fabctl.commands.interlock_line import InterlockLine, Words
from fabctl.config import LabConfig
from fabctl.errors import InputError, LocalError
from fabctl.interlock import InterlockProfile
from fabctl.interlock_causes import SENTENCES
from fabctl.whole_files import write_whole

EXIT_FAILED = 1
PRESS = "press-reset"
"""The daemon's answer as long as nobody has pressed reset in the FAULT that is to be cleared."""
PRESSED_WITHIN_S = 30.0
ASK_EVERY_S = 0.2


def status(profile: InterlockProfile) -> None:
    """Print what the daemon tells, and what to do.

    :raises DeviceError: it does not run.
    """
    with InterlockLine(profile.socket) as line:
        for text in status_lines(line.state()):
            click.echo(text)


def status_lines(state: Words) -> list[str]:
    """Return a state as lines for a person."""
    permit = state.get("permit")
    lines = [
        f"state     {state['state']} for {state['since_s']:.0f} s",
        f"outputs   {'on' if state['outputs_on'] else 'off'}",
        f"permit    {'use ' + permit['use'] if permit else 'none'}"
        + (f", {permit['left_s']:.0f} s left" if permit else ""),
    ]
    for role, one in state["inputs"].items():
        step = f"  ({_step(one['say'])})" if one["say"] else ""
        lines.append(f"input     {role:<12} {one['condition']} for {one['age_s']:.0f} s{step}")
    code = state.get("fault") or state.get("cause") or state.get("advice")
    if code:
        lines.append(f"because   {code}: {_what(code)}")
        lines.append(f"now       {_step(code)}")
    if state.get("fault_why"):
        lines.append(f"fault     {state['fault_why']}")
    if state.get("trouble"):
        lines.append(f"disk      {state['trouble']}")
    refused = ", ".join(f"{one} {n}" for one, n in state["permits_refused"].items())
    lines.append(f"counted   {state['trips']} trips, refused permits: {refused or 'none'}")
    return lines


def clear_fault(profile: InterlockProfile) -> None:
    """Ask a supervisor at the machine for the fault's code, and have the daemon clear it.

    :raises DeviceError: the daemon does not run, or this user may not.
    :raises InputError: there is no fault, or another code was typed; nothing was cleared.
    :raises LocalError: nobody pressed reset at the machine, or the daemon could not clear it.
    """
    with InterlockLine(profile.supervisor_socket) as line:
        state = line.state()
        code = state.get("fault")
        if state["state"] != "fault" or not code:
            raise InputError(f"there is no fault: it is {state['state']}", device=profile.machine)
        click.echo(f"{profile.machine}: FAULT {code}: {_what(code)}")
        click.echo(f"  {state.get('fault_why') or ''}")
        click.echo(f"  {_step(code)}")
        typed = click.prompt("You stand at the machine and have seen to it? Type the fault's code")
        if typed.strip() != code:
            raise InputError("another code was typed; nothing was cleared", device=profile.machine)
        refusal = _cleared(line, code)
        if refusal is not None:
            raise LocalError(f"not cleared: {refusal}", device=profile.machine)
        after = line.wait(lambda words: "state" in words and words.get("fault") != code)
        if after is None:
            trouble = line.state().get("trouble") or "the fault came back at once"
            raise LocalError(f"not cleared: {trouble}", device=profile.machine)
        click.echo(f"cleared; it is now {after['state']}")


def _cleared(line: InterlockLine, code: str) -> str | None:
    """Have the daemon clear a fault once reset was pressed at the machine; return why not."""
    end, asked = time.monotonic() + PRESSED_WITHIN_S, False
    while True:
        line.say({"clear_fault": code})
        answer = line.wait(lambda words: "clear_answer" in words)
        refusal = "no answer" if answer is None else answer["clear_answer"]["code"]
        if refusal != PRESS:
            return None if refusal is None else str(refusal)
        if time.monotonic() > end:
            return f"nobody pressed reset at the machine within {PRESSED_WITHIN_S:.0f} s"
        if not asked:
            asked = True
            click.echo("Press the reset button at the machine for about a second, and let go.")
        time.sleep(ASK_EVERY_S)


def commission(config: LabConfig, profile: InterlockProfile, report: Path | None) -> None:
    """Walk a person through the checks and write the report.

    :raises DeviceError: the daemon does not run.
    :raises InputError: there is such a report already, or the person gave up.
    """

    def now() -> datetime:
        return datetime.now(config.time_zone)

    path = report or Path(f"interlock-{profile.machine}-{now():%Y-%m-%d-%H%M}.txt")
    if path.exists():
        raise InputError("there is such a report already", device=str(path))
    notes = path.with_name(f"interlock-{profile.machine}.notes.json")
    walk = Commissioning(profile, notes, click.echo, _answer, now)
    walk.run()
    write_whole(path, walk.report(config.name))
    walk.notes.forget()
    click.echo(f"{walk.count}. The report is {path}: print it and sign it.")
    if not walk.passed:
        raise click.exceptions.Exit(EXIT_FAILED)


def _answer(question: str) -> str:
    """Ask a person; the end of the input (Ctrl-D) gives up."""
    try:
        return str(click.prompt(question, default="", show_default=False))
    except click.Abort:
        raise InputError("given up; no report was written, the answers are kept") from None


def _what(code: str) -> str:
    sentence = SENTENCES.get(code)
    return "" if sentence is None else sentence.what


def _step(code: str) -> str:
    sentence = SENTENCES.get(code)
    return "" if sentence is None else sentence.next_step
