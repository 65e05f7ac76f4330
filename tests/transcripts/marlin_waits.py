"""Conversations about silence, patience and people.

"queue.cpp", "language.h", "gcode.cpp", "host_actions.cpp" and "MarlinCore.cpp" are files of
Marlin 2.0.9; "M…" and "G…" are pages of marlinfw.org/docs/gcode.
"""

from __future__ import annotations

from fabctl.ports import Outcome, Phase, Trouble, WaitingForPerson
from tests.transcripts.marlin_stage import FINISHED, HAIL, SHOUTED, TEMPERATURES, Scene, again

WAITING = [
    Scene(
        "busy is no ok, and it makes patience: three silent seconds are the limit, not thirty",
        "M113; gcode.cpp, host_keepalive",
        [
            ("N1 G28", "ok"),
            ("N2 G1 X1 Y1 E1 F1800", "echo:busy: processing"),
            0.25,
            ("¶", ""),
            1.75,
            ("", "echo:busy: processing"),
            3.0,
            ("¶\nN3 M105", ""),
        ],
    ),
    Scene(
        "a firmware that never says busy has thirty seconds, then gets a bare newline",
        "queue.cpp, process_line_done: an empty line draws no answer",
        [
            ("N1 G28", "ok"),
            ("N2 G1 X1 Y1 E1 F1800", ""),
            30.0,
            ("¶", "ok"),
            ("N3 G1 X2 Y2 E2", ""),
        ],
        capabilities=("AUTOREPORT_TEMP",),
        keepalive=False,
    ),
    Scene(
        "a lost ok is found by a new line: the firmware takes it, so it had the one before",
        "users' complaint: a missing ok that stops everything without a word",
        [
            ("N1 G28", "ok"),
            ("N2 G1 X1 Y1 E1 F1800", ""),
            0.25,
            ("¶", ""),
            2.75,
            ("¶\nN3 M105", TEMPERATURES),
            ("N4 G1 X2 Y2 E2", "ok"),
            ("N5 G1 X3 Y3 E3", "ok"),
            ("N6 M400", "ok"),
            ("N7 M105", TEMPERATURES),
        ],
        ends=FINISHED,
        phase=Phase.IDLE,
    ),
    Scene(
        "a lost line is found by a new one: the firmware asks for the one before",
        "queue.cpp, get_serial_commands",
        [
            ("N1 G28", "ok"),
            ("N2 G1 X1 Y1 E1 F1800", ""),
            0.25,
            ("¶", ""),
            2.75,
            ("¶\nN3 M105", "Resend: {2}\nok"),
            0.5,  # the line that was lost may yet be late
            ("¶\nN2 G1 X1 Y1 E1 F1800", "ok"),
            ("N3 M105", TEMPERATURES),
            ("N4 G1 X2 Y2 E2", ""),
        ],
    ),
    Scene(
        "temperatures that come by themselves do not hide a lost ok",
        "M155",
        [
            ("N1 G28", "ok"),
            ("N2 G1 X1 Y1 E1 F1800", " T:20.0 /0.0 B:20.0 /0.0 @:0 B@:0"),
            0.25,
            ("¶", " T:20.0 /0.0 B:20.0 /0.0 @:0 B@:0"),
            2.0,
            ("", " T:20.0 /0.0 B:20.0 /0.0 @:0 B@:0"),
            0.75,
            ("¶\nN3 M105", ""),
        ],
    ),
    Scene(
        "something short and strange may be a damaged ok: we ask soon",
        "a damaged cable",
        [
            ("N1 G28", "ok"),
            ("N2 G1 X1 Y1 E1 F1800", "k"),
            0.03,
            ("¶\nN3 M105", TEMPERATURES),
            ("N4 G1 X2 Y2 E2", ""),
        ],
    ),
    Scene(
        "five silences in a row: nobody is there",
        "streaming checklist: five in a row while printing = dead",
        [
            ("N1 G28", "ok"),
            ("N2 G1 X1 Y1 E1 F1800", ""),
            30.0,
            ("¶", ""),
            30.0,
            ("¶\nN3 M105", ""),
            30.0,
            ("¶\nN4 M105", ""),
            30.0,
            ("¶\nN5 M105", ""),
            30.0,
            (SHOUTED, ""),
            0.5,
            (HAIL, ""),
        ],
        keepalive=False,
        ends={
            "outcome": Outcome.FAILED,
            "trouble": Trouble.NO_ANSWER,
            "reason": "5 times 30 s without an answer, to: G1 X1 Y1 E1 F1800",
        },
        phase=Phase.BROKEN,
    ),
    Scene(
        "wait during a job means that a line or an ok was lost",
        "queue.cpp, NO_TIMEOUTS: said when the queue was empty for a second",
        [
            ("N1 G28", "ok"),
            ("N2 G1 X1 Y1 E1 F1800", ""),
            1.0,
            ("", "wait"),
            ("¶", "ok"),
            ("N3 G1 X2 Y2 E2", "wait"),
        ],
        keepalive=False,
    ),
    Scene(
        "a long command is not hurried where nobody says busy",
        "streaming checklist: long runners; G29",
        [("N1 G29", ""), 290.0, ("", "ok"), ("N2 M400", "ok"), ("N3 M105", TEMPERATURES)],
        job=("G29",),
        keepalive=False,
        ends={"outcome": Outcome.FINISHED},
        phase=Phase.IDLE,
    ),
    Scene(
        "a dwell has its own time on top",
        "G4: P milliseconds, S seconds",
        [("N1 G4 S400", ""), 690.0, ("", "ok"), ("N2 M400", "")],
        job=("G4 S400",),
        keepalive=False,
    ),
    Scene(
        "while it heats, its temperatures are signs of life",
        "M109: temperatures every second, W: the seconds that are left; no busy meanwhile",
        [
            ("N1 M109 S200", "T:20.0 /200.0 B:20.0 /0.0 @:127 B@:0 W:?"),
            0.25,
            ("¶", ""),
            *again(40, 2.0, ("", "T:150.0 /200.0 @:127 W:?")),
            ("", "ok"),
            ("N2 M400", ""),
        ],
        job=("M109 S200",),
    ),
    Scene(
        "M0 waits for a person: it is shown, with its own words, and never times out",
        "M0: waits for the user; gcode.cpp, KEEPALIVE_STATE(PAUSED_FOR_USER)",
        [
            ("N1 M0 Turn the part", "echo:busy: paused for user"),
            0.25,
            ("¶", ""),
            4000.0,
            ("", "ok"),
            ("N2 M400", ""),
        ],
        job=("M0 Turn the part",),
        events=(WaitingForPerson("Turn the part"),),
    ),
    Scene(
        "M600 without keep-alive is shown after a second, with what the display shows",
        "M600; M117",
        [
            ("N1 M117 Blue filament please", "ok"),
            ("N2 M600", ""),
            3600.0,
            ("", "ok"),
            ("N3 M400", ""),
        ],
        job=("M117 Blue filament please", "M600"),
        keepalive=False,
        events=(WaitingForPerson("Blue filament please"),),
    ),
    Scene(
        "a host prompt is shown",
        "host_actions.cpp, prompt_begin and prompt_show",
        [
            ("N1 G28", "//action:prompt_begin Nozzle Parked"),
            ("", "//action:prompt_button Continue\n//action:prompt_show\nok"),
            ("N2 G1 X1 Y1 E1 F1800", ""),
        ],
        events=(WaitingForPerson("Nozzle Parked"),),
    ),
]
