"""The French catalogue is whole: every sentence of the core, same values, none left over."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

import fabctl
from fabctl.errors import LocalError
from fabctl.i18n import LOCALES, gettext_for, languages, translate
from fabctl.model.job import trouble_text
from fabctl.model.texts import text
from fabctl.ports import Trouble
from tests.web_sentences import said

ROOT = Path(fabctl.__file__).parent
ROOMS = ("model", "services", "gcode")
CATALOGUES = tuple(
    file
    for file in sorted((LOCALES / "fr").glob("*.po"))
    if file.name != "interlock.po"  # it has a test of its own
)
LONGEST_SENTENCE_WORDS = 15


def calls_of_text(source: str, file: str) -> Iterator[tuple[str, ast.expr]]:
    """Yield where ``text(...)`` is called and its first argument."""
    if imported_from(source, "text") != "fabctl.model.texts":
        return
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "text"
        ):
            yield f"{file}:{node.lineno}", node.args[0]


def imported_from(source: str, name: str) -> str:
    """Return the module that ``name`` is imported from, empty when it is not."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and any(alias.name == name for alias in node.names):
            return node.module or ""
    return ""


@cache
def templates() -> dict[str, str]:
    """Return every template of the core, with a place where it stands."""
    found: dict[str, str] = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            where = str(path.relative_to(ROOT.parent))
            for place, argument in calls_of_text(path.read_text(encoding="utf-8"), where):
                assert isinstance(argument, ast.Constant), f"{place}: the catalogue needs a literal"
                found[str(argument.value)] = place
    return found


@cache
def entries() -> list[Message]:
    found: list[Message] = []
    for file in CATALOGUES:
        with file.open("rb") as stream:
            found += [one for one in read_po(stream, locale="fr", abort_invalid=True) if one.id]
    return found


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def test_the_scan_finds_templates() -> None:
    assert len(templates()) > 50
    assert "You are not certified on this machine yet." in templates()


def test_every_template_has_a_french_entry() -> None:
    known = {str(entry.id) for entry in entries() if entry.string and not entry.fuzzy}
    missing = {place: template for template, place in templates().items() if template not in known}
    assert not missing


def test_no_sentence_stands_in_two_catalogues() -> None:
    ids = [str(entry.id) for entry in entries()]
    assert sorted(ids) == sorted(set(ids))


def test_no_entry_is_left_over() -> None:
    """Whose sentences a file holds is its own affair: the core's, the web's, or both."""
    assert {str(entry.id) for entry in entries()} - set(templates()) - set(said()) == set()


def test_an_entry_has_the_fields_of_its_template() -> None:
    others = [one.id for one in entries() if fields(str(one.string)) != fields(str(one.id))]
    assert others == []


def test_french_is_plain() -> None:
    said = [str(entry.string).removeprefix("Ligne {line} : ") for entry in entries()]
    assert len(said) > 1000
    polite = [one for one in said if {"vous", "votre", "vos"} & set(one.casefold().split())]
    assert polite == []
    sentences = [part for one in said for part in one.replace("? ", ". ").split(". ")]
    assert [one for one in sentences if len(one.split()) > LONGEST_SENTENCE_WORDS] == []


def test_every_trouble_of_a_driver_has_words() -> None:
    nameless = trouble_text("no such trouble")
    assert not [trouble for trouble in Trouble if trouble_text(trouble) == nameless]


def test_values_and_the_decimal_comma() -> None:
    days = text("Slots can be booked up to {days} days ahead.", days=60)
    assert translate(days, "en") == "Slots can be booked up to 60 days ahead."
    assert "60" in translate(days, "fr")
    length = text("{mm} mm", mm=1.5)
    assert translate(length, "en") == "1.5 mm"
    assert translate(length, "fr") == "1,5 mm"


def test_english_is_the_identity_and_an_unknown_template_stays() -> None:
    assert gettext_for("en")("No such template") == "No such template"
    assert gettext_for("fr")("No such template") == "No such template"


def test_a_language_without_a_catalogue_is_refused() -> None:
    assert languages()[:2] == ("en", "fr")
    with pytest.raises(LocalError, match="'xx'"):
        gettext_for("xx")
