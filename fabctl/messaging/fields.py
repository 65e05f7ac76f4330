"""The form of every message: a JSON object with common fields, read strictly. Pure.

Reading is strict about types, sizes and ranges and lenient about unknown fields, so that a newer
sender can say more. Whatever is malformed raises :class:`PayloadError`, never anything else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fabctl.errors import InputError

VERSION = 1
MAX_BYTES = 65_536
MAX_TEXT = 500


class PayloadError(InputError):
    """A message is not what its topic promises."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who says it, and when: the fields every message of a machine has."""

    ts: datetime
    """Aware; sent in UTC."""
    synced: bool
    """Whether the sender's clock is known to be right."""
    boot: str
    """Random, new with each start of the sending process."""
    seq: int
    """Counts up from 1 within a boot."""


def encode(fields: Mapping[str, Any], stamp: Stamp | None = None) -> bytes:
    """Return a message: the fields, ``v`` and the stamp, as compact UTF-8 JSON.

    :raises ValueError: a number is not finite, or a text holds half a character.
    """
    whole: dict[str, Any] = {"v": VERSION}
    if stamp is not None:
        whole |= {
            "ts": instant(stamp.ts),
            "synced": stamp.synced,
            "boot": stamp.boot,
            "seq": stamp.seq,
        }
    text = json.dumps(
        whole | dict(fields), ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return text.encode()


def instant(moment: datetime) -> str:
    """Return an aware moment as ISO 8601 in UTC, in milliseconds, ending in ``Z``."""
    utc = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return utc.replace("+00:00", "Z")


def decode(payload: bytes) -> Fields:
    """Return a message's fields.

    :raises PayloadError: not a JSON object of version 1, of at most 64 KiB of UTF-8.
    """
    if len(payload) > MAX_BYTES:
        raise PayloadError(f"a message of {len(payload)} bytes", limit=f"{MAX_BYTES} bytes")
    try:
        whole = json.loads(payload.decode(), parse_constant=_refuse_constant)
        json.dumps(whole, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise PayloadError("a message that is not JSON in UTF-8") from error
    if not isinstance(whole, dict):
        raise PayloadError("a message that is not a JSON object")
    fields = Fields(whole)
    version = fields.whole("v", 0)
    if version != VERSION:
        raise PayloadError(f"a message of version {version}", limit=f"version {VERSION}")
    return fields


def _refuse_constant(name: str) -> float:
    raise ValueError(name)


@dataclass(frozen=True, slots=True)
class Fields:
    """A decoded object whose values are checked as they are taken out."""

    values: Mapping[str, Any]

    def text(self, key: str, *, limit: int = MAX_TEXT) -> str:
        """Return a text of 1 to ``limit`` characters, none of them NUL (PostgreSQL keeps none)."""
        found = self.values.get(key)
        if not isinstance(found, str) or not 1 <= len(found) <= limit or "\0" in found:
            raise self._wrong(key, f"a text of 1 to {limit} characters")
        return found

    def text_or_none(self, key: str, *, limit: int = MAX_TEXT) -> str | None:
        """Return a text, or None when it is absent or null."""
        return None if self.values.get(key) is None else self.text(key, limit=limit)

    def whole(self, key: str, lowest: int = 0) -> int:
        """Return a whole number from ``lowest`` to 2^53."""
        found = self.values.get(key)
        if isinstance(found, bool) or not isinstance(found, int) or not lowest <= found <= 2**53:
            raise self._wrong(key, f"a whole number ≥ {lowest}")
        return found

    def whole_or_none(self, key: str, lowest: int = 0) -> int | None:
        """Return a whole number, or None when it is absent or null."""
        return None if self.values.get(key) is None else self.whole(key, lowest)

    def number(self, key: str) -> float:
        """Return a finite number."""
        found = self.values.get(key)
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise self._wrong(key, "a number")
        if not -1e15 <= found <= 1e15:
            raise self._wrong(key, "a number between -1e15 and 1e15")
        return float(found)

    def number_or_none(self, key: str) -> float | None:
        """Return a finite number, or None when it is absent or null."""
        return None if self.values.get(key) is None else self.number(key)

    def flag(self, key: str) -> bool:
        """Return true or false."""
        found = self.values.get(key)
        if not isinstance(found, bool):
            raise self._wrong(key, "true or false")
        return found

    def moment(self, key: str) -> datetime:
        """Return an aware moment in UTC."""
        try:
            found = datetime.fromisoformat(self.text(key, limit=40))
            if found.tzinfo is not None:
                return found.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise self._wrong(key, "an ISO 8601 moment with its offset") from error
        raise self._wrong(key, "an ISO 8601 moment with its offset")

    def inner(self, key: str) -> Fields:
        """Return an object inside this one."""
        found = self.values.get(key)
        if not isinstance(found, dict):
            raise self._wrong(key, "an object")
        return Fields(found)

    def _wrong(self, key: str, allowed: str) -> PayloadError:
        found = repr(self.values.get(key))[:60]
        return PayloadError(f"the field {key!r} is {found}", limit=allowed)


def read_stamp(fields: Fields) -> Stamp:
    """Return who said a message, and when."""
    return Stamp(
        fields.moment("ts"), fields.flag("synced"), fields.text("boot", limit=64),
        fields.whole("seq"),
    )  # fmt: skip
