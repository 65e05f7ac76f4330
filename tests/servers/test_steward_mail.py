"""The steward as it runs, with ``[mail]`` in lab.toml: what people are told leaves the house."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from fabctl.clock import SystemClock
from fabctl.model.notice import Code
from fabctl.services import mail_queue, notices, people
from fabctl.services.notices import About
from fabctl.store.engine import Database, open_database
from fabctl.store.tables_notices import Mail
from tests.brokers import wait_until
from tests.machine_lab import ONE_MACHINE, machine_lab
from tests.servers.smtp_server import Post, serving

MAIL = """
[mail]
host = "127.0.0.1"
port = {port}
security = "none"
from = "lab@example.org"
"""


def add_lea(database: Database) -> str:
    clock = SystemClock()
    with database.transaction() as session:
        lea = people.add_person(session, clock, display_name="Léa").id
        mail_queue.set_wish(
            session, clock, person_id=lea, address="lea@example.org", wanted=True, by=lea
        )
    return lea


def tell(database: Database, person: str, code: Code) -> None:
    clock = SystemClock()
    with database.transaction() as session:
        about = About(words="because", until=clock.now() + timedelta(days=1))
        notices.tell(session, clock, person, code, about)


def test_a_steward_sends_what_is_due_and_its_successor_only_what_is_new(tmp_path: Path) -> None:
    post = Post()
    with serving(post) as port:
        machines = ONE_MACHINE + MAIL.format(port=port)
        with machine_lab(tmp_path, machines) as lab:
            database = open_database(lab.config.database_url, zone=lab.config.time_zone)
            lea = add_lea(database)
            tell(database, lea, Code.SUSPENDED)
            lab.start_steward()
            wait_until(lambda: len(post.letters) == 1, "the mail arrives")
            wait_until(lambda: sent(database) == 1, "it is noted")
            lab.kill("steward")
            tell(database, lea, Code.TASK_GIVEN)
            lab.start_steward()
            wait_until(lambda: sent(database) == 2, "the next one is noted")
            assert lab.end("steward") == 0
            assert "lea" not in lab.log_of("steward").casefold()
            database.close()
    assert [str(one["To"]) for one in post.letters] == ["Léa <lea@example.org>"] * 2
    assert [str(one["Subject"]) for one in post.letters] == [
        "Lab: Ton habilitation est suspendue", "Lab: Une nouvelle tâche pour toi",
    ]  # fmt: skip


def sent(database: Database) -> int:
    with database.reading() as session:
        return len(session.scalars(select(Mail.id).where(Mail.outcome == "sent")).all())
