"""The Grbl stand-in's parser: every error code it can give, and what the modes do.

Codes: gnea/grbl doc/markdown/interface.md, "Grbl Response Messages".
"""

from __future__ import annotations

import pytest

from tests.grbl_bench import GrblBench as Bench


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("1X2", 1), ("GX2", 2), ("X1.2.3", 1), ("$foo", 3), ("$130", 3), ("G1X1F-1", 4),
        ("$H", 5), ("$0=2", 6), ("$20=1", 10), ("$J X1F100", 16), ("$J=X1F100M3", 16),
        ("$J=X1", 22), ("$J=F100", 26), ("G5", 20), ("M7", 20), ("E1", 20), ("M6", 20),
        ("G0G1X1F100", 24), ("G90G91", 21), ("M3M4", 21), ("G17G18", 21), ("G1X1", 22),
        ("G1", 22), ("G93G1X1", 22), ("G1.5X1F1", 23), ("M3.5", 23), ("G59.1", 23),
        ("G28G1X1F1", 24), ("G1X1X2F1", 25), ("G2F100", 26), ("G92", 26), ("G10L2P1", 26),
        ("N10000000G21", 27), ("G4", 28), ("G10X1", 28), ("G10L2P7X1", 29), ("G10L3P1X1", 20),
        ("G10L2P1X1R2", 20), ("G2X1I1F100G53", 30), ("G80X1", 31), ("G2Z1I1F100", 32),
        ("G2X10I1F100", 33), ("G38.2X0F100", 33), ("G2X10R1F100", 34), ("G2X10F100", 35),
        ("G1X1I1F100", 36), ("G21P1", 36), ("G43.1X1", 37), ("T256", 38), ("$N9=G21", 3),
        ("$RST=1", 3), ("$X1", 3), ("$5000=1", 3),
    ],
)  # fmt: skip
def test_error_codes(line: str, code: int) -> None:
    assert Bench().exchange(line.encode() + b"\n") == [f"error:{code}"]


def test_a_refused_line_changes_nothing() -> None:
    at = Bench()
    at.exchange(b"G91 G20 X1 I1\n")
    assert at.exchange(b"$G\n")[0] == "[GC:G0 G54 G17 G21 G90 G94 M5 M9 T0 F0 S0]"


def test_modes_are_shown() -> None:
    at = Bench()
    for line in (b"G20G91G18G55\n", b"M4S300M8T3\n", b"G1F10\n"):
        assert at.exchange(line)[-1] == "ok"
    assert at.exchange(b"$G\n")[0] == "[GC:G1 G55 G18 G20 G91 G94 M4 M8 T3 F254 S300]"
    assert at.exchange(b"M30\n") == ["[MSG:Pgm End]", "ok"]
    assert at.exchange(b"$G\n")[0] == "[GC:G1 G54 G17 G20 G90 G94 M5 M9 T3 F254 S300]"


def test_modal_lines_inches_and_relative_moves() -> None:
    at = Bench()
    for line in (b"G1X1F600", b"X2", b"G91", b"Y1Z-1", b"G20X1", b"G90 G53 G0 X0"):
        at.send(line + b"\n")
    at.listen(20.0)
    assert at.ends() == [[1, 0, 0], [2, 0, 0], [2, 1, -1], [27.4, 1, -1], [0, 1, -1]]


def test_offsets_move_the_work_position() -> None:
    at = Bench(s10=0)
    for line in (b"G10L2P1X10", b"G92Y5", b"G43.1Z2"):
        assert at.exchange(line + b"\n") == ["ok"]
    assert "WCO:10.000,-5.000,2.000" in at.exchange(b"?")[0]
    assert at.exchange(b"G0X0\n", 3.0) == ["ok"]
    assert at.ends() == [[10, 0, 0]]
    shown = at.exchange(b"$#\n")
    assert shown[0] == "[G54:10.000,0.000,0.000]"
    assert shown[8:11] == ["[G92:0.000,-5.000,0.000]", "[TLO:2.000]", "[PRB:0.000,0.000,0.000:0]"]


def test_g10_l20_and_stored_places_survive_a_reset() -> None:
    at = Bench()
    at.exchange(b"G0X8Y4\n", 3.0)
    at.exchange(b"G10L20P2X1\n")
    at.exchange(b"G28.1\n")
    at.exchange(b"\x18")
    shown = at.exchange(b"$#\n")
    assert (shown[1], shown[6]) == ("[G55:7.000,0.000,0.000]", "[G28:8.000,4.000,0.000]")
    at.exchange(b"G0X0Y0\n", 3.0)
    at.exchange(b"G28X2\n", 3.0)
    assert at.ends()[-2:] == [[2, 0, 0], [8, 0, 0]]


def test_an_arc_is_cut_in_chords_within_the_tolerance() -> None:
    at = Bench()
    assert at.exchange(b"G2X10I5F1000\n", 5.0) == ["ok"]
    points = at.ends()
    assert len(points) > 20
    assert points[-1] == [10, 0, 0]
    assert all(abs(((x - 5) ** 2 + y**2) ** 0.5 - 5) < 1e-3 and y >= 0 for x, y, _ in points)


def test_an_arc_by_radius_and_a_full_turn() -> None:
    at = Bench()
    at.exchange(b"G3X10R5F1000\n", 5.0)
    assert min(y for _, y, _ in at.ends()) == pytest.approx(-5, abs=0.05)
    at.exchange(b"G2X10I-5\n", 5.0)
    assert at.ends()[-1] == [10, 0, 0]
    assert max(y for _, y, _ in at.ends()) == pytest.approx(5, abs=0.05)


def test_inverse_time_feed() -> None:
    at = Bench()
    at.send(b"G93G1X10F6\n")
    at.listen(1.0)
    assert "FS:60," in at.exchange(b"?", 1.0)[0]


def test_start_up_lines() -> None:
    at = Bench()
    assert at.exchange(b"$N0=G20\n") == ["ok"]
    assert at.exchange(b"$N1=G5\n") == ["error:20"]
    assert at.exchange(b"$N\n") == ["$N0=G20", "$N1=", "ok"]
    assert at.exchange(b"\x18")[-1] == ">G20:ok"
    assert at.exchange(b"$RST=*\n")[:2] == ["[MSG:Restoring defaults]", "ok"]
    assert at.exchange(b"$N\n")[0] == "$N0="


def test_settings_are_kept_and_shown() -> None:
    at = Bench()
    assert at.exchange(b"$32=1\n") == ["ok"]
    assert at.exchange(b"$120=55.5\n") == ["ok"]
    shown = at.exchange(b"$$\n")
    assert {"$32=1", "$120=55.500", "$30=1000", "$13=0", "$11=0.010"} <= set(shown)
    assert shown[-1] == "ok"
    assert at.exchange(b"$I=shop\n") == ["ok"]
    assert at.exchange(b"$I\n")[0] == "[VER:1.1h.20190825:SHOP]"
