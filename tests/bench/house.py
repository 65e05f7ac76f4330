"""The house with a year of data, and with ten: availability, booking, statistics. On SQLite."""

from __future__ import annotations

import os
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import requests
from sqlalchemy import func, select

from fabctl.clock import SystemClock
from fabctl.model.booking_slots import Slot
from fabctl.model.refusal import RefusedError
from fabctl.services import bookings, retention, statistics
from fabctl.services.availability import availability
from fabctl.services.statistics_papers import statistics_pdf
from fabctl.store.tables import Claim, Reservation, Resource
from tests.bench.figures import quantile, show
from tests.bench.house_lab import CLIENTS, House, at, bookers, counted, seeded, served

YEARS = (1, 10)
WEEKS = 60
BOOKINGS = 25
"""Of each client."""
PAUSE_S = 1.0
"""Between two bookings of one client who is a person; without it 20 clients are a load test."""


def main() -> None:
    """Print the figures for one year of data, then for ten."""
    for years in YEARS:
        with tempfile.TemporaryDirectory() as folder:
            began = time.monotonic()
            house = seeded(Path(folder), years)
            print(f"the house, {years} year(s) of data; load average {os.getloadavg()[0]:.1f}")
            show(f"seeding {house.rows:,} rows", time.monotonic() - began, "s", aim=60 * years)
            size = Path(folder, "lab.db").stat().st_size / 1e6
            show("the database's file", size, "MB")
            _availability(house)
            _statistics(house)
            with served(house) as url:
                people = bookers(house)
                _availability_served(house, url, people[0][1])
                _booking_alone(house, people)
                _booking(house, url, people, pause_s=PAUSE_S, first_day=2)
                _booking(house, url, people, pause_s=0.0, first_day=16)


def _availability(house: House) -> None:
    """Ask for weeks around today: before, now, to come."""
    db = house.open()
    taken, queries = [], set()
    for number in range(WEEKS):
        start = at(house, number % 6 * 7 - 14, 0)
        window = Slot(start, start + timedelta(days=7))
        with counted(db.engine) as seen:
            began = time.perf_counter()
            with db.reading() as session:
                found = availability(session, house.config.time_zone, window)
            taken.append((time.perf_counter() - began) * 1000)
        queries.add(len(seen))
        assert len(found) == 40
    db.close()
    print(f" availability of 40 resources for a week ({WEEKS} times)")
    show("p50", quantile(taken, 0.5), "ms")
    show("p95", quantile(taken, 0.95), "ms", aim=60)
    show("queries, most", max(queries), "", aim=12)


def _statistics(house: House) -> None:
    """Count the last whole twelve months there are most data of, then put them on paper."""
    db, year = house.open(), house.today.year
    began = time.perf_counter()
    with counted(db.engine) as seen, db.reading() as session:
        view = statistics.of_year(session, house.config.time_zone, year=year, by="shell:bench")
    took = time.perf_counter() - began
    began = time.perf_counter()
    statistics_pdf(view, "fr", house.config.name)
    paper = time.perf_counter() - began
    began = time.perf_counter()
    with db.transaction() as session:
        retention.apply(session, SystemClock(), house.config.time_zone)
    kept = time.perf_counter() - began
    db.close()
    total = view.reservations[0].total
    print(f" statistics of {year}: {total.visits if total else 0:,} reservations that were used")
    show("to count them", took, "s", aim=1)
    show("queries", len(seen), "")
    show("to print them as PDF", paper, "s")
    show("the steward's retention, first time", kept, "s")


def _availability_served(house: House, url: str, token: str) -> None:
    """Ask the running `fabctl web` for the same weeks."""
    taken, size = [], 0
    web = requests.Session()
    web.headers["Authorization"] = f"Bearer {token}"
    for number in range(WEEKS):
        start = at(house, number % 6 * 7 - 14, 0)
        window = {"start": start.isoformat(), "end": (start + timedelta(days=7)).isoformat()}
        began = time.perf_counter()
        answer = web.get(f"{url}/api/v1/availability", params=window, timeout=30)
        taken.append((time.perf_counter() - began) * 1000)
        assert answer.ok, answer.text
        size = max(size, len(answer.content))
    print(f" the same from `fabctl web`, as JSON; load average {os.getloadavg()[0]:.1f}")
    show("p50", quantile(taken, 0.5), "ms")
    show("p95", quantile(taken, 0.95), "ms", aim=60)
    show("largest answer", size / 1000, "kB")


@dataclass
class Tally:
    """What 20 clients were answered."""

    ms: list[float] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    made: list[str] = field(default_factory=list)
    locked: int = 0
    """Answers that speak of a locked or busy database."""

    def note(self, began: float, answer: requests.Response) -> None:
        """Keep one answer."""
        self.ms.append((time.perf_counter() - began) * 1000)
        self.answers[answer.status_code] += 1
        if answer.status_code == 201:
            self.made.append(answer.json()["id"])
        elif "locked" in answer.text or "busy" in answer.text or answer.status_code >= 500:
            self.locked += 1


def _booking(
    house: House, url: str, people: Sequence[tuple[str, str]], *, pause_s: float, first_day: int
) -> None:
    tally, before = Tally(), _on_record(house)
    _at_once(
        [
            lambda n=number, who=who: _client(house, url, who, n, tally, pause_s, first_day)  # type: ignore[misc]  # bound now
            for number, who in enumerate(people)
        ]
    )
    lost = len(set(tally.made)) - (_on_record(house) - before)
    kind = f"one every {pause_s:g} s each" if pause_s else "back to back, no pause"
    print(f" booking, {CLIENTS} clients, {kind}; load average {os.getloadavg()[0]:.1f}")
    show("p50", quantile(tally.ms, 0.5), "ms")
    show("p95", quantile(tally.ms, 0.95), "ms", aim=80 if pause_s else None)
    show("slowest", max(tally.ms), "ms")
    show("booked", tally.answers[201], "")
    show("refused by the rules (409)", tally.answers[409], "")
    show("other answers", sum(tally.answers.values()) - tally.answers[201] - tally.answers[409], "",
         aim=0)  # fmt: skip
    show("lost updates", abs(lost), "", aim=0)
    show("double bookings", _doubled(house), "", aim=0)
    show('"database is locked", or 5xx, shown', tally.locked, "", aim=0)


def _booking_alone(house: House, people: Sequence[tuple[str, str]]) -> None:
    """Book for one person after the other without the web, and count what that asks."""
    db, taken, queries = house.open(), list[float](), list[int]()
    machines = sorted(house.config.machines)
    for number, (who, _) in enumerate(people):
        start = at(house, 30, 10) + timedelta(minutes=20 * number)
        began = time.perf_counter()
        with counted(db.engine) as seen, suppress(RefusedError), db.transaction() as session:
            bookings.book(
                session,
                SystemClock(),
                house.config.time_zone,
                person_id=who,
                resource_id=machines[number % len(machines)],
                start=start,
                end=start + timedelta(minutes=15),
                by=who,
            )
        taken.append((time.perf_counter() - began) * 1000)
        queries.append(len(seen))
    db.close()
    print(" booking, one after the other, the service alone")
    show("p50", quantile(taken, 0.5), "ms")
    show("p95", quantile(taken, 0.95), "ms")
    show("queries, most", max(queries), "")


def _at_once(work: Sequence[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=one) for one in work]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


def _client(
    house: House,
    url: str,
    who: tuple[str, str],
    number: int,
    tally: Tally,
    pause_s: float,
    first_day: int,
) -> None:
    """Book whatever comes to mind, as people do: some of it is taken, or a machine not theirs."""
    rng = random.Random(number)  # noqa: S311  # the same requests every time
    web = requests.Session()
    web.headers["Authorization"] = f"Bearer {who[1]}"
    machines = sorted(house.config.machines)
    time.sleep(pause_s * rng.random())
    for _ in range(BOOKINGS):
        start = at(house, first_day + rng.randrange(12), 10) + timedelta(
            minutes=15 * rng.randrange(36)
        )
        body = {
            "resource": rng.choice(machines),
            "start": start.isoformat(),
            "end": (start + timedelta(minutes=15)).isoformat(),
        }
        began = time.perf_counter()
        answer = web.post(f"{url}/api/v1/reservations", json=body, timeout=30)
        tally.note(began, answer)
        time.sleep(pause_s * rng.uniform(0.5, 1.5))


def _on_record(house: House) -> int:
    db = house.open()
    with db.reading() as session:
        found = session.scalar(select(func.count()).select_from(Reservation)) or 0
    db.close()
    return found


def _doubled(house: House) -> int:
    """Count live claims that overlap the one before on the same resource, or one of its room."""
    db = house.open()
    with db.reading() as session:
        rooms = {row.id: row.parent_id for row in session.scalars(select(Resource))}
        query = select(Claim).where(Claim.released_at.is_(None)).order_by(Claim.start_at)
        last: dict[str, Claim] = {}
        doubled = 0
        for claim in session.scalars(query):
            for other in (claim.resource_id, rooms[claim.resource_id]):
                before = last.get(other) if other else None
                doubled += before is not None and (before.free_at or before.end_at) > claim.start_at
            last[claim.resource_id] = claim
    db.close()
    return doubled
