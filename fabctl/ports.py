"""What the core asks of a machine driver, and what a driver tells the core.

Drivers are found through the entry-point group ``fabctl.drivers``: each entry names a
callable that fits :class:`DriverFactory`. A driver runs in its machine's own process, in one
thread: the host calls :meth:`Driver.pump` again and again and hands the events on. Requests
(:meth:`Driver.start`, :meth:`Driver.stop`, ...) are made between two pumps, never beside one;
:meth:`Driver.wake` alone may be called from another thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

from fabctl.clock import Clock
from fabctl.units import Celsius, MmPerMin, Seconds


class MachineKind(StrEnum):
    """What a machine is, for its screen, its checks and its defaults."""

    PRINTER = "printer"
    MILL = "mill"
    LASER = "laser"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class WorkArea:
    """The space a tool may reach, in mm, machine coordinates; each axis as (lowest, highest)."""

    x: tuple[float, float]
    y: tuple[float, float]
    z: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may ask for at most; None means that no limit is set."""

    nozzle_max_c: Celsius | None = None
    bed_max_c: Celsius | None = None
    feed_max_mm_per_min: MmPerMin | None = None
    power_max: float | None = None
    """Highest S word, in the controller's own unit ($30 on Grbl)."""


@dataclass(frozen=True, slots=True)
class Controller:
    """What a machine's own settings say, where somebody looked; None: nobody did.

    Files are checked, and their time is estimated, with these. All numbers are above 0 but for
    the two places.
    """

    line_bytes: int | None = None
    """Its line buffer, the closing NUL included: 96 on Marlin, 80 on Grbl, more on grblHAL."""
    acceleration_mm_per_s2: float | None = None
    """While extruding or cutting: M204 P on Marlin, the lower of $120 and $121 on Grbl."""
    travel_acceleration_mm_per_s2: float | None = None
    retract_acceleration_mm_per_s2: float | None = None
    z_acceleration_mm_per_s2: float | None = None
    jerk_mm_per_s: float | None = None
    """Of X and Y: M205 X."""
    retract_jerk_mm_per_s: float | None = None
    junction_deviation_mm: float | None = None
    """In place of the jerk: $11 on Grbl, M205 J on Marlin."""
    feed_max_mm_per_min: float | None = None
    """Of X and Y: the lower of $110 and $111 on Grbl, 60 times M203 X on Marlin."""
    z_feed_max_mm_per_min: float | None = None
    retract_feed_max_mm_per_min: float | None = None
    rapid_mm_per_min: float | None = None
    """G0's own speed, on a mill or laser."""
    work_zero_mm: tuple[float, float, float] | None = None
    """Where a mill's or laser's zero always lies, machine coordinates (a fixture, a stop)."""
    home_mm: tuple[float, float, float] | None = None
    """Where a printer stands after G28."""


@dataclass(frozen=True, slots=True)
class MachineProfile:
    """One machine as lab.toml describes it."""

    id: str
    """Matches ``[a-z0-9-]+``: it becomes a part of topics and addresses."""
    name: str
    kind: MachineKind
    driver: str
    host: str
    port: str | None
    """Whatever pyserial's ``serial_for_url`` takes; None for a driver without a port."""
    baud: int
    work_area: WorkArea | None = None
    limits: Limits = field(default_factory=Limits)
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    """The driver's own settings, passed through unread."""
    controller: Controller = field(default_factory=Controller)
    camera: str | None = None
    """Where a snapshot of the machine is to be had, ``http://…``; None: it has no camera."""


class Phase(StrEnum):
    """What a driver is doing. UNKNOWN is never shown as safe."""

    CLOSED = "closed"
    CONNECTING = "connecting"
    IDLE = "idle"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    STOPPING = "stopping"
    BROKEN = "broken"
    """Something nobody can explain happened: a person must look, then :meth:`Driver.clear`."""


class Outcome(StrEnum):
    """How a job ended."""

    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


class Trouble(StrEnum):
    """Why a job failed or a machine is broken: a code that screens turn into plain words."""

    CABLE_LOST = "cable-lost"
    CONTROLLER_RESET = "controller-reset"
    NO_ANSWER = "no-answer"
    FIRMWARE_HALTED = "firmware-halted"
    TOO_MANY_RESENDS = "too-many-resends"
    PROTOCOL = "protocol"
    FILE_UNREADABLE = "file-unreadable"
    DISK_FULL = "disk-full"
    """The disk of the machine's computer had no room for the job's file; nothing was sent."""
    LINE_REFUSED = "line-refused"
    """The firmware answered a line with an error (Grbl's ``error:20``)."""
    INTERRUPTED = "interrupted"
    """The machine process died while a job ran."""
    INTERLOCK = "interlock"
    """The interlock took the machine's permission away in the middle of the job."""


@dataclass(frozen=True, slots=True)
class JobFile:
    """A file to stream, already checked, on local disk."""

    id: str
    path: Path
    name: str
    lines: int
    """Lines in the file, comments and blanks included, ≥ 1."""
    commands: int
    """Lines that hold something to send, ≥ 1."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The firmware answered and is ready."""

    firmware: str | None
    capabilities: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    """The driver's phase changed; ``trouble`` and ``reason`` (English, one sentence) say why."""

    phase: Phase
    trouble: Trouble | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Readings of one group (``temperatures``, ``position``); None means not known."""

    group: str
    values: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far the firmware has *confirmed* the job; at most a few per second."""

    job: str
    line: int
    """Line in the file (1-based) of the last confirmed command; 0 before the first."""
    commands_done: int
    resends: int


@dataclass(frozen=True, slots=True)
class JobEnded:
    """A job's end, with its figures; ``seconds`` is on the monotonic clock."""

    job: str
    outcome: Outcome
    line: int
    commands_done: int
    bytes_sent: int
    resends: int
    seconds: Seconds
    trouble: Trouble | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class WaitingForPerson:
    """The firmware waits for somebody at the machine (M0, M600); ``message`` is its own text."""

    message: str | None


class Tone(StrEnum):
    """What a line of the controller is, for its colour."""

    OK = "ok"
    ERROR = "error"
    ECHO = "echo"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Heard:
    """A line that the controller said, told only after :meth:`Driver.say` was used."""

    text: str
    tone: Tone


DriverEvent = (
    Connected | PhaseChanged | Telemetry | JobProgress | JobEnded | WaitingForPerson | Heard
)


class Driver(Protocol):
    """A machine that can be driven. Every method is called from one thread, except wake."""

    @property
    def phase(self) -> Phase:
        """What the driver is doing now."""

    @property
    def confirmed_line(self) -> int:
        """Line in the file (1-based) of the running job's last confirmed command; 0 without one."""

    def open(self) -> None:
        """Open the port and begin to talk; CONNECTING until the firmware answered.

        The first thing said is what makes the machine safe: heaters, spindle and laser off.

        :raises DeviceError: the port cannot be opened (absent, busy, no rights).
        """

    def pump(self, timeout: Seconds) -> Sequence[DriverEvent]:
        """Read, decide, write; return what happened, after at most ``timeout`` s if nothing did.

        A lost port, a reset controller or a firmware's fatal error is an event, not an exception.
        """

    def wake(self) -> None:
        """End a waiting pump early. Safe from any thread and from a signal handler."""

    def start(self, job: JobFile) -> None:
        """Begin a job, only from IDLE. Its end comes as one JobEnded.

        :raises LocalError: the phase is not IDLE.
        :raises InputError: the file cannot be read.
        """

    def pause(self) -> None:
        """Pause the running job: the tool lifts and parks, heaters stay on. No-op when paused.

        :raises LocalError: no job runs.
        """

    def resume(self) -> None:
        """Go on with a paused job exactly where it was.

        :raises LocalError: no job is paused.
        """

    def stop(self) -> None:
        """End the job as soon as the firmware lets us, heaters, spindle and laser off.

        Allowed in every phase; without a job it only makes the machine safe.
        """

    def say(self, line: str) -> None:
        """Say one line that a person typed, only in IDLE. What the controller answers comes as
        :class:`Heard`. Nothing checks what the line does: the person is at the machine.

        Some machines take a few lines in BROKEN too: those by which a person opens a lock, or
        asks what is wrong (Grbl's ``$X``, ``$H``, ``?``). A refusal says which.

        :param line: one command; comments and blanks around it are left out.
        :raises LocalError: the phase does not allow it, or this machine takes no single lines.
        :raises InputError: the line is empty, is no text, or does not fit the controller's buffer.
        """

    def clear(self) -> None:
        """A person looked at a BROKEN machine and says that it may be used again.

        :raises LocalError: the port is not open, or the firmware does not answer.
        """

    def close(self) -> None:
        """Make the machine safe where the port still allows it, then close the port."""


@runtime_checkable
class WatchedOnly(Protocol):
    """A machine that fabctl sends nothing to: what it does is known from its interlock alone."""

    @property
    def watched_only(self) -> bool:
        """Always True; a driver that streams has no such property."""


@runtime_checkable
class HandControl(Protocol):
    """A machine that a person may move while no job runs. Not every driver has it: look first."""

    def home(self, axes: str = "") -> None:
        """Home ``axes`` (letters of XYZ, each once; empty for all), only in IDLE.

        :raises LocalError: the machine is not idle, or it has no homing.
        :raises InputError: there is no such axis, or this machine homes all axes or none.
        """

    def jog(self, by_mm: Mapping[str, float], feed: MmPerMin) -> None:
        """Move by so many mm per axis (capital letters), only in IDLE, inside the work area.

        :raises LocalError: not idle, or nobody knows whether the move stays inside.
        :raises InputError: no axis, an unknown one, or a number that makes no sense.
        :raises TargetOutOfRangeError: it would end outside; nothing was sent.
        """


@runtime_checkable
class JogCancel(Protocol):
    """A machine whose jogs can be ended at once, the position kept (Grbl; Marlin cannot)."""

    def cancel_jog(self) -> None:
        """End all jogs under way; a no-op where none is."""


class Override(StrEnum):
    """What a person may speed up or slow down while a job runs."""

    FEED = "feed"
    RAPID = "rapid"
    SPINDLE = "spindle"
    """Spindle speed, or laser power."""


@runtime_checkable
class Overrides(Protocol):
    """A machine whose speeds can be changed while it works."""

    def override(self, which: Override, percent: int) -> None:
        """Set feed or spindle to 10 to 200 %, or rapids to 25, 50 or 100 % of what the job says.

        What the machine made of it comes as Telemetry of the group ``overrides``.

        :raises InputError: there is no such percentage; nothing was sent.
        :raises LocalError: the controller is not connected.
        """


@runtime_checkable
class Rehearsable(Protocol):
    """A driver that can tell what it would say, without a machine."""

    def rehearse(self, job: JobFile) -> Iterator[bytes]:
        """Yield every piece that would be written for a job; no port is opened.

        :raises InputError: the file cannot be used.
        :raises DeviceError: the job would not finish, with the reason.
        """


@runtime_checkable
class AsksForKey(Protocol):
    """A driver (the class, not a machine) whose server gives out keys after a person's word."""

    def ask_for_key(
        self,
        url: str,
        ca_file: Path | None,
        app: str,
        tell: Callable[[str], None],
        wait: Callable[[float], bool],
    ) -> str:
        """Ask the server at ``url`` for a key, and return it once a person there confirmed.

        :param ca_file: certificate authority for https with a certificate of one's own.
        :param app: the program's name, which that person is shown.
        :param tell: told the address of the page where it can be confirmed.
        :param wait: lets seconds pass; returns False to give up.
        :raises InputError: the address is none.
        :raises DeviceError: no answer, refused, or nobody confirmed.
        """


class DriverFactory(Protocol):
    """What an entry of ``fabctl.drivers`` names."""

    def __call__(self, profile: MachineProfile, clock: Clock) -> Driver:
        """Return a closed driver for this machine.

        :raises InputError: the profile lacks something the driver needs (a port, a baud rate).
        """
