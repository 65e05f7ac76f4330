"""Drivers that are broken on purpose: each fails the check about it, and all but one no other."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from fabctl.driver_contract.bench_calls import Limits
from fabctl.driver_contract.results import State
from fabctl.driver_contract.running import is_kept, run_checks
from fabctl.errors import DeviceError
from fabctl.ports import (
    DriverEvent,
    DriverFactory,
    JobEnded,
    Outcome,
    Phase,
    PhaseChanged,
    Trouble,
)
from fabctl.units import Seconds
from fabctl_driver_example.driver import PlotterDriver
from fabctl_driver_example.standin import Plotter

QUICK = Limits(request=5.0, pump=5.0, silence=1.0)
"""Shorter than usual where the whole time is waited; the others end as soon as they can."""


class SmallPlotter(Plotter):
    """Jobs as short as they may be."""

    job = "G21\nG90\nM3 S1\n" + "G1 X20 F600\nG1 Y20\nG1 X0\nG1 Y0\n" * 4 + "M5\n"


class EndsTwice(PlotterDriver):
    """Tells a finished job's end once more."""

    def pump(self, timeout: Seconds) -> Sequence[DriverEvent]:
        events = list(super().pump(timeout))
        return events + [e for e in events if isinstance(e, JobEnded)]


class FinishesWithoutCable(PlotterDriver):
    """Takes the cable's end for the job's."""

    _closing = False

    def close(self) -> None:
        self._closing = True
        super().close()

    def pump(self, timeout: Seconds) -> Sequence[DriverEvent]:
        return [self._embellished(event) for event in super().pump(timeout)]

    def _embellished(self, event: DriverEvent) -> DriverEvent:
        if isinstance(event, JobEnded) and event.trouble is Trouble.CABLE_LOST:
            return event if self._closing else replace(event, outcome=Outcome.FINISHED)
        return event


class StartsByItself(PlotterDriver):
    """Runs again as soon as the machine answers."""

    def _introduced(self, line: str) -> None:
        super()._introduced(line)
        if self.phase is Phase.BROKEN:
            self._change(Phase.RUNNING)


class GoesOnInSecret(PlotterDriver):
    """Says that it is broken, and sends the rest of the lost job all the same."""

    def _introduced(self, line: str) -> None:
        super()._introduced(line)
        if self.phase is Phase.BROKEN:
            self._say("9:G1 X5 Y5 F600")


class BelievesNoise(PlotterDriver):
    """Takes whatever it hears for an answer."""

    def _take(self, line: str) -> None:
        if self.phase is Phase.CONNECTING and line:
            self._introduced(line)
        else:
            super()._take(line)


class BlocksForEver(PlotterDriver):
    """Waits for an answer that may never come."""

    def stop(self) -> None:
        super().stop()
        if self.phase is Phase.STOPPING:
            threading.Event().wait()


class LeaksAThread(PlotterDriver):
    """Starts a thread at every opening and never ends it."""

    def open(self) -> None:
        super().open()
        threading.Thread(target=time.sleep, args=(20.0,), daemon=True, name="left").start()


class LeaksADescriptor(PlotterDriver):
    """Opens a file at every opening and never closes it."""

    def open(self) -> None:
        super().open()
        os.open("/dev/null", os.O_RDONLY)


class RaisesInStatus(PlotterDriver):
    """An error where an event was due."""

    def pump(self, timeout: Seconds) -> Sequence[DriverEvent]:
        events = super().pump(timeout)
        if any(isinstance(e, PhaseChanged) and e.phase is Phase.CLOSED for e in events):
            raise DeviceError("the cable is out")
        return events


class TrustsTheMachine(PlotterDriver):
    """Asks who is there, and leaves on what is on."""

    def _greet(self) -> None:
        self._say("ID")
        self._due = self._clock.monotonic() + 1.0


class LeavesThePenDown(PlotterDriver):
    """Ends the job, and forgets the tool."""

    def _say(self, text: str) -> None:
        if text == "STOP" and self._job is not None:
            self._take("STOPPED")
        else:
            super()._say(text)


BROKEN: dict[DriverFactory, set[str]] = {
    EndsTwice: {"job-ends-once"},
    FinishesWithoutCable: {"cable-pulled-fails-the-job"},
    StartsByItself: {"nothing-starts-by-itself"},
    GoesOnInSecret: {"nothing-starts-by-itself"},
    BlocksForEver: {"answers-in-time"},
    LeaksAThread: {"close-leaves-nothing"},
    LeaksADescriptor: {"close-leaves-nothing"},
    RaisesInStatus: {"raises-only-what-is-meant"},
    BelievesNoise: {"noise-is-no-answer"},
    TrustsTheMachine: {"opening-makes-safe"},
    LeavesThePenDown: {"stop-turns-everything-off", "close-turns-everything-off"},
}
BY_CHANCE_MORE = {BelievesNoise}
"""What the machine still says of the check before is noise, too: a job may begin too early."""


@pytest.mark.parametrize("driver", BROKEN, ids=lambda driver: driver.__name__)
def test_a_broken_driver_fails_what_it_breaks(driver: DriverFactory) -> None:
    plotter = SmallPlotter()
    try:
        results = list(run_checks(driver, "example", plotter, limits=QUICK))
    finally:
        plotter.end()
    failed = {r.check.name: r.reason for r in results if r.state is State.FAILED}
    more = set(failed) - BROKEN[driver]
    assert BROKEN[driver] <= set(failed), failed
    assert not more or driver in BY_CHANCE_MORE, failed
    assert not is_kept(results)
    assert all(failed.values())
