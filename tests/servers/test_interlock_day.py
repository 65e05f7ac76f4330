"""A day of simulated laser work: what the interlock and the lab have on record agrees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fabctl.hosting.permit_office import PermitOffice
from fabctl.interlock import InterlockState as State
from fabctl.messaging.interlocks import InterlockPayload, InterlockView
from fabctl.model.booking_facts import PARIS
from fabctl.store.engine import open_database
from tests.databases import migrated_copy
from tests.interlock_bench import KEY, MACHINE
from tests.interlock_day import LAB, SLOT_MIN, Day

HOURS = 8
AGREE_WITHIN_S = 1.0


def slot(day: Day, person: str) -> None:
    """One reservation: material, button, jobs; trips and a steward's death where chance wants."""
    chance, end = day.random, day.bench.now + SLOT_MIN * 60
    day.book(person, SLOT_MIN)
    day.run(chance.uniform(5, 120))
    use = day.begin(person)
    for _ in range(chance.randint(1, 6)):
        day.load()
        if use is None or day.bench.now > end - 300 or not day.press():
            continue
        if chance.random() < 0.4:
            day.kill_steward(for_s=chance.uniform(1, 40))
        length = chance.choice([20, 90, 400, 900]) * chance.uniform(0.5, 1.5)
        day.cut(length, trip=chance.random() < 0.35)
    ending = chance.random()
    if use is not None and ending < 0.5:
        day.finish(use, person, say_so=ending < 0.35)
    elif use is not None and ending > 0.85 and day.press():
        day.suspend(person)
        day.cut(60, trip=False)
        day.people.remove(person)
    elif use is not None and day.press():
        day.cut(max(1.0, end - day.bench.now + 30), trip=False)  # beyond the reservation's end
    day.run(max(0.0, end - day.bench.now) + 20)


@pytest.mark.timeout(400)  # 40 s of computing; a computer may have more to do
@pytest.mark.parametrize("seed", [1])
def test_the_two_records_agree_to_the_second(tmp_path: Path, seed: int) -> None:
    url = f"sqlite:///{tmp_path}/lab.db"
    migrated_copy(url, tmp_path / "backups")
    database = open_database(url)
    day = Day(database, seed)
    day.bench.chain.opened(day.bench.now)
    day.run(0.5)
    day.load()
    assert day.until(State.LOCKED, 30.0)
    while day.bench.ms < HOURS * 3_600_000:
        slot(day, day.random.choice(day.people))
    day.kill_steward(for_s=1.0)
    day.run(1200.0)  # whatever still drains is over, and on record
    counted, uses = day.by_the_interlock(), day.by_the_lab()
    database.close()

    assert not day.untold
    worked = {use: view.ran_s for use, view in uses.items() if view.ran_s}
    assert worked.keys() == counted.keys()
    apart = {use: abs(seconds - counted[use]) for use, seconds in worked.items() if seconds}
    assert max(apart.values()) < AGREE_WITHIN_S, apart
    assert abs(sum(counted.values()) - sum(filter(None, worked.values()))) < AGREE_WITHIN_S

    # the day was one worth comparing
    events = [line["event"] for line in day.record]
    assert sum(counted.values()) > 3600
    assert len(counted) >= 5
    assert day.restarts >= 5
    assert day.lost > 5000
    assert events.count("unsafe") >= 10
    assert any(line["state"] == "drain" for line in day.record)
    assert {use.outcome for use in uses.values()} >= {"finished", "permission-ended"}
    assert all(use.closed_at is not None for use in uses.values())


class Told:
    """Knows an interlock by one word of it, and keeps what is said to its machine."""

    def __init__(self, word: InterlockPayload) -> None:
        self.word = word
        self.said: list[str] = []

    def interlock(self, machine_id: str) -> InterlockView:
        return InterlockView(machine_id, self.word.state, 0.0, self.word)

    def publish(self, topic: str, payload: bytes, **_more: Any) -> bool:
        assert payload
        self.said.append(topic)
        return True


@pytest.mark.parametrize(
    ("boot", "challenge", "permits"), [("b", None, 0), (None, "c", 0), ("b", "c", 1)]
)
def test_no_permit_without_a_boot_and_a_challenge(
    tmp_path: Path, boot: str | None, challenge: str | None, permits: int
) -> None:
    url = f"sqlite:///{tmp_path}/lab.db"
    migrated_copy(url, tmp_path / "backups")
    database = open_database(url)
    day = Day(database, 1)
    day.book(day.people[0], SLOT_MIN)
    assert day.begin(day.people[0]) is not None
    told = Told(InterlockPayload("locked", boot=boot, challenge=challenge))
    key_of = {MACHINE: lambda: KEY}
    office = PermitOffice(
        LAB, database, told, day.clock, lambda _line: None, told, key_of, zone=PARIS
    )
    office.renew()
    database.close()
    assert told.said == [LAB.command(MACHINE, "permit")] * permits
