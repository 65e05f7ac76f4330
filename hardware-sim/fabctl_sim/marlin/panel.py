"""What the control socket can ask a Marlin stand-in."""

from __future__ import annotations

from typing import Any

from fabctl_sim.base_panel import BasePanel, Request
from fabctl_sim.marlin.firmware import Firmware
from fabctl_sim.marlin.heating import FAULTS, fault
from fabctl_sim.marlin.log import Log
from fabctl_sim.marlin.machine import Machine
from fabctl_sim.stand import Stand


class Panel(BasePanel):
    """Answers the control socket's requests."""

    def __init__(self, firmware: Firmware, stand: Stand, log: Log) -> None:
        super().__init__(stand, firmware, log)
        self.firmware = firmware
        self.doers = {"status": self._status, **self.doers}
        self.injectors = {
            "flip-checksum": self._flip_checksum,
            "drop-ok": self._drop_ok,
            "lose-bytes": self._lose_bytes,
            "noise": self._noise,
            "stop": self._stop,
            **self.injectors,
            **dict.fromkeys(FAULTS, self._fault),
        }

    def _status(self, _: Request) -> dict[str, Any]:
        now = self.stand.now()
        self.firmware.advance(now)
        return {**self._facts(), **_state(self.firmware.machine, now)}

    def _facts(self) -> dict[str, Any]:
        fw = self.firmware
        return {
            **self.place(),
            "received": fw.received,
            "executed": fw.executed,
            "queued": len(fw.queue),
            "log_dropped": self.log.dropped,
            "overrun_bytes": fw.wire.overrun,
        }

    def _fault(self, request: Request) -> None:
        machine = self._machine_now()
        if not machine.halted:
            bed = request.get("heater") == "bed"
            fault(machine, str(request["what"]), machine.bed if bed else machine.nozzle)

    def _machine_now(self) -> Machine:
        return self.firmware.catch_up(self.stand.now())

    def _flip_checksum(self, request: Request) -> None:
        self.firmware.spoil_lines += int(request.get("count", 1))

    def _drop_ok(self, request: Request) -> None:
        self.firmware.machine.drop_oks += int(request.get("count", 1))

    def _lose_bytes(self, request: Request) -> None:
        self.firmware.wire.lose_next += int(request.get("count", 1))

    def _noise(self, request: Request) -> None:
        wire = self.firmware.wire
        wire.flip_every = int(request.get("flip_every", 0))
        wire.lose_every = int(request.get("lose_every", 0))

    def _stop(self, _: Request) -> None:
        self._machine_now().stop()


def _state(m: Machine, now: float) -> dict[str, Any]:
    motion = m.motion
    return {
        "phase": m.phase,
        "nozzle_c": round(m.nozzle.temperature(now), 2),
        "nozzle_target_c": m.nozzle.target_c,
        "bed_c": round(m.bed.temperature(now), 2),
        "bed_target_c": m.bed.target_c,
        "fan": motion.fan,
        "carriage": [round(mm, 3) for mm in motion.carriage_at(now)],
        "position": [round(mm, 3) for mm in motion.logical()],
        "homed": list(motion.homed),
        "moving": bool(motion.planner.blocks),
        "blocks": len(motion.planner.blocks),
        "moves": motion.planner.moves,
        "last_line": m.check.last,
    }
