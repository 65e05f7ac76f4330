"""`fabctl person unlock` and `fabctl resource`: the ways out that staff have."""

from __future__ import annotations

import os
import pwd
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fabctl.__main__ import cli
from fabctl.clock import SystemClock
from fabctl.config_file import load
from fabctl.errors import FabError
from fabctl.model.booking_facts import PARIS
from fabctl.services import (
    bookings,
    certifications,
    jobs,
    machines,
    people,
    resource_desk,
    unlocking,
    uses,
)
from fabctl.services.audit import lines_about
from fabctl.services.password_sign_in import check_password
from fabctl.store.engine import Database
from fabctl.store.tables import WrongTry
from tests.servers.store.jobs_at_work import CONTENT, report, stored

LAB = """
[lab]
id = "test"
name = "Test"
[database]
url = "{url}"
[hosts.pi]
name = "Pi"
[machines.printer-a]
name = "Printer A"
kind = "printer"
driver = "marlin"
port = "/dev/null"
baud = 250000
work_area = {{ x = [0, 250], y = [0, 210], z = [0, 210] }}
"""
PASSWORD = "four words in a row"
SECRET = b"s" * 32
CLOCK = SystemClock()


@pytest.fixture
def lab_toml(tmp_path: Path, database_url: str) -> Path:
    """A lab with Léa in it and one machine."""
    file = tmp_path / "lab.toml"
    file.write_text(LAB.format(url=database_url))
    return file


@pytest.fixture
def lea(lab_toml: Path, database: Database) -> str:
    with database.transaction() as session:
        machines.sync_resources(session, CLOCK, load(lab_toml).machines.values())
        added = people.add_person(
            session, CLOCK, display_name="Léa M.", login="lea", password=PASSWORD
        )
    return added.id


SHELL = f"shell:{pwd.getpwuid(os.getuid()).pw_name}"


@pytest.fixture(autouse=True)
def without_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)


def fabctl(lab_toml: Path, group: str, verb: str, *words: str, typed: str = "") -> Result:
    return CliRunner().invoke(
        cli,
        [group, verb, "--config", str(lab_toml), *words],
        input=typed,
        catch_exceptions=False,
    )


def trail(database: Database, subject: str) -> list[tuple[str | None, str]]:
    with database.reading() as session:
        return [(line.who, line.what) for line in lines_about(session, subject)]


# -- fabctl person unlock ------------------------------------------------------------------------


def test_a_login_is_unlocked(lab_toml: Path, database: Database, lea: str) -> None:
    for _ in range(5):
        check_password(database, CLOCK, "lea", "wrong password")
    with pytest.raises(people.TooManyTriesError):
        check_password(database, CLOCK, "lea", PASSWORD)
    done = fabctl(lab_toml, "person", "unlock", "Lea")
    assert done.output == "Léa M. may try their password again.\n"
    found = check_password(database, CLOCK, "lea", PASSWORD)
    assert found is not None
    assert trail(database, f"person:{lea}")[-1] == (SHELL, "login.unlocked")


def test_every_locked_screen_is_unlocked_and_no_other(lab_toml: Path, database: Database) -> None:
    for device, wrong in (("10.0.0.7", 5), ("10.0.0.8", 1), ("10.0.0.9", 5)):
        for _ in range(wrong):
            with database.transaction() as session:
                people.check_pin(session, CLOCK, SECRET, "111112", device)
    done = fabctl(lab_toml, "person", "unlock", "--screens")
    assert done.output == "Screen 10.0.0.7 takes PINs again.\nScreen 10.0.0.9 takes PINs again.\n"
    with database.transaction() as session:
        assert people.check_pin(session, CLOCK, SECRET, "111112", "10.0.0.7") is None
        assert unlocking.locked_devices(session, CLOCK) == []
        assert session.get(WrongTry, ("pin", "10.0.0.8")) is not None
    assert trail(database, "device:10.0.0.9") == [(SHELL, "device.unlocked")]
    assert trail(database, "device:10.0.0.8") == []
    assert fabctl(lab_toml, "person", "unlock", "--screens").output == "No screen is locked.\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "name one LOGIN, or give --screens"),
        (("lea", "--screens"), "name one LOGIN, or give --screens"),
        (("tom",), "nobody has the login 'tom'"),
    ],
)
def test_what_cannot_be_unlocked_says_why(
    lab_toml: Path, lea: str, words: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(FabError, match=sentence):
        fabctl(lab_toml, "person", "unlock", *words)


# -- fabctl resource -----------------------------------------------------------------------------


def running(lab_toml: Path, database: Database, lea: str) -> str:
    """Have Léa start a job on printer-a that the machine never speaks of; return its id."""
    path, sha256 = stored(lab_toml.parent / "files")
    now = CLOCK.now()
    with database.transaction() as session:
        certifications.certify(session, CLOCK, person_id=lea, resource_id="printer-a")
        bookings.book(
            session,
            CLOCK,
            load(lab_toml).time_zone,
            person_id=lea,
            resource_id="printer-a",
            start=now,
            end=now + timedelta(hours=1),
            by=lea,
        )
        job = jobs.prepare(
            session,
            CLOCK,
            person_id=lea,
            resource_id="printer-a",
            name="tag.gcode",
            path=path,
            sha256=sha256,
            size=len(CONTENT),
            report=report(),
        )
        jobs.open_use(session, CLOCK, PARIS, job_id=job.id, person_id=lea, machine_state="idle")
        jobs.start_answered(session, CLOCK, job_id=job.id, accepted=True, code="ok", reason=None)
    return job.id


def test_a_new_labs_machines_are_listed(lab_toml: Path, database: Database) -> None:
    (line,) = fabctl(lab_toml, "resource", "list").output.splitlines()
    assert line.split() == ["printer-a", "Printer", "A", "in", "order;", "free"]


def test_out_of_order_and_in_order_again(lab_toml: Path, database: Database) -> None:
    done = fabctl(lab_toml, "resource", "out-of-order", "printer-a", "--reason", "belt torn")
    assert done.output == "printer-a is out of order: belt torn\n"
    listed = fabctl(lab_toml, "resource", "list").output
    assert "out of order since 20" in listed
    assert "(belt torn); free" in listed
    assert (
        fabctl(lab_toml, "resource", "in-order", "printer-a").output == "printer-a is in order.\n"
    )
    assert "in order; free" in fabctl(lab_toml, "resource", "list").output
    assert trail(database, "resource:printer-a") == [
        (None, "resource.added"),
        (SHELL, "resource.out-of-order"),
        (SHELL, "resource.in-order"),
    ]


def test_what_happens_next_is_said_with_it(lab_toml: Path, database: Database) -> None:
    words = ("--reason", "belt torn", "--next-step", "a belt comes on Friday")
    fabctl(lab_toml, "resource", "out-of-order", "printer-a", *words)
    with database.reading() as session:
        found = resource_desk.order_of(session, resource_id="printer-a")
    assert (found.reason, found.next_step) == ("belt torn", "a belt comes on Friday")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("out-of-order", "lathe", "--reason", "rust"), "there is no machine 'lathe'"),
        (("in-order", "lathe"), "there is no machine 'lathe'"),
        (("release", "lathe", "--reason", "rust"), "called 'lathe': there is nothing to release"),
        (("release", "printer-a", "--reason", "rust"), "nothing to release.*resource list"),
        (("out-of-order", "printer-a", "--reason", " "), "with a reason"),
    ],
)
def test_what_a_machine_is_refused_says_why(
    lab_toml: Path, database: Database, words: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(FabError, match=sentence):
        fabctl(lab_toml, "resource", *words)
    assert "in order; free" in fabctl(lab_toml, "resource", "list").output


def test_a_machine_that_fell_silent_is_released_by_who_looked(
    lab_toml: Path, database: Database, lea: str
) -> None:
    job = running(lab_toml, database, lea)
    assert "in use by Léa M. since" in fabctl(lab_toml, "resource", "list").output
    words = ("release", "printer-a", "--reason", "its Pi burnt")
    refused = fabctl(lab_toml, "resource", *words, typed="n\n")
    assert "Look at the machine first" in refused.output
    assert refused.exit_code == 1
    with database.reading() as session:
        assert uses.open_use_on(session, resource_id="printer-a") is not None
    done = fabctl(lab_toml, "resource", *words, typed="y\n")
    assert f"printer-a is released; its job {job} counts as failed." in done.output
    with database.reading() as session:
        found = jobs.get_job(session, job)
        assert uses.open_use_on(session, resource_id="printer-a") is None
    assert (found.state, found.trouble, found.reason) == ("failed", "released", "its Pi burnt")
    assert trail(database, f"job:{job}")[-1] == (SHELL, "job.released")
    assert "in order; free" in fabctl(lab_toml, "resource", "list").output


def test_a_script_that_looked_says_so(lab_toml: Path, database: Database, lea: str) -> None:
    running(lab_toml, database, lea)
    done = fabctl(lab_toml, "resource", "release", "printer-a", "--reason", "gone", "--yes")
    assert done.exit_code == 0
    assert "Look at the machine first" not in done.output


@pytest.mark.parametrize("verb", ["release", "out-of-order"])
def test_a_reason_is_asked_for(lab_toml: Path, verb: str) -> None:
    done = fabctl(lab_toml, "resource", verb, "printer-a")
    assert done.exit_code == 2
    assert "--reason" in done.output
