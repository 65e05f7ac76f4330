"""A list of people in CSV: whatever a spreadsheet saves is read, or refused by its line."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabctl.model.people import Role
from fabctl.model.people_list import MOST_BYTES, PeopleList, PersonRow, read_people

TODAY = date(2026, 11, 23)


def read(written: str | bytes, encoding: str = "utf-8") -> PeopleList:
    content = written if isinstance(written, bytes) else written.encode(encoding)
    return read_people(content, TODAY)


def codes(found: PeopleList) -> dict[int, list[str]]:
    return {row.line: [refusal.code for refusal in row.refusals] for row in found.bad}


FRENCH = (
    "Nom;Prénom;Identifiant;Rôle;Année de naissance;Langue\r\n"
    "Martin;Léa;lea;Formatrice;2004;français\r\n"
)
LEA = PersonRow(2, "Léa Martin", "lea", Role.TRAINER, 2004, "fr")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_encodings_and_separators(encoding: str, separator: str) -> None:
    found = read(FRENCH.replace(";", separator), encoding)
    assert (found.rows, found.bad, found.unreadable) == ([LEA], [], None)
    assert found.encoding == ("UTF-8" if "utf" in encoding else "Windows-1252")


@pytest.mark.parametrize(
    "header",
    ["name,login,role,birth year,language", "Full Name,USER NAME,Role,year_of_birth,Language",
     '"nom complet",identifiant,"RÔLE",annee de naissance,langue'],
)  # fmt: skip
def test_headings(header: str) -> None:
    found = read(f"{header}\nLéa Martin,lea,trainer,2004,fr\n")
    assert found.rows == [LEA]


@pytest.mark.parametrize(
    "name",
    ["🦊", "Zoë 🧑🏽‍🔧", "שירה לוי", "محمد الأمين", "Lê Thị Hồng", "O'Neil", 'Jean "JB" B',
     "x" * 100, "Œuvre; virgule, fin"],
)  # fmt: skip
def test_names_of_any_script_are_kept_whole(name: str) -> None:
    quoted = name.replace('"', '""')
    assert [row.name for row in read(f'nom\n"{quoted}"\n').rows] == [name]


def test_a_name_is_composed_and_its_blanks_are_single() -> None:
    assert read("nom\n  Le\u0301a   Martin \n").rows[0].name == "Léa Martin"


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        (",lea,,,", ["name-missing"]),
        ("\u200b,lea,,,", ["name-missing"]),
        ("x" * 101 + ",,,,", ["name-too-long"]),
        ('"Léa\nMartin",,,,', ["name-hidden-characters"]),
        ("Léa\u202e,,,,", ["name-hidden-characters"]),
        ("Léa,no blank,,,", ["login-malformed"]),
        ("Léa,,king,,", ["role-unknown"]),
        ("Léa,,,1899,", ["birth-impossible"]),
        ("Léa,,,2027,", ["birth-impossible"]),
        ("Léa,,,04,", ["birth-impossible"]),
        ("Léa,,,²004,", ["birth-impossible"]),
        ("Léa,,,,elvish", ["language-unknown"]),
        ("Léa,,,,,one more", ["row-too-wide"]),
        ("\u202e,Ü,king,soon,xx", ["name-missing", "login-malformed", "role-unknown",
                                   "language-unknown", "birth-impossible"]),
    ],
)  # fmt: skip
def test_a_bad_row_is_refused_with_every_reason(row: str, wrong: list[str]) -> None:
    found = read(f"name,login,role,birth year,language\nKarim,,,,\n{row}\nAwa,,,,\n")
    assert codes(found) == {3: wrong}
    assert [row.name for row in found.rows] == ["Karim", "Awa"]


def test_lines_are_those_of_the_file_whatever_is_blank_or_broken_between() -> None:
    found = read('nom;role\n\n;\n"Léa\nM";\n"Karim";king\nAwa\n')
    assert codes(found) == {4: ["name-hidden-characters"], 6: ["role-unknown"]}
    assert found.rows == [PersonRow(7, "Awa")]


@pytest.mark.parametrize(
    ("rows", "doubles"),
    [
        ("Léa,,2004\nléa ,,2004\n", {3}),
        ("Léa,,2004\nLéa,,2005\nLéa,,\n", set()),
        ("Léa,lea,2004\nLéa,lea2,2004\n", set()),
        ("Léa,lea,2004\nKarim,LEA,1999\n", {3}),
        ("Léa,lea,2004\nLéa,,2004\n", {3}),
        ("Léa,,2004\nLéa,lea,2004\n", {3}),
    ],
)
def test_doubles(rows: str, doubles: set[int]) -> None:
    found = read(f"name,login,birth year\n{rows}")
    assert codes(found) == {line: ["row-double"] for line in doubles}


@pytest.mark.parametrize(
    ("content", "line", "code"),
    [
        (b"", 1, "list-without-names"),
        (b"\xef\xbb\xbf", 1, "list-without-names"),
        (b"\n\n", 1, "list-without-names"),
        (b"nom\n", 1, "list-empty"),
        (b"\n\nnom;role\n;\n", 3, "list-empty"),
        (b"Martin;Paul\n", 1, "list-without-names"),
        (b"nom;name\nA;B\n", 1, "list-column-twice"),
        (b"PK\x03\x04\0\0", 1, "list-not-csv"),
        ("nom\nLéa\n".encode("utf-16"), 1, "list-not-csv"),
        (b'nom\nAwa\n"Lea\nKarim\n', 3, "list-torn"),
        (b"nom\n" + b"x" * 200_000, 2, "list-torn"),
        (b"nom\n" + b"x" * MOST_BYTES, 1, "list-too-long"),
        (b"nom\n" + b"".join(b"x%d\n" % n for n in range(50_001)), 50_002, "list-too-long"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_list_is_refused_as_a_whole(content: bytes, line: int, code: str) -> None:
    found = read(content)
    assert found.unreadable is not None
    assert (found.unreadable.line, found.unreadable.refusals[0].code) == (line, code)
    assert found.rows == []


def test_columns_that_mean_nothing_are_named() -> None:
    found = read("nom;Téléphone;;Ville\nLéa;06;;Grenoble\n")
    assert found.unknown_columns == ("Téléphone", "Ville")
    assert found.rows == [PersonRow(2, "Léa")]


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    found = read(b"nom;login\n" + content)
    assert found.unreadable is not None or found.rows or found.bad
    assert all(row.name for row in found.rows)
