"""A list of people as a spreadsheet program saves it (CSV): bytes in, rows and refusals out.

UTF-8 with or without a byte order mark, else Windows-1252 (Latin-1's printable characters and
some more); separated by commas, semicolons or tabs; columns named in French or English, in any
order. What cannot be read is refused by its line, and nothing else is guessed.
"""

from __future__ import annotations

import codecs
import csv
import io
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from fabctl.model.consent import Birth, birth_refusals
from fabctl.model.people import (
    Role,
    clean_login,
    clean_name,
    language_unknown,
    login_refusals,
    name_refusals,
)
from fabctl.model.refusal import Refusal
from fabctl.model.texts import text

MOST_BYTES = 20_000_000
MOST_ROWS = 50_000
DELIMITERS = ",;\t"

_COLUMNS: Mapping[str, Sequence[str]] = {
    "name": ("name", "display name", "full name", "last name", "surname", "nom", "nom complet",
             "nom de famille", "nom affiche"),
    "first name": ("first name", "given name", "prenom"),
    "login": ("login", "user name", "username", "identifiant"),
    "role": ("role",),
    "birth year": ("birth year", "year of birth", "annee de naissance"),
    "language": ("language", "langue"),
}  # fmt: skip
_COLUMN_OF = {written: column for column, names in _COLUMNS.items() for written in names}
_ROLES: Mapping[str, Role] = {
    **{role.value: role for role in Role},
    "membre": Role.MEMBER, "adherent": Role.MEMBER, "adherente": Role.MEMBER,
    "formateur": Role.TRAINER, "formatrice": Role.TRAINER,
    "animateur": Role.ANIMATOR, "animatrice": Role.ANIMATOR,
    "equipe": Role.STAFF, "administrateur": Role.ADMIN, "administratrice": Role.ADMIN,
}  # fmt: skip
_LANGUAGES: Mapping[str, str] = {
    "fr": "fr", "francais": "fr", "french": "fr", "en": "en", "anglais": "en", "english": "en",
}  # fmt: skip

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Somebody to be added. ``line`` is where they begin in the file, from 1."""

    line: int
    name: str
    login: str | None = None
    role: Role = Role.MEMBER
    birth_year: int | None = None
    language: str | None = None

    @property
    def who(self) -> tuple[str, int | None]:
        """What tells people apart who have no login; capitals and blanks do not count."""
        return name_key(self.name), self.birth_year


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be taken, with every reason."""

    line: int
    refusals: tuple[Refusal, ...]


@dataclass
class PeopleList:
    """What a file holds."""

    rows: list[PersonRow] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    encoding: str = ""
    """As which the file was read."""
    unknown_columns: tuple[str, ...] = ()
    """As they are written; what they hold is not read."""
    unreadable: BadRow | None = None
    """Where and why the file as a whole cannot be taken, not even without its bad rows."""


def read_people(content: bytes, today: date) -> PeopleList:
    """Return the rows of a file, good and bad. Doubles within the file are bad rows."""
    try:
        encoding, written = _decoded(content)
        found = _read(written, today)
    except _UnreadableError as error:
        return PeopleList(unreadable=BadRow(error.line, (error.refusal,)))
    found.encoding = encoding
    return found


class _UnreadableError(Exception):
    def __init__(self, line: int, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.line = line
        self.refusal = refusal


def _decoded(content: bytes) -> tuple[str, str]:
    if len(content) > MOST_BYTES:
        raise _UnreadableError(1, _too_long())
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in content:
        raise _UnreadableError(1, _not_csv())
    for name, encoding in (("UTF-8", "utf-8-sig"), ("Windows-1252", "cp1252")):
        try:
            return name, content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return "Latin-1", content.decode("latin-1")


def _read(written: str, today: date) -> PeopleList:
    records = _records(written, _delimiter(written))
    line, header = next(records, (1, []))
    columns = [_COLUMN_OF.get(_plain(title)) for title in header]
    if problem := _header_problem(columns):
        raise _UnreadableError(line, problem)
    unknown = [title for title, column in zip(header, columns, strict=True) if column is None]
    found = PeopleList(unknown_columns=tuple(title.strip() for title in unknown if title.strip()))
    seen = _Seen()
    for number, (at, fields) in enumerate(records, start=1):
        if number > MOST_ROWS:
            raise _UnreadableError(at, _too_long())
        row = _row(at, columns, fields, today)
        if isinstance(row, PersonRow) and (double := seen.double(row)):
            row = BadRow(at, (double,))
        if isinstance(row, PersonRow):
            found.rows.append(row)
        else:
            found.bad.append(row)
    if not found.rows and not found.bad:
        raise _UnreadableError(line, _nobody())
    return found


def _records(written: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record that is not blank, with the line on which it begins."""
    lines = csv.reader(io.StringIO(written, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    while True:
        try:
            fields = next(lines, None)
        except csv.Error:
            raise _UnreadableError(begins, _torn()) from None
        if fields is None:
            return
        if any(one.strip() for one in fields):
            yield begins, fields
        begins = lines.line_num + 1


def _delimiter(written: str) -> str:
    """Return what separates the most columns that are known; a comma where nothing does."""
    first = next((line for line in written.splitlines() if line.strip(',;\t "')), "")
    return max(
        DELIMITERS,
        key=lambda one: sum(_plain(title.strip('"')) in _COLUMN_OF for title in first.split(one)),
    )


def _header_problem(columns: Sequence[str | None]) -> Refusal | None:
    known = [column for column in columns if column is not None]
    if "name" not in known and "first name" not in known:
        return _no_name_column()
    twice = [column for column in known if known.count(column) > 1]
    return _column_twice(twice[0]) if twice else None


def _row(
    line: int, columns: Sequence[str | None], fields: Sequence[str], today: date
) -> PersonRow | BadRow:
    if any(one.strip() for one in fields[len(columns) :]):
        return BadRow(line, (_too_many_fields(len(columns)),))
    given = {
        column: one.strip()
        for column, one in zip(columns, fields, strict=False)
        if column is not None
    }
    name = clean_name(f"{given.get('first name', '')} {given.get('name', '')}")
    login = clean_login(given.get("login", "")) or None
    role, language = given.get("role", ""), given.get("language", "")
    year = given.get("birth year", "")
    refusals = (
        *name_refusals(name),
        *(login_refusals(login) if login else ()),
        *([_unknown_role()] if role and _plain(role) not in _ROLES else ()),
        *([language_unknown()] if language and _plain(language) not in _LANGUAGES else ()),
        *(birth_refusals(Birth(_year(year)), today) if year else ()),
    )
    if refusals:
        return BadRow(line, refusals)
    return PersonRow(
        line,
        name,
        login,
        _ROLES[_plain(role)] if role else Role.MEMBER,
        _year(year) if year else None,
        _LANGUAGES[_plain(language)] if language else None,
    )


def _year(written: str) -> int:
    """Return a year of four digits; 1, when nobody alive was born, for anything else."""
    return int(written) if len(written) == 4 and written.isascii() and written.isdigit() else 1


@dataclass
class _Seen:
    """Who was in the file so far: the lines, by login and by what else tells people apart."""

    logins: dict[str, int] = field(default_factory=dict)
    nameless: dict[tuple[str, int | None], int] = field(default_factory=dict)
    everybody: dict[tuple[str, int | None], int] = field(default_factory=dict)

    def double(self, row: PersonRow) -> Refusal | None:
        """Say that somebody was there before, else remember them."""
        before = self.logins.get(row.login) if row.login else self.everybody.get(row.who)
        before = before or self.nameless.get(row.who)
        if before is not None:
            return _double(before)
        if row.login:
            self.logins[row.login] = row.line
        else:
            self.nameless[row.who] = row.line
        self.everybody.setdefault(row.who, row.line)
        return None


def name_key(name: str) -> str:
    """Return a name as it is compared."""
    return clean_name(name).casefold()


def _plain(written: str) -> str:
    """Return a heading or a word without accents, capitals and marks: ``Année_de naissance``."""
    apart = unicodedata.normalize("NFKD", written.casefold())
    letters = "".join(
        one if one.isalnum() else " " for one in apart if not unicodedata.combining(one)
    )
    return " ".join(letters.split())


# -- what is said ------------------------------------------------------------------------------

_SAVE_AGAIN = text("Save it again as CSV, in UTF-8, with one heading for each column.")


def _not_csv() -> Refusal:
    return Refusal("list-not-csv", text("This is not a list in CSV."), _SAVE_AGAIN)


def _too_long() -> Refusal:
    return Refusal(
        "list-too-long",
        text(
            "A list has at most {rows} rows and {megabytes} MB.",
            rows=MOST_ROWS,
            megabytes=MOST_BYTES // 1_000_000,
        ),
        text("Split it into several files."),
    )


def _torn() -> Refusal:
    return Refusal(
        "list-torn",
        text("From this line on the list cannot be read: is a quotation mark not closed?"),
        text("Close or remove the quotation mark."),
    )


def _nobody() -> Refusal:
    return Refusal("list-empty", text("There is nobody in this list."), _SAVE_AGAIN)


def _no_name_column() -> Refusal:
    return Refusal(
        "list-without-names",
        text("No column of the first row is called name, nom or prénom."),
        text(
            "Columns: name or nom, prénom, login or identifiant, role, birth year or année de "
            "naissance, language or langue."
        ),
    )


def _column_twice(column: str) -> Refusal:
    return Refusal(
        "list-column-twice",
        text("Two columns mean the same: {column}.", column=column),
        text("Remove one of the two."),
    )


def _too_many_fields(columns: int) -> Refusal:
    return Refusal(
        "row-too-wide",
        text("This row has more than {columns} fields.", columns=columns),
        text("Put what holds a separator between quotation marks."),
    )


def _unknown_role() -> Refusal:
    return Refusal(
        "role-unknown",
        text("There is no such role."),
        text("One of: member, trainer, animator, staff, admin."),
    )


def _double(line: int) -> Refusal:
    return Refusal(
        "row-double",
        text("The same person stands on line {line} already.", line=line),
        text("Remove one of the two, or give each a login of their own."),
    )


def already_in_the_lab() -> Refusal:
    """Return the refusal for somebody whom the lab knows by name and year of birth."""
    return Refusal(
        "person-known",
        text("The lab already has a person of this name and year of birth."),
        text("Remove the row, or give this person a login of their own."),
    )
