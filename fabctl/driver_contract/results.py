"""What a check is, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fabctl.driver_contract.bench import Bench


class State(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"
    NOT_REACHED = "not reached"
    """What another check is about went wrong first; that one says what."""


@dataclass(frozen=True, slots=True)
class Check:
    """One promise, and how it is tried.

    :param name: stable, for people and for scripts.
    :param proves: one sentence.
    :param source: where the promise stands, mostly in :mod:`fabctl.ports`.
    :param run: tries it on a fresh bench; None where it is watched throughout all others.
    """

    name: str
    proves: str
    source: str
    run: Callable[[Bench], None] | None


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one check; ``reason`` is empty when it passed."""

    check: Check
    state: State
    reason: str
    seconds: float


class FailedError(Exception):
    """The driver does not keep this promise; the text says what was seen."""


class NotApplicableError(Exception):
    """This driver, or what it is tried with, has nothing to try it on."""


class NotReachedError(Exception):
    """Something else went wrong first."""


def expect(holds: bool, otherwise: str) -> None:
    """Go on if it holds.

    :raises FailedError: it does not.
    """
    if not holds:
        raise FailedError(otherwise)
