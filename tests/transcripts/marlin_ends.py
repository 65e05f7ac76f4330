"""Conversations about the first words, and about ends that nobody wished for.

"queue.cpp", "language.h", "gcode.cpp", "host_actions.cpp" and "MarlinCore.cpp" are files of
Marlin 2.0.9; "M…" and "G…" are pages of marlinfw.org/docs/gcode.
"""

from __future__ import annotations

from fabctl.ports import Outcome, Phase, Trouble
from tests.transcripts.marlin_stage import HAIL, HAILED, SHOUTED, TEMPERATURES, Scene, again

CONNECTING = [
    Scene(
        "a board that does not reset on opening: heaters off after half a second of silence",
        "streaming checklist: heaters off is the first thing said",
        [
            0.5,
            (HAIL, f"{HAILED}Cap:AUTOREPORT_TEMP:0\nok"),
            ("N0 M110 N0", "ok"),
            ("N1 M104 S0", "ok"),
            ("N2 M140 S0", "ok"),
            ("N3 M107", "ok"),
            ("N4 M113", "ok"),
            ("N5 M105", TEMPERATURES),
        ],
        job=None,
        phase=Phase.IDLE,
    ),
    Scene(
        "a board that resets on opening hears nothing at first: all is said again after start",
        "Arduino boards reset by DTR; MarlinCore.cpp, setup()",
        [
            0.5,
            (HAIL, ""),
            1.0,
            ("", "start\necho:Marlin 2.0.9.5\necho:SD init fail"),
            0.5,
            (HAIL, f"{HAILED}ok"),
            ("N0 M110 N0", ""),
        ],
        job=None,
        phase=Phase.CONNECTING,
    ),
    Scene(
        "an ok that belongs to what somebody said before is not taken for ours",
        "M115: its answer comes before its ok",
        [
            0.5,
            (HAIL, f"ok\nok\n{HAILED}"),
            2.0,
            ("", "ok"),
            ("N0 M110 N0", ""),
        ],
        job=None,
        phase=Phase.CONNECTING,
    ),
    Scene(
        "a firmware without a name is talked to after a second without a word",
        "a minimal firmware that only says ok",
        [0.5, (HAIL, "ok\nok\nok\nok\nok"), 1.0, ("N0 M110 N0", "")],
        job=None,
        phase=Phase.CONNECTING,
    ),
    Scene(
        "a damaged M110 is said again, whatever number the firmware asks for",
        "queue.cpp, get_serial_commands; M110",
        [
            0.5,
            (HAIL, f"{HAILED}ok"),
            ("N0 M110 N0", "Error:checksum mismatch, Last Line: 77\nResend: 78\nok"),
            ("N0 M110 N0", "ok"),
            ("N1 M104 S0", ""),
        ],
        job=None,
        phase=Phase.CONNECTING,
    ),
    Scene(
        "nothing is numbered before the ok to M110: it is obeyed when read, and when run",
        "host/M110.cpp",
        [0.5, (HAIL, f"{HAILED}ok"), ("N0 M110 N0", ""), 2.0],
        job=None,
        phase=Phase.CONNECTING,
    ),
    Scene(
        "nobody answers: said four times in twenty seconds, then the port is given up",
        "streaming checklist: no answer",
        [
            0.5,
            (HAIL, ""),
            5.0,
            (HAIL, ""),
            5.0,
            (HAIL, ""),
            5.0,
            (HAIL, ""),
            4.5,
        ],
        job=None,
        phase=Phase.CLOSED,
    ),
    Scene(
        "a firmware that still heats for somebody else is waited for",
        "M109",
        [
            0.5,
            (HAIL, ""),
            *again(60, 1.0, ("", "T:150.0 /200.0 @:127 W:?")),
            ("", f"{HAILED}ok"),
            ("N0 M110 N0", ""),
        ],
        job=None,
        phase=Phase.CONNECTING,
    ),
]

ENDS = [
    *(
        Scene(
            f"the controller says {words!r} during a job: it was reset, nothing is replayed",
            "MarlinCore.cpp, setup()",
            [
                ("N1 G28", "ok"),
                ("N2 G1 X1 Y1 E1 F1800", f"{words}\necho:Marlin 2.0.9.5\necho:SD init fail"),
                0.5,
                (HAIL, ""),
            ],
            ends={
                "outcome": Outcome.FAILED,
                "trouble": Trouble.CONTROLLER_RESET,
                "line": 1,
                "commands_done": 1,
            },
            phase=Phase.BROKEN,
        )
        for words in ("start", "\x1a~start", " External Reset")
    ),
    *(
        Scene(
            f"it gives up: {words.splitlines()[-1]}",
            "language.h, STR_KILLED, STR_T_…, STR_ERR_STOPPED; RepRap wiki ('!!', 'fatal:')",
            [("N1 G28", words), (SHOUTED, ""), 0.5, (HAIL, "")],
            ends={"outcome": Outcome.FAILED, "trouble": Trouble.FIRMWARE_HALTED, "line": 0},
            phase=Phase.BROKEN,
        )
        for words in (
            "Error:Printer halted. kill() called!",
            "Error:Thermal Runaway, system stopped! Heater_ID: 0",
            "Error:MINTEMP triggered, system stopped! Heater_ID: 0",
            "Error:MAXTEMP triggered, system stopped! Heater_ID: bed",
            "Error:Heating failed, system stopped! Heater_ID: 0",
            "Error:0\n: Extruder switched off. MAXTEMP triggered !",
            "!! Lost communication with MCU",
            "fatal: heater fault",
        )
    ),
    *(
        Scene(
            f"not fatal: {words}",
            "language.h, STR_UNKNOWN_COMMAND, STR_SD_…; RepRap wiki ('//')",
            [("N1 G28", f"{words}\nok"), ("N2 G1 X1 Y1 E1 F1800", "")],
        )
        for words in (
            'echo:Unknown command: "G28"',
            "Error:volume.init failed",
            "echo: cold extrusion prevented",
            "// a remark about kill() called",
        )
    ),
]
