"""`fabctl person`, `token` and `migrate`, as somebody types them."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from fabctl.__main__ import cli
from fabctl.clock import SystemClock
from fabctl.errors import FabError, InputError
from fabctl.messaging.keys import read_key
from fabctl.services import badges, people, tokens
from fabctl.services.audit import lines_about
from fabctl.services.password_sign_in import check_password
from fabctl.store.engine import Database, make_sqlite_file, open_database
from fabctl.store.version import HEAD

LAB = """
[lab]
id = "test"
name = "Test"
[hosts.pi]
name = "Pi"
[machines.printer-a]
name = "A"
kind = "printer"
driver = "marlin"
port = "/dev/null"
baud = 250000
work_area = { x = [0, 250], y = [0, 210], z = [0, 210] }
"""
PASSWORD = "four words in a row"


@pytest.fixture
def lab_toml(tmp_path: Path) -> Path:
    file = tmp_path / "lab.toml"
    file.write_text(LAB)
    return file


def fabctl(lab_toml: Path, *words: str, typed: str = "") -> Result:
    """Run a command in this process; an error that fabctl explains is raised."""
    return CliRunner().invoke(
        cli,
        list(words),
        env={"FABCTL_CONFIG": str(lab_toml)},
        input=typed,
        catch_exceptions=False,
    )


def opened(lab_toml: Path) -> Database:
    return open_database(f"sqlite:///{lab_toml.parent}/data/lab.db")


def test_a_new_database_is_its_owners_alone_whoever_opens_it_first(tmp_path: Path) -> None:
    for name in ("steward.db", "second.db"):
        database = open_database(f"sqlite:///{tmp_path / name}")
        with database.reading() as session:
            session.execute(text("SELECT 1"))
        database.close()
    assert {one.stat().st_mode & 0o777 for one in tmp_path.iterdir()} == {0o600}


def test_opening_a_database_leaves_its_locks(tmp_path: Path) -> None:
    """Closing any other descriptor of a file gives its locks back (fcntl(2))."""
    file = tmp_path / "lab.db"
    open_database(f"sqlite:///{file}").close()
    with closing(sqlite3.connect(file, isolation_level=None)) as held:
        held.execute("PRAGMA journal_mode = DELETE")
        held.execute("CREATE TABLE t (x)")
        held.execute("BEGIN IMMEDIATE")
        make_sqlite_file(file)
        other = "import sqlite3, sys; sqlite3.connect(sys.argv[1], 0).execute('BEGIN IMMEDIATE')"
        done = subprocess.run(
            [sys.executable, "-c", other, str(file)], capture_output=True, text=True, check=False
        )
    assert "database is locked" in done.stderr


@pytest.fixture
def with_lea(lab_toml: Path) -> Path:
    """A new lab, made by adding its first person."""
    done = fabctl(lab_toml, "person", "add", "lea", "Léa M.", typed=f"{PASSWORD}\n")
    assert done.output == "Added Léa M. (lea, member).\n"
    return lab_toml


def test_the_first_person_makes_the_lab(with_lea: Path) -> None:
    database = opened(with_lea)
    found = check_password(database, SystemClock(), "lea", PASSWORD)
    database.close()
    assert found is not None
    shown = fabctl(with_lea, "person", "list").output
    assert "lea" in shown
    assert "Léa M." in shown


@pytest.mark.parametrize(
    ("words", "typed", "sentence"),
    [
        (("add", "lea", "Another"), PASSWORD, "Somebody else has this login."),
        (("add", "Tom!", "Tom"), "short", "1 to 64 characters.*8 to 200 characters"),
        (("add", "tom", "Tom"), "", "no password on standard input"),
        (("set-password", "tom"), PASSWORD, "nobody has the login 'tom'"),
        (("set-pin", "lea"), "123456", "cannot be used"),
    ],
)
def test_what_is_refused_says_why(
    with_lea: Path, words: tuple[str, ...], typed: str, sentence: str
) -> None:
    with pytest.raises(FabError, match=sentence):
        fabctl(with_lea, "person", *words, typed=typed and f"{typed}\n")


def test_a_new_password_replaces_the_old_one(with_lea: Path) -> None:
    fabctl(with_lea, "person", "set-password", "lea", typed="another password\n")
    database = opened(with_lea)
    assert check_password(database, SystemClock(), "lea", PASSWORD) is None
    assert check_password(database, SystemClock(), "lea", "another password") is not None
    database.close()


@pytest.mark.parametrize("draw", [False, True])
def test_a_pin_is_typed_or_drawn(with_lea: Path, draw: bool) -> None:
    words = ("--draw",) if draw else ()
    done = fabctl(with_lea, "person", "set-pin", "lea", *words, typed="" if draw else "402817\n")
    pin = done.output.rstrip(".\n").split()[-1] if draw else "402817"
    secret = read_key(with_lea.parent / "data" / "secret.key")
    database = opened(with_lea)
    with database.transaction() as session:
        found = people.check_pin(session, SystemClock(), secret, pin, "wall")
    database.close()
    assert found is not None
    assert found.login == "lea"


def test_a_badge_is_typed_by_a_reader_at_the_computer(with_lea: Path) -> None:
    done = fabctl(with_lea, "person", "add-badge", "lea", typed="0012345678\n")
    assert "12345678" not in done.output
    secret = read_key(with_lea.parent / "data" / "secret.key")
    database = opened(with_lea)
    with database.transaction() as session:
        found = badges.check_badge(session, SystemClock(), secret, "0012345678", "wall")
    database.close()
    assert found is not None
    assert found.login == "lea"


def test_certifying_and_suspending_are_listed(with_lea: Path) -> None:
    fabctl(with_lea, "certify", "lea", "printer-a", "--until", "2031-12-31")
    assert "printer-a (valid)" in fabctl(with_lea, "person", "list").output
    fabctl(with_lea, "certify", "lea", "printer-a", "--suspend", "left a mess")
    assert "printer-a (suspended)" in fabctl(with_lea, "person", "list").output
    fabctl(with_lea, "certify", "lea", "printer-a", "--until", "2020-01-01")
    assert "printer-a (expired)" in fabctl(with_lea, "person", "list").output


def test_a_token_is_shown_once_listed_and_revoked(with_lea: Path) -> None:
    made = fabctl(with_lea, "token", "create", "lea", "--name", "printing script")
    token = made.stdout.strip()
    assert token.startswith("fab_")
    listed = fabctl(with_lea, "token", "list", "lea").output
    assert "printing script" in listed
    assert "valid" in listed
    assert token not in listed
    fabctl(with_lea, "token", "revoke", listed.split()[0])
    assert "revoked" in fabctl(with_lea, "token", "list").output
    database = opened(with_lea)
    with database.reading() as session:
        assert tokens.find_token(session, SystemClock(), token) is None
    database.close()


def test_the_trail_names_who_typed(with_lea: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getuid", lambda: 0)
    monkeypatch.setenv("SUDO_USER", "karim")
    fabctl(with_lea, "person", "set-password", "lea", typed="one more new password\n")
    fabctl(with_lea, "person", "set-pin", "lea", "--draw")
    fabctl(with_lea, "certify", "lea", "printer-a")
    database = opened(with_lea)
    with database.reading() as session:
        lea = people.find_by_login(session, "lea")
        assert lea is not None
        lines = lines_about(session, f"person:{lea.id}")
    database.close()
    assert [(line.who, line.what) for line in lines[-3:]] == [
        ("shell:karim", "password.set"),
        ("shell:karim", "pin.set"),
        ("shell:karim", "certification.granted"),
    ]
    assert all((line.who or "").startswith("shell:") for line in lines)


def test_migrating_says_what_it_did(lab_toml: Path) -> None:
    runner = CliRunner()
    for sentence in (f"from nothing to {HEAD}", f"up to date ({HEAD})"):
        done = runner.invoke(cli, ["migrate", "--config", str(lab_toml)], catch_exceptions=False)
        assert sentence in done.output


def test_an_older_database_is_not_touched_by_other_commands(with_lea: Path) -> None:
    database = opened(with_lea)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    database.close()
    with pytest.raises(FabError, match="fabctl migrate"):
        fabctl(with_lea, "person", "list")


def test_no_option_takes_a_password_or_a_pin() -> None:
    for words in (["person", "add"], ["person", "set-password"], ["person", "set-pin"]):
        text = CliRunner().invoke(cli, [*words, "--help"]).output
        assert "--password" not in text
        assert "--pin" not in text


def test_help_stays_quick_it_loads_no_database() -> None:
    program = (
        "import sys, json; sys.argv = ['fabctl', 'person', '--help']\n"
        "from fabctl.__main__ import cli\n"
        "cli(standalone_mode=False)\n"
        "print(json.dumps([name in sys.modules for name in ('sqlalchemy', 'argon2', 'alembic')]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [False, False, False]


def test_a_missing_lab_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises((InputError, FabError)):
        fabctl(tmp_path / "lab.toml", "person", "list")
