"""Every page that people see, by area: tests/browser/test_screens.py looks at each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fabctl.config import LabConfig
from tests.browser.conftest import Served, twelve_machines

VISITOR = ""


@dataclass(frozen=True)
class Shown:
    """One page as somebody sees it."""

    path: str
    """Its address; ``{name}`` is filled in with what the scene returned."""
    who: str = VISITOR
    """The login of whoever is signed in; empty: nobody."""
    desk: bool = False
    """On a browser that is no shared screen."""


@dataclass(frozen=True)
class Area:
    """Pages that need the same things to be there."""

    name: str
    fill: Callable[[Served], dict[str, Any]]
    """Put something to be shown into the lab; returns what fills in the addresses."""
    pages: Sequence[Shown] = field(default_factory=tuple)
    config: Callable[[Path], LabConfig] = twelve_machines
    """The lab that it needs, below a folder."""
