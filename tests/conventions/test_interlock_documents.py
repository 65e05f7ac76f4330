"""The wiring documents and the program say the same: roles, pins, codes, words on the screen."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

from fabctl.commands.interlock import interlock
from fabctl.i18n import gettext_for
from fabctl.interlock import FlowLimits, InputRole, OutputRole, Timings
from fabctl.interlock_causes import SENTENCES, FaultCode
from fabctl_web.interlocks.words import LOOKS

ROOT = Path(__file__).parents[2]
WIRING = (ROOT / "deploy/interlock-wiring.md").read_text(encoding="utf-8")
CHECKS = (ROOT / "deploy/interlock-checks.md").read_text(encoding="utf-8")
DRAWING = ROOT / "deploy/interlock-wiring.svg"


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


def test_pins_are_those_of_the_demo_and_no_two_are_the_same() -> None:
    demo = (ROOT / "fabctl/commands/demo_lab.toml").read_text()
    pins = {role: int(row[2]) for role, row in rows().items()}
    assert len(set(pins.values())) == len(pins)
    written = demo[demo.index("[interlocks.laser]") :]
    found = re.findall(r"(\w+) = (?:\{ pin = )?(\d+)", written)
    assert {role: int(pin) for role, pin in found} == pins


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
    shown = {french(look.word) for look in LOOKS.values()} | {french("I begin")}
    quoted = set(re.findall(r"\"([A-ZÉ][^\"]+)\"", CHECKS))
    assert quoted
    assert quoted <= shown


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


def test_the_drawing_is_svg_with_a_title_and_names_the_relays_and_pins() -> None:
    root = ET.parse(DRAWING).getroot()  # noqa: S314  # our own file
    texts = " ".join("".join(node.itertext()) for node in root.iter() if node.tag.endswith("text"))
    pins = {role: row[2] for role, row in rows().items()}
    for word in ("SR-1", "SR-2", "K1", "K2", "Monostable"):
        assert word in texts
    for role in ("reset", "k1_feedback", "k2_feedback", "flow", "k1", "k2"):
        assert f"GPIO {pins[role]}" in texts, role
    assert root.attrib["role"] == "img"
    assert any(node.tag.endswith("title") for node in root)
