"""What is wrong with the lab, on the page of its health: the findings of ``fabctl doctor``."""

from __future__ import annotations

from dataclasses import replace

from flask import url_for

from fabctl.messaging.call_broker import broker_facts, broker_with_tls, certificate_of
from fabctl.messaging.lab_findings import clock_facts, fault_facts, process_facts, steward_facts
from fabctl.model.doctor import WRONG, Finding, Severity, in_order
from fabctl.model.doctor_lab import CertificateFacts, check_broker, check_certificate
from fabctl.model.doctor_parts import check_other_clock, check_process, check_steward
from fabctl.services.doctor import findings_here, held_locks
from fabctl.services.doctor_lab import ask_database, offered_certificates
from fabctl.units import Seconds
from fabctl_web.lab import Lab
from fabctl_web.language import speech
from fabctl_web.staff.lines import Line, Section

EVERYBODY_HAS_SPOKEN = Seconds(30.0)
"""After so long, silence means something: each process says a word every 10 s."""
SHOWN_OF_THE_DAY = 3
LOOKS = {
    Severity.BAD: ("broken", "triangle-alert"),
    Severity.WARN: ("blocked", "triangle-alert"),
    Severity.UNKNOWN: ("silent", "circle-question-mark"),
}


def findings(lab: Lab) -> tuple[Finding, ...]:
    """Return what was found at most 30 s ago, the worst first."""
    return lab.findings.get(lab.clock, lambda asked_for: in_order(_look(lab, asked_for)))


def _look(lab: Lab, asked_for: Seconds) -> list[Finding]:
    config, view, now = lab.config, lab.view, lab.clock.now()
    database = ask_database(lab.db, thorough=False)
    faults = fault_facts(config, view)  # their files are not the web's to read
    found = findings_here(config, lab.clock, database, faults, by_writing=False)
    found.append(check_broker(replace(broker_facts(view.link), own=config.broker.url is None)))
    found += [check_certificate(one, now) for one in _certificates(lab)]
    waited = bool(view.connected) and asked_for >= EVERYBODY_HAS_SPOKEN
    processes = process_facts(config, view, held_locks(config), waited=waited)
    found += [check_process(one) for one in processes]
    found += check_steward(steward_facts(view), now)
    found += [one for facts in clock_facts(config, view) for one in check_other_clock(facts)]
    return found


def _certificates(lab: Lab) -> list[CertificateFacts]:
    """Return what was seen of the certificates within the last hour: a page waits for nobody."""
    config = lab.config
    servers = dict.fromkeys([*broker_with_tls(config), *offered_certificates(config)])
    names = [f"{host}:{port}" for host, port, _authority in servers]
    return lab.certificates.get(lab.clock, names, lambda: [certificate_of(*one) for one in servers])


def wrong(lab: Lab) -> list[Finding]:
    """Return what somebody has to do something about, the worst first."""
    return [one for one in findings(lab) if one.severity in WRONG]


def to_do(lab: Lab) -> Section:
    """Return what is wrong and what could not be looked at; how much is well."""
    _ = speech()
    found = findings(lab)
    shown = tuple(
        _line(number, one) for number, one in enumerate(found) if one.severity is not Severity.FINE
    )
    well = _("Nothing is wrong.")
    return Section("to-do", _("What is wrong"), "triangle-alert", well, shown, always=True)


def lab_itself(lab: Lab) -> Section:
    """Return what is wrong, for the page of the day: each line leads to what to do about it."""
    _ = speech()
    shown = tuple(
        replace(_line(number, one), first="", address=url_for("staff_health.health"))
        for number, one in enumerate(wrong(lab))
    )
    title = _("The lab itself")
    return Section("lab-itself", title, "activity", title, shown, most=SHOWN_OF_THE_DAY)


def _line(number: int, found: Finding) -> Line:
    _ = speech()
    css, icon = LOOKS[found.severity]
    words = {
        Severity.BAD: _("To be repaired"),
        Severity.WARN: _("Soon"),
        Severity.UNKNOWN: _("Not known"),
    }
    return Line(
        id=f"found-{number}",
        title=_.text(found.message),
        first="" if found.next_step is None else _.text(found.next_step),
        state=words[found.severity],
        css=css,
        icon=icon,
    )
