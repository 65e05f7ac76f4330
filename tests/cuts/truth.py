"""What is on record after a power cut, held against what the writers were told."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, text

from fabctl.model.event import EventKind
from tests.cuts.record import MILL, Scene
from tests.cuts.rounds import Cut, Said

Facts = dict[str, dict[str, Any]]
"""What is known of each reservation and job, by its id."""
SOUND = {"integrity_check": [("ok",)], "foreign_key_check": []}
OVERLAPS = """
SELECT count(*) FROM claim a JOIN claim b ON a.resource_id = b.resource_id AND a.id < b.id
WHERE a.released_at IS NULL AND b.released_at IS NULL
AND a.start_at < b.free_at AND b.start_at < a.free_at
"""
OPEN_USES = "SELECT count(*) FROM use WHERE closed_at IS NULL GROUP BY resource_id"
STRAYS = {
    "a claim without a reservation": "SELECT count(*) FROM claim WHERE kind = 'reservation' AND"
    " id NOT IN (SELECT claim_id FROM reservation)",
    "a job without its file on record": "SELECT count(*) FROM job WHERE sha256 NOT IN"
    " (SELECT sha256 FROM job_file)",
    "an audit line of a job or reservation that is not there": "SELECT count(*) FROM audit WHERE"
    " (subject LIKE 'reservation:%' AND substr(subject, 13) NOT IN (SELECT id FROM reservation))"
    " OR (subject LIKE 'job:%' AND substr(subject, 5) NOT IN (SELECT id FROM job))",
    "a notice of a reservation that is not there": "SELECT count(*) FROM notice WHERE"
    " subject LIKE 'reservation:%' AND substr(subject, 13) NOT IN (SELECT id FROM reservation)",
}
RESERVATIONS = """
SELECT r.id, c.resource_id, c.start_at, c.end_at, c.released_at, r.cancelled_at
FROM reservation r JOIN claim c ON c.id = r.claim_id
"""

WORDS = {
    "lines": "SELECT subject, what FROM audit ORDER BY id",
    "told": "SELECT subject, code FROM notice ORDER BY at",
}


def on_record(scene: Scene) -> Facts:
    """Open the database again, look whether it is sound, and return what it holds."""
    scene.db.close()
    with scene.db.engine.connect() as connection:
        _sound(connection)
        found = _reservations(scene, connection) | _jobs(connection)
        for column, query in WORDS.items():
            for subject, word in connection.execute(text(query)):
                if (id_ := subject.partition(":")[2]) in found:
                    found[id_][column].append(word)
    for fact in found.values():
        fact["told"].sort()
        if "sha256" in fact:
            content = (scene.files / f"{fact['sha256']}.gcode").read_bytes()
            assert hashlib.sha256(content).hexdigest() == fact["sha256"], "a torn job file"
    return found


def _sound(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        for pragma, sound in SOUND.items():
            found = connection.execute(text(f"PRAGMA {pragma}")).fetchall()
            assert [tuple(row) for row in found] == sound, f"{pragma}: {found}"
    for what, query in STRAYS.items():
        assert connection.execute(text(query)).scalar() == 0, what
    assert connection.execute(text(OVERLAPS)).scalar() == 0, "two live claims overlap"
    assert all(row[0] == 1 for row in connection.execute(text(OPEN_USES))), "two open uses"


def _reservations(scene: Scene, connection: Connection) -> Facts:
    found: Facts = {}
    for id_, resource, start, _end, released, cancelled in connection.execute(text(RESERVATIONS)):
        if resource != MILL:
            continue
        assert (released is None) == (cancelled is None), "half cancelled"
        found[id_] = {
            "at": _hours(scene, start), "live": released is None, "lines": [], "told": [],
        }  # fmt: skip
    return found


def _hours(scene: Scene, start: Any) -> int:
    """Return how many hours after the clock's time a reservation begins."""
    moment = datetime.fromisoformat(start) if isinstance(start, str) else start
    if moment.tzinfo is None:  # SQLite's text is UTC
        moment = moment.replace(tzinfo=UTC)
    return round((moment - scene.clock.now()).total_seconds() / 3600)


def _jobs(connection: Connection) -> Facts:
    uses = defaultdict(list)
    for job, closed in connection.execute(text("SELECT job_id, closed_at FROM use")):
        uses[job].append("open" if closed is None else "closed")
    said = defaultdict(list)
    for job, kind in connection.execute(text("SELECT job_id, kind FROM machine_event ORDER BY id")):
        said[job].append(kind)
    query = text("SELECT id, state, sha256 FROM job")
    return {
        id_: {
            "state": state, "sha256": sha256, "uses": uses[id_], "said": said[id_],
            "lines": [], "told": [],
        }
        for id_, state, sha256 in connection.execute(query)
    }  # fmt: skip


@dataclass
class Shadow:
    """What must be on record: everything that a writer was told yes for, and nothing else."""

    facts: Facts = field(default_factory=dict)
    whole: int = 0
    """Deeds that nobody was told of, and that are on record, whole."""
    nothing: int = 0
    """Deeds that nobody was told of, and of which there is no trace."""

    def hold_against(self, cut: Cut, found: Facts) -> None:
        """Do nothing when what is on record is what was answered, and at most one deed more.

        :raises AssertionError: something answered is lost, or something is there in part.
        """
        for deed in cut.did:
            self.facts = after(self.facts, deed)
        if found == self.facts:
            self.nothing += cut.will is not None
            return
        assert cut.will is not None, _differences(self.facts, found)
        new = found.keys() - self.facts.keys()
        self.facts = after(self.facts, {"id": next(iter(new), None), **cut.will})
        assert found == self.facts, _differences(self.facts, found)
        self.whole += 1


def after(facts: Facts, deed: Said) -> Facts:
    """Return what is on record after a deed, whole."""
    if deed.get("refused"):
        return facts
    facts, id_ = deepcopy(facts), str(deed["id"])
    if deed["what"] == "book":
        facts[id_] = {"at": deed["at"], "live": True, "lines": ["reservation.made"], "told": []}
        return facts
    if deed["what"] == "send":
        facts[id_] = {
            "state": "prepared", "sha256": deed["sha256"], "uses": [], "said": [],
            "lines": ["job.prepared"], "told": [],
        }  # fmt: skip
        return facts
    fact = facts[id_]
    match deed["what"]:
        case "move":
            fact["at"] = deed["at"]
            fact["lines"].append("reservation.moved")
            fact["told"] = sorted([*fact["told"], "moved-by-staff"])
        case "cancel":
            fact["live"] = False
            fact["lines"].append("reservation.cancelled")
            fact["told"] = sorted([*fact["told"], "cancelled-by-staff"])
        case "start":
            fact |= {"state": "starting", "uses": ["open"]}
            fact["lines"].append("job.start-asked")
        case EventKind.JOB_STARTED | EventKind.JOB_FINISHED | EventKind.JOB_INTERRUPTED as kind:
            fact["said"].append(str(kind))
            fact["lines"].append(f"machine.{kind}")
            fact["state"] = kind.removeprefix("job-").replace("started", "running")
            fact["uses"] = ["open" if kind == EventKind.JOB_STARTED else "closed"]
    return facts


def _differences(expected: Facts, found: Facts) -> str:
    ids = expected.keys() | found.keys()
    wrong = [(id_, expected.get(id_), found.get(id_)) for id_ in ids]
    return "\n".join(
        f"{id_}: expected {one}, found {other}" for id_, one, other in wrong if one != other
    )
