"""What an OctoPrint server says, as messages, and the one table of what follows from it. Pure.

Sources: OctoPrint 1.11 documentation, "REST API" (job, printer, files) and "Push updates"; the
shapes were checked against a real 1.11.8 server with its virtual printer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from types import MappingProxyType

from fabctl.errors import DeviceError
from fabctl.ports import Phase


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


def read_poll(job: object, printer: object) -> tuple[Message, ...]:
    """Return what ``GET /api/job`` and ``GET /api/printer`` say together.

    :param printer: None where the server answered 409: the printer is not operational.
    """
    job_, printer_ = _dict(job), _dict(printer)
    state = _dict(printer_.get("state")) or {
        "text": job_.get("state"),
        "error": job_.get("error"),
    }
    found = {"state": state, "job": job_.get("job"), "progress": job_.get("progress")}
    return (_status(found), *_temperatures([printer_.get("temperature")]))


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


# ---- what follows


class Heard(StrEnum):
    """A status, seen from the job that we wait for or have running."""

    UNKNOWN = "unknown"
    DETACHED = "detached"
    FAULT = "fault"
    READY = "ready"
    OTHERS = "others"
    """A job that is not ours is under way, in whatever state."""
    OURS_PRINTING = "ours-printing"
    OURS_PAUSING = "ours-pausing"
    OURS_PAUSED = "ours-paused"
    OURS_CANCELLING = "ours-cancelling"


class Stage(StrEnum):
    """Where the driver is with its printer."""

    CLOSED = "closed"
    LOOKING = "looking"
    """The server answers; its printer is not known to be ready."""
    FREE = "free"
    ELSEWHERE = "elsewhere"
    """A job runs that was not started by this driver."""
    SENDING = "sending"
    """Our file is on its way; the server has not said yet that it prints it."""
    PRINTING = "printing"
    PAUSING = "pausing"
    PAUSED = "paused"
    STOPPING = "stopping"
    ENDING = "ending"
    """The server no longer prints our file; how it ended is being asked."""
    BROKEN = "broken"


PHASES: Mapping[Stage, Phase] = MappingProxyType(
    {
        Stage.CLOSED: Phase.CLOSED,
        Stage.LOOKING: Phase.CONNECTING,
        Stage.FREE: Phase.IDLE,
        Stage.ELSEWHERE: Phase.RUNNING,  # docs/decisions/0120
        Stage.SENDING: Phase.RUNNING,
        Stage.PRINTING: Phase.RUNNING,
        Stage.PAUSING: Phase.PAUSING,
        Stage.PAUSED: Phase.PAUSED,
        Stage.STOPPING: Phase.STOPPING,
        Stage.ENDING: Phase.STOPPING,
        Stage.BROKEN: Phase.BROKEN,
    }
)

JOB_STAGES = (
    Stage.SENDING, Stage.PRINTING, Stage.PAUSING, Stage.PAUSED, Stage.STOPPING, Stage.ENDING,
)  # fmt: skip
"""A job of ours is under way."""

_WITHOUT_JOB = (Heard.UNKNOWN, Heard.DETACHED, Heard.FAULT, Heard.READY, Heard.OTHERS)
_SHOWN = {Heard.READY: Stage.FREE, Heard.OTHERS: Stage.ELSEWHERE}
_OURS = {
    Heard.OURS_PRINTING: Stage.PRINTING,
    Heard.OURS_PAUSING: Stage.PAUSING,
    Heard.OURS_PAUSED: Stage.PAUSED,
    Heard.OURS_CANCELLING: Stage.STOPPING,
}
_GOING = (Stage.PRINTING, Stage.PAUSING, Stage.PAUSED)
_ENDS = (Heard.DETACHED, Heard.FAULT, Heard.READY, Heard.OTHERS)

NEXT: Mapping[tuple[Stage, Heard], Stage] = MappingProxyType(
    {
        **{
            (stage, heard): _SHOWN.get(heard, Stage.LOOKING)
            for stage, heard in product((Stage.LOOKING, Stage.FREE, Stage.ELSEWHERE), _WITHOUT_JOB)
        },
        **{(Stage.BROKEN, heard): Stage.BROKEN for heard in _WITHOUT_JOB},
        **dict.fromkeys(product(_GOING, _ENDS), Stage.ENDING),
        **{(stage, heard): new for stage, (heard, new) in product(_GOING, _OURS.items())},
        **{(stage, Heard.UNKNOWN): stage for stage in JOB_STAGES},
        # Until the server says that it prints, being ready is no end.
        (Stage.SENDING, Heard.READY): Stage.SENDING,
        **{(Stage.SENDING, heard): Stage.ENDING for heard in _ENDS if heard is not Heard.READY},
        **{(Stage.SENDING, heard): new for heard, new in _OURS.items()},
        **{(Stage.STOPPING, heard): Stage.ENDING for heard in _ENDS},
        **{(Stage.STOPPING, heard): Stage.STOPPING for heard in _OURS},
        **{(Stage.ENDING, heard): Stage.ENDING for heard in (*_ENDS, *_OURS)},
    }
)
"""Every pair that can happen; a missing one is an error. CLOSED hears nothing."""


GOING_ON = tuple(_OURS)
"""Our job is under way, in whatever state."""


def heard(status: Status, ours: str | None) -> Heard:
    """Return what a status means.

    :param ours: the path of our file in the server's local storage; None without a job.
    """
    if status.printer in _BY_ITSELF:
        return _BY_ITSELF[status.printer]
    if ours is None or status.path != ours:
        return Heard.OTHERS
    return _OF_OURS[status.printer]


_BY_ITSELF = {
    Printer.UNKNOWN: Heard.UNKNOWN,
    Printer.DETACHED: Heard.DETACHED,
    Printer.CONNECTING: Heard.DETACHED,
    Printer.FAULT: Heard.FAULT,
    Printer.READY: Heard.READY,
}
_OF_OURS = {
    Printer.PRINTING: Heard.OURS_PRINTING,
    Printer.PAUSING: Heard.OURS_PAUSING,
    Printer.PAUSED: Heard.OURS_PAUSED,
    Printer.CANCELLING: Heard.OURS_CANCELLING,
}
