"""Which units a computer of the lab runs."""

from __future__ import annotations

from pathlib import Path

from fabctl.config_file import read
from fabctl.hosting.unit_plan import units_of

LAB = """
[lab]
id = "lab"
name = "Lab"
[hosts.pi1]
[hosts.pi2]
[machines.mill]
kind = "mill"
driver = "grbl"
host = "pi1"
port = "/dev/ttyUSB0"
[machines.printer]
kind = "printer"
driver = "octoprint"
host = "pi1"
[machines.far]
kind = "mill"
driver = "grbl"
host = "pi2"
port = "socket://10.0.0.9:23"
"""
DRIVERS = ("grbl", "octoprint")


def planned(host: str, more: str = "", *, desk: bool = False) -> list[tuple[str, bool]]:
    config = read(LAB + more, Path("/srv/lab.toml"), DRIVERS)
    return [(unit.name, unit.network) for unit in units_of(config, host, desk=desk)]


def test_a_computer_runs_its_own_machines_and_only_the_desk_the_rest() -> None:
    assert planned("pi1") == [
        ("fabctl-machine@mill.service", False),
        ("fabctl-machine@printer.service", True),
    ]
    names = [name for name, _ in planned("pi1", desk=True)]
    assert names[-3:] == ["fabctl-steward.service", "fabctl-web.service", "fabctl-backup.timer"]


def test_a_machine_on_the_network_may_reach_it() -> None:
    assert planned("pi2") == [("fabctl-machine@far.service", True)]


def test_a_broker_elsewhere_opens_the_network_to_all_machines() -> None:
    assert planned("pi1", '[broker]\nurl = "mqtts://broker.lab"\n')[0][1] is True
    assert planned("pi1", '[broker]\nurl = "mqtt://127.0.0.1"\n')[0][1] is False


def test_an_interlock_starts_before_its_machine_and_has_no_network() -> None:
    relay = '[interlocks.mill]\nkind = "relay"\nfactory = "lgpio"\n'
    relay += "inputs = { reset = { pin = 16 } }\noutputs = { k1 = 17, k2 = 27 }\n"
    assert planned("pi1", relay)[0] == ("fabctl-interlock@mill.service", False)
