"""What lab.toml may say about an interlock, and everything that it may not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fabctl.config_file import ConfigError, read, summary
from fabctl.config_interlock import RANGES_S
from fabctl.interlock import (
    FlowLimits,
    InputPin,
    InputRole,
    InterlockProfile,
    OutputRole,
    ProfileKind,
    Pull,
    Timings,
)

HERE = Path("/srv/lab/lab.toml")
LAB = """\
[lab]
id = "x"
name = "X"
simulated = {simulated}
[machines.laser]
kind = "laser"
driver = "opaque"
[machines.mill]
kind = "mill"
driver = "opaque"
"""
LASER = """\
[interlocks.laser]
kind = "laser"
factory = "lgpio"
outputs = { k1 = 17, k2 = 27 }
[interlocks.laser.inputs]
lid_a = 5
lid_b = 6
flow = 13
exhaust = 19
estop = 26
reset = 16
k1_feedback = 20
k2_feedback = 21
active = 25
"""
MILL = """\
[interlocks.mill]
kind = "enclosure"
factory = "lgpio"
inputs = { lid_a = 4, estop = 12, reset = 18, k1_feedback = 24, k2_feedback = 9 }
outputs = { k1 = 22, k2 = 23 }
"""
RELAY = """\
[interlocks.laser]
kind = "relay"
factory = "simulated"
inputs = { reset = 16 }
outputs = { k1 = 17, k2 = 27 }
"""


def interlocks(raw: str, *, simulated: bool = False) -> dict[str, InterlockProfile]:
    text = LAB.format(simulated=str(simulated).lower()) + raw
    return dict(read(text, HERE, ["opaque"]).interlocks)


def problems(raw: str, *, simulated: bool = False) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        interlocks(raw, simulated=simulated)
    return [problem.sentence("lab.toml") for problem in caught.value.problems]


def test_a_laser_with_everything_usual() -> None:
    (profile,) = interlocks(LASER).values()
    assert profile.machine == "laser"
    assert profile.kind is ProfileKind.LASER
    assert (profile.factory, profile.chip) == ("lgpio", 0)
    assert profile.outputs == {OutputRole.K1: 17, OutputRole.K2: 27}
    assert profile.inputs[InputRole.LID_A] == InputPin(5)
    assert profile.timings == Timings()
    assert profile.flow == FlowLimits()
    assert profile.folder == Path("/srv/lab/data/interlocks/laser")


def test_the_reset_button_is_pressed_when_high_and_open_when_its_wire_is_broken() -> None:
    (profile,) = interlocks(LASER).values()
    assert profile.inputs[InputRole.RESET] == InputPin(16, safe_high=False, pull=Pull.DOWN)


def test_an_input_that_is_safe_when_low_is_pulled_up() -> None:
    (profile,) = interlocks(
        LASER.replace("lid_a = 5", "lid_a = { pin = 5, safe_high = false }")
    ).values()
    assert profile.inputs[InputRole.LID_A] == InputPin(5, safe_high=False, pull=Pull.UP)


def test_the_three_kinds_by_configuration_only() -> None:
    both = interlocks(LASER + MILL)
    assert both["mill"].kind is ProfileKind.ENCLOSURE
    (relay,) = interlocks(RELAY, simulated=True).values()
    assert set(relay.inputs) == {InputRole.RESET}


def test_times_and_flow_as_written() -> None:
    more = "[interlocks.laser.timings]\nclear_s = 2\nexhaust_s = 1.5\n"
    more += "[interlocks.laser.flow]\nmin_hz = 3\nmax_hz = 30\n"
    (profile,) = interlocks(LASER + more).values()
    assert (profile.timings.clear_s, profile.timings.exhaust_s) == (2.0, 1.5)
    assert profile.flow == FlowLimits(3.0, 30.0)


def test_a_lab_without_interlocks() -> None:
    assert interlocks("") == {}


def test_the_summary_names_every_pin() -> None:
    text = LAB.format(simulated="false") + LASER
    assert (
        "interlock laser: laser on GPIO chip 0, K1 17, K2 27; lid_a 5, lid_b 6, flow 13"
        in summary(read(text, HERE, ["opaque"]))
    )


def change(old: str, new: str) -> str:
    assert old in LASER
    return LASER.replace(old, new)


@pytest.mark.parametrize(
    ("raw", "allowed"),
    [
        # two functions on one pin
        (change("lid_b = 6", "lid_b = 5"), "a pin of its own; interlocks.laser.inputs.lid_a"),
        (change("k2 = 27", "k2 = 17"), "a pin of its own; interlocks.laser.outputs.k1"),
        (change("lid_a = 5", "lid_a = 17"), "a pin of its own; interlocks.laser.inputs.lid_a"),
        (LASER + MILL.replace("k1 = 22", "k1 = 17"), "interlocks.laser.outputs.k1 has this one"),
        # a pin that the chip lacks
        (change("lid_a = 5", "lid_a = 28"), "a whole number from 2 to 27"),
        (change("lid_a = 5", "lid_a = 0"), "a whole number from 2 to 27"),
        (change("k1 = 17", "k1 = 54"), "a whole number from 9 to 27"),
        (change("lid_a = 5", 'lid_a = "GPIO5"'), "a whole number from 2 to 27"),
        # pins with a mind of their own
        (change("k1 = 17", "k1 = 4"), "pulled up while a Pi boots"),
        (change("lid_a = 5", "lid_a = 3"), "3 is pulled up on the board itself"),
        # a broken wire must not permit
        (change("lid_a = 5", 'lid_a = { pin = 5, pull = "up" }'), "a broken wire would read safe"),
        (
            change("estop = 26", 'estop = { pin = 26, safe_high = false, pull = "down" }'),
            "a broken wire would read safe",
        ),
        (
            change("reset = 16", 'reset = { pin = 16, pull = "up" }'),
            "a broken wire would read pressed",
        ),
        # inputs by kind
        (change("flow = 13\n", ""), "this input is needed by the kind laser"),
        (change("k2_feedback = 21\n", ""), "this input is needed by the kind laser"),
        (change("active = 25\n", ""), "this input is needed by the kind laser"),
        (MILL.replace(", k2_feedback = 9", ""), "this input is needed by the kind enclosure"),
        (change('kind = "laser"', 'kind = "relay"'), "no such input on the kind relay"),
        # words
        (change("lid_a = 5", "lid_a = 5\nlid_c = 4"), "did you mean lid_"),
        (change("lid_a = 5", "lid_a = { pin = 5, pul = 1 }"), "did you mean pull?"),
        (change("outputs", "chips = 0\noutputs"), "did you mean chip?"),
        (change('"laser"\nf', '"lazer"\nf'), "did you mean laser?"),
        (change("lgpio", "lgpoi"), "did you mean lgpio?"),
        (change("k2 = 27", "k2 = 27, k3 = 4"), "an unknown key"),
        (change(", k2 = 27", ""), "this key is needed"),
        (change("interlocks.laser", "interlocks.lazer"), "did you mean laser?"),
        (change('factory = "lgpio"', 'factory = "simulated"'), "lab.simulated = true"),
        # times
        (LASER + "[interlocks.laser.timings]\nscan_s = 0.05\n", "from 0.005 to 0.02 s"),
        (LASER + "[interlocks.laser.timings]\nfeedback_s = 5\n", "from 0.03 to 0.5 s"),
        (LASER + "[interlocks.laser.timings]\nidle_drain_s = 6\n", "from 0.2 to 5 s"),
        (LASER + "[interlocks.laser.timings]\nclear_s = nan\n", "from 0.5 to 30 s"),
        (LASER + "[interlocks.laser.timings]\nclear_s = true\n", "a number from 0.5 to 30 s"),
        (LASER + "[interlocks.laser.timings]\nclear = 1\n", "did you mean clear_s?"),
        (LASER + "[interlocks.laser.flow]\nmax_hz = 200\n", "at most 45 pulses per s"),
        (LASER + "[interlocks.laser.flow]\nmin_hz = 30\nmax_hz = 20\n", "under 20"),
        (MILL + "[interlocks.mill.flow]\nmin_hz = 3\n", "an unknown key"),
        ('interlocks = "none"\n', "a table, [interlocks]"),
    ],
)
def test_one_mistake_is_one_sentence(raw: str, allowed: str) -> None:
    if raw.startswith("interlocks"):
        with pytest.raises(ConfigError) as caught:
            read(raw + LAB.format(simulated="false"), HERE, ["opaque"])
        found = [problem.sentence("lab.toml") for problem in caught.value.problems]
    else:
        found = problems(raw)
    assert any(allowed in sentence for sentence in found), found
    assert len(found) <= (4 if "kind relay" in allowed else 1), found


def test_every_mistake_is_told_at_once() -> None:
    raw = change("lid_a = 5", "lid_a = 6").replace("k1 = 17", "k1 = 99")
    raw = raw.replace("flow = 13\n", "") + "[interlocks.laser.timings]\ndrain_s = -1\nfoo = 2\n"
    assert len(problems(raw)) == 5


def test_simulated_cabinets_share_no_pins() -> None:
    both = RELAY + RELAY.replace("interlocks.laser", "interlocks.mill")
    assert set(interlocks(both, simulated=True)) == {"laser", "mill"}


def test_two_real_interlocks_of_one_computer_do() -> None:
    both = RELAY + RELAY.replace("interlocks.laser", "interlocks.mill")
    found = problems(both.replace("simulated", "lgpio"))
    assert len(found) == 3


def test_a_socket_whose_path_is_too_long() -> None:
    text = f'{LAB.format(simulated="true")}[data]\ndirectory = "{"d" * 100}"\n{RELAY}'
    with pytest.raises(ConfigError) as caught:
        read(text, HERE, ["opaque"])
    assert "a shorter data.directory" in str(caught.value)


def examples() -> str:
    document = (Path(__file__).parents[2] / "docs" / "lab-toml.md").read_text()
    section = document.split("## Interlocks", 1)[1]
    return "".join(re.findall(r"```toml\n(.*?)```", section, flags=re.DOTALL))


def test_the_examples_of_the_document_can_be_used() -> None:
    """Each machine is on a computer of its own, as the document says."""
    names = ["laser", "mill", "soldering"]
    text = '[lab]\nid = "x"\nname = "X"\n'
    for name in names:
        text += f"[hosts.pi-{name}]\n[machines.{name}]\n"
        text += f'kind = "other"\ndriver = "opaque"\nhost = "pi-{name}"\n'
    assert list(read(text + examples(), HERE, ["opaque"]).interlocks) == names


def test_no_example_takes_a_pin_with_another_function() -> None:
    """GPIO 2 and 3 are I2C, 7 to 11 SPI, 14 and 15 the serial console (Raspberry Pi, header)."""
    demo = (Path(__file__).parents[2] / "fabctl" / "commands" / "demo_lab.toml").read_text()
    pin = re.compile(rf"\b(?:k1|k2|{'|'.join(InputRole)}) = (?:{{ pin = )?(\d+)")
    for text in (examples(), demo[demo.index("[interlocks.laser]") :]):
        pins = {int(found) for found in pin.findall(text)}
        assert len(pins) >= 10
        assert not pins & {2, 3, *range(7, 12), 14, 15}


def test_the_document_tells_the_ranges_and_the_usual_times() -> None:
    document = (Path(__file__).parents[2] / "docs" / "lab-toml.md").read_text()
    told = " ".join(document.split())
    for name, (low, high) in RANGES_S.items():
        assert f"`{name}` {low:g} to {high:g} ({getattr(Timings(), name):g})" in told
