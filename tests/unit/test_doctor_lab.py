"""What `fabctl doctor` says about a lab's parts: one table for each check, with its edges."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fabctl.config_file import read
from fabctl.model.doctor import Finding, Severity
from fabctl.model.doctor_lab import (
    BackupFacts,
    BrokerFacts,
    CertificateFacts,
    DatabaseFacts,
    PortFacts,
    check_backup,
    check_backup_place,
    check_broker,
    check_certificate,
    check_database,
    check_file,
    check_host,
    check_port,
)
from fabctl.model.doctor_parts import (
    FaultFacts,
    OtherClockFacts,
    ProcessFacts,
    StewardFacts,
    check_fault,
    check_other_clock,
    check_process,
    check_steward,
)
from fabctl.services.doctor_lab import fault_facts, offered_certificates, unit_may_open

BAD, WARN, UNKNOWN, FINE = Severity.BAD, Severity.WARN, Severity.UNKNOWN, Severity.FINE
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
KEPT = '{"v": 1, "fault": {"code": "k1-welded", "why": "", "first_cause": null}}'


def severity(finding: Finding) -> Severity:
    assert (finding.next_step is not None) == (finding.severity in {BAD, WARN})
    assert str(finding.message)
    return finding.severity


@pytest.mark.parametrize(("sentences", "expected"), [([], [FINE]), (["a", "b"], [BAD, BAD])])
def test_the_file(sentences: list[str], expected: list[Severity]) -> None:
    assert [severity(one) for one in check_file(sentences)] == expected


@pytest.mark.parametrize(
    ("found", "permitted", "expected"),
    [(True, True, FINE), (True, False, BAD), (True, None, UNKNOWN), (False, None, BAD),
     (None, None, UNKNOWN)],
)  # fmt: skip
def test_a_port(found: bool | None, permitted: bool | None, expected: Severity) -> None:
    said = check_port(PortFacts("mill", "/dev/ttyUSB0", found, permitted))
    assert severity(said) == expected


@pytest.mark.parametrize(
    ("mode", "group", "expected"),
    [(0o660, "dialout", True), (0o640, "dialout", False), (0o600, "dialout", False),
     (0o660, "root", False), (0o666, "root", True), (0o664, "root", False)],
)  # fmt: skip
def test_what_the_unit_of_a_machine_may_open(mode: int, group: str, expected: bool) -> None:
    assert unit_may_open(mode, group) is expected


def test_a_port_that_may_not_be_opened_names_the_user_and_the_group() -> None:
    facts = PortFacts("mill", "/dev/ttyUSB0", found=True, permitted=False, group="uucp")
    assert str(check_port(facts).next_step).endswith("adduser fabctl uucp")
    facts = replace(facts, user="fabctl-machine")
    assert str(check_port(facts).next_step).endswith("adduser fabctl-machine uucp")


def test_what_was_done_about_a_port_is_seen() -> None:
    assert not unit_may_open(0o660, "uucp")
    assert unit_may_open(0o660, "uucp", {"dialout", "uucp"})
    assert unit_may_open(0o620, "tty", own=True)
    assert not unit_may_open(0o460, "dialout", own=True)


def test_a_computer_whose_machines_nobody_knows() -> None:
    notes = "/etc/fabctl/install.conf"
    assert check_host(known=True, name="pi-9", notes=notes) == []
    (said,) = check_host(known=False, name="pi-9", notes=notes)
    assert severity(said) is UNKNOWN
    assert "pi-9" in str(said.message)
    assert notes in str(said.message)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (BrokerFacts("b", connected=True), FINE),
        (BrokerFacts("b", connected=False), BAD),
        (BrokerFacts("b", connected=False, own=True), BAD),
        (BrokerFacts("b", connected=False, refused=True), BAD),
        (BrokerFacts("b", connected=None), UNKNOWN),
    ],
)
def test_the_broker(facts: BrokerFacts, expected: Severity) -> None:
    assert severity(check_broker(facts)) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (CertificateFacts("s", NOW + 21 * DAY + SECOND), FINE),
        (CertificateFacts("s", NOW + 21 * DAY), WARN),
        (CertificateFacts("s", NOW + 7 * DAY + SECOND), WARN),
        (CertificateFacts("s", NOW + 7 * DAY), BAD),
        (CertificateFacts("s", NOW), BAD),
        (CertificateFacts("s", NOW - DAY), BAD),
        (CertificateFacts("s", None, why="certificate has expired"), BAD),
        (CertificateFacts("s", None), UNKNOWN),
        (CertificateFacts("s", NOW + 4 * HOUR, lasts=12 * HOUR), FINE),
        (CertificateFacts("s", NOW + 3 * HOUR, lasts=12 * HOUR), WARN),
        (CertificateFacts("s", NOW + HOUR, lasts=12 * HOUR), BAD),
        (CertificateFacts("s", NOW + 8 * DAY, lasts=397 * DAY), WARN),
    ],
)
def test_a_certificate(facts: CertificateFacts, expected: Severity) -> None:
    assert severity(check_certificate(facts, NOW)) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (DatabaseFacts(reached=True, revision="0015", needed="0015", integrity="ok"), FINE),
        (DatabaseFacts(reached=True, revision="0015", needed="0015"), FINE),
        (DatabaseFacts(reached=True, revision="0014", needed="0015"), BAD),
        (DatabaseFacts(reached=True, revision=None, needed="0015"), BAD),
        (DatabaseFacts(reached=True, revision="0016", needed="0015"), BAD),
        (DatabaseFacts(reached=True, revision="0015", needed="0015", integrity="row 7"), BAD),
        (DatabaseFacts(reached=False, why="no route"), BAD),
        (DatabaseFacts(reached=None), UNKNOWN),
    ],
)
def test_the_database(facts: DatabaseFacts, expected: Severity) -> None:
    assert severity(check_database(facts)) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (BackupFacts("/b", readable=True, newest_at=NOW - 26 * HOUR), FINE),
        (BackupFacts("/b", readable=True, newest_at=NOW - 26 * HOUR - SECOND), WARN),
        (BackupFacts("/b", readable=True, newest_at=NOW - 8 * DAY), WARN),
        (BackupFacts("/b", readable=True, newest_at=NOW - 8 * DAY - SECOND), BAD),
        (BackupFacts("/b", readable=True, newest_at=NOW - 3 * DAY, late=7 * DAY), FINE),
        (BackupFacts("/b", readable=True, newest_at=NOW + DAY), UNKNOWN),
        (BackupFacts("/b", readable=True), BAD),
        (BackupFacts("/b", readable=None), BAD),
        (BackupFacts("/b", readable=None, named=True), BAD),
        (BackupFacts("/b", readable=False), UNKNOWN),
    ],
)
def test_the_backups(facts: BackupFacts, expected: Severity) -> None:
    assert severity(check_backup(facts, NOW)) == expected


def test_a_stick_that_is_not_in_is_not_called_no_backup() -> None:
    gone = check_backup(BackupFacts("/media/stick", readable=None, named=True), NOW)
    assert "is not there" in str(gone.message)
    assert "mounted" in str(gone.next_step)


def test_backups_beside_the_data_die_with_it() -> None:
    facts = BackupFacts("/b", readable=True, newest_at=NOW, beside_data=True)
    assert [severity(one) for one in check_backup_place(facts)] == [WARN]
    for well in (
        replace(facts, beside_data=False),
        replace(facts, beside_data=None),
        replace(facts, newest_at=None),
    ):
        assert check_backup_place(well) == []


@pytest.mark.parametrize(
    ("speaks", "runs", "expected"),
    [
        (True, True, FINE), (True, None, FINE), (True, False, FINE),
        (False, True, BAD), (False, False, BAD), (False, None, BAD),
        (None, True, UNKNOWN), (None, False, BAD), (None, None, UNKNOWN),
    ],
)  # fmt: skip
def test_a_process(speaks: bool | None, runs: bool | None, expected: Severity) -> None:
    assert severity(check_process(ProcessFacts("steward", "u", speaks, runs))) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (StewardFacts(tidied_at=NOW - 3 * HOUR), [("housekeeping", FINE)]),
        (StewardFacts(tidied_at=NOW - 3 * HOUR - SECOND), [("housekeeping", WARN)]),
        (StewardFacts(), [("housekeeping", UNKNOWN)]),
        (StewardFacts(NOW, failures=0, clock_held=False), [("housekeeping", FINE)]),
        (
            StewardFacts(NOW, failures=1, last_failure="disk full", clock_held=True),
            [("clock-step", WARN), ("steward-failures", WARN), ("housekeeping", FINE)],
        ),
    ],
)
def test_the_steward(facts: StewardFacts, expected: list[tuple[str, Severity]]) -> None:
    assert [(one.check, severity(one)) for one in check_steward(facts, NOW)] == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (FaultFacts("laser", readable=True), FINE),
        (FaultFacts("laser", readable=True, fault="k1-welded"), BAD),
        (FaultFacts("laser", readable=None), UNKNOWN),
        (FaultFacts("laser", readable=False), UNKNOWN),
    ],
)
def test_a_fault_that_is_remembered(facts: FaultFacts, expected: Severity) -> None:
    assert severity(check_fault(facts)) == expected


@pytest.mark.parametrize(
    ("content", "readable", "fault"),
    [
        ('{"v": 1, "fault": null}', True, None),
        (KEPT, True, "k1-welded"),
        ("", False, None),
        ("[]", False, None),
        (None, None, None),
    ],
)  # fmt: skip
def test_the_fault_file(
    tmp_path: Path, content: str | None, readable: bool | None, fault: str | None
) -> None:
    file = tmp_path / "fault.json"
    if content is not None:
        file.write_text(content)
    assert fault_facts("laser", file) == FaultFacts("laser", readable, fault)


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [(60 * SECOND, []), (61 * SECOND, [WARN]), (-60 * SECOND, []), (-61 * SECOND, [WARN]),
     (DAY, [WARN]), (-DAY, [WARN])],
)  # fmt: skip
def test_the_clock_of_another_computer(ahead: timedelta, expected: list[Severity]) -> None:
    found = check_other_clock(OtherClockFacts("mill", ahead, synced=True))
    assert [severity(one) for one in found] == expected


OFFERED = """
[lab]
id = "x"
name = "X"
time_zone = "Europe/Paris"
languages = ["fr"]
[data]
directory = "data"
[web]
public_url = "https://machines.example"
ca_file = "ca.pem"
[broker]
url = "mqtt://127.0.0.1:1883"
password_folder = "."
hosts_url = "mqtts://broker.example:8884"
hosts_ca_file = "ca.pem"
[hosts.here]
"""


def test_a_certificate_is_held_against_the_authority_that_lab_toml_names(tmp_path: Path) -> None:
    """Else every lab with an authority of its own would be told that its certificate is bad."""
    (tmp_path / "ca.pem").write_text("")
    offered = offered_certificates(read(OFFERED, tmp_path / "lab.toml", ()))
    authority = tmp_path / "ca.pem"
    assert offered == [
        ("machines.example", 443, authority),
        ("broker.example", 8884, authority),
    ]
