"""``fabctl interlock ID --commission``: the checks, one by one, against the running daemon.

It reads; it never arms, clears or bypasses anything. What it cannot read, the person measures.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import fabctl
from fabctl.commands.interlock_checklist import Check, checklist
from fabctl.commands.interlock_line import InterlockLine, Words
from fabctl.config_interlock import summary_line
from fabctl.errors import DeviceError
from fabctl.interlock import InterlockProfile

HANDS = ("y", "n", "s")


@dataclass(frozen=True, slots=True)
class Finding:
    """How one check went."""

    check: Check
    result: str
    """passed, FAILED or left out."""
    read: str
    """What was read at the end, or who measured."""


class Commissioning:
    """One walk through the list.

    :param say: takes one line for the person.
    :param ask: asks one question and returns the line that was typed.
    """

    def __init__(
        self, profile: InterlockProfile, say: Callable[[str], None], ask: Callable[[str], str]
    ) -> None:
        self._profile = profile
        self._say = say
        self._ask = ask
        self._boots: list[str] = []
        self.findings: list[Finding] = []

    @property
    def passed(self) -> bool:
        """Whether every check passed, none left out."""
        return bool(self.findings) and all(one.result == "passed" for one in self.findings)

    @property
    def count(self) -> str:
        """How many passed, in words."""
        passed = sum(one.result == "passed" for one in self.findings)
        return f"{passed} of {len(self.findings)} checks passed"

    def run(self) -> None:
        """Make every check once.

        :raises DeviceError: the daemon does not run.
        """
        checks = checklist(self._profile)
        with InterlockLine(self._profile.socket) as line:
            self._note_boot(line.state())
        for number, check in enumerate(checks, 1):
            self._say(f"\n{number} of {len(checks)}: {check.do}")
            self._say(f"   expected: {check.expect}")
            finding = self._measured(check) if check.holds is None else self._read(check)
            self._say(f"   {finding.result}: {finding.read}")
            self.findings.append(finding)

    def report(self, now: datetime, lab: str) -> str:
        """Return the report as text.

        :param now: aware, in the lab's zone.
        """
        lines = [
            f"Commissioning of the interlock {self._profile.machine}, {lab}",
            f"{now:%Y-%m-%d %H:%M %Z}, fabctl {fabctl.__version__} on {platform.node()}",
            summary_line(self._profile),
            f"boots of the daemon seen: {', '.join(self._boots)}",
            "",
        ]
        for number, one in enumerate(self.findings, 1):
            lines += [
                f"{number:2}  {one.result:<8}  {one.check.do}",
                f"              expected: {one.check.expect}",
                f"              read:     {one.read}",
            ]
        verdict = "All checks passed." if self.passed else "NOT all checks passed: do not use it."
        signed = "Checked by: ____________________   Signature: ____________________"
        return "\n".join([*lines, "", f"{self.count}. {verdict}", "", signed, ""])

    def _measured(self, check: Check) -> Finding:
        answer = ""
        while answer not in HANDS:
            answer = self._ask("   is it so? y, n, or s to leave it out").strip().lower()[:1]
        result = {"y": "passed", "n": "FAILED", "s": "left out"}[answer]
        return Finding(check, result, "measured by hand")

    def _read(self, check: Check) -> Finding:
        answer = self._ask("   Enter once it is done, s to leave it out").strip().lower()
        if answer == "s":
            return Finding(check, "left out", "nothing")
        holds = check.holds
        assert holds is not None  # noqa: S101  # the caller looked
        with self._line() as line:
            found = line.state()
            if not holds(found):
                self._say("   waiting …")
                later = line.wait(lambda words: "state" in words and holds(words), check.within_s)
                found = later if later is not None else line.state()
        self._note_boot(found)
        return Finding(check, "passed" if holds(found) else "FAILED", _brief(found))

    def _line(self) -> InterlockLine:
        try:
            return InterlockLine(self._profile.socket)
        except DeviceError as error:
            self._say(f"   {error}")
            self._ask("   Enter once it runs again")
            return InterlockLine(self._profile.socket)

    def _note_boot(self, state: Words) -> None:
        if state["boot"] not in self._boots:
            self._boots.append(state["boot"])


def _brief(state: Words) -> str:
    inputs = ", ".join(f"{role} {one['condition']}" for role, one in state["inputs"].items())
    outputs = "on" if state["outputs_on"] else "off"
    why = state.get("fault") or state.get("cause") or "no cause"
    return f"{state['state']} ({why}), outputs {outputs}; {inputs}"
