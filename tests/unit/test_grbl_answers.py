"""Reading what Grbl says: answers, reports, who it is; and a machine's options."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabctl.errors import InputError
from fabctl.ports import MachineKind, MachineProfile, Telemetry
from fabctl_drivers.grbl import readings
from fabctl_drivers.grbl.answers import Ear, Heard, parse
from fabctl_drivers.grbl.codes import alarm_text, error_text
from fabctl_drivers.grbl.identity import Flavour, Identity
from fabctl_drivers.grbl.job_lines import Kind, dwell_s, job_lines
from fabctl_drivers.grbl.report import Reader
from fabctl_drivers.grbl.settings import Key, Settings, settings_of
from fabctl_drivers.grbl.watch import Watch


@pytest.mark.parametrize(
    ("line", "heard", "code"),
    [
        (b"ok\r", Heard.OK, None),
        (b"error:20", Heard.ERROR, 20),
        (b"error: 9", Heard.ERROR, 9),
        (b"error:Expected command letter", Heard.ERROR, None),
        (b"ALARM:1", Heard.ALARM, 1),
        (b"ALARM: Hard limit", Heard.ALARM, None),
        (b"Grbl 1.1h ['$' for help]", Heard.BANNER, None),
        (b"GrblHAL 1.1f ['$' or '$HELP' for help]", Heard.BANNER, None),
        (b"\xff\x00Grbl 3.7 [FluidNC v3.7.8 (wifi) '$' for help]", Heard.BANNER, None),
        (b"<Idle|MPos:0.000,0.000,0.000>", Heard.REPORT, None),
        (b"[MSG:Grbl 1.1 ok]", Heard.NOTE, None),
        (b">G54:ok", Heard.NOTE, None),
        (b"$10=1", Heard.NOTE, None),
        (b"okok", Heard.NOTE, None),
        (b"k", Heard.NOTE, None),
    ],
)
def test_a_line_is_understood(line: bytes, heard: Heard, code: int | None) -> None:
    answer = parse(line)
    assert (answer.heard, answer.code) == (heard, code)


@given(st.binary(max_size=200), st.integers(1, 20))
def test_however_bytes_are_cut_the_answers_are_the_same(data: bytes, size: int) -> None:
    whole, pieces = Ear(), Ear()
    cut = [data[n : n + size] for n in range(0, len(data), size)]
    assert whole.hear(data) == [answer for piece in cut for answer in pieces.hear(piece)]


def test_numbers_get_words_and_unknown_ones_stay_numbers() -> None:
    assert error_text(20).startswith("error:20, an unknown")
    assert (error_text(77), error_text(None)) == ("error:77", "error")
    assert alarm_text(1).startswith("ALARM:1, a limit switch")


# ---- reports: interface.md, Real-time Status Reports


def test_fields_come_in_any_order_and_the_offset_is_kept() -> None:
    reader = Reader()
    first = reader.read(b"<Run|FS:500,8000|WCO:1.000,2.000,0.500|MPos:3.000,4.000,5.000|Pn:XD>")
    assert first is not None
    assert first.work_mm == (2.0, 2.0, 4.5)
    assert (first.feed_mm_per_min, first.power, first.pins) == (500.0, 8000.0, "XD")
    later = reader.read(b"<Idle|MPos:1.000,2.000,0.500|FS:0,0>")
    assert later is not None
    assert (later.work_mm, later.pins) == ((0.0, 0.0, 0.0), "")


def test_an_absent_accessory_is_off_only_where_overrides_are_told() -> None:
    reader = Reader()
    on = reader.read(b"<Run|MPos:0,0,0|Ov:100,100,100|A:SF>")
    kept = reader.read(b"<Run|MPos:0,0,0>")
    off = reader.read(b"<Run|MPos:0,0,0|Ov:90,50,100>")
    assert [report and report.accessories for report in (on, kept, off)] == ["SF", "SF", ""]
    assert off is not None
    assert off.overrides_percent == (90.0, 50.0, 100.0)


def test_work_positions_and_inches_are_turned_into_mm_of_the_machine() -> None:
    reader = Reader()
    reader.in_inches = True
    report = reader.read(b"<Idle|WPos:1.0000,0.0000,0.0000|WCO:1.0000,0.0000,0.0000|F:10>")
    assert report is not None
    assert report.machine_mm == pytest.approx((50.8, 0.0, 0.0))
    assert report.feed_mm_per_min == pytest.approx(254.0)


@pytest.mark.parametrize(
    "damaged", [b"<Idle", b"Idle>", b"<>", b"<Id1e|MPos:0,0,0>", b"<Run|MPos:0,x,0>", b"<Run|FS:>"]
)
def test_a_damaged_report_is_none(damaged: bytes) -> None:
    assert Reader().read(damaged) is None


@given(st.binary(max_size=80))
def test_no_report_whatever_its_bytes_upsets_the_reader(middle: bytes) -> None:
    Reader().read(b"<Idle|" + middle + b">")


def test_the_probe_s_result_is_told() -> None:
    told = readings.probe(b"[PRB:1.000,2.000,-3.500:1]", in_inches=False)
    assert told == Telemetry("probe", {"x_mm": 1.0, "y_mm": 2.0, "z_mm": -3.5, "contact": 1.0})
    assert readings.probe(b"[PRB:1.0,?:1]", in_inches=False) is None


def test_telemetry_comes_about_once_a_second_with_pins_as_numbers() -> None:
    report = Reader().read(b"<Door:1|MPos:0,0,0|FS:0,0|Pn:D|WCO:0,0,0|Ov:100,100,100>")
    assert report is not None
    told = readings.Readings()
    groups = {event.group: event.values for event in told.tell(report, 0.0)}
    assert groups["pins"]["door"] == 1.0
    assert groups["pins"]["probe"] == 0.0
    assert groups["overrides"]["feed_percent"] == 100.0
    assert told.tell(report, 0.5) == []
    assert told.tell(report, 1.0) != []


# ---- who it is


@pytest.mark.parametrize(
    ("lines", "flavour", "rx", "longest"),
    [
        ((b"[VER:1.1h.20190825:]", b"[OPT:V,15,128]"), Flavour.GRBL, 127, 79),
        (
            (b"[VER:1.1f.20240222:]", b"[OPT:VN,35,1024,3,0]", b"[FIRMWARE:grblHAL]"),
            Flavour.GRBLHAL, 1023, 255,
        ),
        ((b"[VER:3.7 FluidNC v3.7.8:]", b"[OPT:PHSW]"), Flavour.FLUIDNC, 127, 255),
        ((b"[OPT:V,15,0]",), Flavour.GRBL, 127, 79),
        ((b"[OPT:V,15,x]",), Flavour.GRBL, 127, 79),
    ],
)  # fmt: skip
def test_identities(lines: tuple[bytes, ...], flavour: Flavour, rx: int, longest: int) -> None:
    one = Identity()
    for line in lines:
        one.hear(line)
    assert (one.flavour, one.rx_bytes, one.longest_line) == (flavour, rx, longest)


def test_settings_are_remembered() -> None:
    one = Identity()
    for line in (b"$22=1 (homing cycle)", b"$32=1", b"$110=500.000", b"$x=1", b"$13=1.2.3"):
        one.hear(line)
    assert one.settings == {22: 1.0, 32: 1.0, 110: 500.0}
    assert one.capabilities == {"homing", "laser-mode"}


# ---- a file's lines


@pytest.mark.parametrize(
    ("raw", "sent", "kind"),
    [
        (b"g1 x1 ; f", b"G1X1\n", Kind.PLAIN),
        (b"G10 L2 P1 X0", b"G10L2P1X0\n", Kind.ALONE),
        (b"G010L20P1X0", b"G010L20P1X0\n", Kind.ALONE),
        (b"G90 G28.1", b"G90G28.1\n", Kind.ALONE),
        (b"G1 X10 Y28.1", b"G1X10Y28.1\n", Kind.PLAIN),
        (b"G100", b"G100\n", Kind.PLAIN),
        (b"M00", b"M00\n", Kind.PAUSE),
        (b"M1", b"M1\n", Kind.PAUSE),
        (b"M02", b"M02\n", Kind.END),
        (b"M30", b"M30\n", Kind.END),
        (b"M3 S1000", b"M3S1000\n", Kind.PLAIN),
        (b"M10", b"M10\n", Kind.PLAIN),
        (b"$H X", b"$H X\n", Kind.DOLLAR),
        (b"$N0=g20", b"$N0=g20\n", Kind.DOLLAR),
    ],
)
def test_lines_and_their_kinds(raw: bytes, sent: bytes, kind: Kind) -> None:
    ((_, data, found, _),) = job_lines([raw], 79)
    assert (data, found) == (sent, kind)


@pytest.mark.parametrize(
    "raw", [b"$X", b"$C", b"$SLP", b"$rst=*", b" $x ", b"$ X", b"$/x", b"$J=X1F9"]
)
def test_what_belongs_to_a_person_is_refused(raw: bytes) -> None:
    with pytest.raises(InputError, match="may not send"):
        list(job_lines([raw], 79))


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_no_real_time_byte_ever_leaves_a_file(raw: list[bytes]) -> None:
    try:
        lines = list(job_lines(raw, 79))
    except InputError:
        return
    for line in lines:
        body = line.data[:-1]
        assert body
        assert not set(body) & ({*b"?!~\r\n\x18", *range(0x80, 0x100)})


def test_a_dwell_is_known() -> None:
    (line,) = job_lines([b"G4 P2.5"], 79)
    (other,) = job_lines([b"G41 P2.5"], 79)
    assert (dwell_s(line), dwell_s(other)) == (2.5, 0.0)


# ---- questions and options


@given(st.lists(st.sampled_from(["mark", "at once", "pass", "steady", "seldom"]), max_size=60))
def test_never_more_than_five_questions_in_a_second(steps: list[str]) -> None:
    watch, now, asked = Watch(), 0.0, list[float]()
    watch.every_s = 0.2
    for step in steps:
        if step == "mark":
            watch.mark()
        elif step == "at once":
            watch.mark(at_once=True)
        elif step != "pass":
            watch.every_s = 0.2 if step == "steady" else 5.0
        now = max(now, watch.due_at) if watch.due_at < now + 1.0 else now + 1.0
        if now >= watch.due_at:
            watch.asked(now)
            asked.append(now)
    for before, after in zip(asked, asked[5:], strict=False):
        assert after - before >= 1.0 - 1e-9


def profile(**options: str | float | bool) -> MachineProfile:
    return MachineProfile(
        "mill", "Mill", MachineKind.MILL, "grbl", "h", "/dev/x", 115_200, options=options
    )


def test_options() -> None:
    assert settings_of(profile()) == Settings()
    asked = profile(check_run=True, rx_bytes=64, clear_by="home", when_locked="unlock")
    assert settings_of(asked) == Settings(True, 64, Key.HOME, Key.UNLOCK)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"chek_run": True}, "did you mean “check_run”"),
        ({"check_run": "yes"}, "true or false"),
        ({"rx_bytes": 0}, "1 to 65535"),
        ({"rx_bytes": True}, "1 to 65535"),
        ({"clear_by": "wait"}, "unlock or home"),
        ({"when_locked": "open"}, "wait or unlock or home"),
    ],
)
def test_wrong_options_say_what_is_allowed(
    options: dict[str, str | int | float | bool], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        settings_of(profile(**options))
