"""Every conversation with Grbl, played against the driver's pure session."""

from __future__ import annotations

import pytest

from fabctl.errors import LocalError
from fabctl.ports import Phase
from fabctl_drivers.grbl.settings import Settings
from tests.transcripts.grbl_by_hand import (
    HOMING,
    JOGS,
    OVERRIDES,
    PROBING,
    REPORTS,
    TERMINAL,
)
from tests.transcripts.grbl_lines import CHECKS, COUNTING, ERRORS, LASERS, TEXTS, WRITERS
from tests.transcripts.grbl_requests import HOLDS, OPENINGS, SILENCES, STOPS
from tests.transcripts.grbl_stage import LASER, SETTINGS, Scene, Stage

SCENES = [
    *COUNTING,
    *ERRORS,
    *WRITERS,
    *TEXTS,
    *CHECKS,
    *LASERS,
    *HOLDS,
    *STOPS,
    *SILENCES,
    *OPENINGS,
    *TERMINAL,
    *PROBING,
    *REPORTS,
    *JOGS,
    *HOMING,
    *OVERRIDES,
]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.title)
def test_conversation(scene: Scene) -> None:
    stage = Stage(scene)
    stage.play(scene.talk)
    assert stage.session.phase is scene.phase
    for event in scene.events:
        assert stage.events.count(event) == 1
    for reason in scene.reasons:
        assert reason in stage.reasons
    for group, values in scene.last.items():
        assert values.items() <= stage.newest(group).items()
    asked = stage.asked
    gaps = [after - before for before, after in zip(asked, asked[5:], strict=False)]
    assert all(gap >= 1.0 - 1e-9 for gap in gaps), "at most five questions in any second"
    if not scene.ends:
        assert stage.ended is None
        return
    assert stage.ended is not None
    for name, value in scene.ends.items():
        found = getattr(stage.ended, name)
        assert str(value) in found if name == "reason" else found == value, name


def test_every_scene_has_its_own_title_and_a_source() -> None:
    titles = [scene.title for scene in SCENES]
    assert len(set(titles)) == len(titles)
    assert all(scene.source for scene in SCENES)


LASER_MODE_OFF = [SETTINGS, SETTINGS.replace("$32=0\n", "")]


@pytest.mark.parametrize("stored", LASER_MODE_OFF, ids=["$32=0", "$32 not told"])
def test_a_laser_outside_laser_mode_starts_nothing(stored: str) -> None:
    """laser_mode.md: without $32=1 it is a spindle, and a feed hold leaves a spindle on."""
    scene = Scene("a laser", "laser_mode.md", [], stored=stored, settings=Settings(is_laser=True))
    with pytest.raises(LocalError, match=r"\$32=1") as refused:
        Stage(scene)
    assert refused.value.next_step


def test_a_laser_in_laser_mode_and_a_dry_run_start() -> None:
    laser = Scene("", "laser_mode.md", [], stored=LASER, settings=Settings(is_laser=True))
    assert Stage(laser).session.phase is Phase.RUNNING
    checked = Settings(is_laser=True, check_run=True)
    assert Stage(Scene("", "commands.md, $C", [], settings=checked)).session.phase is Phase.RUNNING
