"""The web's French is whole: every sentence of pages and views has an entry in some catalogue."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

from fabctl.i18n import LOCALES
from tests.web_sentences import ROOT, said


def ids() -> set[str]:
    """Return what has a French entry; tests/unit/test_catalogue.py looks at the entries."""
    found: set[str] = set()
    for file in (LOCALES / "fr").glob("*.po"):
        with file.open("rb") as stream:
            entries = read_po(stream, locale="fr", abort_invalid=True)
        found |= {str(one.id) for one in entries if one.id and one.string and not one.fuzzy}
    return found


def test_the_scan_finds_sentences() -> None:
    assert {"Danger? Red button on the machine", "Free", "Ends around {time}"} <= set(said())
    assert len(said()) > 100


def test_every_sentence_has_a_french_entry() -> None:
    known = ids()
    assert {where: sentence for sentence, where in said().items() if sentence not in known} == {}


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.html")), ids=lambda path: path.name)
def test_a_page_says_nothing_past_the_catalogue(path: Path) -> None:
    """Text between tags has letters only where it is a name, a code or OK in every language."""
    tree = Environment(autoescape=True).parse(path.read_text(encoding="utf-8"))
    text = "".join(data.data for data in tree.find_all(nodes.TemplateData))
    text = re.sub(r'[\w-]+="[^"]*"', "", text)
    bare = "".join(re.findall(r">([^<>]*)<", text))
    assert not [c for c in bare if c.isalpha()], bare
