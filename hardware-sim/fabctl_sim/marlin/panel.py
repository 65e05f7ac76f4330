"""What the control socket can ask a Marlin stand-in, and the list of the commands it ran."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from fabctl_sim.marlin.firmware import Firmware
from fabctl_sim.marlin.heating import FAULTS
from fabctl_sim.marlin.words import Command
from fabctl_sim.stand import Stand

Request = dict[str, Any]


class Log:
    """The commands that were run, in order; the oldest are dropped beyond ``keep``.

    :param path: also append every one to this file: number (``-`` without), tab, text.
    """

    def __init__(self, keep: int, path: Path | None) -> None:
        self._commands: deque[tuple[int | None, str]] = deque(maxlen=keep)
        self._file: IO[str] | None = path.open("a", encoding="latin-1") if path else None
        self.count = 0

    def add(self, command: Command) -> None:
        """Take one command."""
        self.count += 1
        self._commands.append((command.number, command.text))
        if self._file:
            number = "-" if command.number is None else command.number
            self._file.write(f"{number}\t{command.text}\n")
            self._file.flush()

    def since(self, start: int) -> list[dict[str, Any]]:
        """Return the commands from the ``start``-th on, as far as they are kept."""
        skip = max(0, start - self.dropped)
        return [{"n": n, "text": text} for n, text in list(self._commands)[skip:]]

    @property
    def dropped(self) -> int:
        """How many are no longer kept."""
        return self.count - len(self._commands)

    def clear(self) -> None:
        """Forget them; the file stays as it is."""
        self._commands.clear()
        self.count = 0


class Panel:
    """Answers the control socket's requests."""

    def __init__(self, firmware: Firmware, stand: Stand, log: Log) -> None:
        self.firmware = firmware
        self.stand = stand
        self.log = log
        self._doers: dict[str, Callable[[Request], dict[str, Any]]] = {
            "status": self._status,
            "received": self._received,
            "clear-received": self._clear,
            "unplug": self._unplug,
            "plug": self._plug,
            "reset": self._reset,
            "inject": self._inject,
            "factor": self._factor,
        }

    def answer(self, request: Request) -> dict[str, Any]:
        """Do what a request asks.

        :raises ValueError: there is no such request, or its details make no sense.
        """
        doer = self._doers.get(str(request.get("do")))
        if doer is None:
            raise ValueError(f"do is one of {', '.join([*self._doers, 'watch'])}")
        return doer(request)

    def _status(self, _: Request) -> dict[str, Any]:
        fw, port, now = self.firmware, self.stand.port, self.stand.now()
        fw.advance(now)
        return {
            "phase": fw.phase,
            "plugged": port.plugged,
            "open": port.held,
            "t": time.monotonic(),
            "simulated_s": now,
            "factor": "instant" if self.stand.pace.instant else self.stand.pace.factor,
            "nozzle_c": round(fw.nozzle.temperature(now), 2),
            "nozzle_target_c": fw.nozzle.target_c,
            "bed_c": round(fw.bed.temperature(now), 2),
            "bed_target_c": fw.bed.target_c,
            "fan": fw.motion.fan,
            "position": [round(mm, 3) for mm in fw.motion.logical()],
            "carriage": [round(mm, 3) for mm in fw.motion.carriage_at(now)],
            "homed": list(fw.motion.homed),
            "moving": bool(fw.motion.planner.blocks),
            "blocks": len(fw.motion.planner.blocks),
            "queued": len(fw.queue),
            "last_line": fw.check.last,
            "received": fw.received,
            "executed": fw.executed,
            "moves": fw.motion.planner.moves,
            "log_dropped": self.log.dropped,
            "overrun_bytes": fw.wire.overrun,
        }

    def _received(self, request: Request) -> dict[str, Any]:
        return {"commands": self.log.since(int(request.get("start", 0)))}

    def _clear(self, _: Request) -> dict[str, Any]:
        self.log.clear()
        return {}

    def _unplug(self, _: Request) -> dict[str, Any]:
        self.stand.unplug()
        return {}

    def _plug(self, request: Request) -> dict[str, Any]:
        self.stand.plug(reset=bool(request.get("reset", False)))
        return {}

    def _reset(self, _: Request) -> dict[str, Any]:
        self.firmware.reset(self.stand.now())
        return {}

    def _factor(self, request: Request) -> dict[str, Any]:
        wanted = request["factor"]
        factor = math.inf if wanted == "instant" else float(wanted)
        if not factor > 0:
            raise ValueError('factor is a number > 0 or "instant"')
        self.stand.change_factor(factor)
        return {}

    def _inject(self, request: Request) -> dict[str, Any]:
        what, fw = str(request["what"]), self.firmware
        count = int(request.get("count", 1))
        now = self.stand.now()
        fw.advance(now)
        if what in FAULTS:
            fw.catch_up(now)
            fw.fail(what, str(request.get("heater", "nozzle")))
        elif what == "flip-checksum":
            fw.spoil_lines += count
        elif what == "drop-ok":
            fw.drop_oks += count
        elif what == "lose-bytes":
            fw.wire.lose_next += count
        elif what == "noise":
            fw.wire.flip_every = int(request.get("flip_every", 0))
            fw.wire.lose_every = int(request.get("lose_every", 0))
        elif what == "stall":
            fw.stall(float(request["seconds"]), now)
        elif what == "stop":
            fw.catch_up(now)
            fw.stop()
        elif what == "say":
            fw.catch_up(now)
            fw.say(str(request["text"]))
        else:
            raise ValueError(f"no such fault: {what}")
        return {}
