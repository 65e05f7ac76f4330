"""What a trainer looks at: criteria in a description, and when somebody has passed."""

from __future__ import annotations

import pytest

from fabctl.model.practical import criteria, pass_refusals, told

WRITTEN = """You learn to mill.
- Puts on the goggles
– Clamps the part
  * Knows the red button
It takes 2 h - or 3.
-
-not a point
"""


def test_lines_with_a_dash_are_criteria_and_the_rest_is_told() -> None:
    points = ("Puts on the goggles", "Clamps the part", "Knows the red button")
    assert criteria(WRITTEN) == points
    assert told(WRITTEN) == "You learn to mill.\nIt takes 2 h - or 3.\n-\n-not a point"
    assert criteria("") == ()
    assert told("") == ""


@pytest.mark.parametrize(
    ("asked", "met", "passes"),
    [
        (0, set(), True),
        (2, {0, 1}, True),
        (2, {0, 1, 7}, True),
        (2, {0}, False),
        (2, set(), False),
        (3, {1, 2, 3}, False),
    ],
)
def test_each_point_is_needed(asked: int, met: set[int], passes: bool) -> None:
    refusals = pass_refusals(asked, met)
    assert [one.code for one in refusals] == ([] if passes else ["criteria-missing"])
