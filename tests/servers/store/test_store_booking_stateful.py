"""Whatever people, staff and the clock do in whatever order: after every step all is well."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from fabctl.model import booking
from fabctl.store.engine import open_database
from tests.databases import PostgreSQL
from tests.servers.store.booking_life import BookingLife
from tests.servers.store.guarantees import drop_guarantees


def live(new_url: Callable[[], str], examples: int, steps: int) -> None:
    class Life(BookingLife):
        def __init__(self) -> None:
            super().__init__(open_database(new_url()))

    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking here takes minutes
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


def test_booking_in_sqlite(tmp_path: Path, migrated_sqlite: Path) -> None:
    numbering = count()

    def new_url() -> str:
        file = tmp_path / f"{next(numbering)}.db"
        shutil.copyfile(migrated_sqlite, file)
        return f"sqlite:///{file}"

    live(new_url, examples=12, steps=50)


def test_control_without_rule_and_guarantee_an_invariant_fails(
    tmp_path: Path, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbering = count()
    rules = tuple(one for one in booking.RULES if one.__name__ != "_overlap")
    assert len(rules) == len(booking.RULES) - 1
    monkeypatch.setattr(booking, "RULES", rules)

    def new_url() -> str:
        file = tmp_path / f"{next(numbering)}.db"
        shutil.copyfile(migrated_sqlite, file)
        unguarded = open_database(f"sqlite:///{file}")
        drop_guarantees(unguarded)
        unguarded.close()
        return f"sqlite:///{file}"

    with pytest.raises(AssertionError):
        live(new_url, examples=25, steps=40)


def test_booking_in_postgresql(postgresql_server: PostgreSQL) -> None:
    live(
        lambda: postgresql_server.url(
            postgresql_server.new_database(like=postgresql_server.migrated)
        ),
        examples=4,
        steps=40,
    )
