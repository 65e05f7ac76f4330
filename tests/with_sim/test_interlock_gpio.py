"""An interlock's pins over the simulated cabinet, and lgpio as far as it goes without a chip."""

from __future__ import annotations

import importlib.util
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gpiozero  # type: ignore[import-untyped]  # it has no types
import pytest

from fabctl.errors import DeviceError, InputError
from fabctl.interlock import InputPin, InputRole, Pull
from fabctl_drivers.interlock import simulated_pins
from fabctl_drivers.interlock.gpio import Gpio
from fabctl_drivers.interlock.inputs import Reading
from fabctl_drivers.interlock.simulated_pins import SimulatedFactory
from fabctl_sim.interlock_box.cabinet import LEAST_HALF
from fabctl_sim.interlock_box.layout import MAGIC, NOT_DRIVEN, SIZE, Level, Memory
from fabctl_sim.interlock_box.process import CabinetProcess
from tests.cabinet_bench import K1, K2, PINS, contact_moves, laser, until, without_resistor

LGPIO_IS_HERE = importlib.util.find_spec("lgpio") is not None
HEADER = range(28)


@pytest.fixture
def cabinet(folder: Path) -> Iterator[CabinetProcess]:
    with CabinetProcess(folder / "cabinet") as cabinet:
        yield cabinet


@pytest.fixture
def gpio(cabinet: CabinetProcess, folder: Path) -> Iterator[Gpio]:
    pins = Gpio(laser(folder), simulated=True)
    yield pins
    cabinet.ask("repair")
    pins.close()


def scans(gpio: Gpio, seconds: float, period: float = 0.01) -> list[tuple[float, Reading]]:
    """Scan as the daemon does; with each reading, the seconds since the one before."""
    due = before = time.monotonic()
    end, readings = due + seconds, []
    while due < end:
        reading, now = gpio.read(), time.monotonic()
        readings.append((now - before, reading))
        before = now
        due += period
        time.sleep(max(0.0, due - time.monotonic()))
    return readings


def pulses(readings: list[tuple[float, Reading]]) -> int:
    return sum(reading.flow_pulses or 0 for _, reading in readings)


def unseen(readings: list[tuple[float, Reading]], hertz: int) -> float:
    """Return how many pulses came and went at most while a busy computer let a scan wait."""
    return sum(gap * hertz for gap, _ in readings if gap > LEAST_HALF * 0.5 / hertz)


def refusal(folder: Path) -> str:
    """Return why the pins cannot be opened; empty when they can."""
    try:
        Gpio(laser(folder), simulated=True).close()
    except DeviceError as error:
        return str(error)
    return ""


# -- the file, described twice -----------------------------------------------------------------


@pytest.mark.parametrize("pin", HEADER)
def test_both_sides_mean_the_same_byte_by_every_pin(tmp_path: Path, pin: int) -> None:
    memory = Memory(tmp_path / "cabinet")
    memory.beat(time.monotonic_ns())
    factory = SimulatedFactory(tmp_path / "cabinet")
    one = factory.pin(pin)
    for level in (Level.HIGH, Level.LOW):
        memory.arrives(pin, level)
        assert one.state == level
    before = memory.edges(pin)
    started = time.monotonic()
    one.output_with_state(True)
    assert memory.driven_high(pin)
    assert started - 1e-6 <= memory.changed(pin) <= time.monotonic()
    one.state = False
    assert not memory.driven_high(pin)
    assert memory.edges(pin) - before == 2
    memory.writing_fails(pin, fails=True)
    with pytest.raises(OSError, match="cannot be written"):
        one.state = True
    memory.chip(present=False)
    with pytest.raises(OSError, match="vanished"):
        _ = one.state
    memory.chip(present=True)
    one.close()
    assert one.function == "input"
    factory.close()


def test_both_sides_have_the_same_words() -> None:
    ours = simulated_pins
    assert (ours.MAGIC, ours.SIZE, ours.NOT_DRIVEN) == (MAGIC, SIZE, NOT_DRIVEN)
    assert list(Level) == [ours.LOW, ours.HIGH, ours.FLOATING, ours.NOISE, ours.READ_FAILS]


# -- opening -----------------------------------------------------------------------------------


def test_a_simulated_factory_is_refused_in_a_real_lab(folder: Path) -> None:
    with pytest.raises(InputError, match="this lab is a real one"):
        Gpio(laser(folder), simulated=False)


def test_a_factory_that_nobody_knows_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="one of: lgpio, simulated"):
        Gpio(laser(folder, factory="mock"), simulated=True)


def test_without_a_cabinet_it_says_how_to_start_one(folder: Path) -> None:
    with pytest.raises(DeviceError, match=r"no simulated cabinet.*fabctl_sim\.interlock_box"):
        Gpio(laser(folder), simulated=True)


def test_a_cabinet_that_ran_once_is_no_cabinet(folder: Path) -> None:
    with CabinetProcess(folder / "cabinet"):
        pass
    until(lambda: "does not run" in refusal(folder), "it is refused")
    with CabinetProcess(folder / "cabinet"):
        Gpio(laser(folder), simulated=True).close()


def test_a_file_that_is_no_cabinet_is_refused(folder: Path) -> None:
    (folder / "cabinet").write_bytes(bytes(SIZE))
    with pytest.raises(DeviceError, match="no cabinet's file"):
        Gpio(laser(folder), simulated=True)


@pytest.mark.usefixtures("cabinet")
def test_a_pin_that_the_chip_has_not_is_named_and_everything_is_given_back(folder: Path) -> None:
    inputs = {**PINS, InputRole.KEY: InputPin(40)}
    with pytest.raises(DeviceError, match=r"laser: key \(GPIO 40\) cannot be opened"):
        Gpio(laser(folder, inputs=inputs), simulated=True)
    Gpio(laser(folder), simulated=True).close()


@pytest.mark.usefixtures("cabinet")
def test_a_pin_with_a_resistor_of_the_board_cannot_be_pulled_down(folder: Path) -> None:
    inputs = {**PINS, InputRole.KEY: InputPin(2, pull=Pull.DOWN)}
    with pytest.raises(DeviceError, match=r"key \(GPIO 2\).*pull-up"):
        Gpio(laser(folder, inputs=inputs), simulated=True)


@pytest.mark.usefixtures("gpio")
def test_pins_belong_to_one_process(folder: Path) -> None:
    with pytest.raises(DeviceError, match="another process has these pins"):
        Gpio(laser(folder), simulated=True)


def test_outputs_are_off_when_it_opens_and_what_was_on_goes_off(
    cabinet: CabinetProcess, folder: Path
) -> None:
    first = Gpio(laser(folder), simulated=True)
    first.write_k2(on=True)
    until(lambda: cabinet.status()["contacts"]["K2"], "K2 closes")
    cabinet.ask("chip-vanish")
    with pytest.raises(DeviceError):
        first.close()  # as after a kill -9: nobody could write, the level stays
    cabinet.ask("chip-return")
    assert cabinet.status()["lines"]["k2"]
    again = Gpio(laser(folder), simulated=True)
    until(lambda: not cabinet.status()["lines"]["k2"], "K2's line is low")
    again.close()


@pytest.mark.usefixtures("cabinet")
def test_gpiozero_is_left_without_a_default_factory_and_starts_no_thread(folder: Path) -> None:
    threads = threading.active_count()
    with Gpio(laser(folder), simulated=True) as gpio:
        gpio.read()
        assert threading.active_count() == threads
    assert gpiozero.Device.pin_factory is None


# -- reading -----------------------------------------------------------------------------------


def test_a_reading_has_every_level_and_no_trouble(gpio: Gpio) -> None:
    reading = gpio.read()
    assert reading.levels == {
        role: wire.safe_high for role, wire in PINS.items() if role is not InputRole.FLOW
    }
    assert reading.flow_pulses is not None
    assert gpio.trouble is None


@pytest.mark.parametrize(
    ("act", "role"),
    [
        ("open-lid", InputRole.LID_A),
        ("open-lid", InputRole.LID_B),
        ("exhaust-off", InputRole.EXHAUST),
        ("estop", InputRole.ESTOP),
        ("key-off", InputRole.KEY),
        ("reset-hold", InputRole.RESET),
        ("run-stuck", InputRole.ACTIVE),
    ],
)
def test_what_happens_is_read(
    cabinet: CabinetProcess, gpio: Gpio, act: str, role: InputRole
) -> None:
    cabinet.ask(act)
    assert gpio.read().levels[role] is not PINS[role].safe_high


@pytest.mark.parametrize("role", [role for role in PINS if role is not InputRole.FLOW])
def test_a_broken_wire_reads_low(cabinet: CabinetProcess, gpio: Gpio, role: InputRole) -> None:
    cabinet.ask("wire-broken", role=role.value)
    assert {gpio.read().levels[role] for _ in range(50)} == {False}


def test_without_its_resistor_a_broken_wire_reads_anything(
    cabinet: CabinetProcess, folder: Path
) -> None:
    with Gpio(laser(folder, inputs=without_resistor(InputRole.KEY)), simulated=True) as gpio:
        cabinet.ask("wire-broken", role="key")
        assert {gpio.read().levels[InputRole.KEY] for _ in range(200)} == {True, False}


@pytest.mark.parametrize("hertz", [5, 15, 40])
def test_pulses_are_counted_by_polling(cabinet: CabinetProcess, gpio: Gpio, hertz: int) -> None:
    cabinet.ask("flow-start", hz=hertz)
    gpio.read()
    before = cabinet.status()["flow_pulses"]
    readings = scans(gpio, 2.0)
    made = cabinet.status()["flow_pulses"] - before
    assert made - 2 - unseen(readings, hertz) <= pulses(readings) <= made + 2


@pytest.mark.parametrize("fault", ["flow-stop", "flow-frozen-high", "flow-frozen-low"])
def test_no_pulses_are_no_pulses(cabinet: CabinetProcess, gpio: Gpio, fault: str) -> None:
    cabinet.ask(fault)
    gpio.read()
    assert pulses(scans(gpio, 0.5)) == 0


def test_an_input_that_rings_counts_more_than_water_can(
    cabinet: CabinetProcess, gpio: Gpio
) -> None:
    cabinet.ask("flow-noise")
    assert pulses(scans(gpio, 1.0)) > 50


def test_a_pin_that_cannot_be_read_is_absent_and_named(cabinet: CabinetProcess, gpio: Gpio) -> None:
    cabinet.ask("pin-fails", role="estop")
    reading = gpio.read()
    assert set(PINS) - {InputRole.FLOW} - set(reading.levels) == {InputRole.ESTOP}
    assert "laser: estop (GPIO 26) cannot be read" in str(gpio.trouble)
    cabinet.ask("repair")
    assert InputRole.ESTOP in gpio.read().levels
    assert gpio.trouble is None


def test_a_flow_pin_that_cannot_be_read_counts_nothing(cabinet: CabinetProcess, gpio: Gpio) -> None:
    cabinet.ask("pin-fails", role="flow")
    assert gpio.read().flow_pulses is None
    assert "flow (GPIO 13)" in str(gpio.trouble)


def test_a_profile_without_a_flow_meter_has_no_pulses(
    cabinet: CabinetProcess, folder: Path
) -> None:
    inputs = {InputRole.RESET: PINS[InputRole.RESET]}
    with Gpio(laser(folder, inputs=inputs), simulated=True) as gpio:
        assert gpio.read() == Reading({InputRole.RESET: False}, None)
        assert cabinet.status()["lines"] == {"k1_pulses": False, "k2": False}


def test_a_chip_that_vanishes_reads_nothing_writes_nothing_and_may_return(
    cabinet: CabinetProcess, gpio: Gpio
) -> None:
    cabinet.ask("chip-vanish")
    assert gpio.read() == Reading({}, None)
    assert "vanished" in str(gpio.trouble)
    with pytest.raises(DeviceError, match=r"k2 \(GPIO 27\) cannot be written.*vanished"):
        gpio.write_k2(on=True)
    cabinet.ask("chip-return")
    assert len(gpio.read().levels) == len(PINS) - 1


def test_pins_that_hang_take_their_time_and_then_go_on(cabinet: CabinetProcess, gpio: Gpio) -> None:
    before = time.monotonic()
    cabinet.ask("pins-hang", seconds=0.3)
    assert len(gpio.read().levels) == len(PINS) - 1
    assert time.monotonic() - before > 0.3
    assert min(seconds_of(gpio.read) for _ in range(5)) < 0.2


def seconds_of(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def test_a_cabinet_that_has_ended_reads_nothing(folder: Path) -> None:
    cabinet = CabinetProcess(folder / "cabinet").start()
    gpio = Gpio(laser(folder), simulated=True)
    assert gpio.read().levels
    cabinet.end()
    until(lambda: not gpio.read().levels, "nothing can be read any more")
    assert "does not run" in str(gpio.trouble)
    with cabinet:
        until(lambda: gpio.read().levels, "it can be read again")
        gpio.close()


def closings(cabinet: CabinetProcess, relay: str) -> int:
    """Return how often a relay has closed: one pulse holds K1 for no longer than 175 ms."""
    return sum(closed for _, closed in contact_moves(cabinet, relay))


def have_closed(cabinet: CabinetProcess) -> bool:
    return closings(cabinet, "K1") > 0 and closings(cabinet, "K2") > 0


# -- writing -----------------------------------------------------------------------------------


def test_a_toggle_is_half_a_pulse_and_off_ends_both(cabinet: CabinetProcess, gpio: Gpio) -> None:
    edges = cabinet.status()["k1_edges"]
    for _ in range(10):
        gpio.toggle_k1()
    gpio.write_k2(on=True)
    until(lambda: have_closed(cabinet), "both relays close")
    assert cabinet.status()["k1_edges"] - edges == 10
    gpio.off()
    until(lambda: not cabinet.status()["contacts"]["K1"], "K1 opens")
    assert not cabinet.status()["contacts"]["K2"]


def test_after_off_the_first_toggle_rises_again(cabinet: CabinetProcess, gpio: Gpio) -> None:
    gpio.toggle_k1()
    gpio.off()
    until(lambda: not cabinet.status()["contacts"]["K1"], "K1 is open")
    edges, closed = cabinet.status()["k1_edges"], closings(cabinet, "K1")
    gpio.toggle_k1()
    assert cabinet.status()["k1_edges"] == edges + 1
    until(lambda: closings(cabinet, "K1") > closed, "K1 closes")


@pytest.mark.parametrize(("relay", "pin"), [("k1", K1), ("k2", K2)])
def test_an_output_that_cannot_be_written_is_named_and_the_other_goes_off(
    cabinet: CabinetProcess, gpio: Gpio, relay: str, pin: int
) -> None:
    gpio.write_k2(on=True)
    gpio.toggle_k1()
    until(lambda: have_closed(cabinet), "both relays close")
    cabinet.ask("write-fails", role=relay)
    with pytest.raises(DeviceError, match=rf"{relay} \(GPIO {pin}\) cannot be written"):
        gpio.off()
    until(lambda: not cabinet.status()["powered"], "one of them opens")


def test_close_leaves_both_lines_off_and_can_be_repeated(
    cabinet: CabinetProcess, folder: Path
) -> None:
    gpio = Gpio(laser(folder), simulated=True)
    gpio.write_k2(on=True)
    gpio.toggle_k1()
    until(lambda: have_closed(cabinet), "both relays close")
    gpio.close()
    until(lambda: not cabinet.status()["contacts"]["K2"], "K2 opens")
    gpio.close()
    with Gpio(laser(folder), simulated=True) as again:
        assert again.read().levels


# -- lgpio -------------------------------------------------------------------------------------


@pytest.mark.skipif(LGPIO_IS_HERE, reason="lgpio is installed")
def test_without_lgpio_it_says_what_to_install(folder: Path) -> None:
    with pytest.raises(DeviceError, match=r'pip install "fabctl\[pi\]"'):
        Gpio(laser(folder, factory="lgpio"), simulated=False)


@pytest.mark.skipif(not LGPIO_IS_HERE, reason="lgpio (the extra `pi`) is not installed")
@pytest.mark.skipif(Path("/dev/gpiochip0").exists(), reason="this computer has a GPIO chip")
def test_without_a_chip_it_names_the_chip_and_stays_where_it_was(folder: Path) -> None:
    here = Path.cwd()
    with pytest.raises(DeviceError, match=r"/dev/gpiochip0 cannot be opened.*group gpio"):
        Gpio(laser(folder, factory="lgpio"), simulated=False)
    assert Path.cwd() == here
    assert os.environ["LG_WD"] == str(folder)


def test_no_other_factory_is_tried_in_lgpios_place(cabinet: CabinetProcess, folder: Path) -> None:
    with pytest.raises(DeviceError):
        Gpio(laser(folder, factory="lgpio"), simulated=True)
    assert gpiozero.Device.pin_factory is None
    assert cabinet.status()["lines"] == {"k1_pulses": False, "k2": False}
