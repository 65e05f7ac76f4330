"""What a person does to a Grbl machine: the pure parts, and against the stand-in's core."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabctl.errors import InputError, LocalError, TargetOutOfRangeError
from fabctl.ports import Heard, Override, Phase, Telemetry, Tone, WorkArea
from fabctl.units import MmPerMin
from fabctl_drivers.grbl import jogging, overriding, person
from fabctl_drivers.grbl.codes import alarm_text
from fabctl_drivers.grbl.identity import Flavour
from fabctl_drivers.grbl.job_lines import Kind
from fabctl_drivers.grbl.person import Now, Spoken
from fabctl_drivers.grbl.readings import Offsets
from tests.grbl_host import GrblHost

AREA = WorkArea((0.0, 300.0), (0.0, 180.0), (-60.0, 20.0))
FAST = MmPerMin(3000.0)
PERCENT = st.integers(overriding.LOWEST, overriding.HIGHEST)
DELTAS = {0x90: None, 0x91: 10, 0x92: -10, 0x93: 1, 0x94: -1}


# ---- overrides


@given(PERCENT, st.none() | PERCENT)
def test_steps_lead_to_every_percentage_with_no_byte_twice_in_one_step(
    percent: int, begin: int | None
) -> None:
    """commands.md, 0x90 to 0x94: what a firmware does with the bytes is reckoned here anew."""
    real, at = begin or 150, begin
    for _ in range(40):
        if at == percent:
            break
        said, at = overriding.next_bytes(Override.FEED, percent, at)
        assert len(set(said)) == len(said)
        for byte in said:
            step = DELTAS[byte]
            real = 100 if step is None else real + step
        assert real == at
    assert real == percent


@pytest.mark.parametrize(
    ("which", "percent"),
    [(Override.FEED, 9), (Override.SPINDLE, 201), (Override.RAPID, 10), (Override.RAPID, 99)],
)
def test_a_percentage_that_the_firmware_does_not_have_is_refused(
    which: Override, percent: int
) -> None:
    with pytest.raises(InputError, match=f"{which.value}.* {percent} %"):
        overriding.check(which, percent)


# ---- jogs


def test_a_jog_s_end_is_reckoned_and_only_axes_that_move_are_checked() -> None:
    assert jogging.target((10.0, 20.0, -5.0), {"X": -10.0, "Z": 2.5}, AREA) == (0.0, 20.0, -2.5)
    assert jogging.target((-5.0, 20.0, 0.0), {"Y": 1.0}, AREA) == (-5.0, 21.0, 0.0)
    with pytest.raises(TargetOutOfRangeError, match=r"X would go to -0\.1 mm"):
        jogging.target((10.0, 20.0, -5.0), {"X": -10.1}, AREA)


def test_jogs_that_wait_in_the_buffer_end_with_a_cancel_too() -> None:
    host = GrblHost()
    for _ in range(5):
        host.session.jog({"X": 30.0}, FAST)
    host.until(lambda: False, 0.3)
    host.session.cancel_jog()
    host.until(lambda: False, 3.0)
    place = host.firmware.machine.position[0]
    assert host.firmware.machine.state.value == "Idle"
    host.until(lambda: False, 5.0)
    assert host.firmware.machine.position[0] == place < 60.0
    host.session.jog({"X": 1.0}, FAST)
    host.until(lambda: False, 3.0)
    assert host.firmware.machine.position[0] == pytest.approx(place + 1.0)


# ---- single lines


@pytest.mark.parametrize(
    ("typed", "data", "kind"),
    [
        ("g1 x1 ; there", b"G1X1\n", Kind.PLAIN),
        (" $x ", b"$x\n", Kind.DOLLAR),
        ("$J=G91 X1 F100", b"$J=G91 X1 F100\n", Kind.DOLLAR),
        ("G10 L20 P1 X0", b"G10L20P1X0\n", Kind.ALONE),
        ("G1X1 été ?!", b"G1X1T\n", Kind.PLAIN),
    ],
)
def test_what_is_sent_of_a_typed_line(typed: str, data: bytes, kind: Kind) -> None:
    line = person.line_of(typed, 79)
    assert (line.data, line.kind) == (data, kind)


@pytest.mark.parametrize(
    "typed", ["", "  ", "; only a comment", "G1\nG2", "G1X" + "0" * 77, "\x18"]
)
def test_what_cannot_be_sent_is_refused(typed: str) -> None:
    with pytest.raises(InputError):
        person.line_of(typed, 79)


def test_a_locked_machine_takes_what_opens_or_asks_and_nothing_else() -> None:
    for typed in ("$X", "$x", "$H", "$HX", "$$", "$#", "$I", "$G", "$N"):
        person.require_takes(Phase.BROKEN, person.line_of(typed, 79))
    for typed in ("G0X1", "$C", "$22=1", "$J=G91X1F9", "$RST=*", "$SLP", "$N0=G54", "$I=me"):
        with pytest.raises(LocalError, match="needs a person"):
            person.require_takes(Phase.BROKEN, person.line_of(typed, 79))
    for phase in set(Phase) - {Phase.IDLE, Phase.BROKEN}:
        with pytest.raises(LocalError, match=phase.value):
            person.require_takes(phase, None)


@pytest.mark.parametrize(
    ("typed", "state", "then"),
    [
        ("G0X1", "Idle", Now.SAY),
        ("G0X1", "Run", Now.SAY),
        ("G0X1", "Jog", Now.ASK),
        ("G0X1", "Hold:0", Now.DROP),
        ("G0X1", "Sleep", Now.DROP),
        ("G0X1", "Alarm", Now.SAY),
        ("$G", "Run", Now.ASK),
        ("$G", "Door:1", Now.DROP),
        ("$X", "Alarm", Now.SAY),
        ("$J=X1F9", "Jog", Now.SAY),
        ("$G", "Jog", Now.ASK),
    ],
)
def test_when_a_line_may_be_said(typed: str, state: str, then: Now) -> None:
    spoken = Spoken()
    spoken.add(person.line_of(typed, 79))
    assert spoken.look(all_answered=True) is Now.ASK, "nobody knows the state yet"
    spoken.report(state)
    assert spoken.look(all_answered=True) is then


def test_many_lines_at_once_are_all_said_and_answered() -> None:
    host = GrblHost()
    for line in ("G21", "G1 X5 F1000", "$G", "G10 L20 P1 X0", "$$", "G5", "M3 S100", "$#"):
        host.session.say(line)
    host.until(lambda: False, 10.0)
    heard = [event for event in host.events if isinstance(event, Heard)]
    assert [h.tone for h in heard if h.tone in {Tone.OK, Tone.ERROR}] == [
        Tone.OK, Tone.OK, Tone.OK, Tone.OK, Tone.OK, Tone.ERROR, Tone.OK, Tone.OK
    ]  # fmt: skip
    texts = [h.text for h in heard]
    assert any(text.startswith("[GC:") for text in texts)
    assert "$32=0" in texts
    assert "[G54:5.000,0.000,0.000]" in texts
    offsets = [
        e.values for e in host.events if isinstance(e, Telemetry) if e.group == "work-offset"
    ]
    assert offsets[-1]["g54_x_mm"] == 5.0
    host.start([b"G1 X1 F1000"])
    assert host.until(lambda: host.ended is not None, 60.0)


def test_a_person_s_unlock_makes_a_locked_machine_idle() -> None:
    host = GrblHost()
    host.firmware.machine.eeprom.set(22, 1)
    host.firmware.reset(host.now)
    assert host.until(lambda: host.session.phase is Phase.BROKEN, 20.0)
    host.until(lambda: False, 3.0)
    host.session.say("$X")
    assert host.until(lambda: host.session.phase is Phase.IDLE, 5.0)
    assert Heard("[MSG:Caution: Unlocked]", Tone.ECHO) in host.events
    host.start([b"G1 X1 F1000"])
    assert host.until(lambda: host.ended is not None, 60.0)


# ---- what is told


def test_offsets_are_told_in_mm_and_only_when_known() -> None:
    offsets = Offsets()
    assert offsets.tell(None) == []
    offsets.in_inches = True
    for line in (b"[G54:1.0000,0.0000,-2.0000]", b"[G59.3:0,0,0]", b"[TLO:0.5000]", b"[G54:x]"):
        offsets.hear(line)
    (told,) = offsets.tell((1.0, 2.0, 3.0))
    assert told.group == "work-offset"
    assert told.values["g54_x_mm"] == 25.4
    assert told.values["g54_z_mm"] == -50.8
    assert told.values["g59_3_x_mm"] == 0.0
    assert told.values["tool_length_mm"] == 12.7
    assert told.values["x_mm"] == 1.0


def test_an_alarm_above_nine_means_what_its_own_firmware_says() -> None:
    assert "doubled axis" in alarm_text(10)
    assert "emergency stop" in alarm_text(10, Flavour.GRBLHAL)
    assert alarm_text(10, Flavour.FLUIDNC) == "ALARM:10"
    assert alarm_text(1, Flavour.FLUIDNC) == alarm_text(1)
