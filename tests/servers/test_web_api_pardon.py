"""The staff take a missed reservation back, through the API."""

from __future__ import annotations

from pathlib import Path

from fabctl.clock import ManualClock
from fabctl.services import noshows
from tests.web_caller import caller, codes
from tests.web_lab import web_lab


def test_a_no_show_is_pardoned_once_and_with_a_reason(tmp_path: Path) -> None:
    clock = ManualClock()
    with web_lab(tmp_path, clock) as lab:
        lab.certified("member")
        lab.person("staff", role="staff")
        member, staff = caller(lab, "member"), caller(lab, "staff")
        made = member.reserve(minutes_ahead=0).get_json()["id"]
        path = f"/reservations/{made}/pardon"
        why = {"reason": "no train"}
        assert codes(staff.ask("POST", path, json=why)) == ["not-a-no-show"]
        clock.advance(16 * 60)
        with lab.db.transaction() as db:
            noshows.catch_up(db, lab.clock, lab.config.time_zone)
        assert member.ask("GET", f"/reservations/{made}").get_json()["no_show_at"]
        assert codes(member.ask("POST", path, json=why)) == ["staff-only"]
        assert staff.ask("POST", path, json={"reason": " "}).status_code == 422
        found = staff.ask("POST", path, json=why).get_json()
        assert found["no_show_at"] is None
        assert found["cancelled_at"]
        assert codes(staff.ask("POST", path, json=why)) == ["not-a-no-show"]
