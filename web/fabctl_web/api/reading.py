"""What programs send: bodies in JSON, instants with an offset, pages of lists.

Everything that cannot be read is reported at once, by 422.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from flask import Response, jsonify, request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.texts import text
from fabctl.services import resources
from fabctl_web.api.operations import LIMIT_DEFAULT, LIMIT_MOST
from fabctl_web.lab import current_lab

LONGEST_TEXT = 4000
LARGEST = 2**31 - 1
"""What every database keeps as an integer."""
UNREADABLE = (
    BadRequest,
    UnsupportedMediaType,
    RecursionError,  # a body of brackets within brackets
    LookupError,
    TypeError,
    ValueError,
    ArithmeticError,
)
UNKNOWN_RESOURCE = Refusal(
    "unknown-resource",
    text("There is no such machine."),
    text("Ask for the list of machines, then use one of its ids."),
)
T = TypeVar("T")
Item = TypeVar("Item")


class MalformedError(RefusedError):
    """A request that cannot be read: every field that is missing or wrong."""


def malformed(field: str) -> Refusal:
    """Return the refusal of one field."""
    return Refusal(
        "malformed",
        text("“{field}” is missing or cannot be read.", field=field),
        text("Look at the description of the API."),
    )


_NO_BODY = Refusal(
    "malformed",
    text("This request cannot be read."),
    text("Send an object in JSON; see the description of the API."),
)


class Sent:
    """Fields of a request. A wrong one is noted, and a stand-in returned that nobody uses:
    :func:`body` and :func:`query` raise at the end of their ``with`` when anything was noted.
    """

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields
        self.refusals: list[Refusal] = []

    def has(self, name: str) -> bool:
        """Say whether a field is there and is not null."""
        return self._fields.get(name) is not None

    def is_null(self, name: str) -> bool:
        """Say whether a field is there and is null: what it stood for is taken away."""
        return name in self._fields and self._fields[name] is None

    def text(self, name: str) -> str:
        """Return a text that is not blank, at most 4,000 characters, for any database."""
        return self._read(name, _text, "")

    def maybe_text(self, name: str) -> str | None:
        """Return a text; None when it is left out or null."""
        return self.text(name) if self.has(name) else None

    def number(self, name: str, least: int = 0, most: int = LARGEST) -> int:
        """Return a whole number within its limits."""
        return self._read(name, lambda value: _number(value, least, most), least)

    def flag(self, name: str, *, usual: bool = False) -> bool:
        """Return true or false; ``usual`` when it is left out."""
        return self._read(name, _flag, usual) if self.has(name) else usual

    def said(self, name: str) -> bool:
        """Return true or false, which must not be left out."""
        return self._read(name, _flag, False)

    def instant(self, name: str) -> datetime:
        """Return a time that came with an offset, in UTC."""
        return self._read(name, instant, datetime.min.replace(tzinfo=UTC))

    def day(self, name: str) -> date:
        """Return a date, as 2026-11-23."""
        return self._read(name, date.fromisoformat, date.min)

    def choice(self, name: str, choices: Callable[[str], T], stand_in: T) -> T:
        """Return one of a few words, as an enum has them."""
        return self._read(name, choices, stand_in)

    def texts(self, name: str, most: int = 200) -> list[str]:
        """Return a list of texts."""
        return self._read(name, lambda value: _texts(value, most), [])

    def records(self, name: str, most: int = 200) -> list[Sent]:
        """Return a list of objects; what is wrong in one of them is noted here too."""
        nothing: list[dict[str, Any]] = []
        found = self._read(name, lambda value: _records(value, most), nothing)
        parts = [Sent(one) for one in found]
        for one in parts:
            one.refusals = self.refusals
        return parts

    def resource(self, name: str = "resource") -> str:
        """Return the id of a resource that the lab has."""
        found = self.text(name)
        if not self.refusals and not _known(found):
            self.refusals.append(UNKNOWN_RESOURCE)
        return found

    def _read(self, name: str, convert: Callable[[Any], T], stand_in: T) -> T:
        try:
            return convert(self._fields[name])
        except UNREADABLE:
            self.refusals.append(malformed(name))
            return stand_in


@contextmanager
def body() -> Iterator[Sent]:
    """Yield the fields of the request's body.

    :raises MalformedError: at the end: no object in JSON, or wrong fields.
    """
    try:
        found = request.get_json()
    except UNREADABLE as error:
        raise MalformedError([_NO_BODY]) from error
    if not isinstance(found, dict):
        raise MalformedError([_NO_BODY])
    yield from _checked(Sent(found))


@contextmanager
def query() -> Iterator[Sent]:
    """Yield the fields after the question mark; numbers are texts there.

    :raises MalformedError: at the end, for wrong fields.
    """
    yield from _checked(Sent(request.args))


def reason() -> str | None:
    """Return why, as the query says it; None where it says nothing.

    :raises MalformedError: it cannot be read.
    """
    if not request.args.get("reason", "").strip():
        return None
    with query() as sent:
        return sent.text("reason")


def _checked(sent: Sent) -> Iterator[Sent]:
    yield sent
    if sent.refusals:
        raise MalformedError(sent.refusals)


def instant(written: object) -> datetime:
    """Return an ISO 8601 time with an offset, in UTC.

    :raises ValueError: it is none, or has no offset.
    """
    if not isinstance(written, str):
        raise TypeError(written)
    found = datetime.fromisoformat(written)
    if found.tzinfo is None or "\0" in written:  # 10:00, NUL, Z: Python reads over the NUL
        raise ValueError(written)
    return found.astimezone(UTC)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_TEXT:
        raise ValueError(value)
    if "\0" in value:  # PostgreSQL keeps no such text
        raise ValueError(value)
    value.encode()  # half a surrogate pair is no text
    return value


def _number(value: object, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError(value)
    if isinstance(value, str):
        digits = value.isascii() and value.isdigit()  # int() takes 1_0 and other scripts' digits
        if not digits or len(value) > len(str(most)):
            raise ValueError(value)
    found = int(value)
    if not least <= found <= most:
        raise ValueError(value)
    return found


def _flag(value: object) -> bool:
    found = {"true": True, "false": False}.get(value) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise TypeError(value)
    return found


def _texts(value: object, most: int) -> list[str]:
    if not isinstance(value, list) or len(value) > most:
        raise TypeError(value)
    return [_text(one) for one in value]


def _records(value: object, most: int) -> list[dict[str, Any]]:
    if not isinstance(value, list) or len(value) > most:
        raise TypeError(value)
    if not all(isinstance(one, dict) for one in value):
        raise TypeError(value)
    return value


def _known(resource_id: str) -> bool:
    with current_lab().db.reading() as db:
        return any(place.id == resource_id for place in resources.list_all(db))


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for."""

    limit: int
    """1 to 200."""
    after: tuple[str, ...] | None
    """The key of the last item that was shown; None: from the start."""


_NO_KEY: tuple[str, ...] = ()


def page() -> Page:
    """Read ``limit`` and ``cursor``.

    :raises MalformedError: one of them cannot be read.
    """
    with query() as sent:
        limit = sent.number("limit", 1, LIMIT_MOST) if sent.has("limit") else LIMIT_DEFAULT
        after = sent.choice("cursor", _key, _NO_KEY) if sent.has("cursor") else None
    return Page(limit, after)


def instant_and_id(asked: Page) -> tuple[datetime, str] | None:
    """Return the key after which to go on in a list by time and id; None: from the start.

    :raises MalformedError: it is the cursor of another list.
    """
    if asked.after is None:
        return None
    try:
        written, last = asked.after
        return instant(written), last
    except UNREADABLE as error:  # also a time that no day in UTC has
        raise MalformedError([malformed("cursor")]) from error


def paged(
    name: str,
    items: Sequence[Item],
    asked: Page,
    key: Callable[[Item], tuple[str, ...]],
    shape: Callable[[Item], Any],
    *,
    newest_first: bool = False,
) -> Response:
    """Return a page of a list: ``{name: […], "next": cursor or null}``.

    :param items: in the order of their keys: all, or what follows ``asked.after``, one more
        than ``asked.limit`` where there are more.
    :param key: tells items apart and orders them; times as ISO 8601 in UTC.
    :param newest_first: the order goes down, not up.
    """
    after = asked.after
    if after is not None:
        items = [one for one in items if (key(one) < after if newest_first else key(one) > after)]
    shown = items[: asked.limit]
    last = _cursor(key(shown[-1])) if len(items) > len(shown) else None
    return jsonify({name: [shape(one) for one in shown], "next": last})


def _cursor(key: tuple[str, ...]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def _key(cursor: str) -> tuple[str, ...]:
    filled = cursor + "=" * (-len(cursor) % 4)
    found = json.loads(base64.b64decode(filled, altchars=b"-_", validate=True))
    return tuple(_texts(found, 8))
