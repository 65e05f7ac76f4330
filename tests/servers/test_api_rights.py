"""Who may do what through the API: every operation of its document, by everybody, in one table.

Lea (the owner) is a member, and most things that the rows name are hers; see
:mod:`tests.servers.rights_scene`. Every cell is one real request to a lab that is as it was at
first. 401 without a token; 403 it is not your right; 404 it is not there or not yours to see.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from werkzeug.test import TestResponse

from fabctl.services import rights
from fabctl_web.api.openapi import document
from tests.servers.rights_scene import WHO, RightsScene, rights_scene
from tests.servers.rights_table import ASKS_MACHINES, ON_MACHINE, SENT, Row, filled, rows
from tests.web_caller import operation
from tests.web_lab import GOOD_FILE, multipart


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RightsScene]:
    with rights_scene(tmp_path_factory.mktemp("rights")) as found:
        yield found


def ask(scene: RightsScene, row: Row, who: str) -> TestResponse:
    """Send a row's request."""
    if row.operation in ON_MACHINE:
        state = ON_MACHINE[row.operation]
        scene.lab.workshop.say("printer-a", state, job=scene.ids["job"])
    more = filled(SENT.get(row.name, {}), scene.ids)
    if row.operation == "prepareJob":
        more["data"], more["content_type"] = multipart(GOOD_FILE, "part.gcode")
    return scene.programs[who].ask(row.method, filled(row.path, scene.ids), **more)


def test_every_operation_of_the_document_is_in_the_table_and_nothing_else() -> None:
    described = {
        found["operationId"]
        for entry in document()["paths"].values()
        for method, found in entry.items()
        if method != "parameters"
    }
    assert {row.operation for row in rows()} == described


def test_the_table_is_sound() -> None:
    names = [row.name for row in rows()]
    assert len(set(names)) == len(names)
    assert set(SENT) <= set(names)
    for row in rows():
        assert len(row.statuses) == len(WHO), row.name
        assert operation(row.method, row.path)["operationId"] == row.operation
        assert any(status < 300 for status in row.statuses), f"{row.name} shows nobody's right"


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_who_may(scene: RightsScene, row: Row) -> None:
    asked = scene.lab.workshop.asked
    got = {}
    for who in WHO:
        answer = ask(scene, row, who)
        got[who] = answer.status_code
        untouched = scene.fingerprint() == scene.at_first
        if answer.status_code < 300:
            assert not asked or row.operation in ASKS_MACHINES
        else:
            assert (untouched, asked) == (True, []), f"{who} was refused, not stopped"
        changed = answer.status_code < 300 and row.method != "GET"
        if changed or not untouched or row.operation in ON_MACHINE:
            scene.put_back()
    assert got == dict(zip(WHO, row.statuses, strict=True))


def test_the_table_sees_a_right_that_nobody_checks(
    scene: RightsScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: with the staff's rights given to everybody, cells change."""
    monkeypatch.setattr(rights, "is_staff", lambda _session, by: by is not None)
    by_name = {row.name: row for row in rows()}
    for name in ("listAudit", "setWeek", "setPool"):
        status = ask(scene, by_name[name], "other").status_code
        scene.put_back()
        assert status == 200 != by_name[name].statuses[WHO.index("other")]


def test_put_back_leaves_nothing_of_a_request(scene: RightsScene) -> None:
    (row,) = (row for row in rows() if row.name == "addPerson")
    assert ask(scene, row, "staff").status_code == 201
    assert scene.fingerprint() != scene.at_first
    scene.put_back()
    assert scene.fingerprint() == scene.at_first


@pytest.mark.parametrize("who", ["trainer", "animator"])
def test_who_finds_people_without_being_staff_sees_names_and_roles_only(
    scene: RightsScene, who: str
) -> None:
    program, lea = scene.programs[who], scene.ids["lea"]
    listed = program.ask("GET", "/people").get_json()["people"]
    shown = program.ask("GET", f"/people/{lea}").get_json()
    assert {frozenset(one) for one in (*listed, shown)} == {frozenset({"id", "name", "role"})}
