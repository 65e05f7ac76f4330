"""What the cabinet's control socket can be asked: what people do, and faults, each by its name.

What each name means is said for people in ``acts.txt``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fabctl_sim.interlock_box.cabinet import USUAL_FLOW_HZ, Cabinet
from fabctl_sim.interlock_box.faults import Faults, seconds_in
from fabctl_sim.interlock_box.wiring import Role

Request = dict[str, Any]
Doer = Callable[[Request], None]
TELLING = frozenset({"status", "cabinet"})


class Panel:
    """Acts and faults.

    :ivar acts: by name.
    """

    def __init__(self, cabinet: Cabinet) -> None:
        self.cabinet = cabinet
        self.faults = Faults(cabinet)
        self.acts: dict[str, Doer] = {
            "open-lid": lambda _: self._lid(closed=False),
            "close-lid": lambda _: self._lid(closed=True),
            "reset-press": self._press,
            "reset-hold": lambda _: self._hold(),
            "reset-release": lambda _: self._release(),
            "run": lambda _: self._run(wanted=True),
            "idle": lambda _: self._run(wanted=False),
            "estop": self._put(Role.ESTOP, safe=False),
            "estop-release": self._put(Role.ESTOP, safe=True),
            "key-off": self._put(Role.KEY, safe=False),
            "key-on": self._put(Role.KEY, safe=True),
            "exhaust-off": self._put(Role.EXHAUST, safe=False),
            "exhaust-on": self._put(Role.EXHAUST, safe=True),
            "flow-start": lambda request: self._flow(float(request.get("hz", USUAL_FLOW_HZ))),
            "flow-fast": lambda request: self._flow(float(request.get("hz", 48.0))),
            "flow-stop": lambda _: self._flow(0.0),
            **self.faults.acts,
        }

    def answer(self, request: Request) -> dict[str, Any]:
        """Do what a request asks and return how everything stands then.

        :raises ValueError: there is no such act, or its details make no sense.
        """
        command = str(request.get("cmd"))
        if command == "log":
            return {"events": self.cabinet.journal.since(int(request.get("start", 1)))}
        if command not in TELLING:
            if command not in self.acts:
                raise ValueError(
                    f"cmd is one of {', '.join([*sorted(TELLING), 'log', *self.acts])}"
                )
            self.acts[command](request)
        self.cabinet.advance(self.cabinet.clock())
        return self.cabinet.status()

    def _put(self, role: Role, *, safe: bool) -> Doer:
        def doer(_: Request) -> None:
            self.cabinet.inputs.wire(role)
            self.cabinet.inputs.put(role, safe=safe)

        return doer

    def _lid(self, *, closed: bool) -> None:
        """Move the lid; its channel B follows at once, or later when that was asked for."""
        cabinet = self.cabinet
        cabinet.inputs.wire(Role.LID_A)
        cabinet.inputs.put(Role.LID_A, safe=closed)
        later = self.faults.channel_b_late_s
        if later:
            at = cabinet.clock() + later
            cabinet.agenda.at(at, lambda _: cabinet.inputs.put(Role.LID_B, safe=closed), "lid_b")
        else:
            cabinet.agenda.drop("lid_b")
            cabinet.inputs.put(Role.LID_B, safe=closed)

    def _press(self, request: Request) -> None:
        seconds = seconds_in(request, 0.5)
        self._hold()
        at = self.cabinet.clock() + seconds
        self.cabinet.agenda.at(at, lambda _: self._release(), "reset")

    def _hold(self) -> None:
        self.cabinet.inputs.wire(Role.RESET)
        self.cabinet.agenda.drop("reset")
        self.cabinet.inputs.put(Role.RESET, safe=False)

    def _release(self) -> None:
        self.cabinet.inputs.wire(Role.RESET)
        self.cabinet.agenda.drop("reset")
        self.cabinet.inputs.put(Role.RESET, safe=True)

    def _flow(self, hertz: float) -> None:
        self.cabinet.inputs.wire(Role.FLOW)
        self.cabinet.set_flow(hertz, self.cabinet.clock())

    def _run(self, *, wanted: bool) -> None:
        self.cabinet.inputs.wire(Role.ACTIVE)
        self.cabinet.run(wanted=wanted)
