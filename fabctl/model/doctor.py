"""What is wrong with a lab, in words: findings, made by pure checks from facts.

The checks stand in :mod:`fabctl.model.doctor_computer` (what one computer knows of itself) and
:mod:`fabctl.model.doctor_lab` (what its parts say). Each takes facts and returns findings. A fact
is None where nobody could look, and then the finding says so: what is unknown is never fine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from fabctl.model.texts import Text


class Severity(StrEnum):
    """How bad a finding is; in the order in which they are shown."""

    BAD = "bad"
    """Something does not work, or will be lost."""
    WARN = "warn"
    """It works now; somebody should do something soon."""
    UNKNOWN = "unknown"
    """Nobody could look."""
    FINE = "fine"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    ``check`` is a word for programs and never changes its meaning; with ``subject`` (a folder, a
    machine, or nothing) it names one finding of a lab.
    """

    check: str
    severity: Severity
    message: Text
    next_step: Text | None = None
    """What to do about it; every BAD and WARN has one."""
    subject: str = ""


def bad(check: str, message: Text, next_step: Text, subject: str = "") -> Finding:
    """Return what does not work."""
    return Finding(check, Severity.BAD, message, next_step, subject)


def warn(check: str, message: Text, next_step: Text, subject: str = "") -> Finding:
    """Return what works now, and will not for long."""
    return Finding(check, Severity.WARN, message, next_step, subject)


def unknown(check: str, message: Text, subject: str = "") -> Finding:
    """Return what nobody could look at."""
    return Finding(check, Severity.UNKNOWN, message, None, subject)


def fine(check: str, message: Text, subject: str = "") -> Finding:
    """Return what was looked at and is well."""
    return Finding(check, Severity.FINE, message, None, subject)


_ORDER = tuple(Severity)
WRONG = frozenset({Severity.BAD, Severity.WARN})


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings, the worst first; else in the order they were made."""
    return sorted(findings, key=lambda one: _ORDER.index(one.severity))


def anything_wrong(findings: Iterable[Finding]) -> bool:
    """Say whether a person has to do something."""
    return any(one.severity in WRONG for one in findings)


def whole_days(span: timedelta) -> int:
    """Return the whole days of a span, towards zero."""
    return int(abs(span).total_seconds() // 86_400)
