"""Conversations about numbered lines, resends and windows.

"queue.cpp", "language.h", "gcode.cpp", "host_actions.cpp" and "MarlinCore.cpp" are files of
Marlin 2.0.9; "M…" and "G…" are pages of marlinfw.org/docs/gcode.
"""

from __future__ import annotations

from fabctl.ports import Outcome, Phase, Trouble
from tests.transcripts.marlin_stage import (
    FINISHED,
    HAIL,
    HEATERS_OFF,
    SHOUTED,
    TEMPERATURES,
    Scene,
    Talk,
    again,
)

TO_THE_END: Talk = [
    ("N1 G28", "ok"),
    ("N2 G1 X1 Y1 E1 F1800", "ok"),
    ("N3 G1 X2 Y2 E2", "ok"),
    ("N4 G1 X3 Y3 E3", "ok"),
    ("N5 M400", "ok"),
    ("N6 M105", TEMPERATURES),
]

NUMBERS = [
    Scene(
        "lines are numbered one by one, the end is confirmed by M400",
        "RepRap wiki, G-code, 'N: Line number'; M400",
        TO_THE_END,
        ends=FINISHED | {"resends": 0, "line": 4},
        phase=Phase.IDLE,
    ),
    Scene(
        "comments, blanks, numbers and checksums of the file are not sent, its lines are counted",
        "queue.cpp, MAX_CMD_SIZE: what is not sent cannot be cut",
        [("N1 G28", "ok"), ("N2 G1 X1", "ok"), ("N3 M400", "ok"), ("N4 M105", TEMPERATURES)],
        job=("; a file", "", "N7 G28*97", " G1 X1 ; right", "; end"),
        ends={"outcome": Outcome.FINISHED, "line": 4, "commands_done": 2},
        phase=Phase.IDLE,
    ),
    Scene(
        "the file's own M110 does not upset our numbers",
        "M110; queue.cpp, get_serial_commands: the second N of an M110 becomes the last number",
        [
            ("N1 G28", "ok"),
            ("N2 M110", "ok"),
            ("N3 G1 X1", "ok"),
            ("N4 M400", "ok"),
            ("N5 M105", TEMPERATURES),
        ],
        job=("G28", "M110 N77", "G1 X1"),
        ends={"outcome": Outcome.FINISHED, "commands_done": 3},
        phase=Phase.IDLE,
    ),
    Scene(
        "a line that the firmware would cut ends the job, with its number, heaters off",
        "queue.cpp, process_stream_char: the rest of a long line is dropped in silence",
        [
            ("N1 G28", "ok"),
            *HEATERS_OFF,
        ],
        job=("G28", "M117 " + "x" * 90),
        ends={"outcome": Outcome.FAILED, "trouble": Trouble.FILE_UNREADABLE, "line": 1},
        phase=Phase.IDLE,
    ),
]

RESENDS = [
    Scene(
        "the ok after a Resend acknowledges nothing",
        "queue.cpp, flush_and_request_resend",
        [
            ("N1 G28", "ok"),
            ("N2 G1 X1 Y1 E1 F1800", "Error:checksum mismatch, Last Line: {1}\nResend: {2}\nok"),
            ("N2 G1 X1 Y1 E1 F1800", "ok"),
            ("N3 G1 X2 Y2 E2", ""),
        ],
    ),
    Scene(
        "a firmware that leaves that ok out is repeated to just the same",
        "queue.cpp of 2.0.8: flush_and_request_resend without it",
        [
            ("N1 G28", "ok"),
            ("N2 G1 X1 Y1 E1 F1800", "Error:checksum mismatch, Last Line: {1}\nResend: {2}"),
            0.5,
            ("¶\nN2 G1 X1 Y1 E1 F1800", "Error:checksum mismatch, Last Line: {1}\nResend: {2}"),
            0.5,
            ("¶\nN2 G1 X1 Y1 E1 F1800", "Error:checksum mismatch, Last Line: {1}\nResend: {2}"),
            ("N2 G1 X1 Y1 E1 F1800", "ok"),  # from now on nobody waits for that ok
            ("N3 G1 X2 Y2 E2", ""),
        ],
    ),
    Scene(
        "with 1.x that ok looks like an ADVANCED_OK",
        "Marlin 1.1 queue: flush_and_request_resend calls ok_to_send",
        [
            ("N1 G28", "ok N{1} P15 B3"),
            ("N2 G1 X1 Y1 E1 F1800", "Resend: {2}\nok N{1} P15 B3"),
            ("N2 G1 X1 Y1 E1 F1800", "ok N{2} P15 B3"),
            ("N3 G1 X2 Y2 E2", ""),
        ],
    ),
    *(
        Scene(
            f"a Resend may be written {words!r}",
            "RepRap wiki, G-code, 'Replies from the RepRap machine'; forks",
            [
                ("N1 G28", "ok"),
                ("N2 G1 X1 Y1 E1 F1800", f"{words}\nok"),
                0.03,
                ("N2 G1 X1 Y1 E1 F1800", ""),
            ],
        )
        for words in ("rs {2}", "rs N{2} Expected checksum 55", "Resend:{2}", "Resend: N:{2}")
    ),
    Scene(
        "an error that names the last good line is enough: 1.x sends no Resend with this one",
        "language.h, STR_ERR_NO_LINENUMBER_WITH_CHECKSUM (Marlin 1.1)",
        [
            ("N1 G28", "ok"),
            ("N2 G1 X1 Y1 E1 F1800", "Error:No Line Number with checksum, Last Line: {1}"),
            0.5,
            ("¶\nN2 G1 X1 Y1 E1 F1800", ""),
        ],
    ),
    Scene(
        "a Resend of a line long confirmed is a damaged number: nothing old is said again",
        "queue.cpp: at most BUFSIZE lines and the receive buffer are on their way",
        [
            ("N1 G28", "ok"),
            *[(f"N{n} G1 X{n - 1}", "ok") for n in range(2, 22)],
            ("N22 G1 X21", "Error:checksum mismatch, Last Line: {21}\nResend: {2}\nok"),
            ("N22 G1 X21", "ok"),
            ("N23 G1 X22", ""),
        ],
        job=("G28", *[f"G1 X{n}" for n in range(1, 30)]),
    ),
    Scene(
        "a controller that asks for line 1 and stays with it began anew: nothing is replayed",
        "users' complaint: printing on after a reset; queue.cpp: last_N is 0 after a reset",
        [
            ("N1 G28", "ok"),
            *[(f"N{n} G1 X{n - 1}", "ok") for n in range(2, 32)],
            *[
                (
                    "N32 G1 X31",
                    "Error:Line Number is not Last Line Number+1, Last Line: 0\nResend: 1\nok",
                )
                for _ in range(3)
            ],
        ],
        job=("G28", *[f"G1 X{n}" for n in range(1, 60)]),
        ends={"outcome": Outcome.FAILED, "trouble": Trouble.CONTROLLER_RESET},
        phase=Phase.BROKEN,
    ),
    Scene(
        "the same Resend again, before we repeated, is the same wish",
        "queue.cpp: every line already on the wire draws one",
        [
            ("N1 G28", "ok"),
            ("N2 G1 X1 Y1 E1 F1800", "Resend: {2}\nok\nResend: {2}\nok\nResend: {2}\nok"),
            ("N2 G1 X1 Y1 E1 F1800", "ok"),
            ("N3 G1 X2 Y2 E2", ""),
        ],
    ),
    Scene(
        "a line whose N was damaged is no command, and its ok confirms nothing: we ask, it runs",
        "queue.cpp, get_serial_commands: a line without N is not checked",
        [
            ("N1 G28", "ok"),
            ("N2 G1 X1 Y1 E1 F1800", 'echo:Unknown command: "2 G1 X1"\nok'),
            0.03,
            (
                "¶\nN3 M105",
                "Error:Line Number is not Last Line Number+1, Last Line: {1}\nResend: {2}\nok",
            ),
            ("N2 G1 X1 Y1 E1 F1800", "ok"),
            ("N3 M105", TEMPERATURES),
            ("N4 G1 X2 Y2 E2", "ok"),
            ("N5 G1 X3 Y3 E3", "ok"),
            ("N6 M400", "ok"),
            ("N7 M105", TEMPERATURES),
        ],
        ends=FINISHED | {"resends": 2},
        phase=Phase.IDLE,
    ),
    Scene(
        "a Resend whose number makes no sense is taken for the line in flight",
        "a damaged cable; the firmware will say it again",
        [
            ("N1 G28", "ok"),
            ("N2 G1 X1 Y1 E1 F1800", "Resend: 99999\nok"),
            ("N2 G1 X1 Y1 E1 F1800", "ok"),
            ("N3 G1 X2 Y2 E2", ""),
        ],
    ),
    Scene(
        "ten repeats of one line, then the job fails and the line is shown",
        "users' complaint: resends that never end",
        [
            ("N1 G28", "ok"),
            ("N2 G1 X1 Y1 E1 F1800", "Resend: {2}\nok"),
            *again(10, 0.03, ("N2 G1 X1 Y1 E1 F1800", "Resend: {2}\nok")),
            0.03,
            (SHOUTED, ""),
            0.5,
            (HAIL, ""),
        ],
        ends={
            "outcome": Outcome.FAILED,
            "trouble": Trouble.TOO_MANY_RESENDS,
            "line": 1,
            "resends": 10,
            "reason": "the firmware could not read this line 11 times: G1 X1 Y1 E1 F1800",
        },
        phase=Phase.BROKEN,
    ),
    Scene(
        "no M105 in the middle of a resend, though one is due",
        "users' complaint: M105 sent in the middle of a resend",
        [
            ("N1 G28", ""),
            6.0,
            ("", "Resend: {1}\nok"),
            ("N1 G28", "ok"),
            ("N2 M105", TEMPERATURES),
            ("N3 G1 X1 Y1 E1 F1800", ""),
        ],
        capabilities=(),
        keepalive=False,
    ),
]

WINDOW_JOB = tuple(f"G1 X{x} Y1" for x in range(1, 9))
WINDOWS = [
    Scene(
        "a window opens with the first ok that proves it, and only acks with numbers count",
        "Configuration_adv.h, ADVANCED_OK; queue.cpp, ok_to_send",
        [
            ("N1 G1 X1 Y1", "ok N{1} P15 B3"),
            (
                "N2 G1 X2 Y1\nN3 G1 X3 Y1\nN4 G1 X4 Y1\nN5 G1 X5 Y1",
                'echo:Unknown command: "2"\nok P15 B0',
            ),
            ("", "ok N{3} P14 B1"),
            ("N6 G1 X6 Y1\nN7 G1 X7 Y1", "ok N{7} P15 B3"),
            ("N8 G1 X8 Y1", "ok N{8} P15 B3"),
            ("N9 M400\nN10 M105", f"ok N{{9}} P15 B3\n{TEMPERATURES}"),
        ],
        job=WINDOW_JOB,
        window_bytes=120,
        ends={"outcome": Outcome.FINISHED, "commands_done": 8, "resends": 0},
        phase=Phase.IDLE,
    ),
    Scene(
        "go-back-N: after a Resend all from there on is said again, once, one at a time",
        "queue.cpp: the receive buffer is emptied",
        [
            ("N1 G1 X1 Y1", "ok N{1} P15 B3"),
            ("N2 G1 X2 Y1\nN3 G1 X3 Y1\nN4 G1 X4 Y1\nN5 G1 X5 Y1", "ok N{2} P15 B0"),
            ("N6 G1 X6 Y1", "Resend: {3}\nok\nResend: {3}\nok\nResend: {3}\nok"),
            0.04,
            ("¶\nN3 G1 X3 Y1", "ok N{3} P15 B3"),
            ("N4 G1 X4 Y1", "ok N{4} P15 B3"),
            ("N5 G1 X5 Y1", "ok N{5} P15 B3"),
            ("N6 G1 X6 Y1", "ok N{6} P15 B3"),
            ("N7 G1 X7 Y1", "ok N{7} P15 B3"),
            ("N8 G1 X8 Y1", "ok N{8} P15 B3"),
            ("N9 M400", "ok N{9} P15 B3"),
            ("N10 M105", TEMPERATURES),
        ],
        job=WINDOW_JOB,
        window_bytes=120,
        ends={"outcome": Outcome.FINISHED, "commands_done": 8, "resends": 4},
        phase=Phase.IDLE,
    ),
    Scene(
        "a piece of a line that ran as a command fails the job",
        "queue.cpp: the receive buffer is emptied in the midst of a line; the rest has no number",
        [
            ("N1 G1 X1 Y1", "ok N{1} P15 B3"),
            (
                "N2 G1 X2 Y1\nN3 G1 X3 Y1\nN4 G1 X4 Y1\nN5 G1 X5 Y1",
                "Error:checksum mismatch, Last Line: {1}\nResend: {2}\nok\nok P14 B3",
            ),
            (SHOUTED, ""),
        ],
        job=WINDOW_JOB,
        window_bytes=120,
        ends={"outcome": Outcome.FAILED, "trouble": Trouble.PROTOCOL, "line": 1},
        phase=Phase.BROKEN,
    ),
    Scene(
        "the ok of a piece is known with two bytes of it lost, and the next line joined to it",
        "queue.cpp, ok_to_send: the ok of a command without a number has P and B, and no N",
        [
            ("N1 G1 X1 Y1", "ok N{1} P15 B3"),
            (
                "N2 G1 X2 Y1\nN3 G1 X3 Y1\nN4 G1 X4 Y1\nN5 G1 X5 Y1",
                "Resend: {2}\nok\nok 15 B3EError:checksum mismatch, Last Line: {1}\nok",
            ),
            (SHOUTED, ""),
        ],
        job=WINDOW_JOB,
        window_bytes=120,
        ends={"outcome": Outcome.FAILED, "trouble": Trouble.PROTOCOL, "line": 1},
        phase=Phase.BROKEN,
    ),
    Scene(
        "an unknown command of the job's own excuses no piece",
        "parser.cpp, unknown_command_warning; M73 without a display draws it",
        [
            ("N1 M73 P0", 'echo:Unknown command: "M73 P0"\nok N{1} P15 B3'),
            (
                "N2 G1 X2 Y1\nN3 G1 X3 Y1\nN4 G1 X4 Y1\nN5 G1 X5 Y1",
                "Error:checksum mismatch, Last Line: {1}\nResend: {2}\nok\nok P14 B3",
            ),
            (SHOUTED, ""),
        ],
        job=("M73 P0", *WINDOW_JOB[1:]),
        window_bytes=120,
        ends={"outcome": Outcome.FAILED, "trouble": Trouble.PROTOCOL, "line": 1},
        phase=Phase.BROKEN,
    ),
    Scene(
        "without ADVANCED_OK a window never opens, whatever was asked for",
        "streaming checklist: send-ahead without it is known to break",
        [("N1 G1 X1 Y1", "ok"), ("N2 G1 X2 Y1", "ok"), ("N3 G1 X3 Y1", "")],
        job=WINDOW_JOB,
        window_bytes=120,
    ),
    Scene(
        "with ADVANCED_OK but no window asked for, one line is in flight",
        "streaming checklist: the default is one line in flight",
        [("N1 G1 X1 Y1", "ok N{1} P15 B3"), ("N2 G1 X2 Y1", "ok N{2} P15 B3"), ("N3 G1 X3 Y1", "")],
        job=WINDOW_JOB,
    ),
]
