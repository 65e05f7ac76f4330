"""Pause and resume anywhere in gear.gcode leaves the moves, the extrusion and the modes alone.

Pure, in simulated time, on a board that is quick about its heaters and its wire. The file is
cut into passages with all that came before them said in short (place, E, feed, modes, heat), so
that hundreds of places fit into seconds; the places are anywhere in the file.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

import fabctl_sim
from fabctl.ports import Outcome, Phase
from fabctl_drivers.marlin.frames import commands
from fabctl_drivers.marlin.motion import Motion
from fabctl_sim.cable import Faults
from fabctl_sim.marlin.board import Board, HeaterBuild
from fabctl_sim.marlin.words import Command
from tests.marlin_rig import Rig

GEAR = Path(fabctl_sim.__file__).parent / "gcode" / "gear.gcode"
PLACES, GROUPS = 300, 6
PASSAGE = 24
BAD_PLACES = 120
QUICK = HeaterBuild(rise_c=400.0, tau_s=0.5, window_c=5.0, residency_s=0.0)
BOARD = Board(boot_s=0.05, nozzle=QUICK, bed=QUICK, baud=2_000_000)


@cache
def gear() -> list[str]:
    with GEAR.open("rb") as file:
        return [command.decode() for _, command in commands(file)]


def preamble(before: Sequence[str]) -> list[str]:
    """Return commands that bring a board to where it stands after ``before``."""
    motion = Motion()
    for command in before:
        motion.note(command.encode())
    motion.read()
    at = {axis: value for axis, value in motion.at.items() if value is not None}
    place = " ".join(f"{axis}{value:g}" for axis, value in at.items() if axis != "E")
    return [
        "M104 S210", "M140 S60", "M109 S210", "G28", "G90", "M82", f"G0 {place} F6000".strip(),
        f"G92 E{at.get('E', 0.0):.5f}", *(word.decode() for word in motion.positioning),
        *([f"G1 F{motion.feed.decode()}"] if motion.feed else []),
        *([motion.fan.decode()] if motion.fan else []),
    ]  # fmt: skip


def is_move(text: str) -> bool:
    return text.startswith(("G0", "G1")) and bool(set(text) & set("XYZE"))


class Watch(Rig):
    """A rig that notes, for each of the passage's moves as it begins, from where and how it runs.

    The same command from the same place in the same modes is the same move.
    """

    def __init__(self, passage: Sequence[str], seed: int) -> None:
        super().__init__(BOARD, baud=2_000_000, seed=seed)
        self.moves: list[tuple[object, ...]] = []
        self._passage = {text for text in passage if is_move(text)}

    def _record(self, command: Command) -> None:
        super()._record(command)
        if command.text in self._passage:
            self.moves.append((command.text, *self.state()))

    def state(self) -> tuple[object, ...]:
        """Return place and E in mm, modes, unit, feed, fan, and what the heaters are told."""
        machine = self.firmware.machine
        motion = machine.motion
        place = tuple(round(mm, 4) for mm in motion.logical())
        modes = (*motion.relative, motion.unit_mm, round(motion.feed, 4), motion.fan)
        return (place, modes, machine.nozzle.target_c, machine.bed.target_c)


Traces = tuple[list[tuple[object, ...]], tuple[object, ...]]


def played(
    lead: Sequence[str],
    passage: Sequence[str],
    pause_at: int | None = None,
    faults: Faults | None = None,
    seed: int = 1,
) -> Traces | None:
    """Return the passage's moves, and the state at the end; None where the job failed.

    :param faults: what the cable does, both ways, from the pause on.
    """
    rig = Watch(passage, seed)
    rig.connect()
    rig.start([*lead, *passage])
    if pause_at is not None:
        rig.until(lambda: rig.session.confirmed_line >= pause_at, "the place")
        if faults is not None:
            rig.cable.spoil(faults)
        rig.session.pause(rig.now)
        rig.until(lambda: rig.session.phase is not Phase.PAUSING, "it is parked")
        if rig.session.phase is Phase.BROKEN:
            return None
        lifted = rig.firmware.machine.motion.logical()[2]
        rig.wait(20.0)
        assert rig.firmware.machine.motion.logical()[2] == lifted
        rig.session.resume(rig.now)
    ended = rig.finish()
    if faults is not None and ended.outcome is Outcome.FAILED:
        return None
    assert ended.outcome is Outcome.FINISHED
    assert len(rig.moves) == sum(is_move(text) for text in passage)
    return rig.moves, rig.state()


@pytest.mark.parametrize("group", range(GROUPS))
def test_a_pause_anywhere_changes_no_move_no_extrusion_and_no_mode(group: int) -> None:
    lines = gear()
    pick = random.Random(group)  # noqa: S311  # places, not secrets
    for _ in range(PLACES // GROUPS):
        begin = pick.randrange(20, len(lines) - PASSAGE)
        lead, passage = preamble(lines[:begin]), lines[begin : begin + PASSAGE]
        place = len(lead) + pick.randrange(PASSAGE - 1)
        assert played(lead, passage, place) == played(lead, passage), (begin, place)


def test_a_pause_on_a_bad_cable_changes_nothing_or_fails_the_job() -> None:
    """One byte in 300 flipped both ways, the answers to "where are you" too."""
    lines, finished = gear(), 0
    pick = random.Random(7)  # noqa: S311  # places, not secrets
    for seed in range(BAD_PLACES):
        begin = pick.randrange(20, len(lines) - PASSAGE)
        lead, passage = preamble(lines[:begin]), lines[begin : begin + PASSAGE]
        place = len(lead) + pick.randrange(PASSAGE - 1)
        told = played(lead, passage, place, Faults(flip=300), seed)
        if told is not None:
            assert told == played(lead, passage), (begin, place, seed)
            finished += 1
    assert finished >= 0.9 * BAD_PLACES
