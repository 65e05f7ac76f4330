"""A use without a job, through the API: it permits, and never arms."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.interlocked_lab import MILL, interlocked_config
from tests.web_caller import Caller, caller, codes
from tests.web_lab import TWELVE, WebLab, web_lab

USE = f"/machines/{MILL}/use"


def verbs(lab: WebLab) -> list[str]:
    """Return what machines were asked for."""
    return [verb for _, verb, _ in lab.workshop.asked]


def reserve(lab: WebLab, program: Caller) -> None:
    start = lab.clock.now()
    body = {"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat()}
    answer = program.ask("POST", "/reservations", json={"resource": MILL, **body})
    assert answer.status_code == 201


def test_a_use_without_a_job_permits_and_sends_nothing(tmp_path: Path) -> None:
    with web_lab(tmp_path, config=interlocked_config(tmp_path, TWELVE[:4])) as lab:
        lab.certified("member")
        lab.certified("other")
        member, other = caller(lab, "member"), caller(lab, "other")
        lab.workshop.say(MILL, "idle")
        assert codes(member.ask("POST", "/machines/printer-a/use")) == ["no-interlock"]
        assert codes(member.ask("POST", USE)) == ["not-reserved"]
        assert member.ask("POST", "/machines/nothing/use").status_code == 404

        reserve(lab, member)
        begun = member.ask("POST", USE)
        assert begun.status_code == 200
        use = begun.get_json()
        assert (use["resource"], use["closed_at"], use["job"]) == (MILL, None, None)
        assert member.ask("POST", USE).get_json()["id"] == use["id"]
        assert verbs(lab) == [], "a permit is the steward's; nothing is armed from here"

        refused = other.ask("DELETE", USE)
        assert (refused.status_code, codes(refused)) == (403, ["not-your-use"])
        assert verbs(lab) == []
        assert member.ask("DELETE", USE).status_code == 204
        assert verbs(lab) == ["drop-permit"]
        assert member.ask("GET", f"/uses/{use['id']}").get_json()["outcome"] == "finished"
