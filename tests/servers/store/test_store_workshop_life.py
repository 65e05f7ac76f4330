"""Whatever people do with a session's places, in any order: never too many, nobody forgotten."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from fabctl.clock import ManualClock
from fabctl.model.booking import Slot
from fabctl.model.refusal import RefusedError
from fabctl.model.workshops import HOLDS_A_PLACE
from fabctl.services import enrolments, people, sessions, workshops
from fabctl.services.due_training import do_due_training
from fabctl.store.engine import Database, open_database
from fabctl.store.tables_workshops import Enrolment
from tests.databases import PostgreSQL
from tests.servers.store.workshop_scene import PARIS

MAKERS = range(8)
HELD = {state.value for state in HOLDS_A_PLACE}
makers = st.sampled_from(MAKERS)
groups = st.lists(makers, min_size=1, max_size=3, unique=True)


class SessionLife(RuleBasedStateMachine):
    """People enrol alone and together, accept, leave; places come and go; time passes."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database
        self.clock = ManualClock()
        self.start = self.clock.now() + timedelta(days=5)
        with database.transaction() as session:
            self.staff = people.add_person(session, self.clock, display_name="Awa", role="staff").id
            self.ids = [
                people.add_person(session, self.clock, display_name=f"P{number}").id
                for number in MAKERS
            ]
            workshop = workshops.create_workshop(
                session,
                self.clock,
                title="W",
                places=3,
                accept_hours=12,
                consent_needed=False,
                by=self.staff,
            ).id
            self.meeting = sessions.schedule(
                session,
                self.clock,
                workshop_id=workshop,
                slot=Slot(self.start, self.start + timedelta(hours=2)),
                by=self.staff,
            ).id

    @initialize()
    def fill(self) -> None:
        """Half of the random lives would never fill three places."""
        for who in ([0], [1], [2], [3], [4, 5]):
            self.enrol(who)

    @rule(who=groups)
    def enrol(self, who: list[int]) -> None:
        there = {row.person_id for row in self.live()}
        wanted = [self.ids[one] for one in who]
        try:
            with self.database.transaction() as session:
                made = enrolments.enrol(
                    session,
                    self.clock,
                    PARIS,
                    session_id=self.meeting,
                    person_ids=wanted,
                    by=self.staff,
                )
        except RefusedError as refused:
            assert refused.codes == {"already-enrolled"} or self.over()  # noqa: PT017  # either
            assert self.over() or there & set(wanted)
        else:
            assert len({one.state for one in made}) == 1  # together or not at all
            assert not there & set(wanted)

    @rule(who=makers, whole=st.booleans())
    def leave(self, who: int, whole: bool) -> None:
        self.answer(who, lambda session, one: enrolments.cancel_enrolment(
            session, self.clock, enrolment_id=one, by=self.staff, whole_party=whole
        ))  # fmt: skip

    @rule(who=makers)
    def accept(self, who: int) -> None:
        self.answer(who, lambda session, one: enrolments.accept(
            session, self.clock, enrolment_id=one, by=self.staff
        ))  # fmt: skip

    def answer(self, who: int, act: Callable[..., object]) -> None:
        """Do something with one of the live enrolments, where there is one."""
        rows = sorted(self.live(), key=lambda row: (row.rank, row.person_id))
        if not rows:
            return
        try:
            with self.database.transaction() as session:
                act(session, rows[who % len(rows)].id)
        except RefusedError as refused:
            assert refused.codes <= {"not-offered", "offer-over", "session-over"}  # noqa: PT017  # each is possible

    @rule(places=st.integers(1, 6))
    def resize(self, places: int) -> None:
        held = sum(row.state in HELD for row in self.live())
        try:
            with self.database.transaction() as session:
                sessions.set_places(
                    session, self.clock, session_id=self.meeting, places=places, by=self.staff
                )
        except RefusedError as refused:
            assert refused.codes <= {"session-full", "session-over"}  # noqa: PT017  # or over
            assert places < held or self.over()

    @rule(hours=st.sampled_from([1, 6, 12, 13]))
    def pass_time(self, hours: int) -> None:
        self.clock.advance(hours * 3600)

    @rule()
    def a_night_passes(self) -> None:
        """An offer stands for 12 h: in the morning it has lapsed."""
        self.clock.advance(13 * 3600)
        self.steward_works()

    @rule()
    def steward_works(self) -> None:
        with self.database.transaction() as session:
            do_due_training(session, self.clock)
        with self.database.transaction() as session:
            assert do_due_training(session, self.clock) == []
        now = self.clock.now()
        assert all(row.accept_by is None or row.accept_by >= now for row in self.live())

    def live(self) -> list[Enrolment]:
        with self.database.reading() as session:
            return list(session.scalars(select(Enrolment).where(Enrolment.ended_at.is_(None))))

    def over(self) -> bool:
        return self.clock.now() >= self.start + timedelta(hours=2)

    def places(self) -> int:
        with self.database.reading() as session:
            return workshops.get_session(session, self.meeting).places

    @invariant()
    def never_more_than_the_places(self) -> None:
        assert sum(row.state in HELD for row in self.live()) <= self.places()

    @invariant()
    def nobody_waits_beside_a_place_that_they_could_have(self) -> None:
        if self.clock.now() >= self.start:
            return  # nothing is offered any more
        free = self.places() - sum(row.state in HELD for row in self.live())
        waiting: dict[str, int] = {}
        for row in self.live():
            if row.state == "waiting":
                waiting[row.party_id] = waiting.get(row.party_id, 0) + 1
        assert all(size > free for size in waiting.values())

    @invariant()
    def nobody_is_there_twice(self) -> None:
        there = [row.person_id for row in self.live()]
        assert len(there) == len(set(there))

    def teardown(self) -> None:
        """Close the database."""
        self.database.close()


def live(new_url: Callable[[], str], examples: int) -> None:
    class Life(SessionLife):
        def __init__(self) -> None:
            super().__init__(open_database(new_url(), zone=PARIS))

    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking here takes minutes
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


def test_a_sessions_life_in_sqlite(tmp_path: Path, migrated_sqlite: Path) -> None:
    numbering = count()

    def new_url() -> str:
        file = tmp_path / f"{next(numbering)}.db"
        shutil.copyfile(migrated_sqlite, file)
        return f"sqlite:///{file}"

    live(new_url, examples=15)


@pytest.mark.timeout(120)
def test_a_sessions_life_in_postgresql(postgresql_server: PostgreSQL) -> None:
    names = []

    def new_url() -> str:
        names.append(postgresql_server.new_database(like=postgresql_server.migrated))
        return postgresql_server.url(names[-1])

    live(new_url, examples=4)
    for name in names:
        postgresql_server.drop_database(name)
