"""The input side: where every switch stands, what is wrong with its wire, what the pin sees."""

from __future__ import annotations

from collections.abc import Callable

from fabctl_sim.interlock_box.journal import Journal
from fabctl_sim.interlock_box.layout import Level, Memory
from fabctl_sim.interlock_box.wiring import Role, Wire, Wiring


class Inputs:
    """Every input of one cabinet.

    :param clock: CLOCK_MONOTONIC in s: a change is stamped once the pin shows it.
    """

    def __init__(
        self, wiring: Wiring, memory: Memory, journal: Journal, clock: Callable[[], float]
    ) -> None:
        self._wires = wiring.inputs
        self._memory = memory
        self._journal = journal
        self._clock = clock
        self._at_rest: dict[Role, bool] = dict.fromkeys(Role, True)
        self.faults: dict[str, tuple[Role, Level]] = {}
        """By name; the youngest decides what a pin sees."""
        self._shown: dict[Role, Level] = {}
        for role in self._wires:
            self._show(role)

    def wire(self, role: Role) -> Wire:
        """Return where a role is wired.

        :raises ValueError: nowhere.
        """
        try:
            return self._wires[role]
        except KeyError:
            raise ValueError(f"this cabinet has no {role}") from None

    def put(self, role: Role, *, safe: bool) -> None:
        """Move a switch; one that this cabinet has not is left out."""
        self._at_rest[role] = safe
        if role in self._wires:
            self._show(role)

    def at_rest(self, role: Role) -> bool:
        """Return whether a switch stands where it is safe, whatever its pin sees."""
        return self._at_rest[role]

    def spoil(self, name: str, role: Role, level: Level) -> None:
        """Let a pin see something else than its switch."""
        self.wire(role)
        self.faults.pop(name, None)
        self.faults[name] = (role, level)
        self._show(role)

    def repair(self, beginning: str = "") -> None:
        """Take every fault away whose name begins so."""
        for gone in [name for name in self.faults if name.startswith(beginning)]:
            role, _ = self.faults.pop(gone)
            self._show(role)

    def levels(self) -> dict[str, str]:
        """Return what each pin sees."""
        return {role: level.name.lower() for role, level in self._shown.items()}

    def _show(self, role: Role) -> None:
        wire = self._wires[role]
        level = wire.safe if self._at_rest[role] else wire.unsafe
        for spoilt, instead in self.faults.values():
            if spoilt is role:
                level = instead
        if self._shown.get(role) is level:
            return
        self._shown[role] = level
        self._memory.arrives(wire.pin, level)
        if role is not Role.FLOW:  # its pulses are counted, not listed
            at = self._clock()
            self._journal.note(at, "input", role=role.value, level=level.name.lower())
