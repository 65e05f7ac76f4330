"""After three days away the steward does every due thing once; killed in a round, none twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from fabctl.services import uses
from fabctl.services.recording import WORD_WITHIN
from fabctl.store.tables_notices import Notice
from fabctl.store.tables_training import DueWork
from tests.servers.store.conftest import Lab
from tests.servers.store.due_things import before_the_steward_leaves
from tests.servers.store.steward_days import Days, Killed, MortalDatabase

DONE = """
job.start-unanswered of the job
reservation.checked-in of karim's Tuesday
reservation.no-show of lea's Tuesday
reservation.no-show of lea's Thursday
waiting.missed of noemie's wait for Tuesday
waiting.offered of karim's wait for Thursday
waiting.lapsed of karim's wait for Friday
waiting.offered of noemie's wait for Friday
enrolment.lapsed of Bo's wait for Tuesday
enrolment.lapsed of Bo's Saturday
enrolment.offered of Cy's Saturday
needs.deleted of Tuesday's session
certification.expired of Yann
certification.expired of Max
certification.expiry-warned of Zoe
certification.expiry-warned of Nora
task.made of new
task.made of new
person.erased of Old
""".strip().splitlines()
"""What fell due, by the audit. Nobody waits for the same thing twice; two machines need grease."""

TOLD = """
lea: no-show
lea: no-show
karim: offered
karim: offer-lapsed
noemie: offered
karim: reminder
Di: session-reminder
Tom: session-reminder
Ana: session-reminder
Bo: place-lapsed
Bo: place-lapsed
Cy: place-offered
Yann: expired
Max: expired
Zoe: expiry-warned
Nora: expiry-warned
awa: maintenance-due
awa: maintenance-due
""".strip().splitlines()
"""Karim is reminded of Friday only: what began while the steward was away needs none."""

WITH_MAIL = ("lea", "karim", "awa")


@dataclass
class Since:
    """What there was when the steward left; the rest came after."""

    days: Days
    done: Counter[str]
    told: Counter[str]
    queued: Counter[str]

    def news(self) -> tuple[list[str], list[str], list[str]]:
        """Return what was done, told and queued since, each sorted."""
        days = self.days
        pairs = (
            (days.audited(), self.done), (days.told(), self.told), (days.queued(), self.queued)
        )  # fmt: skip
        done, told, queued = (sorted((Counter(new) - old).elements()) for new, old in pairs)
        return done, told, queued


EVERYTHING = (
    sorted(DONE),
    sorted(TOLD),
    sorted(one for one in TOLD if one.startswith(WITH_MAIL)),
)


@pytest.fixture
def since(lab: Lab, tmp_path: Path) -> Since:
    """Everything is prepared, a steward has worked and gone, and three days are over."""
    days = before_the_steward_leaves(lab, tmp_path / "files")
    days.round(days.steward())
    assert set(days.kept().values()) == {1}
    found = Since(days, *(Counter(one) for one in (days.audited(), days.told(), days.queued())))
    days.nobody_is_there()
    return found


def no_use_of_three_days(days: Days) -> None:
    """Check that a start that nobody answered ended long before the steward came to it."""
    job = next(one for one, name in days.names.items() if name == "the job")
    with days.lab.database.reading() as session:
        (use,) = uses.uses_of_job(session, job_id=job)
    assert use.closed_at == use.opened_at + WORD_WITHIN


def test_after_three_days_every_due_thing_is_done_once(since: Since) -> None:
    days = since.days
    steward = days.steward()
    days.round(steward)
    assert since.news() == EVERYTHING
    assert set(days.kept().values()) == {0}
    no_use_of_three_days(days)
    days.lab.clock.advance(300)  # less than an offer stands
    days.round(steward)
    days.round(days.steward())
    assert since.news() == EVERYTHING


def test_killed_anywhere_in_its_round_the_next_one_does_the_rest(since: Since) -> None:
    """One steward after the other dies: with its n-th transaction lost, then right after it."""
    days, deaths = since.days, 0
    for place in count(1):
        alive = 0
        for kept in (False, True):
            database = MortalDatabase(days.lab.database, place, kept=kept)
            try:
                days.round(days.steward(database), database)
                alive += 1
            except Killed:
                deaths += 1
        if alive == 2:
            break
    assert deaths >= 2 * 8  # every kind of work has a transaction of its own
    assert since.news() == EVERYTHING
    assert set(days.kept().values()) == {0}


def test_control_a_steward_that_forgot_what_it_did_does_it_again(since: Since) -> None:
    days = since.days
    days.round(days.steward())
    with days.lab.database.transaction() as session:
        session.execute(delete(DueWork))
        session.execute(update(Notice).values(once=None))
    days.round(days.steward())
    again = Counter(since.news()[1]) - Counter(sorted(TOLD))
    assert {"karim: reminder", "Yann: expired", "Nora: expiry-warned"} <= set(again)
