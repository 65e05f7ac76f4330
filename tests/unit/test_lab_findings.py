"""What silence and words on the broker prove about a lab's processes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from fabctl.clock import ManualClock
from fabctl.config import ServerConfig
from fabctl.interlock import ProfileKind
from fabctl.messaging.interlocks import InterlockPayload
from fabctl.messaging.lab_findings import (
    clock_facts,
    fault_facts,
    process_facts,
    steward_facts,
    steward_speaks,
)
from fabctl.messaging.lab_view import LabView
from fabctl.messaging.link import Received
from fabctl.messaging.payloads import MachineState, PresencePayload, Stamp, StatePayload
from fabctl.messaging.topics import LabTopics
from fabctl.model.doctor_parts import FaultFacts, StewardFacts
from tests.interlocked_lab import profile
from tests.web_lab import lab_config

TOPICS = LabTopics("test")
LOCKS: dict[str, bool | None] = {"printer-a": True}


class Lab:
    """Two printers of one computer, and whoever listens."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.config = lab_config(Path("/nowhere"))
        self.view = LabView("test", dict.fromkeys(self.config.machines, "pi1"), self.clock)

    def stamp(self, ahead: timedelta = timedelta(0), seq: int = 1) -> Stamp:
        return Stamp(self.clock.now() + ahead, synced=True, boot="b", seq=seq)

    def machine(
        self,
        state: MachineState,
        ahead: timedelta = timedelta(0),
        *,
        kept: bool = False,
        seq: int = 1,
    ) -> None:
        payload = StatePayload(state).encode(self.stamp(ahead, seq))
        self.view.take(Received(TOPICS.state("printer-a"), payload, 1, kept))

    def interlock(self, state: str = "locked", fault: str | None = None) -> None:
        payload = InterlockPayload(state, fault=fault).encode(self.stamp())
        self.view.take(Received(TOPICS.interlock("printer-a"), payload, 1, retain=False))

    def steward(self, *, kept: bool = False, online: bool = True, **figures: int | str) -> None:
        payload = PresencePayload(online, figures).encode(self.stamp())
        self.view.take(Received(TOPICS.steward_status, payload, 1, kept))

    def speaks(self, *, waited: bool) -> list[bool | None]:
        facts = process_facts(self.config, self.view, LOCKS, waited=waited)
        assert [one.name for one in facts] == ["steward", "printer-a", "printer-b"]
        assert [one.runs for one in facts] == [None, True, None]
        return [one.speaks for one in facts]


def test_silence_proves_something_only_to_who_waited() -> None:
    assert Lab().speaks(waited=False) == [None, None, None]
    assert Lab().speaks(waited=True) == [False, False, False]


def test_a_joined_computer_is_not_told_of_the_servers_steward() -> None:
    """It does not hear it: "not known" would stand there for ever."""
    lab = Lab()
    server = ServerConfig("https://lab.example", Path("/nowhere/token"))
    config = replace(lab.config, server=server)
    facts = process_facts(config, lab.view, LOCKS, waited=False)
    assert [one.name for one in facts] == ["printer-a", "printer-b"]


def test_who_spoke_works_until_the_word_is_old() -> None:
    lab = Lab()
    lab.machine(MachineState.IDLE)
    lab.steward()
    assert lab.speaks(waited=False) == [True, True, None]
    lab.clock.advance(30)
    assert lab.speaks(waited=False) == [True, False, None]
    lab.clock.advance(0.1)
    assert lab.speaks(waited=False) == [False, False, None]


def test_a_kept_word_proves_nothing_but_an_end() -> None:
    lab = Lab()
    lab.machine(MachineState.IDLE, kept=True)
    lab.steward(kept=True)
    assert lab.speaks(waited=False) == [None, None, None]
    lab.machine(MachineState.OFFLINE, kept=True)
    lab.steward(kept=True, online=False)
    assert lab.speaks(waited=False) == [False, False, None]
    assert steward_speaks(lab.view, waited=False) is False


def test_a_process_without_its_port_works() -> None:
    """It says every 3 s that its machine is not there."""
    lab = Lab()
    lab.machine(MachineState.OFFLINE, seq=7)
    lab.interlock()
    assert lab.speaks(waited=True)[1] is False
    assert not lab.view.hears_interlock("printer-a")
    lab.machine(MachineState.OFFLINE, seq=9)
    assert lab.speaks(waited=True)[1] is True
    assert lab.view.hears_interlock("printer-a")
    lab.clock.advance(31)
    assert lab.speaks(waited=True)[1] is False
    assert not lab.view.hears_interlock("printer-a")


@pytest.mark.parametrize(
    ("state", "fault", "said"),
    [
        ("locked", None, None),
        ("fault", "k1-welded", "k1-welded"),
        ("fault", None, "?"),
    ],
)
def test_an_interlocks_fault_is_what_it_says(
    tmp_path: Path, state: str, fault: str | None, said: str | None
) -> None:
    lab = Lab()
    locks = {"printer-a": profile("printer-a", ProfileKind.LASER, tmp_path)}
    config = replace(lab.config, interlocks=locks)
    assert fault_facts(config, lab.view) == [], "of a silent one its process is the finding"
    lab.machine(MachineState.OFFLINE, seq=7)
    lab.machine(MachineState.OFFLINE, seq=9)
    lab.interlock(state, fault)
    assert fault_facts(config, lab.view) == [FaultFacts("printer-a", readable=True, fault=said)]
    lab.clock.advance(7)
    assert fault_facts(config, lab.view) == []


def test_a_will_and_a_last_word_are_ends_and_tell_no_time() -> None:
    """A will was written when the process connected: its time is of then."""
    lab = Lab()
    lab.machine(MachineState.OFFLINE, seq=7)
    lab.machine(MachineState.OFFLINE, seq=8)
    assert lab.speaks(waited=True)[1] is True
    lab.machine(MachineState.OFFLINE, timedelta(hours=-9), seq=1)
    assert lab.speaks(waited=True)[1] is False
    assert clock_facts(lab.config, lab.view) == []
    lab.machine(MachineState.IDLE, seq=12)
    lab.machine(MachineState.OFFLINE, seq=13)
    assert lab.speaks(waited=True)[1] is False


@pytest.mark.parametrize("ahead", [timedelta(days=1), timedelta(days=-1), timedelta(0)])
def test_each_computers_clock_is_told_once(ahead: timedelta) -> None:
    lab = Lab()
    assert clock_facts(lab.config, lab.view) == []
    lab.machine(MachineState.IDLE, ahead)
    (facts,) = clock_facts(lab.config, lab.view)
    assert (facts.machine, facts.ahead, facts.synced) == ("pi1", ahead, True)
    lab.machine(MachineState.IDLE, ahead, kept=True)
    assert clock_facts(lab.config, lab.view) == [], "nobody knows when it was said"


def test_what_the_steward_says_of_its_work() -> None:
    lab = Lab()
    assert steward_facts(lab.view) == StewardFacts()
    lab.steward(failures=2, last_failure="disk full", clock_held=1, tidied_at="yesterday")
    assert steward_facts(lab.view) == StewardFacts(None, 2, "disk full", clock_held=True)
    lab.steward(tidied_at="2026-11-23T09:00:00.000Z")
    assert steward_facts(lab.view).tidied_at == lab.clock.now()
