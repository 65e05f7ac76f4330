"""How the imitated board is built: one table of figures with units, and its flavours."""

from __future__ import annotations

from dataclasses import dataclass, replace

Vec = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Board:
    """An Uno with Grbl 1.1h as ``config.h`` of a stock build has it.

    The four costs are not from a document: they are set so that a host sees the lines per second
    that were measured on the real firmware (``tests/unit/test_sim_grbl_speed.py``).

    :ivar rx_bytes: places of the serial receive buffer; all of them can be used.
    :ivar line_bytes: a stripped line may have one byte less (the last is the terminator).
    :ivar wire_stretch: how much longer than ten bits a byte takes, host's gaps included.
    :ivar parse_cost_s: from a line's end to its ``ok``.
    :ivar plan_cost_s: what a straight move costs on top.
    :ivar eeprom_byte_s: one changed byte; interrupts are off (ATmega328P data sheet, EEPROM
        programming time 3.3 ms); 0 where writing does not stop the receiver.
    :ivar laser_off_in_hold: ``DISABLE_LASER_DURING_HOLD``, on in a stock build.
    """

    banner: str = "Grbl 1.1h ['$' for help]"
    version: tuple[str, ...] = ("[VER:1.1h.20190825:%s]", "[OPT:V,15,128]")
    baud: int = 115_200
    rx_bytes: int = 128
    tx_bytes: int = 104
    line_bytes: int = 80
    planner_blocks: int = 16
    mist: bool = False
    laser_off_in_hold: bool = True

    boot_s: float = 1.0
    alarm_pause_s: float = 0.5
    spindle_restore_s: float = 4.0
    coolant_restore_s: float = 1.0
    homing_debounce_s: float = 0.25

    wire_stretch: float = 1.05
    parse_cost_s: float = 0.00049
    plan_cost_s: float = 0.00135
    report_cost_s: float = 0.0005
    eeprom_byte_s: float = 0.0033

    parked_mm: Vec = (-80.0, -60.0, -20.0)

    @property
    def byte_s(self) -> float:
        """Seconds for one byte to the board."""
        return 10.0 / self.baud * self.wire_stretch

    @property
    def out_byte_s(self) -> float:
        """Seconds for one byte from the board."""
        return 10.0 / self.baud


_GRBLHAL = (
    "[VER:1.1f.20240222:%s]",
    "[OPT:VNMSL,35,1024,3,0]",
    "[NEWOPT:ENUMS,RT-,HOME,TC]",
    "[FIRMWARE:grblHAL]",
)
_FLUIDNC = ("[VER:3.7 FluidNC v3.7.8:%s]", "[OPT:PHSW]")

FLAVOURS: dict[str, Board] = {
    "grbl": Board(),
    "grblhal": replace(
        Board(),
        banner="GrblHAL 1.1f ['$' or '$HELP' for help]",
        version=_GRBLHAL,
        rx_bytes=1024,
        tx_bytes=1024,
        line_bytes=257,
        planner_blocks=36,
        mist=True,
        parse_cost_s=0.00005,
        plan_cost_s=0.00005,
        eeprom_byte_s=0.0,
    ),
    "fluidnc": replace(
        Board(),
        banner="Grbl 3.7 [FluidNC v3.7.8 (wifi) '$' for help]",
        version=_FLUIDNC,
        rx_bytes=256,
        tx_bytes=1024,
        line_bytes=256,
        mist=True,
        parse_cost_s=0.00005,
        plan_cost_s=0.00005,
        eeprom_byte_s=0.0,
    ),
}
"""By name; what the two successors share with Grbl is imitated, what they added is not."""
