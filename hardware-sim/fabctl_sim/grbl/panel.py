"""What the control socket can ask a Grbl stand-in."""

from __future__ import annotations

from typing import Any

from fabctl_sim.base_panel import BasePanel, Request
from fabctl_sim.grbl import reports
from fabctl_sim.grbl.block import offset
from fabctl_sim.grbl.firmware import Firmware
from fabctl_sim.grbl.log import Log
from fabctl_sim.grbl.machine import Machine
from fabctl_sim.stand import Stand


class Panel(BasePanel):
    """Answers the control socket's requests."""

    log: Log

    def __init__(self, firmware: Firmware, stand: Stand, log: Log) -> None:
        super().__init__(stand, firmware, log)
        self.firmware = firmware
        self.doers = {"status": self._status, "moves": self._moves, **self.doers}
        self.injectors |= {
            "hard-limit": self._hard_limit,
            "door": self._door,
            "probe": self._probe,
            "homing": self._homing,
            "reset-pin": self._reset_pin,
            "hold": self._hold,
            "lose-bytes": self._lose_bytes,
        }

    def _status(self, _: Request) -> dict[str, Any]:
        fw, m = self.firmware, self._now()
        wco = offset(m.modes, m.eeprom.places)
        return {
            **self.place(),
            "state": reports.state(m),
            "position": [round(mm, 4) for mm in m.position],
            "wco": wco,
            "feed_mm_per_min": round(m.planner.speed_at(m.clock) * 60.0, 2),
            "power": round(m.power(), 2),
            "spindle": m.spindle,
            "flood": m.flood,
            "moving": m.planner.moving,
            "blocks": len(m.planner.blocks),
            "executed": self.log.count,
            "moves": self.log.move_count,
            "log_dropped": self.log.dropped,
            "overrun_bytes": m.rx.lost,
            "settings": {str(k): v for k, v in fw.machine.eeprom.settings.items()},
        }

    def _now(self) -> Machine:
        return self.firmware.catch_up(self.stand.now())

    def _moves(self, request: Request) -> dict[str, Any]:
        return {"moves": self.log.moves(int(request.get("start", 0)))}

    def _hard_limit(self, request: Request) -> None:
        axis = str(request.get("axis", "X"))
        if axis not in ("X", "Y", "Z"):
            raise ValueError("axis is X, Y or Z")
        self.firmware.limit_switch(axis, self.stand.now(), closed=bool(request.get("closed", True)))

    def _door(self, request: Request) -> None:
        self.firmware.door(self.stand.now(), is_open=bool(request.get("open", True)))

    def _probe(self, request: Request) -> None:
        world = self._now().world
        if request.get("at") is None:
            world.plate = None
            return
        axis = "XYZ".index(str(request.get("axis", "Z")))
        world.plate = (axis, float(request["at"]), bool(request.get("above", False)))

    def _homing(self, request: Request) -> None:
        fault = str(request.get("fault", "none"))
        if fault not in ("none", "missing", "stuck"):
            raise ValueError("fault is none, missing or stuck")
        self._now().world.homing_fault = fault

    def _reset_pin(self, _: Request) -> None:
        self.firmware.reset_pin(self.stand.now())

    def _hold(self, request: Request) -> None:
        self.firmware.button(self.stand.now(), hold=bool(request.get("on", True)))

    def _lose_bytes(self, request: Request) -> None:
        self.firmware.machine.rx.lose_next += int(request.get("count", 1))
