"""How tests are spread over several processes."""

from __future__ import annotations

import gc
from itertools import groupby
from pathlib import Path

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]  # it has no types
from xdist.scheduler import (  # type: ignore[import-untyped]  # the same
    LoadFileScheduling,
    Scheduling,
)

BEGUN_BY = {"waits": 0.65, "shown": 0.8, "computes": 1.0}
OBJECTS_BEFORE_A_LOOK = 20_000
SPREAD = "::test_every_page_on_every_screen["


class ByFileButPages(LoadFileScheduling):  # type: ignore[misc]  # the same
    """A file stays in one process, for what its tests share; the pages of each area do not."""

    def _split_scope(self, nodeid: str) -> str:
        return _scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """Spread by file, as ``--dist loadfile`` asks, and the long look at every page by area."""
    return ByFileButPages(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mix what waits (machines, cables, cabinets), what computes, and browsers.

    One kind after the other would leave the cores idle at first and fight for them at the end, or
    the other way round: what waits is begun in the first two thirds.
    """
    files = [list(found) for _, found in groupby(items, key=lambda item: _scope(item.nodeid))]
    kinds: dict[str, list[list[pytest.Item]]] = {}
    for file in files:
        kinds.setdefault(_kind(file[0].path), []).append(file)
    placed = [
        (BEGUN_BY[kind] * (place + 0.5) / len(of_kind), kind, file)
        for kind, of_kind in kinds.items()
        for place, file in enumerate(of_kind)
    ]
    placed.sort(key=lambda one: one[:2])
    items[:] = [item for _, _, file in placed for item in file]


def _scope(nodeid: str) -> str:
    return nodeid if SPREAD in nodeid else nodeid.split("::", maxsplit=1)[0]


def _kind(path: Path) -> str:
    if "browser" in path.parts:
        return "shown"
    waits = {"servers", "with_sim"} & {*path.parts} and "store" not in path.parts
    return "waits" if waits and not path.name.startswith("test_web") else "computes"


def pytest_collection_finish() -> None:
    """Look for rubbish less often, and never among what stays: a tenth of the computing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BEFORE_A_LOOK, 20, 50)
