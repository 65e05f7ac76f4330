"""Several of the staff write one course at the same moment, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from fabctl.services import courses, quiz_making
from fabctl.services.courses import Wording
from fabctl.store.ids import new_id
from fabctl.store.tables_training import QuizQuestion
from tests.servers.store.conftest import Lab
from tests.servers.store.racers_training import ASKED
from tests.servers.store.racing import Racer, Track, copied

RACERS, ROUNDS = 3, 20


def course(lab: Lab) -> str:
    with lab.database.transaction() as session:
        return courses.create_course(
            session,
            lab.clock,
            wording={"en": Wording("Laser")},
            resource_ids=["printer-a"],
            by=lab.awa,
        ).id


def test_one_question_comes_in_the_place_of_one(lab: Lab, track: Track) -> None:
    made, ids = course(lab), [new_id() for _ in range(ROUNDS)]
    with lab.database.transaction() as session:
        first = quiz_making.add_question(
            session, lab.clock, course_id=made, wording=ASKED, right=[0], by=lab.awa
        )
        copied(session, session.get_one(QuizQuestion, first), [{"id": one} for one in ids])
    racers: list[Racer] = [{"action": "ask_another", "questions": ids, "by": lab.awa}] * RACERS
    for number, said in enumerate(track.race(lab, racers, ROUNDS)):
        gone = f"there is no question {ids[number]!r} that is asked"
        assert sorted(said) == ["", *[gone] * (RACERS - 1)]
    with lab.database.reading() as session:
        asked = select(QuizQuestion.id).where(QuizQuestion.retired_at.is_(None))
        assert len(session.scalars(asked).all()) == 1 + ROUNDS


def test_each_question_that_is_added_has_its_own_place(lab: Lab, track: Track) -> None:
    made = course(lab)
    racers: list[Racer] = [{"action": "ask_one_more", "course": made, "by": lab.awa}] * RACERS
    assert set(track.race(lab, racers, ROUNDS)) == {("",) * RACERS}
    with lab.database.reading() as session:
        places = session.scalars(select(QuizQuestion.position)).all()
    assert sorted(places) == list(range(1, 1 + RACERS * ROUNDS))


@pytest.mark.parametrize("action", ["reword", "change"])
def test_a_course_is_written_one_after_the_other(lab: Lab, track: Track, action: str) -> None:
    racers: list[Racer] = [{"action": action, "course": course(lab), "by": lab.awa}] * RACERS
    assert set(track.race(lab, racers, ROUNDS)) == {("",) * RACERS}
