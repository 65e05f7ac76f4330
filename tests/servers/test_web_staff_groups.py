"""Groups for the staff: made, filled, suspended, emptied."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fabctl.services import accounts
from tests.staff_hand import at_desk, send, table, text
from tests.staff_scene import Morning, morning
from tests.web_lab import web_lab

GROUPS = "/staff/groups"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Morning]:
    """It is Monday, 10:00 in Paris."""
    with web_lab(tmp_path) as lab:
        yield morning(lab)


def test_a_group_is_made_filled_suspended_and_emptied(scene: Morning) -> None:
    staff, omar = at_desk(scene), scene.people["omar"]
    made = staff.post(GROUPS, {"name": "Les copeaux", "kind": "collective"}, page=GROUPS)
    page = made.headers["Location"]
    assert omar in text(staff, f"{page}?words=omar")
    assert "Acts for the group" in send(staff, f"{page}/members", page, person=omar, may_act="1")
    assert "Only a member" in send(staff, f"{page}/members", page, person=omar)
    assert table(staff, f"{page}/members.csv")[1:] == [["Omar", "No", "2026-11-23"]]
    assert "Suspended: Debts" in send(staff, f"{page}/suspend", page, reason="Debts")
    assert ["Les copeaux", "Collective", "Yes", "2026-11-23"] in table(staff, f"{GROUPS}.csv")
    send(staff, f"{page}/reinstate", page)
    assert "Nobody yet." in send(staff, f"{page}/members/remove", page, person=omar)
    assert "data-group" not in text(staff, f"{GROUPS}?words=xyz")
    assert "group-name-malformed" in send(
        staff, GROUPS, GROUPS, 409, name="x" * 121, kind="partner"
    )


def test_a_persons_own_account_is_no_group(scene: Morning) -> None:
    with scene.lab.db.reading() as db:
        (own, *_groups) = accounts.accounts_of(db, person_id=scene.people["omar"])
    assert at_desk(scene).get(f"{GROUPS}/{own.id}").status_code == 404
