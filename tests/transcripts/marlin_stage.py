"""Plays a conversation with Marlin, written as data, against the driver's pure session.

A talk is a list of

- ``(said, heard)``: the session must say exactly these lines, then it hears those; one line of
  text for each, ``""`` for none;
- a number: so many seconds pass in which the session must say nothing of its own accord, and
  what it says at their end is the next pair's ``said``;
- ``Do("pause")``: the core asks for something.

Numbered lines are written without their checksum (it is checked), and counted from the job's
first line: ``N1`` there is whatever number the greeting left off at. ``{1}`` in what is heard
becomes that number. ``¶`` is a bare newline.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import xor
from pathlib import Path

from fabctl.ports import DriverEvent, JobEnded, JobFile, Outcome, Phase
from fabctl_drivers.job_text import sendable
from fabctl_drivers.marlin.frames import commands
from fabctl_drivers.marlin.session import Session
from fabctl_drivers.marlin.settings import Settings

JOB = ("G28", "G1 X1 Y1 E1 F1800", "G1 X2 Y2 E2", "G1 X3 Y3 E3")
NAME = "FIRMWARE_NAME:Marlin 2.0.9.5 SOURCE_CODE_URL:x PROTOCOL_VERSION:1.0\n"
SHOUT = ["¶", "M108", "M104 S0", "M140 S0", "M107"]
SHOUTED = "\n".join(SHOUT)
HAIL = "\n".join([*SHOUT, "M115"])
HAILED = f"ok\nok\nok\nok\n{NAME}"
TEMPERATURES = "ok T:20.0 /0.0 B:20.0 /0.0 @:0 B@:0"


@dataclass(frozen=True)
class Do:
    """A request of the core."""

    request: str


Step = tuple[str, str] | float | Do
Talk = Sequence[Step]


def again(times: int, *steps: Step) -> list[Step]:
    """Return the steps so many times in a row."""
    return list(steps) * times


FINISHED: dict[str, object] = {"outcome": Outcome.FINISHED, "line": 4, "commands_done": 4}
STOPPED: dict[str, object] = {"outcome": Outcome.STOPPED, "trouble": None}
HEATERS_OFF: Talk = [
    ("N2 M104 S0", "ok"),
    ("N3 M140 S0", "ok"),
    ("N4 M107", "ok"),
    ("N5 M105", TEMPERATURES),
]


@dataclass(frozen=True)
class Scene:
    """One conversation and what must come of it."""

    title: str
    source: str
    """Document and section for the fact that this scene is about."""
    talk: Talk
    job: tuple[str, ...] | None = JOB
    """The file's lines; None: the scene begins when the port opens, before the greeting."""
    capabilities: tuple[str, ...] = ("AUTOREPORT_TEMP",)
    keepalive: bool = True
    window_bytes: int = 0
    ends: Mapping[str, object] = field(default_factory=dict)
    """Attributes of the JobEnded; empty: the job has not ended."""
    phase: Phase = Phase.RUNNING
    events: tuple[DriverEvent, ...] = ()
    """Events that must be among those that the scene brought."""


class Stage:
    """A session, a clock and nothing else."""

    def __init__(self, scene: Scene) -> None:
        self.session = Session(Settings(baud=250_000, window_bytes=scene.window_bytes))
        self.now = 100.0
        self.events: list[DriverEvent] = []
        self._base = 0
        self._said: list[str] = []
        self.session.opened(self.now)
        if scene.job is not None:
            self._connect(scene)
            self._start(scene.job)

    def play(self, talk: Talk) -> None:
        for step in talk:
            if isinstance(step, Do):
                getattr(self.session, step.request)(self.now)
            elif isinstance(step, tuple):
                self._exchange(*step)
            else:
                self._pass(step)
        self._collect()
        assert self._said == [], "said more than the scene has"

    def _exchange(self, said: str, heard: str) -> None:
        self._collect()
        assert "\n".join(self._said) == said
        self._said = []
        for line in heard.splitlines():
            words = re.sub(r"\{(\d+)\}", lambda n: str(self._base + int(n[1])), line)
            self.session.receive(words.encode() + b"\n", self.now)
        if self.now >= self.session.deadline:
            self.session.tick(self.now)

    def _pass(self, seconds: float) -> None:
        """Let time pass; what becomes due before its end must say nothing."""
        end = self.now + seconds
        while self.session.deadline < end - 1e-6:
            self._collect()
            assert self._said == [], f"said {end - self.now:.2f} s too early"
            self.now = max(self.now, self.session.deadline)
            self.session.tick(self.now)
        self.now = end
        self.session.tick(self.now)

    def _collect(self) -> None:
        for line in self.session.take_output().split(b"\n")[:-1]:
            self._said.append(self._read(line))
        self.events += self.session.take_events()

    def _read(self, line: bytes) -> str:
        if not line.startswith(b"N"):
            return line.decode() or "¶"
        body, _, check = line.rpartition(b"*")
        assert int(check) == reduce(xor, body), line
        number, _, command = body[1:].partition(b" ")
        return f"N{int(number) - self._base} {command.decode()}"

    def _connect(self, scene: Scene) -> None:
        self._pass(0.5)
        caps = "".join(f"Cap:{name}:1\n" for name in scene.capabilities)
        self._exchange(HAIL, HAILED + caps + "ok")
        keepalive = "echo:M113 S2\nok" if scene.keepalive else 'echo:Unknown command: "M113"\nok'
        talk = [("N0 M110 N0", "ok"), ("N1 M104 S0", "ok"), ("N2 M140 S0", "ok")]
        talk += [("N3 M107", "ok"), ("N4 M113", keepalive)]
        if "AUTOREPORT_TEMP" in scene.capabilities:
            talk.append(("N5 M155 S2", "ok"))
        talk.append((f"N{len(talk)} M105", TEMPERATURES))
        for said, heard in talk:
            self._exchange(said, heard)
        self._base = len(talk) - 1
        self._collect()
        assert self.session.phase is Phase.IDLE

    def _start(self, lines: tuple[str, ...]) -> None:
        raw = [line.encode() + b"\n" for line in lines]
        sent = sum(1 for line in raw if sendable(line))
        job = JobFile("job", Path("job.gcode"), "job", lines=len(raw), commands=sent)
        self.session.start(job, commands(raw), self.now)

    @property
    def ended(self) -> JobEnded | None:
        ends = [event for event in self.events if isinstance(event, JobEnded)]
        assert len(ends) <= 1, "a job ends once"
        return ends[0] if ends else None
