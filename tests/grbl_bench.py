"""The Grbl stand-in's core with a host beside it, in simulated time."""

from __future__ import annotations

from fabctl_sim.grbl.board import Board
from fabctl_sim.grbl.firmware import Firmware
from fabctl_sim.trial_host import TrialHost

UNLOCK = "[MSG:'$H'|'$X' to unlock]"
BANNER = "Grbl 1.1h ['$' for help]"


class GrblBench(TrialHost):
    """A host with the firmware at hand; ``s22=1`` stores ``$22=1`` before power-up."""

    def __init__(self, board: Board | None = None, **settings: float) -> None:
        self.firmware = Firmware(board or Board())
        for name, value in settings.items():
            self.firmware.machine.eeprom.set(int(name.removeprefix("s")), value)
        self.firmware.reset(0.0)
        super().__init__(self.firmware)

    @property
    def lost(self) -> int:
        """Bytes the receive buffer lost."""
        return self.firmware.machine.rx.lost

    def texts(self) -> list[str]:
        """Return the lines that were run."""
        return [entry["text"] for entry in self.firmware.log.since(0)]

    def ends(self) -> list[list[float]]:
        """Return where the moves ended."""
        return [move["end"] for move in self.firmware.log.moves()]

    def state(self) -> str:
        """Ask for the state and its sub-state."""
        return self.report().partition("|")[0]

    def report(self) -> str:
        """Ask for a status report."""
        return self.exchange(b"?", 0.02)[-1].strip("<>")

    def fs(self) -> tuple[float, float]:
        """Ask for feed and spindle speed (or laser power)."""
        fields = dict(field.split(":", 1) for field in self.report().split("|")[1:])
        feed, power = fields["FS"].split(",")
        return float(feed), float(power)
