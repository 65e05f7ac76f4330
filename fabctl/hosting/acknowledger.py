"""Tells the machines which of their events are on record, in a thread of its own.

A machine that does not answer is left alone: it says its events again, and is told then.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from fabctl.complaint import Complaint
from fabctl.errors import FabError
from fabctl.messaging.requests import MachineRequests
from fabctl.units import Seconds

ANSWER_WITHIN = Seconds(3.0)
MOST_AT_ONCE = 200


class Acknowledger:
    """Collects (boot, seq) per machine and sends each machine one signed request for them."""

    def __init__(self, requests: MachineRequests, log: Callable[[str], None]) -> None:
        self._requests = requests
        self._log = log
        self._due: dict[str, set[tuple[str, int]]] = {}
        self._change = threading.Condition()
        self._busy = False
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="acknowledger", daemon=True)

    def begin(self) -> None:
        """Start; returns at once."""
        self._thread.start()

    def add(self, machine: str, boot: str, seq: int) -> None:
        """Have a machine told that this event is on record."""
        with self._change:
            self._due.setdefault(machine, set()).add((boot, seq))
            self._change.notify()

    def end(self, within_s: float) -> None:
        """Tell what is left, for at most so long, then end."""
        with self._change:
            self._change.wait_for(lambda: not self._due and not self._busy, within_s)
            self._ending = True
            self._change.notify()
        self._thread.join(ANSWER_WITHIN)

    def _run(self) -> None:
        while True:
            with self._change:
                self._busy = False
                self._change.notify_all()
                self._change.wait_for(lambda: self._due or self._ending)
                if self._ending:
                    return
                machine, names = self._due.popitem()
                self._busy = True
            self._tell(machine, sorted(names)[:MOST_AT_ONCE])

    def _tell(self, machine: str, names: list[tuple[str, int]]) -> None:
        body = {"events": [{"boot": boot, "seq": seq} for boot, seq in names]}
        try:
            answer = self._requests.send(machine, "recorded", body, ANSWER_WITHIN)
        except FabError as error:
            self._log(Complaint(f"{machine} cannot be told what is on record: {error}"))
            return
        if not answer.accepted and answer.code not in {"no-answer", "no-broker"}:
            self._log(Complaint(f"{machine} does not take what is on record: {answer.reason}"))
