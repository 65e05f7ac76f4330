"""How tests are spread over several processes."""

from __future__ import annotations

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]  # it has no types
from xdist.scheduler import (  # type: ignore[import-untyped]  # the same
    LoadFileScheduling,
    Scheduling,
)

SPREAD = "::test_every_page_on_every_screen["


class ByFileButPages(LoadFileScheduling):  # type: ignore[misc]  # the same
    """A file stays in one process, for what its tests share; the pages of each area do not."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if SPREAD in nodeid else str(super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """Spread by file, as ``--dist loadfile`` asks, and the long look at every page by area."""
    return ByFileButPages(config, log) if config.getvalue("dist") == "loadfile" else None
