"""A port that vanishes while we connect: boards with USB of their own do so when they reset."""

from __future__ import annotations

from fabctl.ports import Phase
from fabctl.units import Seconds
from tests.pty_bench import MakeMarlin


def test_a_port_that_is_away_for_a_moment_is_waited_for(marlin: MakeMarlin) -> None:
    one = marlin("--factor", "instant")
    one.driver.open()
    one.control.unplug()
    one.driver.pump(Seconds(0.3))
    assert one.driver.phase is Phase.CONNECTING
    one.control.plug(reset=True)
    one.until_phase(Phase.IDLE)
