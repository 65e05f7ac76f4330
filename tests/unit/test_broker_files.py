"""The private broker's files, and Home Assistant's descriptions: pure texts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fabctl.commands.host_inviting import give_account
from fabctl.commands.host_revoking import take_away
from fabctl.config_file import read
from fabctl.hosting.mosquitto import acl_text, configuration_text, rights
from fabctl.messaging.discovery import describe
from fabctl.messaging.topics import LabTopics
from tests.unit.test_config_file import DRIVERS, GOOD

TWO_HOSTS = (
    GOOD.replace("driver = ", 'host = "pi1"\ndriver = ')
    + '[hosts.pi2]\n[machines.mill]\nkind = "mill"\ndriver = "opaque"\nhost = "pi2"\n'
)
LAB = read(TWO_HOSTS, Path("/srv/lab.toml"), DRIVERS)


def test_a_host_has_its_own_machines_and_no_others() -> None:
    pi2 = rights(LAB)["pi2"]
    assert pi2.read == ("fab/v1/casemate/m/mill/cmd/+",)
    assert all("printer-a" not in topic for topic in pi2.write)
    assert "fab/v1/casemate/m/mill/state" in pi2.write
    assert "fab/v1/casemate/m/mill/booking" not in pi2.write


@pytest.mark.parametrize("elsewhere", [True, False])
def test_an_old_password_is_given_to_nobody_wherever_passwords_are(
    tmp_path: Path, elsewhere: bool
) -> None:
    broker = replace(LAB.broker, password_folder=tmp_path / "passwords" if elsewhere else None)
    lab = replace(LAB, data_directory=tmp_path / "data", broker=broker)
    files = {lab.paths.broker_password("pi2"), lab.broker_password_file("pi2")}
    for file in files:
        file.parent.mkdir(parents=True)
        file.write_text("old")
    take_away(lab, "pi2")
    assert not any(file.exists() for file in files)
    assert lab.paths.broker_revoked("pi2").exists()
    lab.broker_password_file("pi2").write_text("old")  # a copy that somebody put back
    give_account(lab, "pi2")
    (made,) = tmp_path.rglob("pi2.password")
    assert (made, made.read_text() == "old") == (lab.broker_password_file("pi2"), False)
    assert not lab.paths.broker_revoked("pi2").exists()


def test_a_dashboard_writes_nothing_and_hears_no_request() -> None:
    dashboard = rights(LAB)["dashboard"]
    assert dashboard.write == ()
    assert all("cmd" not in topic and "answer" not in topic for topic in dashboard.read)


def test_the_desk_writes_for_no_machine_but_those_that_left() -> None:
    assert all("/state" not in topic for topic in rights(LAB)["desk"].write)
    desk = rights(LAB, removed=["lathe"])["desk"]
    assert "fab/v1/casemate/m/lathe/state" in desk.write
    assert "homeassistant/device/lathe/config" in desk.write
    assert all("printer-a" not in topic for topic in desk.write)


def test_the_access_list_names_every_user_once() -> None:
    text = acl_text(rights(LAB))
    assert text.count("user ") == 4
    assert "topic readwrite" not in text
    assert not text.startswith("topic"), "a line before the first user would be for anonymous ones"


def test_the_configuration_is_for_this_computer_only() -> None:
    lines = configuration_text(Path("/srv/data/broker"), 18_883, "fab").splitlines()
    assert [line for line in lines if line.startswith("listener")] == ["listener 18883 127.0.0.1"]
    assert "allow_anonymous false" in lines
    assert "user fab" in lines


def test_home_assistant_can_look_and_ask_for_nothing() -> None:
    topics = LabTopics("casemate")
    found = json.loads(describe(topics, LAB.machines["printer-a"], "1.2"))

    assert found["device"] == {
        "identifiers": ["fabctl_casemate_printer-a"],
        "name": "Imprimante 3D A",
        "model": "printer",
    }
    assert found["origin"] == {"name": "fabctl", "sw_version": "1.2"}
    components = found["components"]
    assert set(components) == {"state", "progress", "time_left", "nozzle", "bed"}
    assert {one["platform"] for one in components.values()} == {"sensor"}
    assert len({one["unique_id"] for one in components.values()}) == 5
    assert "command_topic" not in json.dumps(found)
    assert "unknown" not in components["state"]["options"]


def test_a_mill_has_no_temperatures() -> None:
    found = json.loads(describe(LabTopics("casemate"), LAB.machines["mill"], "1.2"))
    assert set(found["components"]) == {"state", "progress", "time_left"}
