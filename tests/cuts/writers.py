"""The program that forks writers and kills them: ``python -m tests.cuts.writers``.

Each line that it reads is an order; each is answered by a line. It is a program of its own because
a fork of one with threads is no healthy process.
"""

from __future__ import annotations

import gc
import json
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fabctl.clock import ManualClock
from fabctl.model.event import EventKind, MachineEvent
from fabctl.services import recording
from fabctl.store.engine import open_database
from tests.cuts.controls import InPlace, InTwoSteps, TooEarly
from tests.cuts.folders import Folder, FolderShadow, FolderWriter
from tests.cuts.record import PRINTER, Scene, Writer
from tests.cuts.rounds import Deaf, Moments, Said, cut
from tests.cuts.truth import Shadow, after, on_record
from tests.web_lab import lab_config


def record_rounds(order: dict[str, Any]) -> dict[str, int]:
    """Cut the power so many times while bookings and jobs are written; return what was seen.

    :raises AssertionError: something was lost, or is torn.
    """
    seen: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="fabctl-cuts-", dir=order["place"]) as name:
        scene = _scene(Path(name), order["url"])
        warm = Writer(scene, Deaf(), random.Random(order["seed"]))  # noqa: S311  # a test's
        for deed in (warm.book, warm.move, warm.cancel, warm.print):
            deed()  # what is compiled once is not compiled by every writer
        shadow = Shadow(on_record(scene))
        kind = CONTROLS.get(order.get("control"), Writer)
        gc.freeze()
        moments = Moments(order["seed"])
        for number in range(order["rounds"]):
            scene.db.close()
            found = cut(lambda say, chance: kind(scene, say, chance).write(), moments, number)
            try:
                shadow.hold_against(found, on_record(scene))
            except AssertionError as error:
                raise AssertionError(f"seed {moments.seed_of(number)}: {error}") from error
            seen.update(str(deed["what"]) for deed in found.did)
            seen["refused"] += sum(bool(deed.get("refused")) for deed in found.did)
            _free_the_machine(scene, shadow)
        scene.db.close()
    return {**seen, "whole": shadow.whole, "nothing": shadow.nothing, "rounds": order["rounds"]}


def _scene(folder: Path, url: str | None) -> Scene:
    config = lab_config(folder)
    if url is None:
        from tests.databases import migrated_file  # noqa: PLC0415  # not for PostgreSQL

        url = f"sqlite:///{folder}/lab.db"
        (folder / "lab.db").write_bytes(migrated_file().read_bytes())
    database = open_database(url, zone=ZoneInfo("Europe/Paris"))
    scene = Scene(config, database, ManualClock())
    scene.people()
    return scene


def _free_the_machine(scene: Scene, shadow: Shadow) -> None:
    """Tell the end of a job that a writer did not see: its machine's process would tell it."""
    for job in [id_ for id_, fact in shadow.facts.items() if fact.get("uses") == ["open"]]:
        event = MachineEvent(PRINTER, job, 9, EventKind.JOB_INTERRUPTED, job=job, seconds=1.0)
        with scene.db.transaction() as session:
            assert recording.record_event(session, scene.clock, event)
        shadow.facts = after(shadow.facts, {"what": EventKind.JOB_INTERRUPTED, "id": job})


def folder_rounds(order: dict[str, Any]) -> dict[str, int]:
    """Cut the power so many times while a machine's files are written; return what was seen.

    :raises AssertionError: something was lost, or cannot be read.
    """
    seen: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="fabctl-cuts-", dir=order["place"]) as name:
        folder = Folder(Path(name))
        folder.begin()
        shadow = FolderShadow(folder.on_disk())
        kind = CONTROLS.get(order.get("control"), FolderWriter)
        gc.freeze()
        moments = Moments(order["seed"])
        for number in range(order["rounds"]):
            found = cut(lambda say, chance: kind(folder, say, chance).write(), moments, number)
            try:
                shadow.hold_against(found, folder.on_disk())
            except AssertionError as error:
                raise AssertionError(f"seed {moments.seed_of(number)}: {error}") from error
            seen.update(str(deed["what"]) for deed in found.did)
    return {**seen, "whole": shadow.whole, "nothing": shadow.nothing, "rounds": order["rounds"]}


CONTROLS: dict[str | None, Any] = {one.__name__: one for one in (InTwoSteps, TooEarly, InPlace)}
KINDS = {"record": record_rounds, "folder": folder_rounds}


def main() -> None:
    """Answer one order after the other, until the input ends."""
    for line in sys.stdin:
        order: Said = json.loads(line)
        try:
            said: dict[str, Any] = {"seen": KINDS[order["kind"]](order)}
        except AssertionError as error:
            said = {"wrong": str(error)}
        print(json.dumps(said), flush=True)  # noqa: T201  # this is its answer


if __name__ == "__main__":
    main()
