"""Every conversation with Grbl, played against the driver's pure session."""

from __future__ import annotations

import pytest

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
from tests.transcripts.grbl_stage import Scene, Stage

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
