"""Arcs: their boxes contain every point of them, touch them, and their ends are their ends."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fabctl.gcode.arcs import Arc, arc_around, centre_from_radius
from tests.gcode_reading import UNHURRIED

Point = tuple[float, float]
NUMBERS = st.floats(-500.0, 500.0).map(lambda v: round(v, 3))
POINTS = st.tuples(NUMBERS, NUMBERS)
ANGLES = st.floats(0.0, 2.0 * math.pi)


def on_circle(centre: Point, radius: float, angle: float) -> Point:
    return centre[0] + radius * math.cos(angle), centre[1] + radius * math.sin(angle)


@UNHURRIED
@given(POINTS, st.floats(0.01, 300.0), ANGLES, ANGLES, st.booleans(), st.integers(0, 2))
def test_the_box_holds_every_point_and_touches_the_arc(
    centre: Point, radius: float, begin: float, finish: float, clockwise: bool, turns: int
) -> None:
    start, end = on_circle(centre, radius, begin), on_circle(centre, radius, finish)
    arc = arc_around(start, end, centre, clockwise, turns)
    low_a, high_a, low_b, high_b = arc.box()
    points = [arc.point(step / 2000) for step in range(2001)]
    slack = 1e-9 * (1.0 + radius)
    assert all(low_a - slack <= a <= high_a + slack for a, _ in points)
    assert all(low_b - slack <= b <= high_b + slack for _, b in points)
    near = 2e-5 * radius * (1 + turns) ** 2 + slack
    assert min(a for a, _ in points) - low_a <= near
    assert high_a - max(a for a, _ in points) <= near
    assert min(b for _, b in points) - low_b <= near
    assert high_b - max(b for _, b in points) <= near


@UNHURRIED
@given(POINTS, st.floats(0.01, 300.0), ANGLES, ANGLES, st.booleans())
def test_an_arc_begins_and_ends_where_it_should(
    centre: Point, radius: float, begin: float, finish: float, clockwise: bool
) -> None:
    start, end = on_circle(centre, radius, begin), on_circle(centre, radius, finish)
    arc = arc_around(start, end, centre, clockwise)
    assert math.dist(arc.point(0.0), start) < 1e-6
    assert math.dist(arc.point(1.0), end) < 1e-6
    assert (arc.sweep < 0.0) == clockwise
    assert abs(arc.sweep) <= 2.0 * math.pi + 1e-9


@UNHURRIED
@given(POINTS, POINTS, st.floats(1.0, 300.0), st.booleans(), st.booleans())
def test_the_radius_form_keeps_its_radius_and_its_way_round(
    start: Point, end: Point, radius: float, clockwise: bool, longer: bool
) -> None:
    chord = math.dist(start, end)
    assume(1e-3 < chord < 1.99 * radius)
    centre = centre_from_radius(start, end, -radius if longer else radius, clockwise)
    assert centre is not None
    assert math.dist(centre, start) == pytest.approx(radius, abs=1e-6)
    assert math.dist(centre, end) == pytest.approx(radius, abs=1e-6)
    arc = arc_around(start, end, centre, clockwise)
    assert (abs(arc.sweep) > math.pi) == longer


@pytest.mark.parametrize(
    ("start", "end", "radius"),
    [((0.0, 0.0), (0.0, 0.0), 5.0), ((0.0, 0.0), (10.0, 0.0), 4.9), ((0.0, 0.0), (1.0, 0.0), 0.0)],
)
def test_no_circle_has_this_radius(start: Point, end: Point, radius: float) -> None:
    assert centre_from_radius(start, end, radius, clockwise=True) is None


def quarter(clockwise: bool) -> Arc:
    return arc_around((10.0, 0.0), (0.0, 10.0), (0.0, 0.0), clockwise)


def test_a_quarter_and_its_rest_by_hand() -> None:
    assert quarter(False).length == pytest.approx(5.0 * math.pi)
    assert quarter(False).box() == pytest.approx((0.0, 10.0, 0.0, 10.0))
    assert quarter(True).length == pytest.approx(15.0 * math.pi)
    assert quarter(True).box() == pytest.approx((-10.0, 10.0, -10.0, 10.0))


def test_the_same_point_twice_is_a_full_circle() -> None:
    arc = arc_around((10.0, 0.0), (10.0, 0.0), (5.0, 0.0), clockwise=True)
    assert arc.length == pytest.approx(10.0 * math.pi)
    assert arc.box() == pytest.approx((0.0, 10.0, -5.0, 5.0))


def test_turns_are_added() -> None:
    arc = arc_around((10.0, 0.0), (0.0, 10.0), (0.0, 0.0), clockwise=False, turns=2)
    assert arc.sweep == pytest.approx(4.5 * math.pi)


@pytest.mark.parametrize(("clockwise", "direction"), [(False, (0.0, 1.0)), (True, (0.0, -1.0))])
def test_the_tangent_points_along_the_way(clockwise: bool, direction: Point) -> None:
    assert quarter(clockwise).tangent(0.0) == pytest.approx(direction)
