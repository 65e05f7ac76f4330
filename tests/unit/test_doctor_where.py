"""Whose business what is: on the computer of some machines there is no database to be asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fabctl.clock import ManualClock
from fabctl.config import Host, LabConfig, ServerConfig
from fabctl.model.doctor import Severity
from fabctl.model.doctor_lab import DatabaseFacts
from fabctl.services.doctor import findings_here
from fabctl.services.doctor_lab import (
    database_facts,
    is_desk_here,
    machines_here,
)
from fabctl.store.version import HEAD
from tests.web_lab import lab_config

TWO = {"pi1": Host("pi1", "Pi"), "another": Host("another", "Another")}


def test_of_one_computer_everything_is_its_own(tmp_path: Path) -> None:
    config = lab_config(tmp_path)
    assert is_desk_here(config)
    assert machines_here(config) == list(config.machines.values())
    assert database_facts(config, thorough=True)[0].reached is False, "it should be here"


def test_a_computer_of_machines_alone_asks_no_database(tmp_path: Path) -> None:
    config = replace(lab_config(tmp_path), hosts=TWO)
    assert not is_desk_here(config)
    assert machines_here(config) == [], "no host bears this computer's name"
    assert database_facts(config, thorough=True)[0] == DatabaseFacts(reached=None, needed=HEAD)
    assert list(tmp_path.iterdir()) == [], "and none was made"


def test_a_computer_that_joined_a_lab_is_no_desk(tmp_path: Path) -> None:
    server = ServerConfig("https://lab.example.org", tmp_path / "token")
    config = replace(lab_config(tmp_path), server=server)
    assert not is_desk_here(config)
    assert machines_here(config) == list(config.machines.values())
    assert database_facts(config, thorough=True)[0] == DatabaseFacts(reached=None, needed=HEAD)


def found_of_hosts(config: LabConfig) -> list[Severity]:
    nobody = DatabaseFacts(reached=None), None
    found = findings_here(config, ManualClock(), nobody, (), by_writing=False)
    return [one.severity for one in found if one.check == "host"]


def test_a_server_that_nobody_named_says_that_it_looked_at_no_port(tmp_path: Path) -> None:
    config = replace(lab_config(tmp_path), hosts=TWO)
    (tmp_path / "lab.db").touch()
    assert is_desk_here(config)
    assert machines_here(config) == []
    assert found_of_hosts(config) == [Severity.UNKNOWN]
    (tmp_path / "install.conf").write_text("role=lab\nhost=pi1\n")
    assert machines_here(config) == list(config.machines.values())
    assert found_of_hosts(config) == []


def test_where_the_database_lies_is_the_desk(tmp_path: Path) -> None:
    config = replace(lab_config(tmp_path), hosts=TWO)
    (tmp_path / "lab.db").touch()
    assert is_desk_here(config)


def test_with_a_database_elsewhere_the_steward_tells_where_the_desk_is(tmp_path: Path) -> None:
    url = "postgresql+psycopg://fabctl@db.example.org/fabctl"
    config = replace(lab_config(tmp_path), hosts=TWO, database_url=url)
    assert not is_desk_here(config)
    config.data_directory.mkdir()
    (config.data_directory / "steward.lock").touch()
    assert is_desk_here(config)
