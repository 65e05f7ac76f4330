"""`fabctl import` and `fabctl certify`, as somebody types them; the import on both databases."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from fabctl.__main__ import cli
from fabctl.errors import FabError
from fabctl.model.people import Role
from fabctl.model.refusal import RefusedError
from fabctl.services import people
from fabctl.services.audit import lines_about
from fabctl.services.password_sign_in import check_password
from fabctl.services.people_import import Imported, import_people
from fabctl.store.engine import Database, open_database
from tests.servers.store.conftest import Lab
from tests.servers.store.test_store_commands import LAB

ZONE = ZoneInfo("Europe/Paris")
GOOD = "Nom;Prénom;Identifiant;Année de naissance\nLévy;שירה;shira;2004\nفاطمة;;;\n🦊;;;1999\n"


def imported(lab: Lab, content: str | bytes, *, skip_bad: bool = False) -> Imported:
    body = content.encode() if isinstance(content, str) else content
    with lab.database.transaction() as session:
        return import_people(session, lab.clock, ZONE, content=body, skip_bad=skip_bad, by=lab.awa)


def names(lab: Lab) -> set[str]:
    with lab.database.reading() as session:
        return {who.display_name for who in people.list_people(session)}


def test_everybody_in_the_list_is_added_and_on_record(lab: Lab) -> None:
    assert imported(lab, GOOD).added == 3
    with lab.database.reading() as session:
        shira = people.find_by_login(session, "shira")
        assert shira is not None
        assert (shira.display_name, shira.role) == ("שירה Lévy", Role.MEMBER)
        (line,) = lines_about(session, f"person:{shira.id}")
        whole = lines_about(session, "people:list")[-1]
    assert (line.who, line.what) == (lab.awa, "person.added")
    assert (whole.what, whole.details) == ("people.imported", {"added": 3, "skipped": 0})
    assert {"فاطمة", "🦊"} <= names(lab)


def test_who_was_imported_signs_in_once_they_have_a_password(lab: Lab) -> None:
    imported(lab, GOOD)
    for tried in ("", "!", "shira"):
        assert check_password(lab.database, lab.clock, "shira", tried) is None
    with lab.database.transaction() as session:
        found = people.find_by_login(session, "shira")
        assert found is not None
        people.set_password(
            session, lab.clock, person_id=found.id, password="four words in it", by="shell:test"
        )
    assert check_password(lab.database, lab.clock, "shira", "four words in it") == found


def test_one_bad_row_and_nobody_is_added(lab: Lab) -> None:
    before = names(lab)
    done = imported(lab, "name;role\nTom;\nTim;king\nlea;\n")
    assert (done.added, [row.line for row in done.bad]) == (0, [3, 4])
    assert [row.refusals[0].code for row in done.bad] == ["role-unknown", "person-known"]
    assert names(lab) == before
    assert imported(lab, "name;role\nTom;\nTim;king\nlea;\n", skip_bad=True).added == 1
    assert names(lab) == before | {"Tom"}


def test_the_same_list_twice_adds_nobody_twice(lab: Lab) -> None:
    imported(lab, GOOD)
    again = imported(lab, GOOD, skip_bad=True)
    assert (again.added, len(again.bad)) == (0, 3)
    assert {refusal.code for refusal in again.bad[0].refusals} == {"login-taken"}


def test_a_torn_list_adds_nobody_even_when_bad_rows_may_be_skipped(lab: Lab) -> None:
    before = names(lab)
    done = imported(lab, 'name\nTom\n"Tim\n', skip_bad=True)
    assert (done.added, done.unreadable and done.unreadable.line) == (0, 3)
    assert names(lab) == before


def test_only_the_staff_import(lab: Lab) -> None:
    with lab.database.transaction() as session, pytest.raises(RefusedError, match="staff"):
        import_people(session, lab.clock, ZONE, content=GOOD.encode(), by=lab.lea)


# -- as somebody types it --------------------------------------------------------------------


@pytest.fixture
def lab_toml(tmp_path: Path) -> Path:
    file = tmp_path / "lab.toml"
    file.write_text(LAB)
    return file


def fabctl(lab_toml: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, list(words), env={"FABCTL_CONFIG": str(lab_toml)})


def opened(lab_toml: Path) -> Database:
    return open_database(f"sqlite:///{lab_toml.parent}/data/lab.db")


def test_ten_thousand_lines_with_three_bad_ones(lab_toml: Path) -> None:
    rows = [f"Personne {n};p{n};{1950 + n % 50}" for n in range(2, 10_002)]
    rows[498], rows[4998], rows[9998] = "Personne é;P 500;1999", "Léa;;3000", "Personne 2;p2;1952"
    file = lab_toml.parent / "gens.csv"
    written = "Nom;Identifiant;Année de naissance\r\n" + "\r\n".join(rows) + "\r\n"
    file.write_bytes(written.encode("latin-1"))
    done = fabctl(lab_toml, "import", str(file))
    assert isinstance(done.exception, FabError)
    assert "3 bad rows; nobody was added" in str(done.exception)
    assert "--skip-bad" in str(done.exception)
    said = done.stderr.splitlines()
    assert [line.split(":")[0] for line in said] == ["line 500", "line 5000", "line 10000"]
    assert "stands on line 2 already" in said[2]
    database = opened(lab_toml)
    with database.reading() as session:
        assert people.list_people(session) == []
    done = fabctl(lab_toml, "import", str(file), "--skip-bad")
    assert done.stdout == "Added 9997 people, 3 bad rows left out (read as Windows-1252).\n"
    with database.transaction() as session:
        found = people.find_by_login(session, "p10001")
    database.close()
    assert found is not None
    assert found.display_name == "Personne 10001"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "No column of the first row"),
        (b"PK\x03\x04\0", "not a list in CSV"),
        (b"nom\n", "nobody in this list"),
    ],
)
def test_a_file_that_is_no_list_says_why(lab_toml: Path, content: bytes, sentence: str) -> None:
    file = lab_toml.parent / "gens.csv"
    file.write_bytes(content)
    done = fabctl(lab_toml, "import", str(file))
    assert sentence in done.stderr
    assert isinstance(done.exception, FabError)


def test_columns_that_were_not_read_are_named(lab_toml: Path) -> None:
    file = lab_toml.parent / "gens.csv"
    file.write_text("nom,téléphone\nLéa,06\n", encoding="utf-8-sig")
    done = fabctl(lab_toml, "import", str(file))
    assert done.stderr == "Column 'téléphone' is not known; it was not read.\n"
    assert done.stdout == "Added 1 people (read as UTF-8).\n"


@pytest.fixture
def with_lea(lab_toml: Path) -> Path:
    file = lab_toml.parent / "lea.csv"
    file.write_text("name,login\nLéa,lea\n")
    assert fabctl(lab_toml, "import", str(file)).exit_code == 0
    return lab_toml


def test_certify_suspend_and_reinstate(with_lea: Path) -> None:
    for words, now in (
        (("--level", "supervised"), "supervised"),
        (("--until", "2031-12-31"), "valid"),
        (("--suspend", "left a mess"), "suspended"),
        (("--reinstate",), "valid"),
    ):
        done = fabctl(with_lea, "certify", "lea", "printer-a", *words)
        assert f"(now: {now})" in done.stdout
    database = opened(with_lea)
    with database.reading() as session:
        lea = people.find_by_login(session, "lea")
        assert lea is not None
        lines = lines_about(session, f"person:{lea.id}")[1:]
    database.close()
    assert [line.what.removeprefix("certification.") for line in lines] == [
        "granted", "granted", "suspended", "reinstated",
    ]  # fmt: skip
    assert lines[2].details["reason"] == "left a mess"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("lea", "lathe"), "no machine is called 'lathe'.*printer-a"),
        (("tom", "printer-a"), "nobody has the login 'tom'"),
        (("lea", "printer-a", "--suspend", " "), "with a reason"),
        (("lea", "printer-a", "--suspend", "x"), "lea is not certified on printer-a"),
        (("lea", "printer-a", "--reinstate"), "lea is not suspended on printer-a"),
        (("lea", "printer-a", "--reinstate", "--suspend", "x"), "not clear"),
        (("lea", "printer-a", "--reinstate", "--level", "trainer"), "not clear"),
    ],
)
def test_what_certify_refuses(with_lea: Path, words: tuple[str, ...], sentence: str) -> None:
    done = fabctl(with_lea, "certify", *words)
    assert isinstance(done.exception, FabError)
    with pytest.raises(FabError, match=sentence):
        raise done.exception
