"""Plays a conversation with Grbl, written as data, against the driver's pure session.

A talk is a list of

- ``(said, heard)``: the session must have said exactly ``said`` since the pair before, then it
  hears the lines of ``heard``. Lines are parted by blanks; real-time bytes stand for themselves,
  0x18 is ``^X``, others are ``<85>``;
- ``State("Hold:1|Pn:D")``: what every ``?`` is answered with from here on, ``None`` for silence.
  Questions are answered at once and are not part of ``said``;
- a number: so many seconds pass;
- ``Do("pause")``: the core asks for something; ``Refused("resume", "door")``: it may not;
- ``Hand("say", ("$X",))``: a person does something by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fabctl.errors import FabError
from fabctl.ports import (
    DriverEvent,
    JobEnded,
    JobFile,
    Outcome,
    Phase,
    PhaseChanged,
    Telemetry,
)
from fabctl_drivers.grbl.job_lines import job_lines
from fabctl_drivers.grbl.session import Session
from fabctl_drivers.grbl.settings import Key, Settings

BANNER = "Grbl 1.1h ['$' for help]"
LOCKED = f"{BANNER}\n[MSG:'$H'|'$X' to unlock]"
WHO = "[VER:1.1h.20190825:]\n[OPT:V,15,128]\nok"
SETTINGS = "$10=1\n$13=0\n$22=0\n$30=1000\n$32=0\nok"
OFFSETS = "[G54:1.000,2.000,0.500]\n[TLO:0.000]\n[PRB:0.000,0.000,0.000:0]\nok"
LASER = SETTINGS.replace("$32=0", "$32=1")
JOB = ("G21", "G1 X1 F500", "G1 X2", "G1 X3")
FINISHED: dict[str, object] = {"outcome": Outcome.FINISHED, "trouble": None}
STOPPED: dict[str, object] = {"outcome": Outcome.STOPPED, "trouble": None}


@dataclass(frozen=True)
class Do:
    """A request of the core, told the time."""

    request: str


@dataclass(frozen=True)
class Hand:
    """A request that is not told the time: what a person does by hand."""

    request: str
    words: tuple[object, ...] = ()


@dataclass(frozen=True)
class Refused:
    """A request that is not allowed now, with a piece of the reason."""

    request: str | Hand
    why: str


@dataclass(frozen=True)
class State:
    """What ``?`` is answered with."""

    report: str | None


Step = tuple[str, str] | float | Do | Hand | Refused | State
Talk = Sequence[Step]


@dataclass(frozen=True)
class Scene:
    """One conversation and what must come of it."""

    title: str
    source: str
    """Document and section for the fact that this scene is about."""
    talk: Talk
    job: tuple[str, ...] | None = JOB
    """The file's lines; None: the scene begins when the port opens."""
    who: str = WHO
    banner: str = BANNER
    stored: str = SETTINGS
    settings: Settings = field(default_factory=Settings)
    ends: Mapping[str, object] = field(default_factory=dict)
    """Attributes of the JobEnded; empty: the job has not ended. ``reason``: a piece of it."""
    phase: Phase = Phase.RUNNING
    events: tuple[DriverEvent, ...] = ()
    """Events that must be among those that the scene brought, once each."""
    reasons: tuple[str, ...] = ()
    """Pieces of reasons that phase changes gave."""
    last: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    """By group of telemetry: what the newest of it must hold, among others."""


class Stage:
    """A session, a clock and nothing else."""

    def __init__(self, scene: Scene) -> None:
        self.session = Session(scene.settings)
        self.now = 100.0
        self.events: list[DriverEvent] = []
        self.asked: list[float] = []
        self._state: str | None = "Idle"
        self._said: list[str] = []
        self.session.opened(self.now)
        if scene.job is not None:
            self._hear(scene.banner)
            self._pass(0.5)
            self._exchange("$I", scene.who)
            self._exchange("$$", scene.stored)
            self._exchange("$#", OFFSETS)
            self._pass(0.5)
            assert self.session.phase is Phase.IDLE
            self._start(scene.job)

    def play(self, talk: Talk) -> None:
        for step in talk:
            if isinstance(step, Do | Hand):
                self._ask(step)
            elif isinstance(step, Refused):
                request = step.request
                with pytest.raises(FabError, match=step.why):
                    self._ask(Do(request) if isinstance(request, str) else request)
            elif isinstance(step, State):
                self._state = step.report
            elif isinstance(step, tuple):
                self._exchange(*step)
            else:
                self._pass(step)
        self._collect()
        assert self._said == [], "said more than the scene has"

    def _ask(self, step: Do | Hand) -> None:
        words = (self.now,) if isinstance(step, Do) else step.words
        getattr(self.session, step.request)(*words)

    def _exchange(self, said: str, heard: str) -> None:
        self._collect()
        assert " ".join(self._said) == said
        self._said = []
        self._hear(heard)

    def _hear(self, heard: str) -> None:
        for line in heard.splitlines():
            self.session.receive(line.encode() + b"\r\n", self.now)

    def _pass(self, seconds: float) -> None:
        end = self.now + seconds
        while self.session.deadline < end - 1e-9:
            self.now = max(self.now, self.session.deadline)
            self.session.tick(self.now)
            self._collect()
        self.now = end
        self.session.tick(self.now)
        self._collect()

    def _collect(self) -> None:
        """Take what was said; questions are answered, which may bring more."""
        while out := self.session.take_output():
            for word in _words(out):
                if word != "?":
                    self._said.append(word)
                    continue
                self.asked.append(self.now)
                if self._state is not None:
                    state, bar, rest = self._state.partition("|")
                    place = "" if "MPos" in rest else "|MPos:1.000,2.000,3.000"
                    self._hear(f"<{state}{place}|FS:0,0{bar}{rest}>")
        self.events += self.session.take_events()

    def _start(self, lines: tuple[str, ...]) -> None:
        raw = [line.encode() + b"\n" for line in lines]
        job = JobFile("job", Path("job.nc"), "job", lines=len(raw), commands=len(raw))
        self.session.start(job, job_lines(raw, self.session.longest_line), self.now)

    @property
    def ended(self) -> JobEnded | None:
        ends = [event for event in self.events if isinstance(event, JobEnded)]
        assert len(ends) <= 1, "a job ends once"
        return ends[0] if ends else None

    def newest(self, group: str) -> Mapping[str, float | None]:
        found = [e.values for e in self.events if isinstance(e, Telemetry) and e.group == group]
        return found[-1]

    @property
    def reasons(self) -> str:
        found = (e.reason for e in self.events if isinstance(e, PhaseChanged) and e.reason)
        return "\n".join(found)


def _words(out: bytes) -> list[str]:
    words, line = [], b""
    for byte in out:
        if byte in b"?!~":
            words.append(chr(byte))
        elif byte == 0x18:
            words.append("^X")
        elif byte >= 0x80:
            words.append(f"<{byte:02x}>")
        elif byte == 0x0A:
            words.append(line.decode())
            line = b""
        else:
            line += bytes([byte])
    assert not line, "a line without its newline"
    return words


def unlocking(key: Key) -> Settings:
    """Settings with one way for both locks."""
    return Settings(clear_by=key, when_locked=key)
