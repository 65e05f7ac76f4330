"""What is said on each topic: JSON objects, encoded and read here. Pure.

Reading is strict about types, sizes and ranges and lenient about unknown fields, so that a newer
sender can say more. Whatever is malformed raises :class:`PayloadError`, never anything else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from fabctl.errors import InputError

VERSION = 1
MAX_BYTES = 65_536
MAX_TEXT = 500
STATE_MAX_AGE_S = 10
"""A state older than this is not believed any more; machines repeat theirs every 5 s."""


class PayloadError(InputError):
    """A message is not what its topic promises."""


class MachineState(StrEnum):
    """What a machine is doing, as everyone sees it."""

    IDLE = "idle"
    PREPARING = "preparing"
    RUNNING = "running"
    PAUSED = "paused"
    BLOCKED = "blocked"
    BROKEN = "broken"
    OFFLINE = "offline"
    UNKNOWN = "unknown"
    """Never published: what a reader shows when the last word is too old. Never safe."""


class EventType(StrEnum):
    """What can happen to a machine and its jobs."""

    JOB_STARTED = "job-started"
    JOB_PAUSED = "job-paused"
    JOB_RESUMED = "job-resumed"
    JOB_FINISHED = "job-finished"
    JOB_STOPPED = "job-stopped"
    JOB_FAILED = "job-failed"
    JOB_INTERRUPTED = "job-interrupted"
    MACHINE_BROKEN = "machine-broken"
    MACHINE_CLEARED = "machine-cleared"
    REQUEST_REFUSED = "request-refused"


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


@dataclass(frozen=True, slots=True)
class StatePayload:
    """What a machine is doing."""

    state: MachineState
    reason: str | None = None
    """One English sentence: why it is so."""
    trouble: str | None = None
    """A code of :class:`fabctl.ports.Trouble`."""
    job: str | None = None
    waiting: str | None = None
    """What the firmware wants from a person at the machine, in its own words."""
    refused: int = 0
    """Requests refused since the process started."""
    max_age_s: int = STATE_MAX_AGE_S
    """The sender's promise: it speaks again before this age, or is to be taken as unknown."""

    def encode(self, stamp: Stamp) -> bytes:
        """Return the message."""
        fields = {
            "state": self.state.value, "reason": self.reason, "trouble": self.trouble,
            "job": self.job, "waiting": self.waiting, "refused": self.refused,
            "max_age_s": self.max_age_s,
        }  # fmt: skip
        return encode(fields, stamp)

    @classmethod
    def decode(cls, payload: bytes) -> StatePayload:
        """Read a message. :raises PayloadError: it is malformed."""
        fields = decode(payload)
        name = fields.text("state", limit=20)
        if name not in set(MachineState) - {MachineState.UNKNOWN}:
            raise PayloadError(f"{name!r} is no state of a machine")
        return cls(
            state=MachineState(name),
            reason=fields.text_or_none("reason"),
            trouble=fields.text_or_none("trouble", limit=64),
            job=fields.text_or_none("job", limit=64),
            waiting=fields.text_or_none("waiting"),
            refused=fields.whole_or_none("refused") or 0,
            max_age_s=fields.whole_or_none("max_age_s", 1) or STATE_MAX_AGE_S,
        )


@dataclass(frozen=True, slots=True)
class JobPayload:
    """How far a job is; ``job`` None: no job (any more)."""

    job: str | None
    progress: float = 0.0
    """0 to 1, by commands that the firmware confirmed."""
    line: int = 0
    lines: int = 0
    eta_s: int | None = None

    def encode(self, stamp: Stamp) -> bytes:
        """Return the message."""
        if self.job is None:
            return encode({"state": "none", "job": None}, stamp)
        fields = {
            "state": "active", "job": self.job, "progress": round(self.progress, 4),
            "line": self.line, "lines": self.lines, "eta_s": self.eta_s,
        }  # fmt: skip
        return encode(fields, stamp)

    @classmethod
    def decode(cls, payload: bytes) -> JobPayload:
        """Read a message. :raises PayloadError: it is malformed."""
        fields = decode(payload)
        if fields.text("state", limit=20) == "none":
            return cls(None)
        progress = fields.number("progress")
        if not 0.0 <= progress <= 1.0:
            raise PayloadError(f"the progress is {progress:g}", limit="0 to 1")
        return cls(
            job=fields.text("job", limit=64),
            progress=progress,
            line=fields.whole("line"),
            lines=fields.whole("lines"),
            eta_s=fields.whole_or_none("eta_s"),
        )


@dataclass(frozen=True, slots=True)
class EventPayload:
    """Something that happened, kept by the machine until it is on record."""

    type: str
    """An :class:`EventType`; a newer machine may know others."""
    stamp: Stamp
    job: str | None = None
    line: int | None = None
    commands: int | None = None
    resends: int | None = None
    seconds: float | None = None
    trouble: str | None = None
    reason: str | None = None
    by: str | None = None
    """The opaque id of the person who asked for it."""
    count: int | None = None
    """How many requests were refused since the last such event."""

    def encode(self) -> bytes:
        """Return the message; absent fields are left out."""
        names = (
            "job", "line", "commands", "resends", "seconds", "trouble", "reason", "by", "count",
        )  # fmt: skip
        said = {name: getattr(self, name) for name in names}
        present = {name: value for name, value in said.items() if value is not None}
        return encode({"type": str(self.type)} | present, self.stamp)

    @classmethod
    def decode(cls, payload: bytes) -> EventPayload:
        """Read a message. :raises PayloadError: it is malformed."""
        fields = decode(payload)
        return cls(
            type=fields.text("type", limit=64),
            stamp=read_stamp(fields),
            job=fields.text_or_none("job", limit=64),
            line=fields.whole_or_none("line"),
            commands=fields.whole_or_none("commands"),
            resends=fields.whole_or_none("resends"),
            seconds=fields.number_or_none("seconds"),
            trouble=fields.text_or_none("trouble", limit=64),
            reason=fields.text_or_none("reason"),
            by=fields.text_or_none("by", limit=64),
            count=fields.whole_or_none("count"),
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What a machine said to a request."""

    accepted: bool
    code: str
    """Part of the API; ``ok`` when accepted, ``no-answer`` when nothing came in time."""
    reason: str | None = None
    """One English sentence."""

    def encode(self) -> bytes:
        """Return the message."""
        return encode({"accepted": self.accepted, "code": self.code, "reason": self.reason})

    @classmethod
    def decode(cls, payload: bytes) -> Answer:
        """Read a message. :raises PayloadError: it is malformed."""
        fields = decode(payload)
        return cls(
            fields.flag("accepted"), fields.text("code", limit=64), fields.text_or_none("reason")
        )


@dataclass(frozen=True, slots=True)
class StartOrder:
    """The body of a signed ``start``."""

    job: str
    sha256: str
    size: int
    name: str
    lines: int
    commands: int
    estimate_s: float | None = None
    by: str | None = None
    use: str | None = None

    def body(self) -> dict[str, Any]:
        """Return what is put into the signed envelope."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def read(cls, body: Fields) -> StartOrder:
        """Read a body. :raises PayloadError: it is malformed."""
        sha256 = body.text("sha256", limit=64)
        if len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
            raise PayloadError("the file's sha256 is not 64 hex digits")
        return cls(
            job=body.text("job", limit=64),
            sha256=sha256,
            size=body.whole("size", 1),
            name=body.text("name", limit=255),
            lines=body.whole("lines", 1),
            commands=body.whole("commands", 1),
            estimate_s=body.number_or_none("estimate_s"),
            by=body.text_or_none("by", limit=64),
            use=body.text_or_none("use", limit=64),
        )


@dataclass(frozen=True, slots=True)
class PresencePayload:
    """Whether a host, or the steward, is there; with its figures."""

    online: bool
    figures: Mapping[str, int | str | None] = field(default_factory=dict)

    def encode(self, stamp: Stamp) -> bytes:
        """Return the message."""
        return encode(dict(self.figures) | {"state": "online" if self.online else "offline"}, stamp)

    @classmethod
    def decode(cls, payload: bytes) -> PresencePayload:
        """Read a message. :raises PayloadError: it is malformed."""
        fields = decode(payload)
        state = fields.text("state", limit=20)
        if state not in {"online", "offline"}:
            raise PayloadError(f"{state!r} is no state of a host", limit="online or offline")
        known = {"v", "state", "ts", "synced", "boot", "seq"}
        figures = {
            key: value
            for key, value in fields.values.items()
            if key not in known and isinstance(value, int | str)
        }
        return cls(state == "online", figures)


def read_telemetry(payload: bytes) -> dict[str, float | None]:
    """Return a group's readings; None where the value is not known.

    :raises PayloadError: it is malformed.
    """
    fields = decode(payload)
    common = {"v", "ts", "synced", "boot", "seq"}
    names = [name for name in fields.values if name not in common]
    return {name: fields.number_or_none(name) for name in names}
