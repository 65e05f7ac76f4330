"""`fabctl doctor` on a lab of real processes, with its broker gone, and without a lab."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fabctl.messaging.call_broker import certificate_of
from fabctl.model.doctor_lab import CertificateFacts
from tests.machine_lab import ONE_MACHINE, MachineLab, child_environment, machine_lab
from tests.tls_server import certificate_files, server_with

Found = dict[tuple[str, str], str]


def doctor(*words: str) -> tuple[int, list[dict[str, str]]]:
    """Run the command; return its exit code and what it found."""
    done = subprocess.run(
        [sys.executable, "-m", "fabctl", "doctor", "--json", *words],
        check=False, capture_output=True, text=True, timeout=120, env=child_environment(),
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "Reading lab.toml …" in done.stderr
    return done.returncode, json.loads(done.stdout)


def by_name(findings: list[dict[str, str]]) -> Found:
    for one in findings:
        assert (one["next_step"] is not None) == (one["severity"] in {"bad", "warn"}), one
    return {(one["check"], one["subject"]): one["severity"] for one in findings}


def of(lab: MachineLab) -> Found:
    code, findings = doctor("--config", str(lab.config.file))
    assert code == 1, "no backup was ever made"
    return by_name(findings)


def test_a_lab_that_runs_and_then_does_not(tmp_path: Path) -> None:
    with machine_lab(tmp_path, ONE_MACHINE) as lab:
        lab.start("machine", "printer-a")
        lab.start_steward()
        lab.wait_state("idle")
        found = of(lab)
        well = {("broker", ""), ("database", ""), ("process", "printer-a"), ("process", "steward")}
        assert {found[one] for one in well} == {"fine"}
        assert found["housekeeping", ""] == "fine"
        assert found["backup", ""] == "bad"
        lab.kill("steward")
        lab.config.paths.broker_port.write_text("1\n")
        found = of(lab)
    assert found["broker", ""] == "bad"
    assert found["process", "steward"] == "bad", "nobody holds its lock"
    assert found["process", "printer-a"] == "unknown", "it runs, and nobody can listen to it"
    assert found["database", ""] == "fine"


def test_without_a_lab_the_computer_is_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "lab.toml"
    file.write_text("[lab]\nid = 7\n")
    code, findings = doctor("--config", str(file))
    found = by_name(findings)
    assert code == 1
    assert found["config", ""] == "bad"
    assert ("memory", "") in found


def seen(folder: Path, days: int, *, known: bool) -> CertificateFacts:
    certificate, key = certificate_files(folder, days)
    with server_with(certificate, key) as port:
        return certificate_of("127.0.0.1", port, certificate if known else None)


def test_a_certificate_says_when_it_ends(tmp_path: Path) -> None:
    facts = seen(tmp_path, 30, known=True)
    assert facts.ends_at is not None
    assert abs(facts.ends_at - datetime.now(UTC) - timedelta(days=30)) < timedelta(minutes=5)


@pytest.mark.parametrize(
    ("days", "known", "why"), [(-1, True, "expired"), (30, False, "self-signed")]
)
def test_a_certificate_that_is_not_accepted(
    tmp_path: Path, days: int, known: bool, why: str
) -> None:
    facts = seen(tmp_path, days, known=known)
    assert facts.ends_at is None
    assert why in facts.why


def test_a_server_that_is_not_there_is_another_checks_affair() -> None:
    assert certificate_of("127.0.0.1", 1, None) == CertificateFacts("127.0.0.1:1", None)
