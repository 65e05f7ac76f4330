"""What lab.toml may say about a controller's own settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabctl.config_file import ConfigError, read
from fabctl.ports import Controller

HERE = Path("/srv/lab/lab.toml")


def profile_with(kind: str, controller: str) -> Controller:
    raw = f"""
[lab]
id = "x"
name = "X"
[machines.m]
kind = "{kind}"
driver = "opaque"
controller = {{ {controller} }}
"""
    return read(raw, HERE, ["opaque"]).machines["m"].controller


def test_nothing_is_known_without_the_table() -> None:
    raw = '[lab]\nid = "x"\nname = "X"\n[machines.m]\nkind = "mill"\ndriver = "opaque"\n'
    assert read(raw, HERE, ["opaque"]).machines["m"].controller == Controller()


def test_everything_that_may_be_said() -> None:
    found = profile_with(
        "mill",
        "line_bytes = 256, acceleration_mm_per_s2 = 300, z_acceleration_mm_per_s2 = 50.5,"
        " junction_deviation_mm = 0.01, feed_max_mm_per_min = 6000, rapid_mm_per_min = 8000,"
        " work_zero_mm = [10, 20.5, -3]",
    )
    assert found == Controller(
        line_bytes=256,
        acceleration_mm_per_s2=300.0,
        z_acceleration_mm_per_s2=50.5,
        junction_deviation_mm=0.01,
        feed_max_mm_per_min=6000.0,
        rapid_mm_per_min=8000.0,
        work_zero_mm=(10.0, 20.5, -3.0),
    )


@pytest.mark.parametrize(
    ("kind", "controller", "allowed"),
    [
        ("mill", "line_bytes = 5", "a whole number from 24 to 4096"),
        ("mill", "acceleration_mm_per_s2 = 0", "above 0 and at most 1e+06 mm/s²"),
        ("mill", "acceleration = 5", "did you mean acceleration_mm_per_s2"),
        ("mill", "work_zero_mm = [1, 2]", "[x, y, z] in mm"),
        ("mill", "work_zero_mm = [1, 2, nan]", "[x, y, z] in mm"),
        ("mill", "work_zero_mm = [1, 2, 99999]", "[x, y, z] in mm"),
        ("printer", "work_zero_mm = [1, 2, 3]", "only for a mill or a laser"),
        ("laser", "home_mm = [1, 2, 3]", "only for a printer"),
        ("mill", "jerk_mm_per_s = 1, junction_deviation_mm = 1", "this or jerk_mm_per_s"),
    ],
)
def test_what_is_refused(kind: str, controller: str, allowed: str) -> None:
    with pytest.raises(ConfigError) as caught:
        profile_with(kind, controller)
    assert allowed in caught.value.problems[0].sentence("lab.toml")
    assert len(caught.value.problems) == 1
