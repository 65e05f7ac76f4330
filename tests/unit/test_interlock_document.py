"""``docs/interlock-states.md`` says what the code does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fabctl.interlock import InterlockState as State
from fabctl_drivers.interlock import drawing
from fabctl_drivers.interlock.table import NEXT, Event

DOCUMENT = Path(__file__).parents[2] / "docs/interlock-states.md"


def test_the_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == drawing.document(), (
        f"{DOCUMENT.name} is older than the code: {drawing.COMMAND}"
    )


def test_the_command_draws_the_document() -> None:
    module = drawing.COMMAND.split()[2]
    drawn = subprocess.run([sys.executable, "-m", module], capture_output=True, check=True)
    assert drawn.stdout.decode() == drawing.document()


def test_a_changed_row_makes_it_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = {**NEXT, (State.TRIPPED, Event.CLEAR): State.ARMED}
    monkeypatch.setattr(drawing, "NEXT", changed)
    assert DOCUMENT.read_text(encoding="utf-8") != drawing.document()
