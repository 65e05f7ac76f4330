"""Benches that are cleared away after the test."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.pty_bench import GrblBench, MakeGrbl, MakeMarlin, MarlinBench


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: Unix sockets take no long ones."""
    with tempfile.TemporaryDirectory(prefix="sim") as name:
        yield Path(name)


@pytest.fixture
def marlin(folder: Path) -> Iterator[MakeMarlin]:
    with ExitStack() as made:

        def bench(*words: str, **options: str | bool) -> MarlinBench:
            one = MarlinBench(folder, words, {"window": False, **options})
            made.callback(one.close)
            return one

        yield bench


@pytest.fixture
def grbl(folder: Path) -> Iterator[MakeGrbl]:
    with ExitStack() as made:

        def bench(*words: str, **options: str | bool) -> GrblBench:
            one = GrblBench(folder, words, options)
            made.callback(one.close)
            return one

        yield bench
