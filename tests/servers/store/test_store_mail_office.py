"""Mail against real SMTP servers: ones that work, and ones that are down, slow, rude or killed."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, select

from fabctl.clock import ManualClock, SystemClock
from fabctl.config import MailConfig
from fabctl.hosting.mail_office import MailOffice
from fabctl.model.booking_slots import Slot
from fabctl.model.mail import GIVE_UP_AFTER
from fabctl.model.notice import Code
from fabctl.ports import MachineKind, MachineProfile
from fabctl.services import mail_queue, notices, people
from fabctl.services.machines import sync_resources
from fabctl.services.mail_letters import Sender
from fabctl.services.notices import About
from fabctl.store.engine import Database
from fabctl.store.tables_notices import Mail, Notice
from tests.ports import free_port
from tests.servers.smtp_server import (
    Picky,
    Post,
    dies_after_the_mail,
    only,
    says_nothing,
    serving,
    speaking,
)

SENDER = Sender("lab@example.org", "La Casemate", "fr", ZoneInfo("Europe/Paris"), None)
HOUR = timedelta(hours=1)


class House:
    """A lab in which people are told things; its mail is sent by hand."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.database = database
        self.clock = clock
        self.log: list[str] = []
        self.ids: dict[str, str] = {}
        profile = MachineProfile("m", "Fraiseuse", MachineKind.OTHER, "opaque", "pi", None, 9600)
        with database.transaction() as session:
            sync_resources(session, clock, [profile])
        self.awa = self.person("awa", None, role="staff")

    def person(self, name: str, address: str | None = "", role: str = "member") -> str:
        """Add somebody; with an address of their own unless told otherwise."""
        with self.database.transaction() as session:
            found = people.add_person(session, self.clock, display_name=name, role=role).id
            if address is not None:
                mail_queue.set_wish(
                    session, self.clock, person_id=found, wanted=True, by=found,
                    address=address or f"{name}@example.org",
                )  # fmt: skip
        self.ids[name] = found
        return found

    def tell(self, *names: str, code: Code = Code.REMINDER, hours: float = 24) -> None:
        """Tell people something about in so many hours."""
        start = self.clock.now() + hours * HOUR
        about = About(
            resource_id="m", slot=Slot(start, start + HOUR), subject="reservation:r1", until=start
        )
        with self.database.transaction() as session:
            for name in names:
                notices.tell(session, self.clock, self.ids[name], code, about)

    def office(self, port: int, timeout_s: float = 5.0, **how: Any) -> MailOffice:
        """Return a mail office that talks to a port."""
        usual: dict[str, Any] = {"security": "none", "sender": SENDER.address}
        config = MailConfig("127.0.0.1", port, **(usual | how))
        return MailOffice(config, SENDER, self.database, self.clock, self.log.append, timeout_s)

    def mails(self) -> list[tuple[str | None, str | None, int]]:
        """Return outcome, trouble and tries of every mail, the first first."""
        with self.database.reading() as session:
            rows = session.scalars(select(Mail).order_by(Mail.queued_at, Mail.id)).all()
        return [(row.outcome, row.trouble, row.tries) for row in rows]

    def troubles(self) -> list[tuple[str, str, str | None]]:
        """Return what the staff are shown."""
        with self.database.reading() as session:
            found = mail_queue.troubles(session, by=self.awa)
        return [(one.name, one.outcome, one.trouble) for one in found]


@pytest.fixture
def house(database: Database, clock: ManualClock) -> House:
    """A lab with Léa, Karim and Awa of the staff; the first two have addresses."""
    house = House(database, clock)
    for name in ("lea", "karim"):
        house.person(name)
    return house


def test_what_people_are_told_is_mailed_once_to_those_who_want_it(house: House) -> None:
    house.tell("lea")
    house.person("paul", None)
    house.person("noemie")
    with house.database.transaction() as session:
        noemie = house.ids["noemie"]
        mail_queue.set_wish(
            session, house.clock, person_id=noemie, address="n@example.org", wanted=False,
            by=noemie,
        )  # fmt: skip
    house.tell("paul", "noemie", "karim")
    post = Post()
    with serving(post) as port:
        office = house.office(port)
        assert (office.work(), office.work()) == (2, 0)
    assert sorted(post.to) == ["karim@example.org", "lea@example.org"]
    made = post.letters[0]
    assert made["Subject"] == "La Casemate: Bientôt : Fraiseuse"
    assert [part.get_content_type() for part in made.iter_attachments()] == ["text/calendar"]
    assert house.mails() == [("sent", None, 1)] * 2
    assert house.log == []


def test_a_server_that_is_down_costs_nothing_but_time(house: House) -> None:
    house.tell("lea")
    office = house.office(free_port())
    for _ in range(5):
        assert office.work() == 0
        house.clock.advance(10)
    assert house.mails() == [(None, None, 0)]
    assert house.log == ["mail: the mail server cannot be used: Connection refused"]
    house.clock.advance(900)
    with serving(Post()) as working:
        office._config = house.office(working)._config
        assert office.work() == 1
    assert (office.trouble, house.log[1:]) == (None, ["mail: the server takes mail again"])


def test_a_server_that_is_down_for_days_is_given_up_and_the_staff_see_it(house: House) -> None:
    house.tell("lea", code=Code.CANCELLED_BY_STAFF)
    office = house.office(free_port())
    office.work()
    house.clock.advance(GIVE_UP_AFTER.total_seconds() - 60)
    office.work()
    assert house.troubles() == []
    house.clock.advance(3600)
    office.work()
    assert house.troubles() == [("lea", "given-up", "Connection refused")]
    assert not [line for line in house.log if "lea" in line]


def test_after_days_without_a_steward_there_is_one_more_try(house: House) -> None:
    house.tell("lea", code=Code.CANCELLED_BY_STAFF)
    house.office(free_port()).work()
    house.clock.advance(2 * GIVE_UP_AFTER.total_seconds())
    post = Post()
    with serving(post) as port:
        assert house.office(port).work() == 1


def test_a_mail_refused_for_good_keeps_no_other_back_and_names_nobody(house: House) -> None:
    house.tell("lea", "karim")
    post = Picky(lambda to: "550 5.1.1 <lea@example.org> is unknown" if "lea" in to else "250 ok")
    with serving(post) as port:
        office = house.office(port)
        assert office.work() == 1
        house.clock.advance(86_400)
        assert office.work() == 0
    assert post.to == ["karim@example.org"]
    assert house.troubles() == [("lea", "refused", "550 5.1.1")]
    assert len(house.log) == 1
    assert "lea" not in house.log[0]


def test_a_mail_not_taken_now_is_tried_after_pauses_that_grow(house: House) -> None:
    house.tell("lea", hours=100)
    post = Post(lambda _to: "451 4.7.1 come back later")
    tried = []
    with serving(post) as port:
        office = house.office(port)
        for minute in range(90):
            before = house.mails()[0][2] if minute else 0
            office.work()
            if house.mails()[0][2] > before:
                tried.append(minute)
            house.clock.advance(60)
        assert tried == [0, 1, 6, 21, 81]
        assert house.mails() == [(None, "451 4.7.1", 5)]
        house.clock.advance(GIVE_UP_AFTER.total_seconds())
        office.work()
    assert house.troubles() == [("lea", "given-up", "451 4.7.1")]


def test_what_has_no_use_any_more_is_not_sent(house: House) -> None:
    house.tell("lea", hours=2)
    house.tell("karim", code=Code.PLACE_OFFERED, hours=2)
    house.office(free_port()).work()
    house.clock.advance(7200)
    post = Post()
    with serving(post) as port:
        assert house.office(port).work() == 0
    assert [outcome for outcome, _, _ in house.mails()] == ["overtaken"] * 2
    assert house.troubles() == []


def test_who_says_no_in_the_meantime_gets_none(house: House) -> None:
    house.tell("lea")
    house.office(free_port()).work()
    with house.database.transaction() as session:
        lea = house.ids["lea"]
        mail_queue.set_wish(session, house.clock, person_id=lea, address="", wanted=True, by=lea)
    house.clock.advance(900)
    post = Post()
    with serving(post) as port:
        assert house.office(port).work() == 0
    assert house.mails() == [("unwanted", None, 0)]


def test_old_news_is_not_mailed_when_mail_begins(house: House) -> None:
    house.tell("lea", hours=200)
    house.clock.advance(GIVE_UP_AFTER.total_seconds())
    house.person("zoe", None)
    house.tell("zoe")
    house.clock.advance(1)
    with house.database.transaction() as session:
        zoe = house.ids["zoe"]
        mail_queue.set_wish(
            session, house.clock, person_id=zoe, address="z@example.org", wanted=True, by=zoe
        )
    house.office(free_port()).work()
    assert house.mails() == []


def test_a_server_that_says_nothing_is_left_alone(house: House) -> None:
    house.tell("lea")
    with speaking(says_nothing) as port:
        office = house.office(port, timeout_s=0.2)
        began = time.monotonic()
        assert office.work() == 0
        assert time.monotonic() - began < 3
    assert office.trouble == "the mail server cannot be used: timeout"


def test_no_lock_is_held_while_a_server_is_slow(house: House) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def slow(_to: str) -> str:
        asked.set()
        assert go_on.wait(20)
        return "250 ok"

    house.tell("lea")
    post = Post(slow)
    with serving(post) as port:
        office = house.office(port, timeout_s=20)
        office.begin()
        assert asked.wait(20)
        house.tell("karim")  # a transaction of somebody else's: it waits for nobody
        go_on.set()
        deadline = time.monotonic() + 20
        while house.mails()[0][0] is None and time.monotonic() < deadline:
            time.sleep(0.02)
        office.end(5)
    assert house.mails()[0] == ("sent", None, 1)


@pytest.mark.parametrize("answer", ["250 ok", "450 later", "550 never"])
def test_a_person_erased_while_their_mail_is_under_way_stops_nothing(
    house: House, answer: str
) -> None:
    def erasing(_to: str) -> str:
        with house.database.transaction() as session:
            session.execute(delete(Mail))
            session.execute(delete(Notice))
        return answer

    house.tell("lea")
    with serving(Post(erasing)) as port:
        office = house.office(port)
        office.work()
    assert (office.trouble, house.mails()) == (None, [])


def test_a_server_killed_in_the_middle_gets_the_mail_again_under_the_same_name(
    house: House,
) -> None:
    house.tell("lea")
    with speaking(dies_after_the_mail) as port:
        assert house.office(port).work() == 0
    assert house.mails() == [(None, "SMTPServerDisconnected", 1)]
    house.clock.advance(60)
    post = Post()
    with serving(post) as port:
        assert house.office(port).work() == 1
    with house.database.reading() as session:
        name = session.scalars(select(Mail.id)).one()
    assert post.letters[0]["Message-ID"] == f"<{name}@example.org>"


SENDS = """
import sys
from fabctl.clock import SystemClock
from fabctl.config import MailConfig
from fabctl.hosting.mail_office import MailOffice
from fabctl.services.mail_letters import Sender
from fabctl.store.engine import open_database
from zoneinfo import ZoneInfo
sender = Sender("lab@example.org", "Lab", "fr", ZoneInfo("Europe/Paris"), None)
config = MailConfig("127.0.0.1", int(sys.argv[2]), "none", "lab@example.org")
MailOffice(config, sender, open_database(sys.argv[1]), SystemClock(), print).work()
"""


def test_a_sender_killed_before_it_noted_a_mail_sends_it_once_more(
    house: House, database_url: str
) -> None:
    """At least once: between the server's 250 and our note there is no way to know."""
    house.clock.wall = time_now()
    house.person("zoe")
    house.tell("zoe")
    taken, letters = threading.Event(), Post()

    def taking(_to: str) -> str:
        if not taken.is_set():
            taken.set()
            assert killed.wait(30)
        return "250 ok"

    killed = threading.Event()
    letters.says = taking
    with serving(letters) as port:
        child = subprocess.Popen(
            [sys.executable, "-c", SENDS, database_url, str(port)], env=os.environ
        )
        assert taken.wait(30)
        child.send_signal(signal.SIGKILL)
        child.wait(10)
        killed.set()
        assert house.mails() == [(None, None, 1)]
        house.clock.wall = time_now()
        office = house.office(port)
        assert office.work() == 0  # not at once: the try was counted before it began
        house.clock.advance(60)
        assert office.work() == 1
    names = {str(one["Message-ID"]) for one in letters.letters}
    assert (len(letters.letters), len(names)) == (2, 1)
    assert house.mails() == [("sent", None, 2)]


def test_two_offices_at_once_send_nothing_twice(house: House) -> None:
    for _ in range(10):
        house.tell("lea", "karim")
    post = Post()
    with serving(post) as port:
        offices = [house.office(port) for _ in range(2)]
        with house.database.transaction() as session:
            mail_queue.queue_up(session, house.clock)
        threads = [threading.Thread(target=office.work) for office in offices]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    names = [str(one["Message-ID"]) for one in post.letters]
    assert len(names) == len(set(names)) == 20


# -- who the server is, and who we are ---------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1, and the context of a server that has it."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
         "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert, context


def test_with_starttls_and_a_password(
    house: House, tmp_path: Path, certificate: tuple[Path, ssl.SSLContext]
) -> None:
    cert, context = certificate
    password = tmp_path / "password"
    password.write_text("secret\n")
    house.tell("lea")
    post = Post()
    how: dict[str, Any] = {
        "require_starttls": True, "tls_context": context, "auth_required": True,
        "authenticator": only("lab", "secret"),
    }  # fmt: skip
    with serving(post, **how) as port:
        as_lab: dict[str, Any] = {"security": "starttls", "user": "lab", "password_file": password}
        stranger = house.office(port, **as_lab)
        assert stranger.work() == 0
        assert stranger.trouble == "the mail server cannot be used: certificate"
        known = as_lab | {"ca_file": cert}
        password.write_text("wrong\n")
        forgetful = house.office(port, **known)
        assert forgetful.work() == 0
        assert forgetful.trouble == "the mail server cannot be used: 535 5.7.8"
        password.write_text("secret\n")
        assert house.office(port, **known).work() == 1
    assert house.mails() == [("sent", None, 1)]


def test_nothing_is_said_to_a_server_that_does_not_know_starttls(house: House) -> None:
    house.tell("lea")
    post = Post()
    with serving(post) as port:
        office = house.office(port, security="starttls")
        assert office.work() == 0
    assert office.trouble == "the mail server cannot be used: SMTPNotSupportedError"
    assert post.letters == []


def time_now() -> datetime:
    """Return the computer's wall clock, by which the killed process goes."""
    return SystemClock().now()
