"""The wiring documents and the program say the same: roles, pins, codes, words on the screen."""

from __future__ import annotations

import re
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

from fabctl.commands.interlock import interlock
from fabctl.commands.interlock_sheet import written
from fabctl.config_interlock import NEEDED
from fabctl.i18n import gettext_for
from fabctl.interlock import FlowLimits, InputRole, OutputRole, ProfileKind, Timings
from fabctl.interlock_causes import SENTENCES, FaultCode
from fabctl_web.interlocks.words import LOOKS

ROOT = Path(__file__).parents[2]
WIRING = (ROOT / "deploy/interlock-wiring.md").read_text(encoding="utf-8")
CHECKS = (ROOT / "deploy/interlock-checks.md").read_text(encoding="utf-8")
DRAWING = ROOT / "deploy/interlock-wiring.svg"
BUSES = {2, 3, 7, 8, 9, 10, 11, 14, 15}
"""I2C-1, SPI-0 and the serial port on the 40-pin header (Raspberry Pi documentation, "GPIO")."""
NORMALLY_OPEN = {InputRole.EXHAUST, InputRole.KEY, InputRole.RESET}
SVG = "{http://www.w3.org/2000/svg}"


def rows() -> dict[str, list[str]]:
    """Return the table of wires: role to its cells."""
    lines = [line for line in WIRING.splitlines() if line.startswith("| X")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    named = {role[1]: row for row in cells if (role := re.match(r"`(\w+)`", row[1]))}
    return dict(named)


def test_the_table_has_every_input_and_output_once() -> None:
    assert list(rows()) == [*InputRole, *OutputRole]


def test_every_row_says_what_a_broken_wire_reads_and_leaves_its_colour_open() -> None:
    for role, row in rows().items():
        assert len(row) == 7, role
        assert row[5], role
        assert row[6] == "", role


def terminals() -> list[str]:
    """Return the terminals of the table, in its order."""
    cells = [
        line.strip("|").split("|")[0] for line in WIRING.splitlines() if line.startswith("| X")
    ]
    return [one.strip() for cell in cells for one in cell.split(",")]


def pins_of(example: str) -> dict[str, int]:
    """Return the pins of the laser in an example of lab.toml."""
    laser = tomllib.loads(example)["interlocks"]["laser"]
    pins = {
        role: pin["pin"] if isinstance(pin, dict) else pin for role, pin in laser["inputs"].items()
    }
    return pins | dict(laser["outputs"])


def examples() -> str:
    document = (ROOT / "docs/lab-toml.md").read_text("utf-8").split("## Interlocks", 1)[1]
    return "".join(re.findall(r"```toml\n(.*?)```", document, flags=re.DOTALL))


def test_pins_of_the_table_the_demo_and_the_example_are_the_same_and_each_its_own() -> None:
    pins = {role: int(row[2]) for role, row in rows().items()}
    assert len(set(pins.values())) == len(pins)
    demo = (ROOT / "fabctl/commands/demo_lab.toml").read_text("utf-8")
    assert pins_of(demo[demo.index("[interlocks.laser]") :]) == pins  # before it: places to fill in
    assert pins_of(examples()) == pins


def test_no_example_takes_a_pin_of_a_bus() -> None:
    for name, table in tomllib.loads(examples())["interlocks"].items():
        told = [*table["inputs"].values(), *table["outputs"].values()]
        pins = {pin["pin"] if isinstance(pin, dict) else pin for pin in told}
        assert not pins & BUSES, name


def test_the_table_says_what_may_be_left_out_of_a_laser() -> None:
    optional = {role for role, row in rows().items() if "may be left out" in row[1]}
    assert optional == set(InputRole) - NEEDED[ProfileKind.LASER]


def test_reset_is_the_only_input_whose_safe_level_is_low() -> None:
    low = [role for role in InputRole if re.search(r"\blow\b", rows()[role][3])]
    assert low == [InputRole.RESET]


def test_every_code_in_the_documents_is_one() -> None:
    words = set(re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", WIRING + CHECKS))
    assert words
    assert words <= set(SENTENCES)


def test_every_fault_has_advice() -> None:
    advice = CHECKS[CHECKS.index("look first at") :]
    assert {str(code) for code in FaultCode} <= set(re.findall(r"`([a-z0-9-]+)`", advice))


def test_words_of_screens_are_those_of_the_screens() -> None:
    french = gettext_for("fr")
    words = {look.word for look in LOOKS.values()} | {"I begin"}
    titles = {"The computer starts"}  # a part of the list, not of a screen
    quoted = set(re.findall(r"\"([A-ZÉ][^\"]+)\"", CHECKS)) - titles
    assert quoted
    assert quoted <= words | {french(word) for word in words}


def test_the_tables_of_the_checks_are_those_of_the_program() -> None:
    stale = "run: python -m fabctl.commands.interlock_sheet deploy/interlock-checks.md"
    assert written(CHECKS) == CHECKS, stale


def test_times_and_limits_are_the_usual_ones() -> None:
    usual, flow = Timings(), FlowLimits()
    assert f"{flow.min_hz:g} to {flow.max_hz:g} per s" in WIRING
    assert f"after {usual.flow_gap_s:g} s ({usual.flow_start_s:g} s after an arming)" in WIRING
    assert f"after {usual.exhaust_s:g} s; before arming at once" in WIRING
    assert f"alone for {usual.lid_discrepancy_s * 1000:g} ms" in WIRING
    assert f"{usual.drain_s / 60:g} minutes at most" in WIRING


def test_options_that_are_named_exist() -> None:
    named = set(re.findall(r"interlock ID (--[a-z-]+)", WIRING + CHECKS))
    assert named == {"--commission", "--clear-fault"}
    assert named <= {option for param in interlock.params for option in param.opts}


def test_no_software_is_called_an_emergency_stop() -> None:
    assert 'never "arrêt d\'urgence"' in WIRING
    assert "no performance level" in WIRING
    assert "no SIL" in WIRING


def drawn() -> ET.Element:
    return ET.parse(DRAWING).getroot()  # noqa: S314  # our own file


def texts() -> list[str]:
    return ["".join(node.itertext()) for node in drawn().iter(f"{SVG}text")]


def test_the_drawing_is_svg_with_a_title_and_names_the_parts() -> None:
    root, words = drawn(), " ".join(texts())
    for word in ("SR-1", "SR-2", "K1", "K2", "KM1", "KM2", "KE", "Monostable", "Stop category 0"):
        assert word in words
    assert root.attrib["role"] == "img"
    assert any(node.tag.endswith("title") for node in root)


def test_terminals_of_the_drawing_are_those_of_the_table() -> None:
    found = [text for text in texts() if re.fullmatch(r"X\d+\.\d+", text)]
    assert sorted(found) == sorted(terminals())
    assert len(set(found)) == len(found)


def test_every_pin_of_the_table_stands_in_the_drawing_beside_its_role() -> None:
    words = texts()
    for role, row in rows().items():
        at = words.index(f"GPIO {row[2]}")
        assert re.match(rf"{role}\b", words[at + 1]), role
    assert sum(text.startswith("GPIO ") for text in words) == len(rows())


def test_contacts_are_open_or_closed_in_the_table_as_in_the_drawing() -> None:
    """Row by row: the symbol that is drawn, the word beside it, and the table's word."""
    contacts = _contact_symbols()
    for role in InputRole:
        row = rows()[role]
        if role is InputRole.FLOW:
            assert "open collector" in row[4]
            continue
        kind = "NO" if role in NORMALLY_OPEN else "NC"
        assert re.match(rf"{kind}\b", row[4]), role
        assert contacts[row[0]] == kind.lower(), role


def test_every_input_has_its_resistor_optocoupler_and_pull_down() -> None:
    inputs = [one for one in terminals() if one.startswith("X1.")]
    used = [node.attrib["href"] for node in drawn().iter(f"{SVG}use")]
    assert used.count("#opto") == len(inputs)
    assert texts().count("2.2 kΩ") == len(inputs)
    assert texts().count("10 kΩ") >= len(inputs) + len(OutputRole)


def _contact_symbols() -> dict[str, str]:
    """Return the contact that is drawn on the line of each input's terminal."""
    lines: dict[str, str] = {}
    found: dict[str, str] = {}
    for node in drawn().iter():
        if node.tag == f"{SVG}use" and node.attrib["href"] in {"#no", "#nc"}:
            lines[node.attrib["y"]] = node.attrib["href"].removeprefix("#")
        elif node.tag == f"{SVG}circle" and node.attrib.get("class") == "term":
            height = node.attrib["cy"]
        elif node.tag == f"{SVG}text" and re.fullmatch(r"X1\.\d+", node.text or ""):
            found[str(node.text)] = lines.get(height, "")
    return found
