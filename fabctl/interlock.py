"""What an interlock is wired to, as ``lab.toml`` says it, and what it tells about itself.

The words are those of the drawing: two relays in series with the hard-wired safety chain, K1 held
by a dead-man pulse, K2 by a level; inputs that read unsafe when their wire is broken. Reading and
checking ``lab.toml``: :mod:`fabctl.config_interlock`. The daemon that uses it stands in the
drivers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from fabctl.clock import Clock
from fabctl.units import Seconds


class ProfileKind(StrEnum):
    """Which inputs an interlock must have, and which it may have."""

    LASER = "laser"
    """Two lid channels, water flow, exhaust, e-stop, reset, both feedbacks, run signal."""
    ENCLOSURE = "enclosure"
    """A mill's door (one or two channels), e-stop, reset, both feedbacks."""
    RELAY = "relay"
    """A plain machine behind a relay: permit and local reset only. Without feedback (it may have
    it) a welded relay is never found."""


class InputRole(StrEnum):
    """What an input pin is for."""

    LID_A = "lid_a"
    LID_B = "lid_b"
    """The lid or door; two channels must agree."""
    FLOW = "flow"
    """Pulses of the cooling water's flow meter."""
    EXHAUST = "exhaust"
    ESTOP = "estop"
    """Feedback of the hard-wired emergency stop: it tells, it does not stop."""
    KEY = "key"
    RESET = "reset"
    """The push button at the machine; the only thing that arms."""
    K1_FEEDBACK = "k1_feedback"
    """A force-guided contact: at its safe level while K1 is released."""
    K2_FEEDBACK = "k2_feedback"
    ACTIVE = "active"
    """The machine's run signal: at its safe level while it does nothing."""


class OutputRole(StrEnum):
    """What an output pin is for."""

    K1 = "k1"
    """Driven by pulses; a monostable in the cabinet lets go without them (150 to 200 ms)."""
    K2 = "k2"
    """Driven by a level, active high."""


class Pull(StrEnum):
    """The resistor of an input pin."""

    UP = "up"
    DOWN = "down"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class InputPin:
    """One input.

    ``pin`` counts as the chip does (BCM on a Pi).
    """

    pin: int
    safe_high: bool = True
    """The level that means safe, released or idle; with True and a pull-down resistor a broken
    wire reads unsafe. RESET alone is the other way round: this is its level when *not* pressed."""
    pull: Pull = Pull.DOWN


@dataclass(frozen=True, slots=True)
class Timings:
    """Every time of an interlock, in s, on the monotonic clock; ranges: config_interlock."""

    scan_s: Seconds = Seconds(0.010)
    safe_after_s: Seconds = Seconds(0.050)
    """How long an input must read safe before it counts as safe; unsafe counts after two scans."""
    lid_discrepancy_s: Seconds = Seconds(0.200)
    feedback_s: Seconds = Seconds(0.100)
    reset_min_s: Seconds = Seconds(0.1)
    reset_max_s: Seconds = Seconds(3.0)
    flow_gap_s: Seconds = Seconds(1.0)
    flow_low_s: Seconds = Seconds(2.0)
    flow_start_s: Seconds = Seconds(5.0)
    """Once after arming: the pump may only just have been started."""
    exhaust_s: Seconds = Seconds(3.0)
    idle_running_s: Seconds = Seconds(5.0)
    """RUNNING becomes ARMED after so long without the run signal."""
    idle_armed_s: Seconds = Seconds(600.0)
    idle_drain_s: Seconds = Seconds(1.0)
    """DRAIN ends after so long without the run signal: a job that pauses for longer is over, and
    another one must not begin."""
    drain_s: Seconds = Seconds(900.0)
    """A job may overrun its permit by so much at most."""
    clear_s: Seconds = Seconds(1.0)
    """After a trip, so long without a cause."""


@dataclass(frozen=True, slots=True)
class FlowLimits:
    """Pulses of the flow meter per s."""

    min_hz: float = 5.0
    max_hz: float = 40.0
    """Faster is no water: a fault of the input. A scan every 10 ms counts up to 45; a flow meter
    of 7.5 pulses per s and l/min (the usual) gives 40 at 5.3 l/min."""


@dataclass(frozen=True, slots=True)
class InterlockProfile:
    """One machine's interlock."""

    machine: str
    kind: ProfileKind
    factory: str
    """``lgpio``, or ``simulated``: a cabinet of the simulator, in a simulated lab only."""
    chip: int
    """Number of the GPIO chip (``/dev/gpiochipN``)."""
    inputs: Mapping[InputRole, InputPin]
    outputs: Mapping[OutputRole, int]
    folder: Path
    """Where the daemon keeps its socket, its fault and its record: ``interlocks/<id>``."""
    timings: Timings = field(default_factory=Timings)
    flow: FlowLimits = field(default_factory=FlowLimits)

    @property
    def socket(self) -> Path:
        """The Unix socket: permits in, state out."""
        return self.folder / "socket"

    @property
    def supervisor_socket(self) -> Path:
        """The Unix socket on which a FAULT is cleared; for the daemon's own user and root only."""
        return self.folder / "supervisor"

    @property
    def fault_file(self) -> Path:
        """The FAULT that is remembered across restarts."""
        return self.folder / "fault.json"

    @property
    def record(self) -> Path:
        """Every change of state with its cause."""
        return self.folder / "record.jsonl"

    @property
    def cabinet(self) -> Path:
        """The simulated cabinet's shared memory."""
        return self.folder / "cabinet"


class InterlockDaemon(Protocol):
    """The scan loop in a process of its own."""

    def run(self) -> int:
        """Scan until :meth:`end`; return the exit code. The outputs are off on return."""

    def take_key(self, key: bytes) -> None:
        """Verify permits with a new key, 32 bytes; safe from another thread. Nothing is let go."""

    def end(self) -> None:
        """Have :meth:`run` switch the outputs off and return; safe in a signal handler."""


class InterlockFactory(Protocol):
    """What the entry-point group ``fabctl.interlocks`` names."""

    def __call__(
        self,
        profile: InterlockProfile,
        key: bytes,
        clock: Clock,
        *,
        simulated: bool,
        say: Callable[[str], None],
    ) -> InterlockDaemon:
        """Return a daemon that has touched nothing yet.

        :param key: of the machine's permits, 32 bytes.
        :param simulated: whether the lab is declared simulated.
        :param say: takes one line for a person.
        """


class InterlockState(StrEnum):
    """The states of the chain (interlock.md, "States")."""

    BOOT = "boot"
    SELFTEST = "selftest"
    LOCKED = "locked"
    READY = "ready"
    ARMED = "armed"
    RUNNING = "running"
    DRAIN = "drain"
    TRIPPED = "tripped"
    FAULT = "fault"


class InputCondition(StrEnum):
    """What an input is to the chain; unknown is not safe."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
