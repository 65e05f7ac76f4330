"""Longer answers: the banner, M114, M115, M119."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fabctl_sim.marlin.board import Board
    from fabctl_sim.marlin.machine import Machine

VERSION = "2.0.9.5"
_CAPABILITIES = {
    "SERIAL_XON_XOFF": False,
    "BINARY_FILE_TRANSFER": False,
    "EEPROM": False,
    "VOLUMETRIC": True,
    "AUTOREPORT_POS": False,
    "AUTOREPORT_TEMP": True,
    "PROGRESS": False,
    "PRINT_JOB": True,
    "AUTOLEVEL": False,
    "RUNOUT": False,
    "Z_PROBE": False,
    "LEVELING_DATA": False,
    "BUILD_PERCENT": False,
    "SOFTWARE_POWER": False,
    "TOGGLE_LIGHTS": False,
    "CASE_LIGHT_BRIGHTNESS": False,
    "EMERGENCY_PARSER": False,
    "HOST_ACTION_COMMANDS": False,
    "PROMPT_SUPPORT": False,
    "SDCARD": False,
    "AUTOREPORT_SD_STATUS": False,
    "LONG_FILENAME": False,
    "THERMAL_PROTECTION": True,
    "MOTION_MODES": False,
    "ARCS": True,
    "BABYSTEPPING": False,
    "CHAMBER_TEMPERATURE": False,
    "COOLER_TEMPERATURE": False,
    "MEATPACK": False,
}
"""As M115 tells them, in its order; a board may be built otherwise."""


def banner() -> list[str]:
    """Return what a board says after a reset, in its order (``MarlinCore.cpp``, setup)."""
    return [
        "start",
        f"Marlin {VERSION}",
        "echo: Last Updated: 2022-07-29 | Author: (fabctl-sim, stand-in)",
        "echo:Compiled: Nov 23 2026",
        "echo: Free Memory: 3812  PlannerBufferBytes: 1200",
        "echo:Hardcoded Default Settings Loaded",
    ]


def position(m: Machine, *, planned: bool) -> str:
    """Return M114's line: where the queued moves end, then counts of steps.

    :param planned: the counts are the planner's (M114), else the steppers' own (after G28).
    """
    x, y, z, e = m.motion.logical()
    where = m.motion.position if planned else m.motion.planner.position_at(m.clock)
    steps = [round(mm * per) for mm, per in zip(where, m.board.steps_per_mm, strict=True)]
    return f"X:{x:.2f} Y:{y:.2f} Z:{z:.2f} E:{e:.2f} Count X:{steps[0]} Y:{steps[1]} Z:{steps[2]}"


def capabilities(board: Board) -> list[str]:
    """Return M115's lines (marlinfw.org/docs/gcode/M115.html); Cap: names as Marlin's."""
    caps = {
        **_CAPABILITIES,
        "AUTOREPORT_TEMP": board.autoreport_temp,
        "EMERGENCY_PARSER": board.emergency_parser,
    }
    first = (
        f"FIRMWARE_NAME:Marlin {VERSION} (Nov 23 2026 03:11:32)"
        " SOURCE_CODE_URL:github.com/MarlinFirmware/Marlin PROTOCOL_VERSION:1.0"
        f" MACHINE_TYPE:{board.name} EXTRUDER_COUNT:1"
        " UUID:cede2a2f-41a2-4748-9b12-c55c62f367ff"
    )
    return [first, *(f"Cap:{name}:{int(there)}" for name, there in caps.items())]


def endstops(m: Machine) -> list[str]:
    """Return M119's lines."""
    where = m.motion.carriage_at(m.clock)
    lines = [
        f"{axis}_min: {'TRIGGERED' if mm <= 0.0 else 'open'}"
        for axis, mm in zip("xyz", where, strict=True)
    ]
    return ["Reporting endstop status", *lines]
