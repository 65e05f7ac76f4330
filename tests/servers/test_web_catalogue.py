"""The web's French catalogue is whole: every sentence of pages and views, none left over."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

import fabctl_web
from fabctl.i18n import LOCALES
from fabctl_web.speech import MONTHS, WEEKDAYS

ROOT = Path(fabctl_web.__file__).parent
WEB = LOCALES / "fr" / "web.po"
CORE = LOCALES / "fr" / "core.po"
INTERLOCK = LOCALES / "fr" / "interlock.po"
SPEAKERS = {"_", "text", "speech", "self"}
"""Names that a sentence is given to: ``_("…")``, ``speech("…")``, ``speech()("…")``, …"""
LONGEST_SENTENCE_WORDS = 15


def said_in_pages() -> Iterator[tuple[str, str]]:
    for path in sorted(ROOT.rglob("*.html")):
        tree = Environment(autoescape=True).parse(path.read_text(encoding="utf-8"))
        for call in tree.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "_":
                assert isinstance(call.args[0], nodes.Const), f"{path}: a literal is needed"
                yield str(call.args[0].value), f"{path.name}:{call.lineno}"


def said_in_code() -> Iterator[tuple[str, str]]:
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            func = node.func.func if isinstance(node.func, ast.Call) else node.func
            first = node.args[0]
            if not isinstance(func, ast.Name) or func.id not in SPEAKERS:
                continue
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value, f"{path.name}:{node.lineno}"
    yield from ((word, "speech.py") for word in WEEKDAYS + MONTHS)


def said() -> dict[str, str]:
    """Return every sentence of the web, with a place where it stands."""
    return dict([*said_in_pages(), *said_in_code()])


def entries(file: Path) -> list[Message]:
    with file.open("rb") as stream:
        found = read_po(stream, locale="fr", abort_invalid=True)
    return [message for message in found if message.id]


def ids(file: Path) -> set[str]:
    return {str(entry.id) for entry in entries(file) if entry.string and not entry.fuzzy}


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def test_the_scan_finds_sentences() -> None:
    assert {"Danger? Red button on the machine", "Free", "Ends around {time}"} <= set(said())
    assert len(said()) > 100


def test_every_sentence_has_a_french_entry() -> None:
    known = ids(WEB) | ids(CORE) | ids(INTERLOCK)
    assert {where: sentence for sentence, where in said().items() if sentence not in known} == {}


def test_no_entry_is_left_over() -> None:
    assert ids(WEB) - set(said()) == set()


def test_no_sentence_is_translated_twice() -> None:
    assert ids(WEB) & ids(CORE) == set()
    assert (ids(WEB) | ids(CORE)) & ids(INTERLOCK) == set()


@pytest.mark.parametrize("entry", entries(WEB), ids=lambda entry: str(entry.id)[:40])
def test_french_is_plain_and_has_its_values(entry: Message) -> None:
    french = str(entry.string)
    assert fields(french) == fields(str(entry.id))
    assert not {"vous", "votre", "vos"} & set(french.casefold().split())
    for sentence in french.replace("? ", ". ").split(". "):
        assert len(sentence.split()) <= LONGEST_SENTENCE_WORDS, sentence


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.html")), ids=lambda path: path.name)
def test_a_page_says_nothing_past_the_catalogue(path: Path) -> None:
    """Text between tags has letters only where it is a name, a code or OK in every language."""
    tree = Environment(autoescape=True).parse(path.read_text(encoding="utf-8"))
    text = "".join(data.data for data in tree.find_all(nodes.TemplateData))
    text = re.sub(r'[\w-]+="[^"]*"', "", text)
    bare = "".join(re.findall(r">([^<>]*)<", text))
    assert not [c for c in bare if c.isalpha()], bare
