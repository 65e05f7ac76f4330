"""Every key of lab.toml with what it allows and its default: the reader itself is asked.

It reads a lab of which only the tables are there. Each key that it looks for is noted, with what
its check allows (the words that ``fabctl check-config`` prints).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fabctl.config_file import _lab
from fabctl.config_reader import Check, NotAllowedError, Problems, T, Table, _allowed
from tools.reference.markdown import code, table

ROOT = Path(__file__).parents[2]
FILE = Path("/lab/lab.toml")
DATA = f"{FILE.parent}/data/"
TABLES: dict[str, Any] = {
    "broker": {"url": "mqtts://broker.example"},  # without it its other keys are not allowed
    "web": {"oidc": {}},
    "mail": {},
    "server": {},
    "hosts": {"id": {}},
    "machines": {"id": {"work_area": {}}},
    "interlocks": {"id": {"inputs": {"lid_a": {}}}},
}
ANY = {"hosts.id": "hosts.ID", "machines.id": "machines.ID", "interlocks.id": "interlocks.ID"}
INPUTS, ONE_INPUT = "interlocks.ID.inputs", "interlocks.ID.inputs.lid_a"
NOTHING_ALLOWED = "?"
"""A text that every check refuses which looks at texts at all."""


@dataclass(frozen=True)
class Key:
    """One key that the reader asked for."""

    table: str
    name: str
    allowed: str
    default: str
    """As people write it; empty: the key is needed."""


class Listening(Table):
    """A table that notes what it is asked for."""

    def __init__(self, path: str, values: Any, problems: Problems, keys: list[Key]) -> None:
        super().__init__(path, values, problems)
        self._keys = keys

    def take(self, key: str, check: Check[T], default: T) -> T:
        """Note a key that may be left out."""
        if not isinstance(self._values.get(key), dict):
            self._note(key, check, _written(default))
        return super().take(key, check, default)

    def need(self, key: str, check: Check[T], stand_in: T) -> T:
        """Note a key that must be there."""
        self._note(key, check, "")
        return super().need(key, check, stand_in)

    def table(self, key: str) -> Table:
        """Return an inner table that listens too."""
        self._asked.add(key)
        return Listening(self.dotted(key), self._values.get(key, {}), self.problems, self._keys)

    def _note(self, key: str, check: Check[Any], default: str) -> None:
        path = self.path
        for told, shown in ANY.items():
            path = path.replace(told, shown)
        found = Key(path, key, _words(check), default)
        if found not in self._keys:
            self._keys.append(found)


def keys() -> list[Key]:
    """Return every key, in the order in which the reader asks."""
    found: list[Key] = []
    _lab(Listening("", TABLES, Problems(), found), FILE, _drivers())
    return found


def page() -> str:
    """Return one table of keys for each table of the file."""
    return "\n".join(_tables(keys()))


def _tables(found: list[Key]) -> Iterator[str]:
    for name in sorted({key.table for key in found} - {INPUTS}, key=_place):
        yield f"### `[{name.replace(ONE_INPUT, f'{INPUTS}.INPUT')}]`\n"
        yield table(
            ("key", "what is allowed", "default"),
            (
                (code(key.name), key.allowed, key.default or "**needed**")
                for key in found
                if key.table == name
            ),
        )


def _place(name: str) -> tuple[int, str]:
    first = name.partition(".")[0]
    order = ("lab", "data", "database", "broker", "web", "mail", "backup", "hosts", "machines")
    return (order.index(first) if first in order else len(order), name)


def _words(check: Check[Any]) -> str:
    """Return what a check allows: of a text it may say more than that it is one."""
    try:
        check(NOTHING_ALLOWED)
    except NotAllowedError as error:
        return str(error)
    return _allowed(check)


def _written(default: Any) -> str:
    """Return a default as it would stand in the file."""
    return "none" if default in (None, (), {}) else code(_value(default))


def _value(default: Any) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return f"[{', '.join(_value(one) for one in default)}]"
    if isinstance(default, ZoneInfo):
        return f'"{default.key}"'
    if isinstance(default, int | float):
        return f"{default:g}"
    return "ID" if default == "id" else '"' + str(default).replace(DATA, "") + '"'


def _drivers() -> frozenset[str]:
    """Return the drivers that fabctl brings, whatever else is installed here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return frozenset(project["project"]["entry-points"]["fabctl.drivers"])
