"""``fabctl interlock ID --commission``: the checks, one by one, against the running daemon.

It reads; it never arms, clears or bypasses anything. What the daemon tells is read; what only a
person can see or measure is asked, and neither stands for the other.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import fabctl
from fabctl.commands.interlock_check import Check, names_of
from fabctl.commands.interlock_checklist import checklist
from fabctl.commands.interlock_findings import FAILED, LEFT_OUT, PASSED, Finding, Notes
from fabctl.commands.interlock_line import InterlockLine, Words
from fabctl.commands.interlock_readings import Figure, Question, Reading, Sight
from fabctl.config_interlock import summary_line
from fabctl.errors import DeviceError
from fabctl.interlock import InterlockProfile

NUMBER = re.compile(r"\d{1,6}([.,]\d{1,6})?")
LEAVE_OUT, GIVEN_UP = "s", "f"


class Commissioning:
    """One walk through the list; it ends at the first check that fails.

    :param notes: where the answers are kept meanwhile.
    :param say: takes one line for the person.
    :param ask: asks one question and returns the line that was typed.
    :param now: returns the time, aware, in the lab's zone.
    :raises InputError: there are notes that are of something else.
    """

    def __init__(
        self,
        profile: InterlockProfile,
        notes: Path,
        say: Callable[[str], None],
        ask: Callable[[str], str],
        now: Callable[[], datetime],
    ) -> None:
        self._profile = profile
        self._names = names_of(profile)
        self._checks = checklist(profile)
        self._say, self._ask, self._now = say, ask, now
        self.notes = Notes(notes, profile, self._checks)

    @property
    def passed(self) -> bool:
        """Whether every check of this interlock's list was made, and passed by both."""
        return [(one.number, one.result) for one in self.notes.findings] == [
            (number, PASSED) for number, _ in self._checks
        ]

    @property
    def count(self) -> str:
        """How many passed, in words."""
        passed = sum(one.result == PASSED for one in self.notes.findings)
        return f"{passed} of {len(self._checks)} checks passed"

    def run(self) -> None:
        """Make every check that was not made yet.

        :raises DeviceError: the daemon does not run.
        """
        done = len(self.notes.findings)
        if done:
            self._say(f"{done} checks were made before ({self.notes.path}); it goes on there.")
        with InterlockLine(self._profile.socket) as line:
            self._note_boot(line.state())
        for place, (number, check) in enumerate(self._checks[done:], done + 1):
            self._say(f"\nno. {number} ({place} of {len(self._checks)}): {check.text(self._names)}")
            if self._make(number, check).result == FAILED:
                self._say("   This ends the list. Repair it, then begin at the first check.")
                return

    def _make(self, number: int, check: Check) -> Finding:
        daemon, read = ("", "") if check.read is None else self._read(check.read)
        person, answers = self._questions(check.ask) if daemon != FAILED else ("", ())
        at = f"{self._now():%Y-%m-%dT%H:%M:%S%z}"
        finding = Finding(number, check.key, at, daemon, read, person, answers)
        self._say(f"   {finding.result}")
        self.notes.findings.append(finding)
        self.notes.before = None
        self.notes.keep()
        return finding

    # -- what the daemon tells -------------------------------------------------------------------

    def _read(self, reading: Reading) -> tuple[str, str]:
        self._say(f"   the daemon must tell: {reading.words}")
        before = self.notes.before
        if before is None:
            with self._line() as line:
                before = self.notes.before = line.state()
            self.notes.keep()
        question = "   Enter once it is done, f if it cannot be, s to leave it out"
        while True:
            answer = self._ask(question).strip().lower()
            if answer == LEAVE_OUT:
                return LEFT_OUT, ""
            found = self._wait(reading, before, 0.0 if answer == GIVEN_UP else reading.within_s)
            if reading.holds(found, before):
                return PASSED, _brief(found)
            if answer == GIVEN_UP:
                return FAILED, _brief(found)
            self._say(f"   not so: {_brief(found)}")
            question = "   Enter to read again, f if it failed, s to leave it out"

    def _wait(self, reading: Reading, before: Words, within_s: float) -> Words:
        with self._line() as line:
            found = line.state()
            if within_s and not reading.holds(found, before):
                self._say("   waiting …")
                line.wait(
                    lambda words: "state" in words and reading.holds(words, before),
                    within_s,
                )
                found = line.state()
        self._note_boot(found)
        return found

    def _line(self) -> InterlockLine:
        while True:
            try:
                return InterlockLine(self._profile.socket)
            except DeviceError as error:
                self._say(f"   {error}")
                self._ask("   Enter once it runs again")

    def _note_boot(self, state: Words) -> None:
        if state["boot"] not in self.notes.boots:
            self.notes.boots.append(state["boot"])

    # -- what a person sees ----------------------------------------------------------------------

    def _questions(self, questions: tuple[Question, ...]) -> tuple[str, tuple[str, ...]]:
        found = [
            self._figure(one) if isinstance(one, Figure) else self._sight(one) for one in questions
        ]
        results = {result for result, _ in found}
        worst = next((one for one in (FAILED, LEFT_OUT, PASSED) if one in results), "")
        return worst, tuple(answer for _, answer in found)

    def _sight(self, sight: Sight) -> tuple[str, str]:
        typed = ""
        while typed not in {"yes", "no", LEAVE_OUT}:
            typed = self._ask(f"   {sight.words} yes, no, or s to leave it out").strip().lower()
        if typed == "no":
            seen = self._ask("   What did you see instead").strip()
            return FAILED, f"{sight.words} no: {seen}"
        return (PASSED if typed == "yes" else LEFT_OUT), f"{sight.words} {typed}"

    def _figure(self, figure: Figure) -> tuple[str, str]:
        typed = ""
        while typed != LEAVE_OUT and not NUMBER.fullmatch(typed):
            asked = f"   {figure.words}: how many {figure.unit} ({figure.limits}), or s"
            typed = self._ask(asked).strip().lower()
        if typed == LEAVE_OUT:
            return LEFT_OUT, f"{figure.words}: {typed}"
        value = float(typed.replace(",", "."))
        told = f"{figure.words}: {value:g} {figure.unit} ({figure.limits})"
        return (PASSED if figure.least <= value <= figure.most else FAILED), told

    # -- the report ------------------------------------------------------------------------------

    def report(self, lab: str) -> str:
        """Return the report as text."""
        now = self._now()
        lines = [
            f"Commissioning of the interlock {self._profile.machine}, {lab}",
            f"{now:%Y-%m-%d %H:%M %Z}, fabctl {fabctl.__version__} on {platform.node()}",
            summary_line(self._profile),
            f"boots of the daemon seen: {', '.join(self.notes.boots)}",
            "",
        ]
        checks = dict(self._checks)
        for one in self.notes.findings:
            lines += self._told(checks[one.number], one)
        missing = [str(number) for number, _ in self._checks[len(self.notes.findings) :]]
        if missing:
            lines.append(f"not made: {', '.join(missing)}")
        verdict = "All checks passed." if self.passed else "NOT all checks passed: do not use it."
        signed = "Checked by: ____________________   Signature: ____________________"
        return "\n".join([*lines, "", f"{self.count}. {verdict}", "", signed, "", signed, ""])

    def _told(self, check: Check, one: Finding) -> list[str]:
        lines = [f"{one.number:3}  {one.result:<8}  {check.text(self._names)}  [{one.at}]"]
        if check.read is not None:
            lines.append(f"       daemon  must tell: {check.read.words}")
            lines.append(f"       daemon  {one.daemon or 'not read'}: {one.read}")
        lines += [f"       person  {answer}" for answer in one.answers]
        return lines


def _brief(state: Words) -> str:
    inputs = ", ".join(f"{role} {one['condition']}" for role, one in state["inputs"].items())
    outputs = "on" if state["outputs_on"] else "off"
    why = state.get("fault") or state.get("cause") or "no cause"
    return f"{state['state']} ({why}), outputs {outputs}; {inputs}"
