"""What an OctoPrint server says, read into messages. Pure.

Sources: OctoPrint 1.11 documentation, "REST API" (job, printer, files) and "Push updates"; the
shapes were checked against a real 1.11.8 server with its virtual printer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from fabctl.errors import DeviceError


class Printer(StrEnum):
    """What the server says of its printer."""

    UNKNOWN = "unknown"
    """Anything we cannot read: it permits nothing and ends nothing."""
    DETACHED = "detached"
    CONNECTING = "connecting"
    FAULT = "fault"
    READY = "ready"
    PRINTING = "printing"
    PAUSING = "pausing"
    PAUSED = "paused"
    CANCELLING = "cancelling"


AT_WORK = frozenset(
    {Printer.READY, Printer.PRINTING, Printer.PAUSING, Printer.PAUSED, Printer.CANCELLING}
)
"""What can only be said of a printer that is connected."""
OPERATIONAL = "Operational"
"""The one state of the connection in which a job may be started (util/comm.py, getStateString)."""


@dataclass(frozen=True, slots=True)
class Status:
    """One picture of the printer and of the file that is selected there."""

    printer: Printer
    error: str | None = None
    path: str | None = None
    """The selected file in the server's local storage; None: none, or one on the SD card."""
    position: int | None = None
    """Bytes of the file that the server has read for sending."""
    resends: int | None = None


class NoticeKind(StrEnum):
    """What happened, as the server's events name it."""

    STARTED = "PrintStarted"
    DONE = "PrintDone"
    CANCELLED = "PrintCancelled"
    FAILED = "PrintFailed"
    RESET = "PrinterReset"
    ERROR = "Error"


@dataclass(frozen=True, slots=True)
class Notice:
    """One event; ``path`` is None where the event names no file."""

    kind: NoticeKind
    path: str | None = None
    error: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Temperatures:
    """Readings in °C by the server's names: ``tool0``, ``bed``; (actual, target)."""

    heaters: Mapping[str, tuple[float | None, float | None]]


@dataclass(frozen=True, slots=True)
class SignInAgain:
    """The push connection no longer counts as signed in."""


Message = Status | Notice | Temperatures | SignInAgain

PUSH_SUBSCRIPTION: Mapping[str, object] = MappingProxyType(
    {
        "state": {"logs": False, "messages": False},
        "events": [kind.value for kind in NoticeKind],
        "plugins": [],
    }
)


# ---- reading


def read_push(raw: str | bytes) -> tuple[Message, ...]:
    """Return what one frame of the push connection says; frames of other kinds say nothing.

    :raises DeviceError: it is not what an OctoPrint server sends.
    """
    try:
        frame = json.loads(raw)
    except ValueError as error:  # UnicodeDecodeError is one too
        raise DeviceError("the push connection sent something that is no JSON") from error
    match frame:
        case {"current": dict(payload)} | {"history": dict(payload)}:
            return (_status(payload), *_temperatures(payload.get("temps")))
        case {"event": {"type": str(kind), "payload": payload}} if kind in set(NoticeKind):
            return (_notice(NoticeKind(kind), payload if isinstance(payload, dict) else {}),)
        case {"reauthRequired": _}:
            return (SignInAgain(),)
        case dict():
            return ()
    raise DeviceError("the push connection sent something that is no message of OctoPrint's")


def read_poll(job: object, printer: object, connection: str | None = None) -> tuple[Message, ...]:
    """Return what ``GET /api/job`` and ``GET /api/printer`` say together.

    :param printer: None where the server answered 409: the printer is not operational.
    :param connection: the state in ``GET /api/connection``, where :func:`contradicts` asks for it.
    """
    job_, printer_ = _dict(job), _dict(printer)
    state = _dict(printer_.get("state")) or {
        "text": connection or job_.get("state"),
        "error": job_.get("error"),
    }
    found = {"state": state, "job": job_.get("job"), "progress": job_.get("progress")}
    return (_status(found), *_temperatures([printer_.get("temperature")]))


def contradicts(job: object, printer: object) -> bool:
    """Whether a job's state is that of a printer at work, and the printer is not operational.

    The state is a text that the server sets when something changes, under no lock: it may stay
    old for good (OctoPrint 1.11.8, printer/standard.py, _setState; seen). 409 is as things are.
    """
    return printer is None and str(_dict(job).get("state")) not in _BY_TEXT


def read_history(file: object) -> bool | None:
    """Return how a file's prints ended by ``GET /api/files/local/NAME``; None: not recorded.

    Only a success without any failure is a success: our files are printed once.
    """
    prints = _dict(_dict(file).get("prints"))
    match prints:
        case {"success": int(success), "failure": int(failure)} if success + failure > 0:
            return failure == 0
    return None


def printer_of(state: Mapping[str, object]) -> Printer:
    """Return what a ``state`` object says of the printer.

    Flags decide where there are any: with them, the text is for people. A polled server that
    is not operational gives the text alone.
    """
    flags = state.get("flags")
    if isinstance(flags, dict) and flags:
        for flag, printer in _BY_FLAG:
            if flags.get(flag) is True:
                return printer
    return _BY_TEXT.get(str(state.get("text")), Printer.UNKNOWN)


_BY_FLAG = (
    ("error", Printer.FAULT),
    ("closedOrError", Printer.DETACHED),
    ("cancelling", Printer.CANCELLING),
    ("pausing", Printer.PAUSING),
    ("paused", Printer.PAUSED),
    ("resuming", Printer.PRINTING),
    ("finishing", Printer.PRINTING),
    ("printing", Printer.PRINTING),
    ("ready", Printer.READY),
)
"""The first flag that is set decides; ``printing`` is set in most of the states above it."""

_BY_TEXT: Mapping[str, Printer] = MappingProxyType(
    {
        "Offline": Printer.DETACHED,
        "Closed": Printer.DETACHED,
        "Offline after error": Printer.FAULT,
        "Error": Printer.FAULT,
        "Opening serial connection": Printer.CONNECTING,
        "Detecting serial connection": Printer.CONNECTING,
        "Connecting": Printer.CONNECTING,
    }
)
"""Only what keeps the printer from working: whatever works has flags."""


def _status(payload: Mapping[str, object]) -> Status:
    state, job = _dict(payload.get("state")), _dict(payload.get("job"))
    file, progress = _dict(job.get("file")), _dict(payload.get("progress"))
    local = file.get("origin") == "local"
    return Status(
        printer=printer_of(state),
        error=_text(state.get("error")),
        path=_text(file.get("path")) if local else None,
        position=_count(progress.get("filepos")),
        resends=_count(_dict(payload.get("resends")).get("count")),
    )


def _notice(kind: NoticeKind, payload: Mapping[str, object]) -> Notice:
    local = payload.get("origin") == "local"
    return Notice(
        kind,
        path=_text(payload.get("path")) if local else None,
        error=_text(payload.get("error")),
        reason=_text(payload.get("reason")),
    )


def _temperatures(readings: object) -> tuple[Temperatures, ...]:
    newest = _dict(readings[-1]) if isinstance(readings, list) and readings else {}
    heaters = {
        name: (_number(reading.get("actual")), _number(reading.get("target")))
        for name, reading in newest.items()
        if isinstance(reading, dict)
    }
    return (Temperatures(heaters),) if heaters else ()


def _dict(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and value == value else None  # noqa: PLR0124  # NaN
