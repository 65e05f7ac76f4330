"""Conversations about what a person does by hand: single lines, jogs, homing, overrides, probing.

"interface.md", "commands.md" and "jogging.md" are documents of Grbl 1.1 in ``doc/markdown``.
"""

from __future__ import annotations

from fabctl.ports import Heard, Override, Phase, Telemetry, Tone, WorkArea
from fabctl.units import MmPerMin
from fabctl_drivers.grbl.settings import Settings
from tests.transcripts.grbl_stage import (
    BANNER,
    LOCKED,
    OFFSETS,
    SETTINGS,
    WHO,
    Do,
    Hand,
    Refused,
    Scene,
    State,
    Talk,
)

NAMED: Talk = [("$I", WHO), ("$$", SETTINGS), ("$#", OFFSETS), 0.5]
FOUND_IDLE: Talk = [("", BANNER), State("Idle"), 0.5, *NAMED, 1.0]
FOUND_LOCKED: Talk = [("", LOCKED), State("Alarm"), 0.5, *NAMED, 1.0]
HOMES = SETTINGS.replace("$22=0", "$22=1")
NAMED_HOMING: Talk = [("$I", WHO), ("$$", HOMES), ("$#", OFFSETS), 0.5]
FOUND_HOMED: Talk = [("", BANNER), State("Idle"), 0.5, *NAMED_HOMING, 1.0]
AREA = Settings(work_area=WorkArea((0.0, 100.0), (0.0, 100.0), (-50.0, 10.0)))
SLOW = MmPerMin(600.0)


def say(line: str) -> Hand:
    """A person types a line."""
    return Hand("say", (line,))


def jog(**by_mm: float) -> Hand:
    """A person jogs."""
    return Hand("jog", (by_mm, SLOW))


TERMINAL = [
    Scene(
        "a person's line is said without comments and blanks, and its ok is shown",
        "interface.md, Grbl Response Messages",
        [*FOUND_IDLE, say("g1 x1 f500 ; there"), 0.3, ("G1X1F500", "ok")],
        job=None,
        phase=Phase.IDLE,
        events=(Heard("ok", Tone.OK),),
    ),
    Scene(
        "an error is shown with its meaning, in the colour of errors",
        "interface.md, error:20; error_codes_en_US.csv",
        [*FOUND_IDLE, say("G5"), 0.3, ("G5", "error:20")],
        job=None,
        phase=Phase.IDLE,
        events=(Heard("error:20, an unknown or unsupported G, M or other word", Tone.ERROR),),
    ),
    Scene(
        "$ commands wait until nothing is in flight and the controller is Idle",
        "commands.md: $ commands are taken only when Idle (error:8)",
        [
            *FOUND_IDLE,
            say("G1X9F100"),
            say("$G"),
            0.3,
            ("G1X9F100", ""),
            State("Run"),
            1.0,
            ("", "ok"),
            1.0,
            ("", ""),
            State("Idle"),
            0.5,
            ("$G", "[GC:G0 G54 G17 G21 G90 G94 M5 M9 T0 F0 S0]\nok"),
        ],
        job=None,
        phase=Phase.IDLE,
        events=(Heard("[GC:G0 G54 G17 G21 G90 G94 M5 M9 T0 F0 S0]", Tone.OTHER),),
    ),
    Scene(
        "EEPROM writers drain what is in flight, go alone, and hold back what follows",
        "interface.md, EEPROM Issues",
        [
            *FOUND_IDLE,
            say("G0X1"),
            say("G10 L20 P1 X0"),
            say("G0X2"),
            0.3,
            ("G0X1", ""),
            0.5,
            ("", "ok"),
            ("G10L20P1X0", ""),
            0.5,
            ("", "ok"),
            ("G0X2", ""),
        ],
        job=None,
        phase=Phase.IDLE,
    ),
    Scene(
        "$$, $#, $I, $G and $N: what they answer is shown line by line",
        "commands.md, $ commands that ask",
        [
            *FOUND_IDLE,
            say("$$"),
            say("$N"),
            0.3,
            ("$$", "$0=10\n$1=25\nok"),
            0.3,
            ("$N", "$N0=G54\n$N1=\nok"),
        ],
        job=None,
        phase=Phase.IDLE,
        events=(Heard("$1=25", Tone.OTHER), Heard("$N0=G54", Tone.OTHER)),
    ),
    Scene(
        "? shows one report; ! and ~ go out at once, past lines that wait",
        "commands.md, Realtime commands; at most five questions per second",
        [
            *FOUND_IDLE,
            say("?"),
            0.3,
            say("G1X9F100"),
            0.3,
            ("G1X9F100", ""),
            State("Run"),
            say("!"),
            ("!", ""),
            State("Hold:0"),
            0.5,
            say("~"),
            ("~", "ok"),
        ],
        job=None,
        phase=Phase.IDLE,
        events=(Heard("<Idle|MPos:1.000,2.000,3.000|FS:0,0>", Tone.ECHO),),
    ),
    Scene(
        "a machine that stands reads no lines: that is said instead of waiting for ever",
        "interface.md, Machine State: Hold",
        [*FOUND_IDLE, State("Hold:0"), 1.5, say("G0X1"), 0.5, ("", "")],
        job=None,
        phase=Phase.IDLE,
        events=(Heard("G0X1 was not sent: the controller's state is Hold:0", Tone.ERROR),),
    ),
    Scene(
        "no job starts, and nothing jogs, beside a person's line",
        "interface.md, Streaming: one sender",
        [
            *FOUND_IDLE,
            say("G1X9F100"),
            0.3,
            ("G1X9F100", ""),
            Refused(jog(X=1.0), "idle machine"),
            Refused(Hand("home"), "idle machine"),
        ],
        job=None,
        phase=Phase.IDLE,
    ),
    Scene(
        "not while a job runs",
        "streaming is one conversation; a line between would be counted for the job",
        [("G21 G1X1F500 G1X2 G1X3", "ok"), Refused(say("G0X1"), "only an idle machine")],
    ),
    Scene(
        "locked: $X is taken from a person, and with it the machine is theirs again",
        "commands.md, $X; interface.md, [MSG:Caution: Unlocked]",
        [
            *FOUND_LOCKED,
            Refused(say("G0X1"), "unlocks it where it stands"),
            say("$X"),
            0.3,
            ("$X", "[MSG:Caution: Unlocked]\nok"),
            State("Idle"),
            0.5,
        ],
        job=None,
        phase=Phase.IDLE,
        events=(Heard("[MSG:Caution: Unlocked]", Tone.ECHO), Heard("ok", Tone.OK)),
    ),
    Scene(
        "locked: $H homes for minutes without a word, and then the machine is theirs again",
        "commands.md, $H",
        [
            *FOUND_LOCKED,
            say("$H"),
            0.3,
            ("$H", ""),
            State(None),
            60.0,
            ("", "ok"),
            State("Idle"),
            1.0,
        ],
        job=None,
        phase=Phase.IDLE,
    ),
    Scene(
        "a lock that does not open stays broken, and says why",
        "interface.md, error:13",
        [*FOUND_LOCKED, say("$X"), 0.3, ("$X", "error:13"), 1.0],
        job=None,
        phase=Phase.BROKEN,
        events=(Heard("error:13, the safety door is open", Tone.ERROR),),
    ),
    Scene(
        "locked: what asks is taken too",
        "commands.md: $$, $I and $# are answered in Alarm",
        [*FOUND_LOCKED, say("$I"), 0.3, ("$I", WHO), say("?"), 1.0],
        job=None,
        phase=Phase.BROKEN,
        events=(
            Heard("[OPT:V,15,128]", Tone.OTHER),
            Heard("<Alarm|MPos:1.000,2.000,3.000|FS:0,0>", Tone.ECHO),
        ),
    ),
    Scene(
        "lines that wait when the controller restarts are not said to the new start",
        "interface.md, Welcome message",
        [
            *FOUND_IDLE,
            say("G1X9F100"),
            say("$H"),
            0.3,
            ("G1X9F100", BANNER),
            0.5,
            *NAMED,
            1.0,
        ],
        job=None,
        phase=Phase.IDLE,
        events=(Heard("1 of your lines were not sent", Tone.ERROR), Heard(BANNER, Tone.ECHO)),
    ),
    Scene(
        "a jog typed by a person is taken while it jogs",
        "jogging.md: $J= in Idle and Jog",
        [
            *FOUND_IDLE,
            say("$J=G91X1F100"),
            0.3,
            ("$J=G91X1F100", "ok"),
            State("Jog"),
            0.5,
            say("$J=G91X2F100"),
            0.3,
            ("$J=G91X2F100", "ok"),
            Hand("cancel_jog"),
            ("<85>", ""),
        ],
        job=None,
        phase=Phase.IDLE,
    ),
]

PROBING = [
    Scene(
        "a probe's result is told in mm and shown",
        "interface.md, [PRB:x,y,z:1]",
        [
            *FOUND_IDLE,
            say("G38.2 Z-10 F50"),
            0.3,
            ("G38.2Z-10F50", "[PRB:1.000,2.000,-3.500:1]\nok"),
        ],
        job=None,
        phase=Phase.IDLE,
        events=(
            Telemetry("probe", {"x_mm": 1.0, "y_mm": 2.0, "z_mm": -3.5, "contact": 1.0}),
            Heard("[PRB:1.000,2.000,-3.500:1]", Tone.OTHER),
        ),
    ),
    Scene(
        "a probe that meets nothing locks the machine, in plain words",
        "interface.md, ALARM:5; alarm_codes_en_US.csv",
        [
            *FOUND_IDLE,
            say("G38.2 Z-10 F50"),
            0.3,
            ("G38.2Z-10F50", "ALARM:5\n[PRB:0.000,0.000,-10.000:0]"),
            ("^X", LOCKED),
            State("Alarm"),
            0.5,
            *NAMED,
        ],
        job=None,
        phase=Phase.BROKEN,
        events=(Heard("ALARM:5, the probe met nothing on its way", Tone.ERROR),),
        reasons=("the probe met nothing on its way",),
    ),
    Scene(
        "a probe that touches already names its line in the job",
        "interface.md, ALARM:4",
        [
            ("G38.2Z-10F50 G0X1", "ALARM:4"),
            ("^X", LOCKED),
            State("Alarm"),
            0.5,
            *NAMED,
        ],
        job=("G38.2 Z-10 F50", "G0 X1"),
        ends={"reason": "before probing, at line 1: G38.2Z-10F50"},
        phase=Phase.BROKEN,
    ),
    Scene(
        "the work offsets are told: the stored ones, and the one in force",
        "commands.md, $#; interface.md, WCO: WPos = MPos - WCO",
        [
            ("", BANNER),
            State("Idle|WCO:1.000,2.000,0.500"),
            0.5,
            *NAMED,
            1.0,
        ],
        job=None,
        phase=Phase.IDLE,
        last={
            "work-offset": {
                "x_mm": 1.0, "y_mm": 2.0, "z_mm": 0.5,
                "g54_x_mm": 1.0, "g54_y_mm": 2.0, "g54_z_mm": 0.5, "tool_length_mm": 0.0,
            }
        },
    ),
]  # fmt: skip

REPORTS = [
    Scene(
        "fields in any order; the offset of an older report counts; no Pn means that none is",
        "interface.md, Real-time Status Reports: WPos = MPos - WCO, WCO only now and then",
        [
            ("", BANNER),
            State("Idle|WCO:0.500,0.000,0.000|Pn:XP|Ov:90,50,110|A:SF"),
            0.5,
            *NAMED,
            State("Idle|Bf:15,128"),
            3.0,
        ],
        job=None,
        phase=Phase.IDLE,
        last={
            "overrides": {"feed_percent": 90.0, "rapid_percent": 50.0, "spindle_percent": 110.0},
            "position": {"x_mm": 0.5, "machine_x_mm": 1.0, "offset_x_mm": 0.5},
            "pins": {"limit_x": 0.0, "probe": 0.0},
            "power": {"spindle": 1.0, "flood": 1.0, "mist": 0.0},
        },
    ),
    Scene(
        "grblHAL may number its alarms and runs: they are alarms and runs",
        "grblHAL, $10: bits for the sub-states of Alarm and Run",
        [
            ("", BANNER),
            State("Alarm:11"),
            0.5,
            *NAMED,
            Do("begin_clear"),
            0.3,
            ("$X", "ok"),
            State("Idle"),
            0.5,
            Do("clear"),
        ],
        job=None,
        phase=Phase.IDLE,
        reasons=("does not know where it is",),
    ),
]

JOGS = [
    Scene(
        "a jog is relative and in mm, whatever the modes; more are added while it jogs",
        "jogging.md: G91 G21 in the jog change no mode; only in Idle and Jog",
        [
            *FOUND_IDLE,
            jog(X=10.0, Y=-2.5),
            ("$J=G91G21X10.000Y-2.500F600.0", "ok"),
            State("Jog"),
            0.5,
            jog(X=1.0),
            ("$J=G91G21X1.000F600.0", "ok"),
        ],
        job=None,
        phase=Phase.IDLE,
    ),
    Scene(
        "cancelled: 0x85, and again for a jog that still waited in the buffer, until Idle",
        "commands.md, 0x85; protocol.c: it empties the planner, not the receive buffer",
        [
            *FOUND_IDLE,
            jog(X=50.0),
            jog(X=50.0),
            ("$J=G91G21X50.000F600.0 $J=G91G21X50.000F600.0", "ok"),
            State("Jog"),
            0.5,
            Hand("cancel_jog"),
            ("<85>", "ok"),
            ("<85>", ""),
            Refused(jog(X=1.0), "being cancelled"),
            0.3,
            ("<85>", ""),
            State("Idle"),
            0.5,
            jog(X=1.0),
            ("$J=G91G21X1.000F600.0", ""),
        ],
        job=None,
        phase=Phase.IDLE,
    ),
    Scene(
        "0x85 is for jogs only: nothing is said while a job runs",
        "commands.md, 0x85",
        [("G21 G1X1F500 G1X2 G1X3", "ok"), Hand("cancel_jog"), Refused(jog(X=1.0), "running")],
    ),
    Scene(
        "not from Hold",
        "jogging.md: $J= in Idle and Jog only (error:8)",
        [*FOUND_IDLE, State("Hold:0"), 1.5, Refused(jog(X=1.0), "Hold:0")],
        job=None,
        phase=Phase.IDLE,
    ),
    Scene(
        "a homed machine's jogs stay inside the work area, the ones under way counted",
        "settings.md, $22: locked until homed, so one that is found open knows where it is",
        [
            *FOUND_HOMED,
            Refused(jog(X=99.5), "X would go to 100.5 mm"),
            Refused(jog(Z=-60.0), "Z would go to -57 mm"),
            jog(X=60.0),
            ("$J=G91G21X60.000F600.0", "ok"),
            State("Jog"),
            0.5,
            Refused(jog(X=50.0), "X would go to 111 mm"),
            jog(X=39.0),
            ("$J=G91G21X39.000F600.0", ""),
        ],
        job=None,
        settings=AREA,
        phase=Phase.IDLE,
    ),
    Scene(
        "where nobody knows the place, the person beside it decides",
        "settings.md, $22=0: the place at power-up is called zero",
        [*FOUND_IDLE, jog(X=500.0), ("$J=G91G21X500.000F600.0", "ok")],
        job=None,
        settings=AREA,
        phase=Phase.IDLE,
    ),
    Scene(
        "a jog that the controller refuses says why",
        "interface.md, error:15",
        [*FOUND_IDLE, jog(X=500.0), ("$J=G91G21X500.000F600.0", "error:15"), 0.5],
        job=None,
        phase=Phase.IDLE,
        reasons=("the jog was refused: error:15, the jog would leave the work area",),
    ),
]

HOMING = [
    Scene(
        "home is $H, and nothing else until it is done",
        "commands.md, $H",
        [
            *FOUND_HOMED,
            Hand("home"),
            ("$H", ""),
            State(None),
            Refused(jog(X=1.0), "connecting"),
            40.0,
            ("", "ok"),
            State("Idle"),
            0.5,
        ],
        job=None,
        phase=Phase.IDLE,
    ),
    Scene(
        "one axis alone only where [OPT:] has an H",
        "interface.md, OPT: H, homing single axis enabled",
        [
            ("", BANNER),
            State("Idle"),
            0.5,
            ("$I", WHO.replace("V,15", "VH,15")),
            ("$$", HOMES),
            ("$#", OFFSETS),
            0.5,
            Refused(Hand("home", ("xy",)), "does not home XY alone"),
            Hand("home", ("x",)),
            ("$HX", "ok"),
            0.5,
        ],
        job=None,
        phase=Phase.IDLE,
    ),
    Scene(
        "a machine with all or nothing says so; one without homing too",
        "commands.md, $H; interface.md, error:5",
        [
            *FOUND_IDLE,
            Refused(Hand("home", ("X",)), "home all its axes"),
            Refused(Hand("home", ("Q",)), "letters of XYZ"),
            Refused(Hand("home"), "no homing"),
        ],
        job=None,
        phase=Phase.IDLE,
    ),
]

OVERRIDES = [
    Scene(
        "feed from 100 to 122: one step of each kind at a time, 30 ms apart",
        "commands.md, 0x90 to 0x94; serial.c: equal bytes at once count once",
        [
            ("G21 G1X1F500 G1X2 G1X3", "ok"),
            State("Run|Ov:100,100,100"),
            0.6,
            Hand("override", (Override.FEED, 122, 100.0)),
            0.0,
            ("<91>", ""),
            0.03,
            ("<91> <93>", ""),
            0.03,
            ("<93>", ""),
            State("Run|Ov:122,100,100"),
            3.0,
        ],
    ),
    Scene(
        "a step that was not heard shows in the next report, and is said again",
        "interface.md, Ov: is in the report after a change",
        [
            ("G21 G1X1F500 G1X2 G1X3", "ok"),
            State("Run|Ov:100,100,100"),
            0.6,
            Hand("override", (Override.SPINDLE, 80, 100.0)),
            0.0,
            ("<9b>", ""),
            State("Run|Ov:100,100,90"),
            0.03,
            ("<9b>", ""),
            0.01,
            ("<9b>", ""),
            State("Run|Ov:100,100,80"),
            3.0,
        ],
    ),
    Scene(
        "where nobody told the percentage, 100 % is set first",
        "commands.md, 0x90",
        [
            ("G21 G1X1F500 G1X2 G1X3", "ok"),
            Hand("override", (Override.FEED, 110, 100.0)),
            0.0,
            ("<90> <91>", ""),
            0.1,
        ],
    ),
    Scene(
        "rapids know three settings, coolant is toggled",
        "commands.md, 0x95 to 0x97, 0xA0, 0xA1",
        [
            ("G21 G1X1F500 G1X2 G1X3", "ok"),
            Hand("override", (Override.RAPID, 25, 100.0)),
            0.0,
            ("<97>", ""),
            Hand("override", (Override.RAPID, 50, 100.0)),
            0.0,
            ("<96>", ""),
            Hand("override", (Override.RAPID, 100, 100.0)),
            0.0,
            ("<95>", ""),
            Hand("toggle_coolant", ("flood",)),
            Hand("toggle_coolant", ("mist",)),
            ("<a1> <a0>", ""),
            Refused(Hand("override", (Override.RAPID, 10, 100.0)), "25, 50 or 100 %"),
        ],
    ),
    Scene(
        "overrides need somebody there",
        "ports.py, Overrides",
        [Refused(Hand("override", (Override.FEED, 50, 100.0)), "not connected")],
        job=None,
        phase=Phase.CONNECTING,
    ),
]
