"""What of all that machines say must be shown at once, and what may wait for the next look."""

from __future__ import annotations

from fabctl_web.lab import Lab

CALM = frozenset({"telemetry", "job", "event"})
"""Figures, and what a state tells as well: every stream looks for them once a second."""


class Herald:
    """Tells the hub what was heard. Called in the link's thread only, so it is quick."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._told: dict[str, tuple[object, ...]] = {}

    def heard(self, machine: str, kind: str) -> None:
        """Wake the streams if a machine is otherwise than before; a state is said every 3 s."""
        self._lab.hub.note(machine, calm=kind in CALM or not self._differs(machine, kind))

    def _differs(self, machine: str, kind: str) -> bool:
        if kind == "interlock":
            return True
        view = self._lab.machine(machine)
        now = (view.state, view.reason, view.trouble, view.job, view.waiting)
        before, self._told[machine] = self._told.get(machine), now
        return now != before
