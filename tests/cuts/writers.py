"""The program that forks writers and kills them: ``python -m tests.cuts.writers``.

Each line that it reads is an order; each is answered by a line. It is a program of its own because
a fork of one with threads is no healthy process.
"""

from __future__ import annotations

import gc
import json
import os
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fabctl.clock import ManualClock
from fabctl.model.event import EventKind, MachineEvent
from fabctl.services import recording
from fabctl.store.engine import open_database
from tests.cuts.controls import InPlace, InTwoSteps, OnlyFull, TooEarly, Unforced
from tests.cuts.folders import Folder, FolderShadow, FolderWriter
from tests.cuts.plug import NoMountError, disk_with_a_plug
from tests.cuts.postgres import own_server
from tests.cuts.record import PRINTER, Scene, Writer
from tests.cuts.rounds import Deaf, Moments, cut
from tests.cuts.truth import Shadow, after, on_record
from tests.databases import migrated_file
from tests.web_lab import lab_config

Order = dict[str, Any]
"""``kind``, ``rounds``, ``seed``, ``place`` (a folder for the files), and what a kind needs."""
Seen = dict[str, int]
"""How often each deed was done; ``whole`` and ``nothing``: what became of those cut off."""


def record_rounds(order: Order) -> Seen:
    """Cut the power so many times while bookings and jobs are written; return what was seen.

    :raises AssertionError: something was lost, or is torn.
    """
    with _folder(order) as folder:
        (folder / "lab.db").write_bytes(migrated_file().read_bytes())
        return _record_rounds(order, _scene(folder, f"sqlite:///{folder}/lab.db"))


def postgresql_rounds(order: Order) -> Seen:
    """Do the same with PostgreSQL; every ``order["server_every"]`` rounds its server is cut off."""
    with _folder(order) as folder, own_server() as (server, url):
        database = url.rpartition("/")[2]

        def kill(number: int, pid: int) -> None:
            if number % order["server_every"] == 0:
                os.kill(pid, signal.SIGSTOP)  # it must not see the end of its server
                server.cut()
            os.kill(pid, signal.SIGKILL)

        def mend(number: int) -> None:
            if number % order["server_every"] == 0:
                server.start()
            server.quiet(database)

        return _record_rounds(order, _scene(folder, url), kill, mend)


def plug_rounds(order: Order) -> Seen:
    """Pull the plug of the disk that ``order["what"]`` is written to: ``record`` or ``folder``."""
    with disk_with_a_plug() as disk:

        def kill(_number: int, pid: int) -> None:
            disk.pull(pid)

        def mend(_number: int) -> None:
            disk.plug_in()

        path = disk.path / "lab"
        path.mkdir()
        if order["what"] == "folder":
            return _folder_rounds(order, path, kill, mend)
        shutil.copyfile(migrated_file(), path / "lab.db")
        disk.sync()
        return _record_rounds(order, _scene(path, f"sqlite:///{path}/lab.db"), kill, mend)


def _kill(_number: int, pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def _record_rounds(
    order: Order,
    scene: Scene,
    kill: Callable[[int, int], None] = _kill,
    mend: Callable[[int], None] = lambda _number: None,
) -> Seen:
    seen: Counter[str] = Counter(refused=0)
    warm = Writer(scene, Deaf(), random.Random(order["seed"]))  # noqa: S311  # a test's
    for deed in (warm.book, warm.move, warm.cancel, warm.print):
        deed()  # what is compiled once is not compiled by every writer
    shadow = Shadow(on_record(scene))
    kind = CONTROLS.get(order.get("control"), Writer)
    gc.freeze()
    moments = Moments(order["seed"])
    for number in range(order["rounds"]):
        scene.db.close()
        end = partial(kill, number)
        found = cut(lambda say, chance: kind(scene, say, chance).write(), moments, number, end)
        mend(number)
        with moments.named(number):
            shadow.hold_against(found, on_record(scene))
        seen.update(str(deed["what"]) for deed in found.did)
        seen["refused"] += sum(bool(deed.get("refused")) for deed in found.did)
        _free_the_machine(scene, shadow)
    scene.db.close()
    return {**seen, "whole": shadow.whole, "nothing": shadow.nothing, "rounds": order["rounds"]}


@contextmanager
def _folder(order: Order) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="fabctl-cuts-", dir=order["place"]) as name:
        yield Path(name)


def _scene(folder: Path, url: str) -> Scene:
    database = open_database(url, zone=ZoneInfo("Europe/Paris"))
    scene = Scene(lab_config(folder), database, ManualClock())
    scene.people()
    return scene


def _free_the_machine(scene: Scene, shadow: Shadow) -> None:
    """Tell the end of a job that a writer did not see: its machine's process would tell it."""
    for job in [id_ for id_, fact in shadow.facts.items() if fact.get("uses") == ["open"]]:
        event = MachineEvent(PRINTER, job, 9, EventKind.JOB_INTERRUPTED, job=job, seconds=1.0)
        with scene.db.transaction() as session:
            assert recording.record_event(session, scene.clock, event)
        shadow.facts = after(shadow.facts, {"what": EventKind.JOB_INTERRUPTED, "id": job})


def folder_rounds(order: Order) -> Seen:
    """Cut the power so many times while a machine's files are written; return what was seen.

    :raises AssertionError: something was lost, or cannot be read.
    """
    with _folder(order) as path:
        return _folder_rounds(order, path)


def _folder_rounds(
    order: Order,
    path: Path,
    kill: Callable[[int, int], None] = _kill,
    mend: Callable[[int], None] = lambda _number: None,
) -> Seen:
    seen: Counter[str] = Counter()
    folder = Folder(path)
    folder.begin()
    shadow = FolderShadow(folder.on_disk())
    kind = CONTROLS.get(order.get("control"), FolderWriter)
    gc.freeze()
    moments = Moments(order["seed"])
    for number in range(order["rounds"]):
        end = partial(kill, number)
        found = cut(lambda say, chance: kind(folder, say, chance).write(), moments, number, end)
        mend(number)
        with moments.named(number):
            shadow.hold_against(found, folder.on_disk())
        seen.update(str(deed["what"]) for deed in found.did)
    return {**seen, "whole": shadow.whole, "nothing": shadow.nothing, "rounds": order["rounds"]}


CONTROLS: dict[str | None, Any] = {
    one.__name__: one for one in (InTwoSteps, TooEarly, InPlace, Unforced, OnlyFull)
}
KINDS: dict[str, Callable[[Order], Seen]] = {
    "record": record_rounds,
    "postgresql": postgresql_rounds,
    "folder": folder_rounds,
    "plug": plug_rounds,
}


def main() -> None:
    """Answer one order after the other, until the input ends."""
    for line in sys.stdin:
        order: Order = json.loads(line)
        try:
            said: dict[str, Any] = {"seen": KINDS[order["kind"]](order)}
        except AssertionError as error:
            said = {"wrong": str(error)}
        except NoMountError as error:
            said = {"forbidden": str(error)}
        print(json.dumps(said), flush=True)  # noqa: T201  # this is its answer


if __name__ == "__main__":
    main()
