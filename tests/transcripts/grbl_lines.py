"""Conversations about counting, errors, EEPROM writers and what a file may say.

"interface.md", "commands.md", "jogging.md" and "laser_mode.md" are documents of Grbl 1.1 in
``doc/markdown``.
"""

from __future__ import annotations

from fabctl.ports import Outcome, Phase, Trouble, WaitingForPerson
from fabctl_drivers.grbl.settings import Settings
from tests.transcripts.grbl_stage import (
    BANNER,
    FINISHED,
    LASER,
    WHO,
    Do,
    Refused,
    Scene,
    State,
    Talk,
)

LONG = tuple(f"G1X{n:026d}" for n in range(1, 8))
"""30 bytes each with the newline."""
HAL = "[VER:1.1f.20240222:]\n[OPT:VNMSL,35,1024,3,0]\n[FIRMWARE:grblHAL]\nok"
ALL = " ".join(("G21", "G1X1F500", "G1X2", "G1X3"))
END: Talk = [State("Run"), 1.0, State("Idle"), 1.0]

COUNTING = [
    Scene(
        "lines go out while they fit in 127 bytes, newline counted; each ok frees the oldest",
        "interface.md, Streaming Protocol: Character-Counting",
        [(" ".join(LONG[:4]), "ok"), (LONG[4], "ok\nok"), (" ".join(LONG[5:]), "")],
        job=LONG,
    ),
    Scene(
        "the size that $I reports is used, minus one",
        "interface.md, $I: [OPT:V,15,128] ends with the receive buffer's bytes",
        [(" ".join(LONG[:2]), "ok"), (LONG[2], "")],
        job=LONG,
        who=WHO.replace("128", "64"),
    ),
    Scene(
        "grblHAL has 1024 bytes and says so",
        "grblHAL report.c, [OPT:…] and [FIRMWARE:grblHAL]",
        [(" ".join(LONG), "")],
        job=LONG,
        who=HAL,
    ),
    Scene(
        "FluidNC says no size: 127 bytes",
        "FluidNC wiki, Protocol: [OPT:PHSW]",
        [(" ".join(LONG[:4]), "")],
        job=LONG,
        banner="Grbl 3.7 [FluidNC v3.7.8 (wifi) '$' for help]",
        who="[VER:3.7 FluidNC v3.7.8:]\n[OPT:PHSW]\nok",
    ),
    Scene(
        "messages, reports and echoes free no line",
        "interface.md, Push Messages",
        [
            (" ".join(LONG[:4]), "[MSG:Check Limits]\n<Run|MPos:0,0,0|Bf:15,128>\n>G54:ok\n$1=2"),
            ("", "ok"),
            (LONG[4], ""),
        ],
        job=LONG,
    ),
    Scene(
        "rx_bytes = 1 sends one line at a time",
        "interface.md, Streaming Protocol: Simple Send-Response",
        [("G21", "ok"), ("G1X1F500", "ok"), ("G1X2", "ok"), ("G1X3", "")],
        settings=Settings(rx_bytes=1),
    ),
    Scene(
        "the job has ended when the machine is Idle after the last ok, not before",
        "interface.md, Machine State: an ok says that a line was taken, not that it was moved",
        [(ALL, "ok\nok\nok\nok"), ("G4P0", ""), *END[:-2], ("", "ok"), *END[-2:]],
        ends=FINISHED | {"line": 4, "commands_done": 4, "bytes_sent": 28},
        phase=Phase.IDLE,
    ),
    Scene(
        "an Idle that answers an older question does not end the job",
        "commands.md, ?: the answer may be on its way when the last ok is",
        [
            (ALL, "ok\nok\nok\nok"),
            State(None),
            0.6,
            ("G4P0", "ok\n<Idle|MPos:0,0,0>"),
            State("Run"),
            0.5,
        ],
    ),
]

ERRORS = [
    Scene(
        "error: hold at once, then reset at rest; the job fails with the line and its meaning",
        "interface.md, error:20; lines that are in the buffer still run",
        [
            ("G21 G5X1 G1X2", "ok\nerror:20"),
            ("!", ""),
            State("Hold:1"),
            0.5,
            State("Hold:0"),
            0.3,
            ("^X", BANNER),
            State("Idle"),
            0.5,
        ],
        job=("G21", "G5 X1", "G1 X2"),
        ends={
            "outcome": Outcome.FAILED,
            "trouble": Trouble.LINE_REFUSED,
            "line": 1,
            "reason": "line 2 was refused (error:20, an unknown",
        },
        phase=Phase.IDLE,
        reasons=("line 2 was refused",),
    ),
    Scene(
        "an error frees its line as an ok does, and lines after it draw answers of their own",
        "interface.md, Grbl Response Messages",
        [
            ("G21 G5X1 G1X2", "error:1\nok\nerror:2"),
            ("!", ""),
            State("Hold:0"),
            0.3,
            ("^X", BANNER),
            State("Idle"),
            0.5,
        ],
        job=("G21", "G5 X1", "G1 X2"),
        ends={"outcome": Outcome.FAILED, "reason": "line 1 was refused (error:1,"},
        phase=Phase.IDLE,
    ),
    Scene(
        "ALARM: the queue is void, the job failed, a reset turns all off, a person must look",
        "interface.md, ALARM: and its codes",
        [
            (ALL, "ok\nALARM:1"),
            ("^X", f"{BANNER}\n[MSG:'$H'|'$X' to unlock]"),
            State("Alarm"),
            0.5,
            ("$I", WHO),
            ("$$", "ok"),
            ("$#", "ok"),
            0.5,
        ],
        ends={
            "outcome": Outcome.FAILED,
            "trouble": Trouble.FIRMWARE_HALTED,
            "line": 1,
            "reason": "ALARM:1, a limit switch",
        },
        phase=Phase.BROKEN,
    ),
    Scene(
        "after a limit Grbl forgets a reset that came too soon: said again when it waits for one",
        "interface.md, [MSG:Reset to continue]; report.c: half a second after ALARM:1",
        [
            (ALL, "ok\nALARM:1"),
            ("^X", ""),
            State(None),
            0.5,
            ("", "[MSG:Reset to continue]"),
            ("^X", f"{BANNER}\n[MSG:'$H'|'$X' to unlock]"),
            State("Alarm"),
            0.5,
            ("$I", WHO),
            ("$$", "ok"),
            ("$#", "ok"),
            0.5,
        ],
        ends={"outcome": Outcome.FAILED, "reason": "ALARM:1, a limit switch"},
        phase=Phase.BROKEN,
    ),
    Scene(
        "a target outside the work area names the line",
        "interface.md, ALARM:2; limits.c: raised while the line is read",
        [(ALL, "ok\nok\nALARM:2"), ("^X", "")],
        ends={
            "outcome": Outcome.FAILED,
            "line": 2,
            "reason": "the position is kept, at line 3: G1X2",
        },
        phase=Phase.BROKEN,
    ),
    Scene(
        "a check run meets a target outside the work area: locked, and the line is named",
        "motion_control.c: soft limits are checked in check mode too",
        [
            ("$C", "[MSG:Enabled]\nok"),
            State("Check"),
            (ALL, "ok\nok\nALARM:2"),
            ("^X", ""),
        ],
        settings=Settings(check_run=True),
        ends={"outcome": Outcome.FAILED, "reason": "at line 3: G1X2"},
        phase=Phase.BROKEN,
    ),
    Scene(
        "a banner in the middle of a job: never replayed, position unknown, a person must look",
        "interface.md, Welcome message",
        [
            (ALL, f"ok\n{BANNER}"),
            ("^X", BANNER),
            0.5,
            ("$I", WHO),
            ("$$", "ok"),
            ("$#", "ok"),
            0.5,
        ],
        ends={"outcome": Outcome.FAILED, "trouble": Trouble.CONTROLLER_RESET, "line": 1},
        phase=Phase.BROKEN,
    ),
    Scene(
        "a lock that only the reports tell of is one too",
        "interface.md, Machine State: Alarm; the cable may have damaged the ALARM line",
        [(ALL, "ok\nA?AR"), State("Alarm"), 0.6, ("^X", "")],
        ends={"outcome": Outcome.FAILED, "trouble": Trouble.FIRMWARE_HALTED},
        phase=Phase.BROKEN,
    ),
]

WRITERS = [
    Scene(
        "G10 L20: what is in flight is drained, it goes alone, and nothing follows before its ok",
        "interface.md, EEPROM Issues: interrupts are off, what arrives is lost",
        [
            ("G21", ""),
            ("", "ok"),
            ("G10L20P1X0", ""),
            ("", "ok"),
            ("G0X1 G0X2", ""),
        ],
        job=("G21", "G10 L20 P1 X0", "G0 X1", "G0 X2"),
    ),
    Scene(
        "G28.1 and G30.1 store positions and go alone; G28 does not",
        "interface.md, EEPROM Issues",
        [("G28.1", "ok"), ("G30.1", "ok"), ("G28 G30", "")],
        job=("G28.1", "G30.1", "G28", "G30"),
    ),
    Scene(
        "G10 L2 is stored, G10 of another kind is drained as well, G92 and G54 are not",
        "interface.md, EEPROM Issues: G10 L2, G10 L20",
        [("G10L2P1X0", "ok"), ("G92X0 G54 G0X1", "")],
        job=("G10 L2 P1 X0", "G92 X0", "G54", "G0 X1"),
    ),
    Scene(
        "$I=, $N0= and $x= write too: each waits for Idle and goes alone, letters as they are",
        "interface.md, EEPROM Issues: $I=, $Nx=, $x=",
        [
            1.0,
            ("$I=my mill", "ok"),
            1.0,
            ("$N0=G54 G21", "ok"),
            1.0,
            ("$32=0", ""),
        ],
        job=("$I=my mill", "$N0=G54 G21", "$32=0"),
    ),
    Scene(
        "a $ line waits for Idle, goes alone, and nothing follows before its ok",
        "commands.md: $ commands are taken only when Idle (error:8)",
        [
            ("G1X1F9", "ok"),
            State("Run"),
            1.0,
            ("", ""),
            State("Idle"),
            0.5,
            ("$110=500", "ok"),
            ("G1X2", ""),
        ],
        job=("G1 X1 F9", "$110=500", "G1 X2"),
    ),
]

TEXTS = [
    Scene(
        "what belongs to a person is refused in a file, with its line",
        "commands.md: $X, $C, $SLP, $RST=; jogging.md: $J=, no G-code while it jogs (error:9)",
        [("G21", "ok"), 1.0, ("! ^X", BANNER), 0.5],
        job=("G21", "$J=G91X5F500"),
        ends={
            "outcome": Outcome.FAILED,
            "trouble": Trouble.FILE_UNREADABLE,
            "reason": "line 2 is $J=G91X5F500, which a file may not send",
        },
        phase=Phase.IDLE,
    ),
    Scene(
        "real-time bytes, 8-bit letters, comments, blanks, % and empty lines are not sent",
        "commands.md: real-time bytes are picked out wherever they stand, comments included",
        [("G1X1 G1Y2", "")],
        job=("%", "", "(what? stop! ~)", "g1 x1 ; été ?", "G1!Y\x84 2~?", "; end!"),
    ),
    Scene(
        "79 bytes without blanks are sent, whatever the file's line had",
        "interface.md, error:11; protocol.h, LINE_BUFFER_SIZE 80 with the closing NUL",
        [("G1X" + "0" * 75 + "1", "")],
        job=("G1 X " + "0" * 75 + "1 (" + "c" * 90 + ")",),
    ),
    Scene(
        "80 bytes are too many: the job fails with the line's number before that is sent",
        "interface.md, error:11",
        [("G21", "ok"), 1.0, ("! ^X", BANNER), 0.5],
        job=("G21", "G1X" + "0" * 76 + "1"),
        ends={
            "outcome": Outcome.FAILED,
            "trouble": Trouble.FILE_UNREADABLE,
            "reason": "line 2 has 80 bytes",
        },
        phase=Phase.IDLE,
    ),
    Scene(
        "grblHAL takes 255 bytes",
        "grblHAL config.h, LINE_BUFFER_SIZE 257",
        [("G1X" + "0" * 200 + "1", "")],
        job=("G1X" + "0" * 200 + "1",),
        who=HAL,
    ),
    Scene(
        "M30 ends the program: what follows in the file is not sent, and that is said",
        "RS274/NGC, 3.6.1",
        [("G21 M30", "ok\n[MSG:Pgm End]\nok"), 1.0],
        job=("G21", "M30", "G1 X9"),
        ends=FINISHED | {"line": 2, "commands_done": 2, "reason": "ends at line 2 (M30)"},
        phase=Phase.IDLE,
    ),
    Scene(
        "M0 waits for a person, with the comment beside it; resume is ~",
        "RS274/NGC, 3.6.1; Grbl holds at M0 until a cycle start",
        [
            ("M0 G0X1", ""),
            State("Hold:0"),
            0.6,
            Do("resume"),
            ("~", "ok"),
            State("Run"),
            0.6,
        ],
        job=("M0 (turn the part over)", "G0 X1"),
        events=(WaitingForPerson("turn the part over"),),
    ),
]

CHECKS = [
    Scene(
        "a check run: $C, all lines, then a soft reset leaves it; nothing waits for motion",
        "commands.md, $C",
        [
            ("$C", "[MSG:Enabled]\nok"),
            State("Check"),
            (ALL, "ok\nok\nok\nok"),
            ("^X", BANNER),
            State("Idle"),
            0.5,
        ],
        settings=Settings(check_run=True),
        ends=FINISHED | {"commands_done": 4},
        phase=Phase.IDLE,
    ),
    Scene(
        "a check run lists every refused line with its number, then leaves check mode by a reset",
        "commands.md, $C: nothing moves, and a hold does nothing there; a soft reset leaves it",
        [
            ("$C", "[MSG:Enabled]\nok"),
            State("Check"),
            ("G21 G5X1 G1X2 M99", "ok\nerror:20\nerror:22\nerror:20"),
            ("^X", BANNER),
            State("Idle"),
            0.5,
        ],
        job=("G21", "G5 X1", "G1 X2", "M99"),
        settings=Settings(check_run=True),
        ends={
            "outcome": Outcome.FAILED,
            "trouble": Trouble.LINE_REFUSED,
            "reason": "3 lines were refused: line 2 was refused (error:20, an unknown or "
            "unsupported G, M or other word): G5X1; line 3 was refused (error:22, no feed rate "
            "was set yet): G1X2; line 4 was",
        },
        reasons=(
            "line 2 was refused (error:20",
            "line 3 was refused (error:22",
            "line 4 was refused (error:20",
        ),
        phase=Phase.IDLE,
    ),
    Scene(
        "without its word that check mode is on, no line goes out",
        "interface.md, [MSG:Enabled]; a second $C would turn it off",
        [("$C", "ok"), 1.0, ("", "")],
        settings=Settings(check_run=True),
    ),
    Scene(
        "a check run that is paused says no more lines, and goes on",
        "commands.md, $C: a hold does nothing there",
        [
            ("$C", "[MSG:Enabled]\nok"),
            State("Check"),
            ("G21 G1X1F500 G1X2 G1X3", "ok"),
            Do("pause"),
            1.0,
            Do("resume"),
            ("", ""),
        ],
        settings=Settings(check_run=True),
    ),
]

LASERS = [
    Scene(
        "a laser that still burns in a hold is turned off, once",
        "laser_mode.md: M3 keeps the laser on; commands.md, 0x9E toggles it in a hold",
        [
            (ALL, ""),
            Do("pause"),
            ("!", ""),
            State("Hold:0|FS:0,500"),
            1.5,
            ("<9e>", ""),
            State("Hold:0"),
            1.5,
        ],
        stored=LASER,
        phase=Phase.PAUSED,
    ),
    Scene(
        "a spindle turns on in a hold",
        "commands.md, !: spindle and coolant stay as they are",
        [(ALL, ""), Do("pause"), ("!", ""), State("Hold:0|FS:0,500"), 1.5],
        phase=Phase.PAUSED,
    ),
    Scene(
        "an open door refuses to resume",
        "interface.md, Door:1",
        [(ALL, ""), State("Door:1"), 1.0, Refused("resume", "door is open")],
        phase=Phase.PAUSED,
        reasons=("the safety door is open",),
    ),
]
