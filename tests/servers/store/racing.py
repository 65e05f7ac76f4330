"""Races: some processes that want the same at the same moment, round after round.

A race is a list with one racer each, ``{"action": ...}`` and what that action needs. It is run by
:mod:`tests.servers.store.racers`, a program that keeps its processes over the rounds.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from fabctl.store.engine import Database
from fabctl.store.tables import Base

if TYPE_CHECKING:  # the program that imports this needs no fixtures
    from tests.servers.store.conftest import Lab

ROUNDS = 200
CONTROL_ROUNDS = 20
CROSSED = "two changes crossed each other; nothing was changed"
ROOT = Path(__file__).parents[3]

Racer = dict[str, Any]
Wait = Callable[[], object]
Action = Callable[[Database, Wait, Racer, int], None]
"""Get ready, wait for the others, and go: on which database, who, in which round."""


@dataclass
class Track:
    """The program; it runs one race after the other."""

    program: subprocess.Popen[str]

    def race(self, lab: Lab, racers: Sequence[Racer], rounds: int) -> list[tuple[str, ...]]:
        """Return for each round what each racer was told, ``""`` for a winner."""
        url = lab.database.engine.url.render_as_string(hide_password=False)
        lab.database.close()
        assert self.program.stdin is not None
        assert self.program.stdout is not None
        order = {"url": url, "rounds": rounds, "racers": racers}
        self.program.stdin.write(json.dumps(order) + "\n")
        self.program.stdin.flush()
        said = json.loads(self.program.stdout.readline())
        assert said is not None, "a racer died; its last words are on stderr"
        found = list(zip(*said, strict=True))
        assert len(found) == rounds
        return found


@pytest.fixture(scope="session")
def track() -> Iterator[Track]:
    """The program, started once for all races; it ends with its input."""
    words = [sys.executable, "-m", "tests.servers.store.racers"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as program:
        yield Track(program)


def copied(session: Session, row: Base, changes: Sequence[dict[str, Any]]) -> None:
    """Write copies of a row that differ in these columns."""
    kind = type(row)
    columns = {column.key: getattr(row, column.key) for column in kind.__table__.columns}
    session.execute(insert(kind), [{**columns, **change} for change in changes])
