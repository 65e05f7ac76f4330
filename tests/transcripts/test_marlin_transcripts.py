"""Every conversation with Marlin, played against the driver's pure session."""

from __future__ import annotations

import pytest

from tests.transcripts.marlin_ends import CONNECTING, ENDS
from tests.transcripts.marlin_lines import NUMBERS, RESENDS, WINDOWS
from tests.transcripts.marlin_requests import PAUSES, STOPS
from tests.transcripts.marlin_stage import Scene, Stage
from tests.transcripts.marlin_waits import WAITING

SCENES = [*NUMBERS, *RESENDS, *WINDOWS, *WAITING, *CONNECTING, *ENDS, *STOPS, *PAUSES]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.title)
def test_conversation(scene: Scene) -> None:
    stage = Stage(scene)
    stage.play(scene.talk)
    assert stage.session.phase is scene.phase
    for event in scene.events:
        assert stage.events.count(event) == 1
    if not scene.ends:
        assert stage.ended is None
        return
    assert stage.ended is not None
    for name, value in scene.ends.items():
        assert getattr(stage.ended, name) == value, name


def test_every_scene_has_its_own_title_and_a_source() -> None:
    titles = [scene.title for scene in SCENES]
    assert len(set(titles)) == len(titles)
    assert all(scene.source for scene in SCENES)
