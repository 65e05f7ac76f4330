"""Every kind of line that Marlin, its forks and a bad cable put on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabctl_drivers.marlin.answers import OK, Answer, Ear, Heard, Topic, parse
from fabctl_drivers.marlin.temperatures import readings, tools_seen


@pytest.mark.parametrize(
    ("line", "number", "queue_free"),
    [
        (b"ok", None, None),
        (b"ok\r", None, None),
        (b"ok N12 P15 B3", 12, 3),
        (b"ok P15 B3", None, 3),
        (b"ok N7", 7, None),
        (b"ok 7", 7, None),
        (b"ok T:21.3 /0.0 B:20.1 /0.0 @:0 B@:0", None, None),
        (b"ok\x0bok T:21.3 /0.0", None, None),
    ],
)
def test_an_ok_and_what_it_tells(line: bytes, number: int | None, queue_free: int | None) -> None:
    answer = parse(line)
    assert answer.heard is Heard.OK
    assert (answer.number, answer.queue_free) == (number, queue_free)


@pytest.mark.parametrize("line", [b"okay", b"okError:checksum", b"o", b"k", b"nok", b""])
def test_what_is_no_ok(line: bytes) -> None:
    assert parse(line).heard is not Heard.OK


@pytest.mark.parametrize(
    "line",
    [
        b"Resend: 57",
        b"Resend:57",
        b"resend 57",
        b"Resend: N57",
        b"Resend: N:57",
        b"rs 57",
        b"rs N57",
        b"rs N57 Expected checksum 67",
        b"Error:Line Number is not Last Line Number+1, Last Line: 56",
        b"Error:checksum mismatch, Last Line: 56",
        b"Error:No Checksum with line number, Last Line: 56",
        b"Error:No Line Number with checksum, Last Line: 56",
    ],
)
def test_every_way_to_ask_for_a_line_again(line: bytes) -> None:
    assert parse(line)[:2] == (Heard.RESEND, 57)


@pytest.mark.parametrize(
    "line",
    [
        b"Error:Printer halted. kill() called!",
        b"Error:Thermal Runaway, system stopped! Heater_ID: 0",
        b"Error:Heating failed, system stopped! Heater_ID: bed",
        b"Error:MINTEMP triggered, system stopped! Heater_ID: 0",
        b"Error:MAXTEMP triggered, system stopped! Heater_ID: bed",
        b": Extruder switched off. MAXTEMP triggered !",
        b"Error:Printer stopped due to errors. Fix the error and use M999 to restart.",
        b"fatal: the heater is gone",
        b"!! MCU 'mcu' shutdown: Timer too close",
    ],
)
def test_a_firmware_that_gives_up(line: bytes) -> None:
    assert parse(line).heard is Heard.HALT


@pytest.mark.parametrize(
    "line",
    [
        b'echo:Unknown command: "G123"',
        b"Error:volume.init failed",
        b"echo:SD init fail",
        b"echo: cold extrusion prevented",
        b"// everything is fine, nothing is printer halted",
        b"Error:0",
    ],
)
def test_what_is_not_fatal(line: bytes) -> None:
    assert parse(line).heard is Heard.NOTE


@pytest.mark.parametrize(
    "line",
    [
        b"start",
        b"\xff\x00\xc3start",
        b"echo:Marlin 2.0.9.5",
        b"Marlin 1.1.9",
        b"PowerUp",
        b" External Reset",
        b"echo: Watchdog Reset",
        b" Brown out Reset",
    ],
)
def test_a_controller_that_begins_anew(line: bytes) -> None:
    assert parse(line).heard is Heard.START


@pytest.mark.parametrize(
    ("line", "heard", "topic", "number", "text"),
    [
        (b"echo:busy: processing", Heard.BUSY, Topic.OTHER, None, b"echo:busy: processing"),
        (b"busy: paused for user", Heard.BUSY, Topic.OTHER, None, b"busy: paused for user"),
        (b"wait", Heard.WAIT, Topic.OTHER, None, b"wait"),
        (b"//action:pause", Heard.NOTE, Topic.ACTION, None, b"pause"),
        (b"// action:prompt_begin Hello", Heard.NOTE, Topic.ACTION, None, b"prompt_begin Hello"),
        (b"echo:M113 S2", Heard.NOTE, Topic.KEEPALIVE, 2, b"echo:M113 S2"),
        (b"Cap:EEPROM:1", Heard.NOTE, Topic.CAPABILITY, None, b"EEPROM:1"),
        (b"FIRMWARE_NAME:Marlin 2", Heard.NOTE, Topic.FIRMWARE, None, b"Marlin 2"),
        (b" T:20.0 /0.0 @:0", Heard.NOTE, Topic.TEMPERATURES, None, b"T:20.0 /0.0 @:0"),
        (
            b"X:1.00 Y:2.00 Z:3.00 E:4.00 Count X:80 Y:160 Z:1200",
            Heard.NOTE,
            Topic.POSITION,
            None,
            b"X:1.00 Y:2.00 Z:3.00 E:4.00 Count X:80 Y:160 Z:1200",
        ),
        (b"ko", Heard.NOTE, Topic.GARBLED, None, b"ko"),
    ],
)
def test_the_rest(line: bytes, heard: Heard, topic: Topic, number: int | None, text: bytes) -> None:
    assert parse(line) == Answer(heard, number, text, topic)


@pytest.mark.parametrize(
    ("line", "values"),
    [
        (
            b"ok T:93.2 /0 B:22.9 /60 @:0 B@:0",
            {"nozzle_c": 93.2, "nozzle_target_c": 0.0, "bed_c": 22.9, "bed_target_c": 60.0},
        ),
        (
            b"T:181.0 /200.0 B:60.0 /60.0 @:127 B@:0 W:?",
            {"nozzle_c": 181.0, "nozzle_target_c": 200.0, "bed_c": 60.0, "bed_target_c": 60.0},
        ),
        (b"ok T0:21.5 /0.0", {"nozzle_c": 21.5, "nozzle_target_c": 0.0}),
        (
            b"T:20.0 /0.0 T0:20.0 /0.0 T1:21.0 /5.0 C:30.0 /40.0",
            {
                "nozzle_c": 20.0,
                "nozzle_target_c": 0.0,
                "nozzle1_c": 21.0,
                "nozzle1_target_c": 5.0,
                "chamber_c": 30.0,
                "chamber_target_c": 40.0,
            },
        ),
        (b"T:20.0 E:0 W:3", {"nozzle_c": 20.0, "nozzle_target_c": None}),
        (b"T:nan /0.0", {"nozzle_c": None, "nozzle_target_c": 0.0}),
        (b"T:inf /0.0", {"nozzle_c": None, "nozzle_target_c": 0.0}),
    ],
)
def test_temperatures(line: bytes, values: dict[str, float | None]) -> None:
    assert readings(line) == values


def test_a_second_nozzle_is_noticed() -> None:
    assert tools_seen(readings(b"T:20.0 /0.0")) == 1
    assert tools_seen(readings(b"T:20.0 /0.0 T0:20.0 /0.0 T1:21.0 /0.0")) == 2


@given(st.binary(max_size=400), st.data())
def test_however_the_bytes_are_cut_the_lines_are_the_same(data: bytes, cuts: st.DataObject) -> None:
    whole = Ear().hear(data)
    at = cuts.draw(st.integers(0, len(data)))
    ear = Ear()
    assert ear.hear(data[:at]) + ear.hear(data[at:]) == whole


def test_a_line_that_never_ends_does_not_fill_the_memory() -> None:
    ear = Ear()
    for _ in range(100):
        assert ear.hear(b"x" * 1000) == []
    assert len(ear._rest) <= Ear.LONGEST


def test_a_plain_ok_costs_no_parsing() -> None:
    assert Ear().hear(b"ok\n")[0] is OK
    assert Ear().hear(b"ok\nok\n") == [OK, OK]
