"""An interlock's pins through gpiozero, whose pin factory the profile names; nothing else is tried.

Read by polling only: an exception in an lgpio callback ends its notify thread and with it every
edge on every pin, without a word (lgpio.py, ``_callback_thread.run``). Written as plain levels
only: ``blink()`` and PWM go on without the loop that should drive them.

Pins are asked themselves (``Pin.state``) and not through ``DigitalInputDevice``, which switches on
edge detection for every pin that it opens (gpiozero, input_devices.py, ``__init__``).
"""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Callable, Mapping
from typing import Any, Self

from gpiozero.exc import GPIOZeroError  # type: ignore[import-untyped]  # it has no types

from fabctl.errors import DeviceError, InputError
from fabctl.interlock import InputRole, InterlockProfile, OutputRole, Pull
from fabctl_drivers.interlock.inputs import Reading
from fabctl_drivers.interlock.simulated_pins import SimulatedFactory

_PULLS = {Pull.UP: "up", Pull.DOWN: "down", Pull.NONE: "floating"}
_FLOW_LOOKS = 4
"""Looks at the flow pin within one scan: an input that rings shows edges that no water makes."""
_Errors = tuple[type[Exception], ...]


class Gpio:
    """The open pins of one interlock; outputs are off from the first moment.

    :param profile: pins and factory.
    :param simulated: whether the lab is declared simulated.
    :raises InputError: a simulated factory for a real lab, or a factory that nobody knows.
    :raises DeviceError: the chip or a pin does not answer; what was opened is closed again.
    """

    def __init__(self, profile: InterlockProfile, *, simulated: bool) -> None:
        self._machine = profile.machine
        self.trouble: DeviceError | None = None
        """Why a pin could not be read in the last scan (the first such pin); None: all could."""
        opened, self._errors = _opened(profile, simulated=simulated)
        self._factory: Any = opened
        self._outputs: dict[OutputRole, Any] = {}
        self._numbers: Mapping[OutputRole, int] = profile.outputs
        try:
            for role in OutputRole:
                self._outputs[role] = self._output(role, profile.outputs[role])
            pins = {role: self._input(role, profile) for role in profile.inputs}
        except DeviceError:
            with contextlib.suppress(DeviceError):  # what it would tell comes of the first error
                self._give_back()
            raise
        flow = pins.pop(InputRole.FLOW, None)
        self._flow: tuple[int, Any] | None = None
        if flow is not None:
            self._flow = (profile.inputs[InputRole.FLOW].pin, flow)
        self._inputs = [(role, profile.inputs[role].pin, pin) for role, pin in pins.items()]
        self._closed = False
        self._flow_high = True  # only a low level that was seen can rise
        self._k1_high = False

    def read(self) -> Reading:
        """Read every input once, the flow pin some times over; never raises for a pin.

        A pin that cannot be read is absent from the reading, and :attr:`trouble` says why.
        """
        self.trouble = None
        levels: dict[InputRole, bool] = {}
        pulses = self._flow_rises()
        for role, number, pin in self._inputs:
            try:
                levels[role] = bool(pin.state)
            except self._errors as error:
                self._blame("cannot be read", role, number, error)
        return Reading(levels, pulses)

    def write_k2(self, *, on: bool) -> None:
        """Drive K2's line.

        :raises DeviceError: it cannot be written.
        """
        self._write(OutputRole.K2, high=on)

    def toggle_k1(self) -> None:
        """Change the level of K1's line: half a pulse for its monostable.

        :raises DeviceError: it cannot be written.
        """
        self._write(OutputRole.K1, high=not self._k1_high)
        self._k1_high = not self._k1_high

    def off(self) -> None:
        """Drive both lines low; the second also when the first cannot be written.

        :raises DeviceError: one of them cannot be written.
        """
        troubles = []
        for role in (OutputRole.K2, OutputRole.K1):
            try:
                self._write(role, high=False)
            except DeviceError as error:
                troubles.append(error)
        self._k1_high = False
        if troubles:
            raise troubles[0]

    def close(self) -> None:
        """Drive both lines low and give the pins back; what can be done of it is done, once.

        :raises DeviceError: not all of it could be done.
        """
        if self._closed:
            return
        self._closed = True
        try:
            self.off()
        finally:
            self._give_back()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _flow_rises(self) -> int | None:
        """Return how often the flow pin was seen to rise; None: cannot be read, or is not there."""
        if self._flow is None:
            return None
        number, pin = self._flow
        rises, before = 0, self._flow_high
        try:
            for _ in range(_FLOW_LOOKS):
                high = bool(pin.state)
                rises += high and not before
                before = high
        except self._errors as error:
            self._flow_high = True
            self._blame("cannot be read", InputRole.FLOW, number, error)
            return None
        self._flow_high = before
        return rises

    def _write(self, role: OutputRole, *, high: bool) -> None:
        try:
            self._outputs[role].state = high
        except self._errors as error:
            raise self._error("cannot be written", role, self._numbers[role], error) from error

    def _output(self, role: OutputRole, number: int) -> Any:
        try:
            pin = self._factory.pin(number)
            pin.output_with_state(False)
        except self._errors as error:
            raise self._error("cannot be opened", role, number, error) from error
        return pin

    def _input(self, role: InputRole, profile: InterlockProfile) -> Any:
        wire = profile.inputs[role]
        try:
            pin = self._factory.pin(wire.pin)
            pin.input_with_pull(_PULLS[wire.pull])
        except self._errors as error:
            raise self._error("cannot be opened", role, wire.pin, error) from error
        return pin

    def _give_back(self) -> None:
        """Close every pin, then the chip, also when some of them do not answer.

        gpiozero stops at the first pin that cannot be closed, keeps the chip open and hands the
        dead pins to the next factory (pins/local.py: ``pins`` belongs to the class).
        """
        pins, troubles = list(self._factory.pins.values()), []
        self._factory.pins.clear()
        for close in (*(pin.close for pin in pins), self._factory.close):
            try:
                close()
            except self._errors as error:
                troubles.append(error)
        if troubles:
            what = f"its pins cannot be given back: {troubles[0]}"
            raise DeviceError(what, device=self._machine) from troubles[0]

    def _blame(self, what: str, role: InputRole, number: int, error: Exception) -> None:
        if self.trouble is None:
            self.trouble = self._error(what, role, number, error)

    def _error(self, what: str, role: str, number: int, error: Exception) -> DeviceError:
        return DeviceError(f"{role} (GPIO {number}) {what}: {error}", device=self._machine)


def _opened(profile: InterlockProfile, *, simulated: bool) -> tuple[Any, _Errors]:
    """Return the factory that the profile names, and what its pins may raise."""
    openers: dict[str, Callable[[InterlockProfile], tuple[Any, _Errors]]] = {
        "lgpio": _lgpio,
        "simulated": _simulated,
    }
    if profile.factory not in openers:
        raise InputError(
            f"no pin factory is called {profile.factory!r}",
            device=profile.machine,
            next_step="one of: " + ", ".join(openers),
        )
    if profile.factory == "simulated" and not simulated:
        raise InputError(
            "a simulated cabinet guards nothing, and this lab is a real one",
            device=profile.machine,
            next_step='factory = "lgpio"',
        )
    return openers[profile.factory](profile)


def _simulated(profile: InterlockProfile) -> tuple[Any, _Errors]:
    errors: _Errors = (GPIOZeroError, OSError)
    try:
        return SimulatedFactory(profile.cabinet), errors
    except OSError as error:
        raise DeviceError(
            f"no simulated cabinet at {profile.cabinet}: {error}",
            device=profile.machine,
            next_step="start it: python -m fabctl_sim.interlock_box",
        ) from error


def _lgpio(profile: InterlockProfile) -> tuple[Any, _Errors]:
    """Open the kernel's GPIO chip.

    lgpio makes a FIFO as soon as it is imported, in the folder that LG_WD names, and makes that
    folder the working directory of the whole process (lgpio 0.2.2, tried); we go back.
    """
    os.environ["LG_WD"] = str(profile.folder)
    try:
        with contextlib.chdir(profile.folder):
            lgpio: Any = importlib.import_module("lgpio")
            module: Any = importlib.import_module("gpiozero.pins.lgpio")
    except ImportError as error:
        raise DeviceError(
            f"the GPIO library lgpio cannot be used: {error}",
            device=profile.machine,
            next_step='install it: pip install "fabctl[pi]"',
        ) from error
    except OSError as error:
        raise DeviceError(
            f"the GPIO library lgpio needs a folder to write in: {error}",
            device=profile.machine,
            next_step=f"make {profile.folder} this user's",
        ) from error
    errors: _Errors = (GPIOZeroError, OSError, lgpio.error)
    try:
        return module.LGPIOFactory(chip=profile.chip), errors
    except errors as error:
        raise DeviceError(
            f"/dev/gpiochip{profile.chip} cannot be opened: {error}",
            device=profile.machine,
            next_step="is this a Raspberry Pi, and is this user in the group gpio?",
        ) from error
