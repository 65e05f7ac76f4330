"""From a reset until it is known in which state the controller is, and who it is. Pure.

Sources: Grbl ``doc/markdown/interface.md`` (a machine with homing begins locked, in state Alarm;
``$I``, ``$$`` and ``$#`` are answered in Idle and Alarm), ``commands.md`` (``$X``, ``$H``). With
the door open at power-up Grbl reads nothing until somebody resumes, so its state comes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from fabctl_drivers.grbl.settings import Key


class Errand(Enum):
    """A command that we say for ourselves, alone."""

    WHO = b"$I\n"
    SETTINGS = b"$$\n"
    OFFSETS = b"$#\n"
    UNLOCK = b"$X\n"
    HOME = b"$H\n"
    CHECK = b"$C\n"
    JOG = b"$J="
    """Its words follow."""
    SETTLE = b"G4P0\n"
    """A dwell of no length: its ok comes when nothing moves (``mc_dwell``). Decision 0132."""


class Aim(Enum):
    """What comes after the machine was brought to rest and reset."""

    CONNECT = auto()
    STOP = auto()
    CHECKED = auto()
    """A check run is over, and check mode is left."""
    CLEAR = auto()
    """No reset: a person clears a machine that answers."""


class Stage(Enum):
    """How far it is."""

    ASKING = auto()
    WHO = auto()
    SETTINGS = auto()
    OFFSETS = auto()
    LOOKING = auto()
    """It told who it is; its state is asked for again."""
    OPENING = auto()
    """Unlocking or homing."""
    RESUMING = auto()
    """A person cleared a machine that stood at its door."""
    DONE = auto()


class Cue(Enum):
    """What moves it."""

    IDLE = auto()
    LOCKED = auto()
    """Locked, and nobody asked us to open the lock."""
    TO_OPEN = auto()
    """Locked, and we were asked to open it."""
    TO_RESUME = auto()
    BUSY = auto()
    """It moves: a start-up line, or homing."""
    OTHER = auto()
    """An open door, a hold, sleep."""
    ERRAND = auto()
    """Our command was answered."""


NEXT: Mapping[tuple[Stage, Cue], Stage] = {
    (Stage.ASKING, Cue.IDLE): Stage.WHO,
    (Stage.ASKING, Cue.LOCKED): Stage.WHO,
    (Stage.ASKING, Cue.TO_OPEN): Stage.WHO,
    (Stage.WHO, Cue.ERRAND): Stage.SETTINGS,
    (Stage.SETTINGS, Cue.ERRAND): Stage.OFFSETS,
    (Stage.OFFSETS, Cue.ERRAND): Stage.LOOKING,
    (Stage.LOOKING, Cue.IDLE): Stage.DONE,
    (Stage.LOOKING, Cue.LOCKED): Stage.DONE,
    (Stage.LOOKING, Cue.TO_OPEN): Stage.OPENING,
    (Stage.OPENING, Cue.ERRAND): Stage.LOOKING,
    **{(stage, Cue.OTHER): Stage.DONE for stage in (Stage.ASKING, Stage.LOOKING)},
    **{(stage, Cue.TO_RESUME): Stage.RESUMING for stage in (Stage.ASKING, Stage.LOOKING)},
    **{(stage, Cue.BUSY): stage for stage in (Stage.ASKING, Stage.LOOKING)},
    (Stage.RESUMING, Cue.IDLE): Stage.ASKING,
    **{(Stage.RESUMING, cue): Stage.RESUMING for cue in (Cue.TO_RESUME, Cue.BUSY)},
    **{(Stage.RESUMING, cue): Stage.DONE for cue in (Cue.OTHER, Cue.LOCKED, Cue.TO_OPEN)},
    **{
        (stage, Cue.ERRAND): stage  # the late answer to a command from before the door opened
        for stage in (Stage.ASKING, Stage.LOOKING, Stage.RESUMING)
    },
    **{
        # a report beside our command: at a door opened just now the firmware reads no lines
        (stage, cue): Stage.DONE if cue in {Cue.OTHER, Cue.TO_RESUME} else stage
        for stage in (Stage.WHO, Stage.SETTINGS, Stage.OFFSETS, Stage.OPENING)
        for cue in Cue
        if cue is not Cue.ERRAND
    },
}
"""Every stage but the end, and every cue that may come in it."""

_ERRANDS = {
    Stage.WHO: Errand.WHO,
    Stage.SETTINGS: Errand.SETTINGS,
    Stage.OFFSETS: Errand.OFFSETS,
}


class Arrival:
    """One arrival.

    :param key: what to do about a lock.
    :param is_known: whether it told who it is since its start.
    """

    def __init__(self, aim: Aim, key: Key, *, is_known: bool) -> None:
        self.aim = aim
        self.key = key
        self.stage = Stage.LOOKING if is_known else Stage.ASKING
        self.state = ""
        """The newest state heard."""
        self.wants: Errand | None = None
        """The command to say next."""
        self.wants_resume = False
        """Whether ``~`` is to be said."""
        self.axis = ""
        """The one axis to home; empty for all."""
        self._opened = False

    @property
    def is_done(self) -> bool:
        """Whether :attr:`state` is the machine's state for good."""
        return self.stage is Stage.DONE

    @property
    def is_homing(self) -> bool:
        """Whether it homes, which takes its time."""
        return self.stage is Stage.OPENING and self.key is Key.HOME

    @property
    def was_unlocked(self) -> bool:
        """Whether its lock was opened without homing: nobody knows where it is."""
        return self._opened and self.key is Key.UNLOCK

    @property
    def has_homed(self) -> bool:
        """Whether all its axes homed, and it is idle after it."""
        homed = self._opened and self.key is Key.HOME and not self.axis
        return homed and self.state == "Idle"

    def home(self, axis: str = "") -> None:
        """Home at once, whatever the state: all axes, or one."""
        self.key = Key.HOME
        self.stage, self._opened, self.wants = Stage.OPENING, True, Errand.HOME
        self.axis = axis

    def report(self, state: str) -> None:
        """Take in a report of now."""
        self.state = state
        self._go(self._cue(state))

    def errand_done(self) -> None:
        """Our command was answered, with ok or an error."""
        self._go(Cue.ERRAND)

    def _cue(self, state: str) -> Cue:
        if state == "Idle":
            return Cue.IDLE
        if state == "Alarm":
            return Cue.LOCKED if self.key is Key.WAIT or self._opened else Cue.TO_OPEN
        if state in {"Run", "Jog", "Home", "Door:3"}:
            return Cue.BUSY
        by_person = self.aim is Aim.CLEAR and state in {"Door:0", "Hold:0", "Tool"}
        return Cue.TO_RESUME if by_person else Cue.OTHER

    def _go(self, cue: Cue) -> None:
        before = self.stage
        self.stage = NEXT[before, cue]
        if self.stage is before:
            return
        self.wants = _ERRANDS.get(self.stage)
        if self.stage is Stage.OPENING:
            self._opened = True
            self.wants = Errand.HOME if self.key is Key.HOME else Errand.UNLOCK
        self.wants_resume = self.stage is Stage.RESUMING
