"""``fabctl sim``: a cabinet wired as lab.toml says, touched from the command line."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fabctl.commands.sim import sim
from fabctl.commands.sim_cabinet import acts, cabinet_command, cabinet_socket
from fabctl.config import LabConfig
from fabctl.config_file import load
from fabctl.errors import InputError
from fabctl.interlock import InputRole
from fabctl_drivers.interlock.gpio import Gpio
from fabctl_sim.control import SimControl, SimError
from tests.cabinet_bench import until

LAB = """\
[lab]
id = "x"
name = "X"
simulated = true
[data]
directory = "{data}"
[machines.laser]
kind = "laser"
driver = "opaque"
[machines.mill]
kind = "mill"
driver = "opaque"
[interlocks.laser]
kind = "laser"
factory = "simulated"
outputs = {{ k1 = 22, k2 = 23 }}
[interlocks.laser.inputs]
lid_a = 5
lid_b = 6
flow = 13
exhaust = {{ pin = 19, safe_high = false }}
estop = 26
reset = 16
k1_feedback = 20
k2_feedback = 21
active = 25
"""


@dataclass(frozen=True)
class Lab:
    """A lab whose laser has a cabinet that runs."""

    config: LabConfig

    def sim(self, *words: str) -> Result:
        return CliRunner().invoke(sim, ["--config", str(self.config.file), *words])

    def status(self) -> dict[str, Any]:
        result = self.sim("laser", "cabinet")
        assert result.exit_code == 0, result.output
        status: dict[str, Any] = json.loads(result.output)
        return status


def answers(socket: Path) -> bool:
    try:
        SimControl(socket).close()
    except SimError:
        return False
    return True


@pytest.fixture
def config(folder: Path) -> LabConfig:
    file = folder / "lab.toml"
    file.write_text(LAB.format(data=folder))
    return load(file)


@pytest.fixture
def lab(config: LabConfig) -> Iterator[Lab]:
    command = cabinet_command(config, config.interlocks["laser"])
    with subprocess.Popen(command) as process:
        until(lambda: answers(cabinet_socket(config, "laser")), "the cabinet answers")
        yield Lab(config)
        process.terminate()


def test_the_cabinet_is_wired_as_lab_toml_says(lab: Lab) -> None:
    profile = lab.config.interlocks["laser"]
    assert set(lab.status()["inputs"]) == {str(role) for role in profile.inputs}
    with Gpio(profile, simulated=True) as gpio:
        levels = gpio.read().levels
        assert levels == {
            role: wire.safe_high
            for role, wire in profile.inputs.items()
            if role is not InputRole.FLOW
        }
        assert lab.sim("laser", "exhaust-off").exit_code == 0
        assert gpio.read().levels[InputRole.EXHAUST] is True
        gpio.write_k2(on=True)
        gpio.toggle_k1()
        until(lambda: lab.status()["powered"], "both relays close")


def test_a_word_alone_names_the_role_or_the_fault(lab: Lab) -> None:
    assert lab.sim("laser", "wire-broken", "lid_b").exit_code == 0
    assert lab.sim("laser", "flow-noise").exit_code == 0
    assert lab.status()["faults"] == ["flow-noise", "wire-broken lid_b"]
    assert lab.sim("laser", "repair", "flow-noise").exit_code == 0
    assert lab.status()["faults"] == ["wire-broken lid_b"]
    assert lab.sim("laser", "repair").exit_code == 0
    assert lab.status()["faults"] == []


def test_details_are_key_and_value(lab: Lab) -> None:
    assert lab.sim("laser", "flow-start", "hz=33").exit_code == 0
    assert lab.status()["flow_hz"] == 33


@pytest.mark.parametrize("act", sorted(acts()))
def test_every_act_of_the_help_page_can_be_done(lab: Lab, act: str) -> None:
    """What this cabinet has not (the key) is refused by name."""
    result = lab.sim("laser", act)
    missing = act in {"key-on", "key-off"}
    assert result.exit_code == (1 if missing else 0), result.output
    assert ("this cabinet has no" in result.output) is missing


def test_without_a_stand_in_of_its_controller_the_cabinet_answers(lab: Lab) -> None:
    result = lab.sim("laser", "open-lit")
    assert result.exit_code == 1
    assert "open-lid, close-lid" in result.output
    assert lab.sim("laser", "status").exit_code == 0


def test_the_help_page_has_a_sentence_for_every_act() -> None:
    page = CliRunner().invoke(sim, ["--help"]).output
    for act in acts().values():
        assert act.name in page
        assert act.sentence.endswith((".", ")")), act.name
    assert page.count("The cabinet of an interlock:") == 3


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["laser", "open-lid"], "no stand-in is running"),
        (["mill", "open-lid"], "it has no interlock"),
        (["saw", "open-lid"], "no machine is called"),
    ],
)
def test_what_is_not_there_is_said(config: LabConfig, words: list[str], why: str) -> None:
    result = CliRunner().invoke(sim, ["--config", str(config.file), *words])
    assert isinstance(result.exception, InputError)
    assert why in str(result.exception)
