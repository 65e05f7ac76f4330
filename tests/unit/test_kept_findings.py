"""What is wrong is looked for now and then; a look without an end holds no page, and is said."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from fabctl.clock import ManualClock
from fabctl.model.doctor import Finding, Severity, fine
from fabctl.model.texts import text
from fabctl.units import Seconds
from fabctl_web.kept_findings import KEPT_FOR, PATIENCE, KeptFindings

WELL = (fine("python", text("Python {version}.", version="3.11")),)
LONG = Seconds(60.0)


def looked() -> None:
    """Wait for whoever looks."""
    for thread in threading.enumerate():
        if thread.name == "findings":
            thread.join(LONG)


def test_it_is_looked_again_when_what_was_found_is_old() -> None:
    clock, kept = ManualClock(), KeptFindings()
    asked_for: list[float] = []

    def look(asked: Seconds) -> Sequence[Finding]:
        asked_for.append(asked)
        return WELL

    assert kept.get(clock, look, patience_s=LONG) == WELL
    clock.advance(KEPT_FOR - 1)
    kept.get(clock, look, patience_s=LONG)
    assert asked_for == [0]
    clock.advance(1)
    kept.get(clock, look, patience_s=LONG)
    assert asked_for == [0, KEPT_FOR]


def test_a_look_without_an_end_holds_no_page_and_is_said() -> None:
    clock, kept, answers = ManualClock(), KeptFindings(), threading.Event()
    looks: list[float] = []

    def look(asked: Seconds) -> Sequence[Finding]:
        looks.append(asked)
        if asked > 0:
            answers.wait(LONG)
        return WELL

    def told() -> list[Severity]:
        return [one.severity for one in kept.get(clock, look, patience_s=Seconds(0.0))]

    kept.get(clock, look, patience_s=LONG)
    clock.advance(KEPT_FOR)
    assert told() == [Severity.FINE], "what was found before"
    clock.advance(PATIENCE)
    assert told() == [Severity.WARN, Severity.FINE]
    clock.advance(KEPT_FOR)
    assert told() == [Severity.WARN, Severity.FINE]
    answers.set()
    looked()
    assert looks == [0, KEPT_FOR], "no second thread waited beside the first"
    clock.advance(KEPT_FOR)
    assert kept.get(clock, look, patience_s=LONG) == WELL


def test_the_very_first_look_without_an_end_holds_one_page_only() -> None:
    clock, kept, answers = ManualClock(), KeptFindings(), threading.Event()

    def look(_asked: Seconds) -> Sequence[Finding]:
        answers.wait(LONG)
        return WELL

    assert kept.get(clock, look, patience_s=Seconds(0.0)) == ()
    clock.advance(LONG)
    told = kept.get(clock, look, patience_s=LONG)
    assert [one.severity for one in told] == [Severity.WARN], "its time is over already"
    answers.set()
    looked()


def test_a_look_that_fails_is_not_known() -> None:
    def look(_asked: Seconds) -> Sequence[Finding]:
        raise ZeroDivisionError

    found = KeptFindings().get(ManualClock(), look, patience_s=LONG)
    assert [(one.check, one.severity) for one in found] == [("look", Severity.UNKNOWN)]
