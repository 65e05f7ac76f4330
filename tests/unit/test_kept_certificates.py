"""Certificates are looked at by a thread of their own: nobody waits for a server that is silent."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime

from fabctl.clock import ManualClock
from fabctl.model.doctor_lab import CertificateFacts
from fabctl.units import Seconds
from fabctl_web.kept_certificates import KEPT_FOR, KEPT_FOR_WHEN_WRONG, KeptCertificates

SERVERS = ("lab:443", "broker:8883")
NOT_KNOWN = [CertificateFacts(one, None) for one in SERVERS]
WELL = [CertificateFacts(one, datetime(2027, 6, 1, tzinfo=UTC)) for one in SERVERS]
ENDED = [WELL[0], CertificateFacts(SERVERS[1], None, why="certificate has expired")]
LONG = Seconds(60.0)


class Servers:
    """What a look finds, and how often somebody looked."""

    def __init__(self, found: list[CertificateFacts]) -> None:
        self.clock = ManualClock()
        self.kept = KeptCertificates()
        self.found = found
        self.looks = 0

    def look(self) -> Sequence[CertificateFacts]:
        self.looks += 1
        return self.found

    def asked(self) -> list[CertificateFacts]:
        """Return what a page is told, once whoever looks has looked."""
        told = self.kept.get(self.clock, SERVERS, self.look, patience_s=LONG)
        looked()
        return told


def looked() -> None:
    """Wait for whoever looks."""
    for thread in threading.enumerate():
        if thread.name == "certificates":
            thread.join(LONG)


def test_they_are_looked_at_once_an_hour() -> None:
    servers = Servers(WELL)
    assert servers.asked() == WELL
    servers.clock.advance(KEPT_FOR - 1)
    assert servers.asked() == WELL
    assert servers.looks == 1
    servers.clock.advance(1)
    servers.found = ENDED
    assert servers.asked() == WELL, "the page does not wait for the new look"
    assert servers.asked() == ENDED
    assert servers.looks == 2


def test_what_is_wrong_is_looked_at_again_after_a_minute() -> None:
    servers = Servers(ENDED)
    assert servers.asked() == ENDED
    servers.clock.advance(KEPT_FOR_WHEN_WRONG - 1)
    assert servers.asked() == ENDED
    assert servers.looks == 1
    servers.clock.advance(1)
    servers.found = WELL
    servers.asked()
    assert servers.asked() == WELL


def test_a_silent_server_keeps_no_page_and_no_second_thread() -> None:
    answers = threading.Event()
    servers = Servers(WELL)

    def look() -> Sequence[CertificateFacts]:
        servers.looks += 1
        answers.wait(LONG)
        return WELL

    def told() -> list[CertificateFacts]:
        return servers.kept.get(servers.clock, SERVERS, look, patience_s=Seconds(0.0))

    assert told() == NOT_KNOWN
    servers.clock.advance(KEPT_FOR)
    assert told() == NOT_KNOWN
    answers.set()
    looked()
    assert servers.looks == 1
    assert told() == WELL


def test_without_tls_nobody_looks() -> None:
    servers = Servers(WELL)
    assert servers.kept.get(servers.clock, (), servers.look) == []
    assert servers.looks == 0
