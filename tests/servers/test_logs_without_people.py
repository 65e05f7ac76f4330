"""Logs tell nothing about anybody: a scene with people is lived through, faults and all."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from fabctl.clock import ManualClock
from fabctl.config import MailConfig
from fabctl.hosting.machine_reports import Stamps
from fabctl.hosting.mail_office import MailOffice
from fabctl.hosting.steward import Steward
from fabctl.messaging.topics import LabTopics
from fabctl.model.notice import Code
from fabctl.services import mail_queue, notices, people
from fabctl.services.mail_letters import Sender
from fabctl.services.notices import About
from fabctl.store.tables import Credential, Person
from fabctl.store.tables_notices import MailAddress
from fabctl.store.tables_workshops import ConsentForm
from tests.machine_bench import KeptMessages
from tests.security_scene import SecurityScene, security_scene
from tests.servers.smtp_server import Picky, serving
from tests.web_lab import WebLab, web_lab

WHO = ("camille", "awa", "")
STAND_IN = "mail.log"
"""The logger of the stand-in for a mail server."""
SEARCH = "Marguerite Duplessis"
"""What somebody of the staff types into every search."""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecurityScene]:
    with web_lab(tmp_path_factory.mktemp("lab")) as lab:
        made = security_scene(lab)
        with lab.db.transaction() as session:
            camille = made.camille.id
            mail_queue.set_wish(
                session, lab.clock, person_id=camille, address="c.duval@example.org",
                wanted=True, by=camille,
            )  # fmt: skip
            notices.tell(session, lab.clock, camille, Code.SUSPENDED, About(words="Duval again"))
        yield made


def private(lab: WebLab) -> set[str]:
    """Return every name, login, address and telephone number of the scene."""
    columns = (
        Person.display_name, Credential.login, MailAddress.address,
        ConsentForm.guardian_name, ConsentForm.guardian_phone,
    )  # fmt: skip
    with lab.db.reading() as session:
        found = {one for column in columns for one in session.scalars(select(column)) if one}
    assert {"camille", "Camille", "c.duval@example.org"} <= found
    return found | {SEARCH, SEARCH.split(maxsplit=1)[0]}


def told(words: set[str], lines: list[str]) -> set[str]:
    """Return the words that stand in a line, as words of their own."""
    whole = "\n".join(lines).casefold()
    return {one for one in words if re.search(rf"(?<!\w){re.escape(one.casefold())}(?!\w)", whole)}


def visit_everything(scene: SecurityScene) -> None:
    for login in WHO:
        browser = scene.browser(login)
        for path in scene.pages():
            browser.get(f"{path}{'&' if '?' in path else '?'}words={SEARCH}")
    for wrong in ("camille", "nobody-at-all"):
        scene.browser("").post("/in", {"login": wrong, "password": "wrong"}, page="/in")


def live_a_fortnight(lab: WebLab, log: list[str], folder: Path) -> Steward:
    topics = LabTopics(lab.config.id)
    steward = Steward(
        topics, lab.db, KeptMessages(), _Nobody(), Stamps(lab.clock, "steward"), lab.clock,
        log.append, folder, lab.workshop.view,
    )  # fmt: skip
    for _ in range(14 * 4):
        advance(lab, 6 * 3600)
        steward._do_clock_work()
    return steward


def advance(lab: WebLab, seconds: float) -> None:
    assert isinstance(lab.clock, ManualClock)
    lab.clock.advance(seconds)


class _Nobody:
    """Tells no machine what is on record."""

    def add(self, machine: str, boot: str, seq: int) -> None:
        """Tell nobody."""


def refuse_mail(lab: WebLab, log: list[str]) -> None:
    """Send mail to a server that repeats the address when it says no."""
    post = Picky(says=lambda to: f"550 5.1.1 <{to}> has no mailbox here")
    with serving(post) as port:
        config = MailConfig("127.0.0.1", port, "none", "lab@example.org")
        sender = Sender("lab@example.org", "Lab", "fr", lab.config.time_zone, None)
        office = MailOffice(config, sender, lab.db, lab.clock, log.append)
        for _ in range(3):
            office.work()
            advance(lab, 7200)


def test_nobody_stands_in_the_logs(
    scene: SecurityScene, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    lab, log = scene.lab, list[str]()
    words = private(lab)
    with caplog.at_level(logging.DEBUG):
        visit_everything(scene)
        refuse_mail(lab, log)
        steward = live_a_fortnight(lab, log, tmp_path)
        camille = scene.browser("camille")
        lab.app.config["PROPAGATE_EXCEPTIONS"] = False  # a fault is logged, as it is in a lab
        with lab.db.engine.begin() as connection:  # from here on everything fails
            connection.execute(text("ALTER TABLE person RENAME TO lost"))
            connection.execute(text("ALTER TABLE credential RENAME TO lost_too"))
        for path in scene.pages():
            camille.get(f"{path}{'&' if '?' in path else '?'}words={SEARCH}")
        with lab.db.reading() as session, pytest.raises(OperationalError) as raised:
            people.find_by_login(session, "camille")
        log.append(str(raised.value))
        steward._last.clear()
        steward._do_clock_work()
    ours = [one for one in caplog.records if one.name != STAND_IN]
    lines = [*log, *(logging.Formatter().format(one) for one in ours)]
    assert len(log) > 3, "the steward and the mail office said something"
    assert "no such table: person" in caplog.text, "a fault was logged with its statement"
    assert told(words, lines) == set()


def test_the_look_for_words_finds_them() -> None:
    assert told({"Léa", "ana"}, ["who: léa.", "banana"]) == {"Léa"}
