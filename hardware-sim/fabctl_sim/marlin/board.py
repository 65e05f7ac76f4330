"""How the imitated board is built and configured: one table of figures with units."""

from __future__ import annotations

from dataclasses import dataclass

Axes = tuple[float, float, float, float]
"""Four figures, for X, Y, Z and E."""


@dataclass(frozen=True, slots=True)
class HeaterBuild:
    """One heater as a first-order system: full power ends ``rise_c`` above the room.

    :ivar rise_c: K above the room at full power, for ever.
    :ivar tau_s: time constant in s, for warming up and for cooling down.
    :ivar window_c: within this of the target the waiting counts (``TEMP_WINDOW``).
    :ivar residency_s: how long it must stay there (``TEMP_RESIDENCY_TIME``).
    """

    rise_c: float
    tau_s: float
    window_c: float = 1.0
    residency_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Board:
    """A Mega 2560 with RAMPS and Marlin 2.0.9, as its example configuration builds it.

    The sizes are those of ``Configuration_adv.h`` (``BUFSIZE``, ``MAX_CMD_SIZE``,
    ``RX_BUFFER_SIZE``, ``BLOCK_BUFFER_SIZE``) and the speeds those of ``Configuration.h``,
    with a Z that is faster than the example's. The four costs are not from a document: they
    are set so that a host sees the lines per second measured on the real firmware, one line at
    a time and with a window of 120 bytes (see ``tests/unit/test_sim_marlin_speed.py``).

    :ivar ignore_repeats: drop a line that came a moment ago without a word, as Marlin does
        since pull request 24972 (after 2.0.9.5, which asks for the next line instead).
    """

    name: str = "Fab Lab printer"
    baud: int = 250_000
    bufsize: int = 4
    max_cmd_size: int = 96
    rx_buffer_size: int = 128
    block_buffer_size: int = 16

    advanced_ok: bool = False
    emergency_parser: bool = False
    ignore_repeats: bool = False
    autoreport_temp: bool = True
    keepalive_s: float = 2.0
    boot_s: float = 1.0

    bed_mm: tuple[float, float, float] = (250.0, 210.0, 210.0)
    parked_mm: tuple[float, float, float] = (120.0, 90.0, 30.0)
    steps_per_mm: Axes = (80.0, 80.0, 400.0, 500.0)
    max_feed_mm_per_s: Axes = (300.0, 300.0, 10.0, 50.0)
    max_accel_mm_per_s2: Axes = (3000.0, 3000.0, 100.0, 10000.0)
    print_accel_mm_per_s2: float = 3000.0
    retract_accel_mm_per_s2: float = 3000.0
    travel_accel_mm_per_s2: float = 3000.0
    junction_deviation_mm: float = 0.013
    min_segment_s: float = 0.020
    first_move_delay_s: float = 0.100
    homing_mm_per_s: tuple[float, float, float] = (50.0, 50.0, 6.0)
    homing_bump_mm: tuple[float, float, float] = (5.0, 5.0, 2.0)

    room_c: float = 21.0
    noise_c: float = 0.05
    nozzle: HeaterBuild = HeaterBuild(rise_c=320.0, tau_s=110.0)
    bed: HeaterBuild = HeaterBuild(rise_c=120.0, tau_s=400.0)
    nozzle_max_c: float = 275.0
    bed_max_c: float = 125.0
    extrude_min_c: float = 170.0
    extrude_max_mm: float = 200.0

    command_cost_s: float = 0.00045
    move_cost_s: float = 0.00240
    extrude_cost_s: float = 0.00024
    after_ok_cost_s: float = 0.00062

    @property
    def byte_s(self) -> float:
        """Seconds for one byte on the wire: start bit, eight bits, stop bit."""
        return 10.0 / self.baud
