"""Sentences for people, kept apart from their language.

A :class:`Text` holds an English template and its values; the catalogue (``fabctl/locale``)
gives it in another language. Nothing here formats anything: :mod:`fabctl.i18n` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Text:
    """An English sentence with ``{named}`` values; the catalogue's key is the template."""

    template: str
    values: Mapping[str, str | float] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.template.format(**self.values)


def text(template: str, **values: str | float) -> Text:
    """Return a Text. The catalogue's extractor looks for calls of this name."""
    return Text(template, values)
