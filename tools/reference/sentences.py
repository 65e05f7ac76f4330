"""Calls that say something to people, read from source files, with the sentences that they may say.

An argument is followed through the names, conditions and functions that give it its value; what
``text("…")`` holds is a sentence. Of several values that a name gets one after the other, those
since the last such call count.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("fabctl", "web/fabctl_web")
DEEPEST = 6
"""How many names and functions are followed."""


@dataclass(frozen=True)
class Call:
    """One call, and what stands around it."""

    name: str
    args: Sequence[ast.expr]
    after: int
    """The line of the call of this kind before it, in the same function."""
    line: int
    scopes: tuple[ast.AST, ...]
    """The function that it stands in, if any, then the file."""

    def constant(self, place: int) -> str | None:
        """Return an argument that is a word; None: it is something else."""
        node = self.args[place]
        return str(node.value) if isinstance(node, ast.Constant) else None

    def sentences(self, place: int) -> list[str]:
        """Return what an argument may say, in the order of the source, none twice."""
        return list(dict.fromkeys(self._said(self.args[place], DEEPEST)))

    def _said(self, node: ast.AST, deep: int) -> Iterator[str]:
        if deep == 0:
            return
        if isinstance(node, ast.Name):
            for value in self._values(node.id):
                yield from self._said(value, deep - 1)
            return
        if isinstance(node, ast.Call):
            name = called(node)
            if name == "text" and node.args and isinstance(node.args[0], ast.Constant):
                yield str(node.args[0].value)
                return
            for function in functions().get(name, ()):
                yield from self._said(function, deep - 1)
        for inner in ast.iter_child_nodes(node):
            yield from self._said(inner, deep)

    def _values(self, name: str) -> list[ast.expr]:
        """Return what a name was given: in the function just before, in it, or in the file."""
        for scope in self.scopes:
            found = [
                node
                for node in ast.walk(scope)
                if isinstance(node, ast.Assign)
                and any(isinstance(to, ast.Name) and to.id == name for to in node.targets)
            ]
            near = [node for node in found if self.after < node.lineno <= self.line]
            if near or found:
                return [node.value for node in near or found]
        return []


def calls(names: frozenset[str]) -> Iterator[Call]:
    """Yield every call of one of these names, file by file."""
    for text, module in sources():
        if any(f"{name}(" in text for name in names):
            yield from _of_file(module, names)


def _of_file(module: ast.Module, names: frozenset[str]) -> Iterator[Call]:
    inside: set[ast.AST] = set()
    functions_here = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)]
    for scope in (*functions_here, module):
        last = 0
        found = [node for node in _calls_in(scope, names) if node not in inside]
        for node in sorted(found, key=lambda one: one.lineno):
            inside.add(node)
            around = (scope,) if scope is module else (scope, module)
            yield Call(called(node), node.args, last, node.lineno, around)
            last = node.lineno


def _calls_in(scope: ast.AST, names: frozenset[str]) -> list[ast.Call]:
    every = (node for node in ast.walk(scope) if isinstance(node, ast.Call))
    return [node for node in every if called(node) in names]


def called(node: ast.Call) -> str:
    """Return the name of what is called, without what it belongs to."""
    function = node.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


@cache
def sources() -> list[tuple[str, ast.Module]]:
    """Return every source file that says a sentence: its text, read."""
    found = []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text("utf-8")
            if "text(" in text:
                found.append((text, ast.parse(text)))
    return found


@cache
def functions() -> dict[str, list[ast.FunctionDef]]:
    """Return the functions that return a Text, by name."""
    found: dict[str, list[ast.FunctionDef]] = {}
    for _, module in sources():
        for node in module.body:
            if isinstance(node, ast.FunctionDef) and _returns_text(node):
                found.setdefault(node.name, []).append(node)
    return found


def _returns_text(node: ast.FunctionDef) -> bool:
    return node.returns is not None and ast.unparse(node.returns).startswith("Text")
