"""What is round the controller: the real carriage, switches, a door, something to probe."""

from __future__ import annotations

from fabctl_sim.grbl.board import Vec


class World:
    """The controller does not know any of this until it looks.

    :ivar lost: real minus believed position, mm; homing makes it known.
    :ivar limits: letters of the axes whose limit switch is held closed by somebody.
    :ivar plate: axis, position and side of what the probe meets; None for nothing there.
    :ivar homing_fault: ``none``, ``missing`` (the switch is never met), ``stuck`` (never left).
    """

    def __init__(self, parked_mm: Vec) -> None:
        self.lost: Vec = parked_mm
        self.limits: set[str] = set()
        self.door_open = False
        self.plate: tuple[int, float, bool] | None = None
        self.homing_fault = "none"

    def probe_touches(self, position: Vec) -> bool:
        """Whether the probe has contact there (machine position)."""
        if self.plate is None:
            return False
        axis, at, above = self.plate
        return position[axis] >= at - 1e-9 if above else position[axis] <= at + 1e-9

    def crossing(self, begin: Vec, end: Vec) -> float | None:
        """Return where on the way (0 to 1) the contact changes; None where it does not."""
        if self.plate is None or self.probe_touches(begin) == self.probe_touches(end):
            return None
        axis, at, _ = self.plate
        return (at - begin[axis]) / (end[axis] - begin[axis])

    def carriage(self, position: Vec) -> Vec:
        """Where the tool really is, mm from its switches' corner of the frame."""
        x, y, z = (p + lost for p, lost in zip(position, self.lost, strict=True))
        return (x, y, z)
