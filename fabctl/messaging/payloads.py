"""What is said on each topic: JSON objects, encoded and read here. Pure.

Their common form is in :mod:`fabctl.messaging.fields`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from fabctl.messaging.fields import (
    MAX_BYTES,
    Fields,
    PayloadError,
    Stamp,
    decode,
    encode,
    instant,
    read_stamp,
)

__all__ = [
    "MAX_BYTES",
    "STATE_MAX_AGE_S",
    "Answer",
    "EventPayload",
    "EventType",
    "Fields",
    "JobPayload",
    "MachineState",
    "PayloadError",
    "PresencePayload",
    "Stamp",
    "StartOrder",
    "StatePayload",
    "decode",
    "encode",
    "instant",
    "read_stamp",
    "read_telemetry",
]

STATE_MAX_AGE_S = 8
"""A state older than this is not believed any more; machines repeat theirs every 3 s."""


class MachineState(StrEnum):
    """What a machine is doing, as everyone sees it."""

    IDLE = "idle"
    PREPARING = "preparing"
    RUNNING = "running"
    PAUSING = "pausing"
    """Coming to rest; it cannot be resumed before it has."""
    PAUSED = "paused"
    STOPPING = "stopping"
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
    INTERLOCK_BOOT = "interlock-boot"
    """Its daemon started; off until somebody arms it."""
    INTERLOCK_ARMED = "interlock-armed"
    INTERLOCK_LOCKED = "interlock-locked"
    """It let go in order: the permit ended, or nobody used it."""
    INTERLOCK_TRIPPED = "interlock-tripped"
    """``trouble``: what tripped first."""
    INTERLOCK_FAULT = "interlock-fault"
    """``trouble``: the fault's code."""
    INTERLOCK_CLEARED = "interlock-cleared"
    """Somebody at the machine cleared a fault."""
    INTERLOCK_TROUBLE = "interlock-trouble"
    """It cannot write to its disk; ``reason``: what that said."""
    INTERLOCK_PERMIT_REFUSED = "interlock-permit-refused"
    """``trouble``: why; ``count``: how many since the last such event."""
    INTERLOCK_RAN = "interlock-ran"
    """``use``, ``seconds``: how long the machine worked since the last such event of that use."""


@dataclass(frozen=True, slots=True)
class StatePayload:
    """What a machine is doing."""

    state: MachineState
    reason: str | None = None
    """One English sentence: why it is so."""
    trouble: str | None = None
    """A code of :class:`fabctl.ports.Trouble`."""
    job: str | None = None
    """The id of the job that it works on."""
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
    """Line of the file, 1-based, of the last confirmed command."""
    lines: int = 0
    """Lines of the file."""
    eta_s: int | None = None
    """Seconds until its end, estimated; None: nobody knows."""

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
    """Line of the file, 1-based, of the last confirmed command."""
    commands: int | None = None
    """How many the firmware confirmed."""
    resends: int | None = None
    """How often it asked for a line again."""
    seconds: float | None = None
    """How long it took, on the monotonic clock."""
    trouble: str | None = None
    """A code of :class:`fabctl.ports.Trouble`, or an interlock's."""
    reason: str | None = None
    """One English sentence."""
    by: str | None = None
    """The opaque id of the person who asked for it, by the machine's word alone."""
    count: int | None = None
    """How many requests were refused since the last such event."""
    use: str | None = None
    """The use that the interlock's permit named."""
    after_boot: str | None = None
    """With ``after_seq``: the machine's event before this one; it goes on record first."""
    after_seq: int | None = None
    """See ``after_boot``."""

    def encode(self) -> bytes:
        """Return the message; absent fields are left out."""
        names = (
            "job", "line", "commands", "resends", "seconds", "trouble", "reason", "by", "count",
            "use", "after_boot", "after_seq",
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
            use=fields.text_or_none("use", limit=64),
            after_boot=fields.text_or_none("after_boot", limit=64),
            after_seq=fields.whole_or_none("after_seq"),
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
