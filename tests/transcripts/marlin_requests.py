"""Conversations about stop, pause and resume.

"queue.cpp", "language.h", "gcode.cpp", "host_actions.cpp" and "MarlinCore.cpp" are files of
Marlin 2.0.9; "M…" and "G…" are pages of marlinfw.org/docs/gcode.
"""

from __future__ import annotations

from fabctl.ports import Outcome, Phase, PhaseChanged
from tests.transcripts.marlin_stage import (
    HEATERS_OFF,
    STOPPED,
    TEMPERATURES,
    Do,
    Scene,
    Talk,
)

STOPS = [
    Scene(
        "stop: no more lines of the job, heaters and fan off, confirmed",
        "M104, M140, M107",
        [("N1 G28", ""), Do("stop"), ("", "ok"), *HEATERS_OFF],
        ends=STOPPED | {"line": 1, "commands_done": 1},
        phase=Phase.IDLE,
    ),
    Scene(
        "stop with EMERGENCY_PARSER: the moves that wait in the planner are not run",
        "feature/e_parser.h, M410; streaming checklist: out of band only with EMERGENCY_PARSER",
        [("N1 G28", ""), Do("stop"), ("M410", "ok\nok"), *HEATERS_OFF],
        capabilities=("AUTOREPORT_TEMP", "EMERGENCY_PARSER"),
        ends=STOPPED,
        phase=Phase.IDLE,
    ),
    Scene(
        "stop while it heats: M108 beside the numbers ends the wait, its ok is its own",
        "M108; queue.cpp: acted on as soon as it is read, if the line begins with M",
        [
            ("N1 M109 S200", "T:20.0 /200.0 @:127 W:?"),
            Do("stop"),
            ("M108", "ok\nok"),
            *HEATERS_OFF,
        ],
        job=("M109 S200", "G28"),
        ends=STOPPED | {"commands_done": 1},
        phase=Phase.IDLE,
    ),
    Scene(
        "stop during a resend: the heaters' lines come after it, numbered",
        "a damaged cable",
        [
            ("N1 G28", "Resend: {1}\nok"),
            Do("stop"),
            0.03,
            ("N1 G28", "ok"),
            *HEATERS_OFF,
        ],
        ends=STOPPED,
        phase=Phase.IDLE,
    ),
    Scene(
        "every nozzle that reported itself is turned off, and the chamber",
        "M104 T<tool>, M141",
        [
            ("N1 G28", "T:20.0 /0.0 T0:20.0 /0.0 T1:20.0 /0.0 B:20.0 /0.0 C:20.0 /0.0 @:0"),
            Do("stop"),
            ("", "ok"),
            ("N2 M104 S0", "ok"),
            ("N3 M104 T1 S0", "ok"),
            ("N4 M140 S0", "ok"),
            ("N5 M141 S0", "ok"),
            ("N6 M107", "ok"),
            ("N7 M105", TEMPERATURES),
        ],
        ends=STOPPED,
        phase=Phase.IDLE,
    ),
    Scene(
        "cancelled at the machine",
        "host_actions.cpp, 'cancel'",
        [("N1 G28", "//action:cancel\nok"), *HEATERS_OFF],
        ends=STOPPED | {"reason": "cancelled at the machine"},
        phase=Phase.IDLE,
    ),
]

WARM_JOB = ("G28", "M82", "G1 X10 Y20 Z0.3 E5.12345 F1800", "M106 S128", "G1 X11 E5.2", "G1 X12")
ASIDE: Talk = [
    ("N6 M400", "ok"),
    ("N7 M114", "X:11.00 Y:20.00 Z:0.30 E:5.20 Count X:880 Y:1600 Z:120\nok"),
    ("N8 M114", "X:11.00 Y:20.00 Z:0.30 E:5.20 Count X:880 Y:1600 Z:120\nok"),
    ("N9 M83", "ok"),
    ("N10 G1 E-2 F1800", "ok"),
    ("N11 G91", "ok"),
    ("N12 G1 Z5 F600", "ok"),
    ("N13 G90", "ok"),
    ("N14 M400", "ok"),
]

PAUSES = [
    Scene(
        "pause: the moves end, the place is asked for, the tool lifts; resume brings all back",
        "M400, M114, G92, M82, M83; users' complaint: pause that forgets relative mode",
        [
            ("N1 G28", " T:210.0 /210.0 B:60.0 /60.0 @:0 B@:0\nok"),
            ("N2 M82", "ok"),
            ("N3 G1 X10 Y20 Z0.3 E5.12345 F1800", "ok"),
            ("N4 M106 S128", "ok"),
            ("N5 G1 X11 E5.2", ""),
            Do("pause"),
            ("", "ok"),
            *ASIDE,
            Do("resume"),
            ("N15 G90", "ok"),
            ("N16 G1 X11 Y20 F6000", "ok"),
            ("N17 G1 Z0.3 F600", "ok"),
            ("N18 M83", "ok"),
            ("N19 G1 E2 F1800", "ok"),
            ("N20 G92 E5.2", "ok"),
            ("N21 G90", "ok"),
            ("N22 M82", "ok"),
            ("N23 G1 F1800", "ok"),
            ("N24 M106 S128", "ok"),
            ("N25 G1 X12", "ok"),
            ("N26 M400", "ok"),
            ("N27 M105", TEMPERATURES),
        ],
        job=WARM_JOB,
        ends={"outcome": Outcome.FINISHED, "commands_done": 6},
        phase=Phase.IDLE,
    ),
    Scene(
        "pause before the machine is homed: nothing moves",
        "G28: before it the firmware does not know where it is",
        [
            ("N1 M104 S0", ""),
            Do("pause"),
            ("", "ok"),
            ("N2 M400", "ok"),
            ("N3 M114", "X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0\nok"),
            ("N4 M114", "X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0\nok"),
        ],
        job=("M104 S0", "G28"),
        phase=Phase.PAUSED,
    ),
    Scene(
        "stop while paused",
        "M104, M140, M107",
        [
            ("N1 M104 S0", ""),
            Do("pause"),
            ("", "ok"),
            ("N2 M400", "ok"),
            ("N3 M114", "X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0\nok"),
            ("N4 M114", "X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0\nok"),
            Do("stop"),
            ("N5 M104 S0", "ok"),
            ("N6 M140 S0", "ok"),
            ("N7 M107", "ok"),
            ("N8 M105", TEMPERATURES),
        ],
        job=("M104 S0", "G28"),
        ends=STOPPED,
        phase=Phase.IDLE,
    ),
    Scene(
        "an answer to M114 has no checksum: only two that agree are believed",
        "gcode/host/M114.cpp: plain text",
        [
            ("N1 M104 S0", ""),
            Do("pause"),
            ("", "ok"),
            ("N2 M400", "ok"),
            ("N3 M114", "X:0.00 Y:0.00 Z:2.00 E:0.00 Count X:0 Y:0 Z:800\nok"),
            ("N4 M114", "X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:800\nok"),
            ("N5 M114", "X:0.00 Y:0.00 Z:2.00 E:0.00 Count X:0 Y:0 Z:800\nok"),
            ("N6 M114", "X:0.00 Y:0.00 Z:2.00 E:0.00 Count X:0 Y:0 Z:800\nok"),
        ],
        job=("M104 S0", "G28"),
        phase=Phase.PAUSED,
    ),
    Scene(
        "the printer's screen asks for a start or a shutdown: told, and not done",
        "host_actions.cpp, 'start', 'shutdown'",
        [
            ("N1 G28", "//action:start\n//action:shutdown\nok"),
            ("N2 G1 X1 Y1 E1 F1800", ""),
        ],
        events=(
            PhaseChanged(
                Phase.RUNNING,
                None,
                "the printer's own screen asked for a start; a job is started here, by a person",
            ),
            PhaseChanged(
                Phase.RUNNING,
                None,
                "the printer's own screen asked this computer to shut down; it stays on",
            ),
        ),
    ),
    Scene(
        "the firmware asks us to pause: we do it all",
        "host_actions.cpp, 'pause'",
        [
            ("N1 G28", "//action:pause\nok"),
            ("N2 M400", "ok"),
            ("N3 M114", ""),
        ],
        phase=Phase.PAUSING,
    ),
    Scene(
        "the firmware paused by itself and went on by itself: we only wait",
        "host_actions.cpp, 'paused', 'resumed'",
        [
            ("N1 G28", "//action:paused\nok"),
            10.0,
            ("N2 M105", TEMPERATURES),
            ("", "//action:resumed"),
            ("N3 G1 X1 Y1 E1 F1800", ""),
        ],
    ),
    Scene(
        "a heater that somebody turned off during the pause is waited for",
        "M109; streaming checklist: keep temperatures",
        [
            ("N1 M104 S210", ""),
            Do("pause"),
            ("", "ok"),
            ("N2 M400", "ok"),
            ("N3 M114", "X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0\nok"),
            ("N4 M114", "X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0\nok"),
            ("", " T:150.0 /0.0 B:60.0 /60.0 @:0 B@:0\n T:148.0 /0.0 B:60.0 /60.0 @:0 B@:0"),
            Do("resume"),
            ("N5 M109 S210", "ok"),
            ("N6 G90", "ok"),
            ("N7 M82", "ok"),
            ("N8 G28", ""),
        ],
        job=("M104 S210", "G28"),
    ),
]
