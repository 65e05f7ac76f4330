"""A lab in which something of every kind becomes due while its steward is away for three days."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.config import MailConfig
from fabctl.hosting.machine_reports import Stamps
from fabctl.hosting.mail_office import MailOffice
from fabctl.hosting.steward import Steward
from fabctl.messaging.lab_view import LabView
from fabctl.services import (
    lookups,
)
from fabctl.services.mail_letters import Sender
from fabctl.store.engine import Database
from fabctl.store.ids import new_id
from fabctl.store.tables import Audit, Job, Person, SignIn, Use
from fabctl.store.tables_booking import Waiting
from fabctl.store.tables_notices import Mail, Notice
from fabctl.store.tables_training import LabPresence, QuizAttempt
from tests.machine_bench import TOPICS, KeptMessages
from tests.ports import free_port
from tests.servers.store.conftest import Lab

PARIS = ZoneInfo("Europe/Paris")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
YEAR = 365 * DAY
AWAY = 3 * DAY + timedelta(minutes=10)
SENDER = Sender("lab@example.org", "La Casemate", "fr", PARIS, None)


class Killed(BaseException):
    """The steward is gone, in the middle of what it was doing."""


class MortalDatabase(Database):
    """The database of a steward that is killed at the end of its n-th transaction.

    :param kept: whether that transaction is kept; else everything in it was for nothing.
    """

    def __init__(self, database: Database, at: int = 0, *, kept: bool = False) -> None:
        super().__init__(database.engine, zone=PARIS)
        self._left = at
        self._kept = kept

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Yield a session that may be the last."""
        with super().transaction() as session:
            yield session
            session.flush()
            self._left -= 1
            if self._left == 0 and not self._kept:
                raise Killed
        if self._left == 0:
            raise Killed


class Acknowledged:
    """Tells nobody: no machine says anything here."""

    def add(self, machine: str, boot: str, seq: int) -> None:
        """Fail: there is nothing to acknowledge."""
        raise AssertionError((machine, boot, seq))


@dataclass
class Days:
    """The lab, the files of its jobs, and what things are called in what is expected."""

    lab: Lab
    folder: Path
    names: dict[str, str]
    mail_port: int = field(default_factory=free_port)
    log: list[str] = field(default_factory=list)

    def steward(self, database: Database | None = None) -> Steward:
        """Return a steward that has just been started."""
        clock = self.lab.clock
        return Steward(
            TOPICS, database or self.lab.database, KeptMessages(), Acknowledged(),
            Stamps(clock, "steward"), clock, self.log.append, self.folder,
            LabView(TOPICS.lab, {"printer-a": "pi"}, clock),
        )  # fmt: skip

    def nobody_is_there(self) -> None:
        """Let three days go by: the mill is left on, and Karim comes for his reservation."""
        clock, began = self.lab.clock, self.lab.clock.now()
        clock.advance(HOUR.total_seconds())
        use_from_now(self.lab, self.lab.awa, "mill", None)
        clock.advance(26.5 * HOUR.total_seconds())
        use_from_now(self.lab, self.lab.karim, "printer-a", HOUR)
        clock.advance((began + AWAY - clock.now()).total_seconds())

    def round(self, steward: Steward, database: Database | None = None) -> None:
        """Have it do once what is due now, and its mail office too; no mail server answers."""
        steward._do_clock_work()
        config = MailConfig("127.0.0.1", self.mail_port, "none", SENDER.address)
        lab = self.lab
        MailOffice(config, SENDER, database or lab.database, lab.clock, self.log.append, 1.0).work()
        assert steward.failures == 0, steward.last_failure

    def audited(self) -> list[str]:
        """Return what the steward did, by the audit: ``what of which``."""
        query = select(Audit.what, Audit.subject).where(Audit.who.is_(None))
        with self.lab.database.reading() as session:
            found = session.execute(query.order_by(Audit.id)).all()
        return [f"{what} of {self._name(subject.partition(':')[2])}" for what, subject in found]

    def told(self) -> list[str]:
        """Return who was told what: ``name: code``."""
        with self.lab.database.reading() as session:
            found = session.execute(select(Notice.person_id, Notice.code)).all()
        return [f"{self._name(person)}: {code}" for person, code in found]

    def queued(self) -> list[str]:
        """Return what is in the queue of mail: ``name: code``."""
        query = select(Notice.person_id, Notice.code).join(Mail, Mail.notice_id == Notice.id)
        with self.lab.database.reading() as session:
            return [f"{self._name(person)}: {code}" for person, code in session.execute(query)]

    def kept(self) -> dict[str, int]:
        """Return how many rows there are of what is forgotten one day."""
        tables = {
            "notices": select(Notice.id).where(Notice.subject == "x"),
            "presences": select(LabPresence.id),
            "waiting": select(Waiting.id).where(Waiting.resource_id == "mill"),
            "quiz-attempts": select(QuizAttempt.id),
            "job-names": select(Job.id).where(Job.name == "old.gcode"),
            "people": select(Person.id).where(Person.display_name == "Old"),
            "sign-ins": select(SignIn.token_hash),
        }
        with self.lab.database.reading() as session:
            return {name: len(session.scalars(query).all()) for name, query in tables.items()}

    def _name(self, subject: str) -> str:
        return self.names.get(subject, "new")


def use_from_now(lab: Lab, person: str, machine: str, lasts: timedelta | None) -> None:
    """Note that somebody uses a machine from now on; None: they never say that they are done."""
    now = lab.clock.now()
    with lab.database.transaction() as session:
        account = lookups.own_account(session, person).id
        row = Use(id=new_id(), resource_id=machine, person_id=person, account_id=account)
        row.opened_at, row.closed_at = now, None if lasts is None else now + lasts
        row.outcome = None if lasts is None else "finished"
        session.add(row)
