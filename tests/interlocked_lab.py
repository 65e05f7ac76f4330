"""A lab for tests of the web whose first machines have an interlock: a laser, and a mill."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from fabctl.config import LabConfig
from fabctl.interlock import (
    InputCondition,
    InputPin,
    InputRole,
    InterlockProfile,
    OutputRole,
    ProfileKind,
)
from fabctl.messaging.interlocks import InputWord, InterlockPayload, PermitWord
from fabctl.messaging.link import Received
from fabctl.ports import MachineKind
from tests.web_lab import STAMP, WebLab, lab_config

LASER, MILL = "printer-c", "printer-d"
"""The third and fourth machine of the twelve: the laser is opaque, the mill takes files."""
ROLES = {
    ProfileKind.LASER: tuple(InputRole),
    ProfileKind.ENCLOSURE: (
        InputRole.LID_A,
        InputRole.ESTOP,
        InputRole.RESET,
        InputRole.K1_FEEDBACK,
    ),
}


def profile(machine: str, kind: ProfileKind, folder: Path) -> InterlockProfile:
    """Return an interlock with every input that its kind may have."""
    return InterlockProfile(
        machine=machine,
        kind=kind,
        factory="simulated",
        chip=0,
        inputs={role: InputPin(pin) for pin, role in enumerate(ROLES[kind], start=9)},
        outputs={OutputRole.K1: 24, OutputRole.K2: 25},
        folder=folder / "interlocks" / machine,
    )


def interlocked_config(folder: Path, names: tuple[str, ...]) -> LabConfig:
    """Return the lab of :func:`tests.web_lab.lab_config` with two interlocks."""
    found = lab_config(folder, names=names)
    machines = dict(found.machines)
    machines[LASER] = replace(
        machines[LASER], kind=MachineKind.LASER, driver="opaque", work_area=None
    )
    locks = {
        LASER: profile(LASER, ProfileKind.LASER, folder),
        MILL: profile(MILL, ProfileKind.ENCLOSURE, folder),
    }
    return replace(found, machines=machines, interlocks=locks)


def say(lab: WebLab, machine: str, state: str, *failed: InputRole, **more: Any) -> None:
    """Let an interlock say its state; ``failed`` inputs fail, all others pass.

    ``unknown=(role, …)``: these are unknown. ``use=``: a permit for it holds for 8 s more.
    """
    unknown = more.pop("unknown", ())
    use = more.pop("use", None)
    inputs = {
        role: InputWord(_condition(role, failed, unknown), 65.0)
        for role in lab.config.interlocks[machine].inputs
    }
    values = {"boot": "boot-1", "since_s": 12.0, "outputs_on": False, "active": False, **more}
    permit = PermitWord(use, 8.0) if use else None
    payload = InterlockPayload(state, inputs=inputs, permit=permit, **values)
    topic = lab.workshop.topics.interlock(machine)
    lab.workshop.view.take(Received(topic, payload.encode(STAMP), qos=1, retain=False))


def _condition(
    role: InputRole, failed: tuple[InputRole, ...], unknown: tuple[InputRole, ...]
) -> InputCondition:
    if role in failed:
        return InputCondition.FAILED
    return InputCondition.UNKNOWN if role in unknown else InputCondition.PASSED


class Speaker:
    """A machine's interlock: it says its state again and again, or nobody would believe it."""

    def __init__(self, lab: WebLab, machine: str) -> None:
        self._lab = lab
        self._machine = machine
        self._talks = threading.Lock()
        self._again: Callable[[], None] = lambda: None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._go_on)
        self._thread.start()

    def say(self, state: str, *failed: InputRole, **more: Any) -> None:
        """Say a state, now and every second."""
        with self._talks:
            self._again = partial(say, self._lab, self._machine, state, *failed, **more)
            self._again()

    def _go_on(self) -> None:
        while not self._end.wait(1.0):
            with self._talks:
                self._again()

    def end(self) -> None:
        """Fall silent."""
        self._end.set()
        self._thread.join()
