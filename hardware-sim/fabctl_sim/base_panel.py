"""What every stand-in's control socket can be asked, whatever controller it imitates."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from fabctl_sim.base_log import BaseLog
from fabctl_sim.cable import Cable, Faults
from fabctl_sim.core import CoreLoop
from fabctl_sim.stand import Stand

Request = dict[str, Any]
Answer = dict[str, Any]


class BasePanel:
    """Log, processor, cable, plug, reset line and speed; a controller's panel adds its own.

    :ivar doers: by ``cmd``. :ivar injectors: by ``what`` of ``inject``.
    """

    def __init__(self, stand: Stand, loop: CoreLoop, log: BaseLog) -> None:
        self.stand = stand
        self._loop = loop
        self.log = log
        self.doers: dict[str, Callable[[Request], Answer]] = {
            "received": self._received,
            "clear-received": self._clear_received,
            "unplug": self._unplug,
            "plug": self._plug,
            "reset": self._reset,
            "inject": self._inject,
            "factor": self._factor,
        }
        self.injectors: dict[str, Callable[[Request], None]] = {
            "stall": self._stall,
            "say": self._say,
            "cable": self._cable,
        }

    def answer(self, request: Request) -> Answer:
        """Do what a request asks.

        :raises ValueError: there is no such request, or its details make no sense.
        """
        doer = self.doers.get(str(request.get("cmd")))
        if doer is None:
            raise ValueError(f"cmd is one of {', '.join([*self.doers, 'watch'])}")
        return doer(request)

    def place(self) -> Answer:
        """Return time, speed and plug, for ``status``."""
        stand = self.stand
        return {
            "t": time.monotonic(),
            "simulated_s": stand.now(),
            "factor": "instant" if stand.pace.instant else stand.pace.factor,
            "plugged": stand.port.plugged,
            "open": stand.port.held,
        }

    def _received(self, request: Request) -> Answer:
        return {"commands": self.log.since(int(request.get("start", 0)))}

    def _clear_received(self, _: Request) -> Answer:
        self.log.clear()
        return {}

    def _unplug(self, _: Request) -> Answer:
        self.stand.unplug()
        return {}

    def _plug(self, request: Request) -> Answer:
        self.stand.plug(reset=bool(request.get("reset", False)))
        return {}

    def _reset(self, _: Request) -> Answer:
        self.stand.core.reset(self.stand.now())
        return {}

    def _factor(self, request: Request) -> Answer:
        wanted = request["factor"]
        factor = math.inf if wanted == "instant" else float(wanted)
        if not factor > 0:
            raise ValueError('factor is a number > 0 or "instant"')
        self.stand.change_factor(factor)
        return {}

    def _inject(self, request: Request) -> Answer:
        injector = self.injectors.get(str(request["what"]))
        if injector is None:
            raise ValueError(f"what is one of {', '.join(self.injectors)}")
        injector(request)
        return {}

    def _stall(self, request: Request) -> None:
        self._loop.catch_up(self.stand.now()).clock += float(request["seconds"])

    def _say(self, request: Request) -> None:
        self._loop.catch_up(self.stand.now()).say(str(request["text"]))

    def _cable(self, request: Request) -> None:
        if not isinstance(self.stand.core, Cable):
            raise TypeError("this stand-in was built without a cable")
        details = {k: v for k, v in request.items() if k not in ("cmd", "what", "direction")}
        direction = str(request.get("direction", "both"))
        self.stand.core.spoil(Faults.from_mapping(details), direction)
