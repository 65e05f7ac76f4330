"""Whom a machine names in its events is its word, and nobody has done anything by that."""

from __future__ import annotations

from pathlib import Path

from fabctl.services.audit import audit
from fabctl.services.audit_trail import trail
from fabctl.services.personal_data import export
from tests.servers.store.conftest import Lab
from tests.servers.store.jobs_at_work import hear, started


def test_whom_a_machine_names_has_done_nothing_by_that(lab: Lab, tmp_path: Path) -> None:
    """Its computer may be a thief's."""
    job = started(lab, tmp_path)
    hear(lab, job, "job-paused", 1, by=lab.awa)
    hear(lab, job, "job-stopped", 2, by="shell:root")
    hear(lab, None, "machine-cleared", 3, by=lab.awa)
    with lab.database.transaction() as session:
        audit(session, lab.clock, lab.awa, "machine.job-failed", "machine:printer-a")  # as it was
    with lab.database.reading() as session:
        told = [line for line in trail(session, by=lab.awa) if line.what.startswith("machine.")]
        named = [(line.what, line.named) for line in reversed(told)]
        of_awa = {line.what for line in trail(session, by=lab.awa, who=lab.awa)}
    assert named == [
        ("machine.job-paused", lab.awa),
        ("machine.job-stopped", "shell:root"),
        ("machine.machine-cleared", lab.awa),
        ("machine.job-failed", lab.awa),
    ]
    assert {line.who for line in told} == {None}
    assert not any(what.startswith("machine.") for what in of_awa)


def test_whoever_a_machine_names_is_given_that_with_their_data(lab: Lab) -> None:
    hear(lab, None, "machine-cleared", 1, by=lab.awa)
    with lab.database.transaction() as session:
        found = export(session, lab.clock, person_id=lab.awa, by=lab.awa)
    assert "machine.machine-cleared" in {line["what"] for line in found["audit"]}
