"""Sentences in a person's language, from the catalogues in ``fabctl/locale/<language>/*.po``.

English is the language of the templates themselves and needs no catalogue. A catalogue is read
once per process, at its first use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

from babel.messages.pofile import read_po

from fabctl.errors import LocalError
from fabctl.model.texts import Text

LOCALES = Path(__file__).parent / "locale"
SOURCE = "en"


def translate(text: Text, language: str) -> str:
    """Return a sentence in a language, with its values; numbers with that language's comma.

    A sentence without an entry stays English (a test keeps the catalogues whole).

    :raises LocalError: there is no catalogue for the language.
    """
    template = gettext_for(language)(text.template)
    return _formatter(language).vformat(template, (), text.values)


def gettext_for(language: str) -> Callable[[str], str]:
    """Return the function that gives a template in a language.

    :raises LocalError: there is no catalogue for it.
    """
    known = _catalogue(language)
    return lambda template: known.get(template, template)


@cache
def languages() -> tuple[str, ...]:
    """Return the languages there are, English first."""
    return (SOURCE, *sorted(path.name for path in LOCALES.iterdir() if path.is_dir()))


@cache
def _catalogue(language: str) -> Mapping[str, str]:
    if language == SOURCE:
        return {}
    if language not in languages():
        raise LocalError(
            f"there is no catalogue for the language {language!r}",
            next_step=f"choose one of {', '.join(languages())}",
        )
    merged: dict[str, str] = {}
    for file in sorted((LOCALES / language).glob("*.po")):
        merged.update(_entries(file, language))
    return merged


def _entries(file: Path, language: str) -> dict[str, str]:
    """Return the finished entries of one catalogue: template to translation."""
    with file.open("rb") as stream:
        catalogue = read_po(stream, locale=language, abort_invalid=True)
    return {
        message.id: message.string
        for message in catalogue
        if isinstance(message.id, str) and message.id
        if isinstance(message.string, str) and message.string and not message.fuzzy
    }


class _FrenchFormatter(Formatter):
    """Writes 1.5 as 1,5."""

    def format_field(self, value: Any, format_spec: str) -> str:
        """Format one value; a float gets a comma."""
        written = super().format_field(value, format_spec)
        return str(written.replace(".", ",") if isinstance(value, float) else written)


def _formatter(language: str) -> Formatter:
    return _FrenchFormatter() if language == "fr" else Formatter()
