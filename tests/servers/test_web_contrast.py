"""Colours of states hold 7:1 against both backgrounds, in light and in dark; text holds 4.5:1."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import fabctl_web

TOKENS = (Path(fabctl_web.__file__).parent / "static/css/tokens.css").read_text()
STATES = ("free", "reserved", "busy", "paused", "blocked", "broken", "silent")


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))


LIGHT_BLOCK, DARK_BLOCK = TOKENS.split("@media (prefers-color-scheme: dark)")
THEMES = {"light": colours(LIGHT_BLOCK), "dark": colours(DARK_BLOCK)}


def luminance(colour: str) -> float:
    """WCAG 2.2, definition of relative luminance."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, definition of contrast ratio."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_formula() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("state", STATES)
def test_a_state_is_readable_from_afar(theme: str, state: str) -> None:
    found = THEMES[theme]
    assert contrast(found[state], found["surface"]) >= 7
    assert contrast(found[state], found["ground"]) >= 7


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    ("ink", "paper"),
    [
        ("text", "ground"), ("text", "surface"), ("muted", "surface"), ("muted", "ground"),
        ("accent", "surface"), ("on-accent", "accent"), ("on-stop", "stop"),
        ("on-notice", "notice"),
    ],
)  # fmt: skip
def test_text_is_readable(theme: str, ink: str, paper: str) -> None:
    assert contrast(THEMES[theme][ink], THEMES[theme][paper]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("edge", ["focus", "line", "stop-edge"])
def test_edges_and_focus_are_seen(theme: str, edge: str) -> None:
    assert contrast(THEMES[theme][edge], THEMES[theme]["ground"]) >= 3
