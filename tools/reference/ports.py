"""What a driver must be, and what it may be: the protocols of fabctl.ports as a page."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from enum import StrEnum
from types import FunctionType
from typing import get_args

from fabctl import ports
from fabctl.driver_contract.catalogue import CHECKS
from tools.reference.markdown import code, plain, table
from tools.reference.mqtt import told

OPTIONAL = (
    ports.WatchedOnly, ports.HandControl, ports.JogCancel, ports.Overrides, ports.Rehearsable,
    ports.AsksForKey,
)  # fmt: skip


def of_drivers() -> str:
    """Return the factory, the driver, what it may be besides, its events and its words."""
    return "\n".join(_parts())


def of_checks() -> str:
    """Return the table of what ``fabctl driver-check`` tries."""
    rows = ((code(one.name), one.proves, one.source) for one in CHECKS)
    return table(("check", "what must hold", "where it is promised"), rows)


def _parts() -> Iterator[str]:
    yield "### What the entry point names\n"
    yield from _members(ports.DriverFactory, ("__call__",))
    yield "### Every driver\n"
    yield from _members(ports.Driver)
    yield "### What a driver may be besides\n"
    for protocol in OPTIONAL:
        yield f"**{code(protocol.__name__)}**: {plain(protocol.__doc__)}\n"
        yield from _members(protocol)
    yield "### Events that a driver tells\n"
    events = get_args(ports.DriverEvent)
    rows = ((code(one.__name__), _names(one), plain(one.__doc__)) for one in events)
    yield table(("event", "fields", "what"), rows)
    words: tuple[type[StrEnum], ...] = (ports.Phase, ports.Outcome, ports.Trouble)
    for word in words:
        yield f"### {word.__name__}\n"
        yield f"{plain(word.__doc__)}\n"
        said = told(word)
        rows_of_word = ((code(one.value), said.get(one.name, "")) for one in word)
        yield table(("word", "what"), rows_of_word)


def _names(event: type) -> str:
    return ", ".join(code(field.name) for field in fields(event))


def _members(protocol: type, names: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield a list entry for each public member, with what it raises."""
    public = names or tuple(name for name in vars(protocol) if not name.startswith("_"))
    for name in public:
        member = vars(protocol)[name]
        if isinstance(member, property):
            yield f"- {code(name)}: {_doc(member)}"
        elif isinstance(member, FunctionType):
            yield f"- {code(name + _arguments(member))}: {_doc(member)}"
    yield ""


def _arguments(function: FunctionType) -> str:
    said = str(inspect.signature(function)).replace("(self, ", "(").replace("(self)", "()")
    return re.sub(r"'([^']+)'", r"\1", said).removesuffix(" -> None")


def _doc(member: object) -> str:
    """Return a member's documentation: its paragraphs, then what it takes and raises."""
    text = inspect.getdoc(member) or ""
    text = re.sub(r":raises (\w+): ", r"Raises `\1`: ", text)
    text = re.sub(r":param (\w+): ", r"`\1`: ", text)
    parts = re.split(r"\n\n|\n(?=Raises `|`\w+`: )", text)
    return "\n\n  ".join(plain(part) for part in parts)
