"""What Marlin says, line by line: bytes in, :class:`Answer` out. Pure.

Sources: Marlin ``gcode/queue.cpp`` (ok, Resend, wait), ``core/language.h`` (the texts of errors),
``gcode/host/M115.cpp`` (capabilities), ``feature/host_actions.cpp`` (``//action:``),
RepRap wiki "G-code", section "Replies from the RepRap machine to the host computer".
"""

from __future__ import annotations

import re
from enum import Enum, IntEnum, auto
from typing import NamedTuple


class Heard(IntEnum):
    """What the link hears: the firmware's lines, its own sending, and the clock."""

    OK = auto()
    """An ok that leaves lines in flight, or that belongs to none."""
    ALL_OK = auto()
    """The ok of the last line in flight."""
    RESEND = auto()
    """The firmware wants a line again: ``Resend:``, ``rs``, or an error with its last line."""
    BUSY = auto()
    WAIT = auto()
    START = auto()
    """The controller begins anew: ``start``, or a piece of the text it prints at power-up."""
    HALT = auto()
    """The firmware gave up: ``kill()``, thermal runaway, MINTEMP, ``!!`` and the like."""
    NOTE = auto()
    """Anything else: temperatures, echoes, information. Never moves the conversation."""
    SENT = auto()
    """We said a line."""
    QUIET = auto()
    """The quiet time after a Resend is over, and lines are to be repeated."""
    SETTLED = auto()
    """The quiet time after a Resend is over, and nothing is to be repeated."""
    DOUBT = auto()
    """All is confirmed, but an answer is missing that should still come."""
    SILENCE = auto()
    """Too long without a sign of life."""
    GAVE_UP = auto()
    """Too many silences, or too many repeats of one line."""


class Topic(Enum):
    """What a NOTE is about."""

    OTHER = auto()
    GARBLED = auto()
    """Too short and strange to mean anything: perhaps an ok that the cable damaged."""
    TEMPERATURES = auto()
    POSITION = auto()
    FIRMWARE = auto()
    CAPABILITY = auto()
    KEEPALIVE = auto()
    """``M113 S<seconds>``: how often the firmware says busy."""
    ACTION = auto()


class Answer(NamedTuple):
    """One line from the firmware, understood."""

    heard: Heard
    number: int | None = None
    """The line number in ``ok N<n>`` or ``Resend: <n>``, where there is one."""
    text: bytes = b""
    """The line, without blanks around it; for an ACTION and a FIRMWARE only what follows it."""
    topic: Topic = Topic.OTHER
    planner_free: int | None = None
    """``P<n>`` of an ADVANCED_OK: moves free in the firmware's planner."""
    queue_free: int | None = None
    """``B<n>`` of an ADVANCED_OK: places free in the firmware's command queue."""


OK = Answer(Heard.OK, text=b"ok")

_OK = re.compile(rb"ok(?:\s*N?(\d+)\b)?(?:\s*P(\d+))?(?:\s*B(\d+)\b)?", re.IGNORECASE)
_OKS = frozenset({b"ok", b"OK", b"Ok", b"oK"})
_FIELD = re.compile(rb"[PB]\d")
_FIELDS = re.compile(rb".{1,3} N(\d+) P(\d+) B(\d+)", re.DOTALL)
_RESEND = re.compile(rb"(?:resend|rs)[\s:]*(?:N[\s:]*)?(\d+)", re.IGNORECASE)
# Marlin language.h, STR_ERR_LINE_NO and after it: all end with the last line that was good
_DAMAGED = re.compile(rb"(?:line number|checksum|format error|expected line).*?last line: ?(\d+)")
_BUSY = re.compile(rb"(?:echo:\s*)?busy:", re.IGNORECASE)
# Printed by setup() in Marlin's MarlinCore.cpp, after "start"
_POWER_UP = re.compile(
    rb"[^a-z]{0,6}start$|(?:echo:\s*)?Marlin (?:\d|bugfix)|(?:echo:\s*)?PowerUp$"
    rb"|(?:echo:)? ?(?:External|Brown out|Watchdog|Software) Reset$"
)
# Marlin language.h: STR_KILLED, STR_T_THERMAL_RUNAWAY, STR_T_MINTEMP, STR_T_MAXTEMP,
# STR_T_HEATING_FAILED, STR_ERR_STOPPED; "!!" and "fatal:": RepRap wiki, and Klipper's "!! "
_HALT = re.compile(
    rb"^!!|^fatal:|^error:\s*fatal|kill\(\) called|printer (?:halted|stopped)|thermal[ _]runaway"
    rb"|heating failed|m(?:in|ax)temp (?:triggered|bed|error)"
    rb"|m(?:in|ax)temp\b.*(?:system stopped|off)"
)
_TEMPERATURES = re.compile(rb"\b[TB]\d?:\s*-?\d|\bT\d?:\s*(?:nan|inf)")
_POSITION = re.compile(rb"X:\s*-?[\d.]+ Y:\s*-?[\d.]+ Z:\s*-?[\d.]+ E:\s*-?[\d.]+")
_KEEPALIVE = re.compile(rb"(?:echo:\s*)?M113 S(\d+)")
_ACTION = re.compile(rb"//\s*action:\s*(.*)")


def parse(raw: bytes) -> Answer:
    """Return what one line means; the line may carry blanks and a carriage return around it."""
    line = raw.strip(b" \t\r\n\x00")
    for recognise in _RECOGNISERS:
        answer = recognise(line)
        if answer is not None:
            return answer
    return Answer(Heard.NOTE, text=line, topic=_topic(line))


_NOT_AFTER_OK = frozenset(b"abcdefghijklmnopqrstuvwxyzE")
"""What follows ``ok`` in other words."""


def _ok(line: bytes) -> Answer | None:
    if line[:2] not in _OKS or (len(line) > 2 and line[2] in _NOT_AFTER_OK):
        return _damaged_ok(line)
    parts = _OK.match(line)
    number, planner, queue = parts.groups() if parts else (None, None, None)
    if number is not None and planner is None and b"N" not in line and _FIELD.search(line):
        number = None  # ``ok 15 B3`` was ``ok P15 B3``, of a command without a number
    return Answer(
        Heard.OK,
        None if number is None else int(number),
        line,
        Topic.TEMPERATURES if b"T:" in line or b"T0:" in line else Topic.OTHER,
        None if planner is None else int(planner),
        None if queue is None else int(queue),
    )


def _damaged_ok(line: bytes) -> Answer | None:
    """Return the ok that ``kk N154 P8 B3`` was: nothing else that Marlin says has these fields."""
    parts = _FIELDS.fullmatch(line)
    if parts is None:
        return None
    number, planner, queue = (int(part) for part in parts.groups())
    return Answer(Heard.OK, number, line, planner_free=planner, queue_free=queue)


def _flow(line: bytes) -> Answer | None:
    if resend := _RESEND.match(line):
        return Answer(Heard.RESEND, int(resend[1]), line)
    if _BUSY.match(line):
        return Answer(Heard.BUSY, text=line)
    if line == b"wait":
        return Answer(Heard.WAIT, text=line)
    return None


def _information(line: bytes) -> Answer | None:
    if action := _ACTION.match(line):
        return Answer(Heard.NOTE, text=action[1].strip(), topic=Topic.ACTION)
    if line.startswith(b"FIRMWARE_NAME:"):
        return Answer(Heard.NOTE, text=line[14:].strip(), topic=Topic.FIRMWARE)
    if line.startswith(b"Cap:"):
        return Answer(Heard.NOTE, text=line[4:], topic=Topic.CAPABILITY)
    if keepalive := _KEEPALIVE.match(line):
        return Answer(Heard.NOTE, int(keepalive[1]), line, Topic.KEEPALIVE)
    return Answer(Heard.NOTE, text=line) if line.startswith(b"//") else None


def _trouble(line: bytes) -> Answer | None:
    if _POWER_UP.match(line):
        return Answer(Heard.START, text=line)
    if line.startswith(b"echo:"):
        return None
    lowered = line.lower()
    if _HALT.search(lowered):
        return Answer(Heard.HALT, text=line)
    if damaged := _DAMAGED.search(lowered):
        return Answer(Heard.RESEND, int(damaged[1]) + 1, line)
    return None


_RECOGNISERS = (_ok, _flow, _information, _trouble)


def _topic(line: bytes) -> Topic:
    if _TEMPERATURES.search(line):
        return Topic.TEMPERATURES
    if _POSITION.match(line):
        return Topic.POSITION
    if 0 < len(line) <= 3:
        return Topic.GARBLED
    return Topic.OTHER


class Ear:
    """Cuts a stream of bytes into lines and understands each."""

    BREAKS = bytes.maketrans(b"\x02\x08\x0b\x0e\x1a\r", b"\n\n\n\n\n\n")
    """What one damaged bit makes of a newline and what no firmware says otherwise: a line ends."""
    LONGEST = 4096
    """Bytes kept of a line that does not end; a firmware's lines have a few hundred."""

    def __init__(self) -> None:
        self._rest = b""

    @property
    def has_unfinished_ok(self) -> bool:
        """Whether an ok came and its newline did not, so far."""
        return self._rest[:2] == b"ok"

    def hear(self, data: bytes) -> list[Answer]:
        """Return the answers that ``data`` completes; an unfinished line waits for its end."""
        if data == b"ok\n" and not self._rest:
            return [OK]
        lines = (self._rest + data.translate(self.BREAKS)).split(b"\n")
        self._rest = lines.pop()[-self.LONGEST :]
        answers: list[Answer] = []
        for line in lines:
            if line == b"ok":
                answers.append(OK)
            elif advanced := _ADVANCED_OK(line):
                number, planner, queue = advanced.groups()
                answers.append(
                    Answer(Heard.OK, int(number), line, Topic.OTHER, int(planner), int(queue))
                )
            elif line:
                answers += [parse(one) for one in _apart(line)]
        return answers


_ADVANCED_OK = re.compile(rb"ok N(\d+) P(\d+) B(\d+)").fullmatch
_JOINED = re.compile(rb"(?:ok|Resend).*(?:ok|Error:|Resend|echo:)")
_SEAM = re.compile(rb"(?=ok|Error:|Resend|echo:)")


def _apart(joined: bytes) -> list[bytes]:
    """Return the lines that are one because the newline after an ok or a Resend was damaged."""
    return [line for line in _SEAM.split(joined) if line] if _JOINED.match(joined) else [joined]
