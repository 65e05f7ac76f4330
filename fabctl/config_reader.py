"""Reading a TOML table key by key, collecting every mistake instead of stopping at the first.

A check is a function that returns the value to use or raises :class:`NotAllowedError` with what
would have been allowed. :mod:`fabctl.config_file` says which keys there are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from fabctl.errors import InputError

T = TypeVar("T")
Check = Callable[[Any], T]
_ID = re.compile(r"[a-z0-9-]{1,48}")
ID_ALLOWED = "lowercase letters, digits and hyphens, 1 to 48 of them"


class NotAllowedError(Exception):
    """A value is wrong; the message says what is allowed."""


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One mistake in the file."""

    key: str
    """The dotted path, ``machines.printer-a.baud``; empty for the file as a whole."""
    found: str
    allowed: str
    line: int | None = None

    def sentence(self, file: str) -> str:
        """Return the problem as one line: ``file:line: key: found …; allowed: …``."""
        place = file if self.line is None else f"{file}:{self.line}"
        key = f" {self.key}:" if self.key else ""
        return f"{place}:{key} found {self.found}; allowed: {self.allowed}"


class ConfigError(InputError):
    """The configuration cannot be used; ``problems`` says everything that is wrong with it."""

    def __init__(self, file: str, problems: list[ConfigProblem]) -> None:
        self.problems = problems
        self.file = file
        count = "1 mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        lines = "".join(f"\n  {problem.sentence(file)}" for problem in problems)
        super().__init__(f"{count} in {file}:{lines}")


@dataclass
class Problems:
    """What was found wrong so far, with the file's text to tell lines."""

    text: str = ""
    found: list[ConfigProblem] = field(default_factory=list)

    def add(self, key: str, found: str, allowed: str) -> None:
        """Note one mistake."""
        self.found.append(ConfigProblem(key, found, allowed, line_of(self.text, key)))


class Table:
    """One table of the file; every key must be asked for, or is reported as unknown."""

    def __init__(self, path: str, values: Any, problems: Problems) -> None:
        self.path = path
        self.problems = problems
        self._asked: set[str] = set()
        self._values: Mapping[str, Any] = values if isinstance(values, dict) else {}
        if not isinstance(values, dict):
            problems.add(path, show(values), f"a table, [{path}]")

    def take(self, key: str, check: Check[T], default: T) -> T:
        """Return a checked value, or the default when it is absent or wrong."""
        self._asked.add(key)
        if key not in self._values:
            return default
        return self._checked(key, check, default)

    def need(self, key: str, check: Check[T], stand_in: T) -> T:
        """Return a checked value that must be there; the stand-in lets reading go on."""
        self._asked.add(key)
        if key not in self._values:
            self.problems.add(self.dotted(key), "nothing", f"this key is needed: {_allowed(check)}")
            return stand_in
        return self._checked(key, check, stand_in)

    def table(self, key: str) -> Table:
        """Return an inner table; empty when it is absent."""
        self._asked.add(key)
        return Table(self.dotted(key), self._values.get(key, {}), self.problems)

    def tables(self, key: str) -> dict[str, Table]:
        """Return the inner tables of a table, by name; a name that is no id is reported."""
        outer = self.table(key)
        for name in outer._values:  # noqa: SLF001  # our own class
            if not _ID.fullmatch(name):
                self.problems.add(outer.dotted(name), repr(name), f"a name of {ID_ALLOWED}")
        return {name: outer.table(name) for name in outer._values}  # noqa: SLF001  # the same

    def keys(self) -> list[str]:
        """Return the keys that are there."""
        return list(self._values)

    def has(self, key: str) -> bool:
        """Say whether the key is there."""
        return key in self._values

    def complain(self, key: str, allowed: str) -> None:
        """Note that this key's value is wrong, for a reason that only its context tells."""
        self.problems.add(self.dotted(key), show(self._values.get(key)), allowed)

    def finish(self) -> None:
        """Report every key that nobody asked for, with the nearest known one."""
        for key in self._values:
            if key not in self._asked:
                allowed = suggestion(key, self._asked)
                self.problems.add(self.dotted(key), "an unknown key", allowed)

    def dotted(self, key: str) -> str:
        """Return the key's whole path."""
        return f"{self.path}.{key}" if self.path else key

    def _checked(self, key: str, check: Check[T], fallback: T) -> T:
        try:
            return check(self._values[key])
        except NotAllowedError as error:
            self.problems.add(self.dotted(key), show(self._values[key]), str(error))
            return fallback


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return ``did you mean …?`` for a near word, else the list of what is known."""
    import difflib  # noqa: PLC0415  # only needed when something is wrong

    choices = sorted(known)
    near = difflib.get_close_matches(word, choices, n=1)
    listed = ", ".join(choices) or "nothing"
    return f"{listed} (did you mean {near[0]}?)" if near else listed


def show(value: Any) -> str:
    """Return a found value as a person wrote it, shortened."""
    if value is None:
        return "nothing"
    shown = str(value).lower() if isinstance(value, bool) else repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}…"


def line_of(text: str, key: str) -> int | None:
    """Return the line (1-based) where a dotted key, or the table nearest to it, is written.

    A reading aid, not a parser: inline tables and dotted keys point at their outer key.
    """
    if not key:
        return None
    best: tuple[int, int | None] = (0, None)
    table: list[str] = []
    wanted = key.split(".")
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[\[?([^\[\]]+)\]", line):
            table = [part.strip().strip("\"'") for part in header[1].split(".")]
            here = table
        elif entry := re.match(r"\s*([A-Za-z0-9_.\"'-]+)\s*=", line):
            here = [*table, *(part.strip("\"'") for part in entry[1].split("."))]
        else:
            continue
        common = min(len(here), len(wanted))
        if here[:common] == wanted[:common] and common > best[0]:
            best = (common, number)
    return best[1]


# -- checks ---------------------------------------------------------------------------------


def _allowed(check: Check[Any]) -> str:
    """Return what a check allows, by giving it something that nothing allows."""
    try:
        check(object())
    except NotAllowedError as error:
        return str(error)
    return "anything"


def text(value: Any) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise NotAllowedError("a text that is not empty")
    return value.strip()


def identifier(value: Any) -> str:
    """A name that may become a part of topics and addresses."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise NotAllowedError(ID_ALLOWED)
    return value


def flag(value: Any) -> bool:
    """A truth value."""
    if not isinstance(value, bool):
        raise NotAllowedError("true or false")
    return value


def whole(lowest: int, highest: int) -> Check[int]:
    """A whole number in a range, both ends included."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            raise NotAllowedError(f"a whole number from {lowest} to {highest}")
        return value

    return check


def number(above: float, highest: float, unit: str) -> Check[float]:
    """A number above one bound and at most another."""

    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise NotAllowedError(f"a number above {above:g} and at most {highest:g} {unit}")
        if not above < value <= highest:
            raise NotAllowedError(f"above {above:g} and at most {highest:g} {unit}")
        return float(value)

    return check


def one_of(choices: Iterable[str]) -> Check[str]:
    """One of a few words."""
    words = sorted(choices)

    def check(value: Any) -> str:
        if value not in words:
            word = value if isinstance(value, str) else ""
            raise NotAllowedError(suggestion(word, words))
        return str(value)

    return check


def some_of(choices: Iterable[str]) -> Check[tuple[str, ...]]:
    """A list of at least one of a few words, none twice."""
    words = sorted(choices)

    def check(value: Any) -> tuple[str, ...]:
        good = isinstance(value, list) and value and all(word in words for word in value)
        if not good or len(set(value)) != len(value):
            raise NotAllowedError(f"a list of one or more of {', '.join(words)}, none twice")
        return tuple(value)

    return check


def axis(value: Any) -> tuple[float, float]:
    """An axis as [lowest, highest] in mm."""
    allowed = "[lowest, highest] in mm, lowest < highest, between -10000 and 10000"
    if not isinstance(value, list) or len(value) != 2:
        raise NotAllowedError(allowed)
    for end in value:
        if isinstance(end, bool) or not isinstance(end, int | float) or not math.isfinite(end):
            raise NotAllowedError(allowed)
    low, high = float(value[0]), float(value[1])
    if not -10_000 <= low < high <= 10_000:
        raise NotAllowedError(allowed)
    return low, high


def existing_file(folder: Path) -> Check[Path]:
    """Return a check for a file that is there; a relative path is meant from ``folder``."""

    def check(value: Any) -> Path:
        path = folder / text(value)
        if not path.is_file():
            raise NotAllowedError("a file that exists")
        return path

    return check


def web_address(value: Any, allowed: str, plain_to: Callable[[str], bool]) -> str:
    """Return ``https://NAME`` or ``https://NAME:PORT``, in lower case, without anything behind.

    :param allowed: said of everything else.
    :param plain_to: says to which hosts ``http://`` is fine.
    """
    try:
        parts = urlsplit(text(value))
        port_ok = parts.port != 0
    except ValueError:
        raise NotAllowedError(allowed) from None
    secret = parts.scheme == "https" or (parts.scheme == "http" and plain_to(parts.hostname or ""))
    extra = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    if not secret or not parts.hostname or not port_ok or extra:
        raise NotAllowedError(allowed)
    return f"{parts.scheme}://{parts.netloc}".lower()
