"""Every sentence that pages and views of the web say, found in their source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, nodes

import fabctl_web
from fabctl_web.speech import MONTHS, WEEKDAYS

ROOT = Path(fabctl_web.__file__).parent
SPEAKERS = {"_", "text", "speech", "self"}
"""Names that a sentence is given to: ``_("…")``, ``speech("…")``, ``speech()("…")``, …"""


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
