"""A built site fetches nothing from elsewhere: no script, style, font or picture."""

from __future__ import annotations

import re
from pathlib import Path

_FETCHED = re.compile(
    r"<(?:script|img|iframe|source|video|audio)\b[^>]*\bsrc=[\"'](?:https?:)?//[^\"']+"
    r"|<link\b(?=[^>]*\brel=[\"'](?:stylesheet|preload|preconnect|icon))[^>]*\bhref=[\"'](?:https?:)?//[^\"']+"
    r"|url\([\"']?(?:https?:)?//[^)]+|@import\s+[\"'](?:https?:)?//[^\"']+"
)


def fetched(site: Path) -> list[str]:
    """Return what pages and styles would fetch from other hosts, each with its file."""
    return [
        f"{path.relative_to(site)}: {found[0]}"
        for path in sorted(site.rglob("*"))
        if path.suffix in {".html", ".css"}
        for found in _FETCHED.finditer(path.read_text("utf-8"))
    ]
