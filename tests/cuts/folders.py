"""The files of a machine's process and of an interlock's daemon, written until the power goes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fabctl.hosting.journal import Journal
from fabctl.hosting.mosquitto import write_private
from fabctl.hosting.running_mark import Hold, HoldFile, RunningMark
from fabctl.keyfile import make_secret, read_key, replace_secret
from fabctl.messaging.payloads import EventPayload, EventType, Stamp
from fabctl_drivers.interlock.causes import FaultCode, FaultRecord
from fabctl_drivers.interlock.fault_file import FaultFile
from fabctl_drivers.interlock.record import Record
from tests.cuts.rounds import Cut, Said, Teller

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MOST_BYTES = 4000
"""Of one file of the interlock's record: it is replaced by a new one often."""
Facts = dict[str, Any]


@dataclass
class Folder:
    """What one machine keeps beside its port, and its interlock."""

    path: Path

    def on_disk(self) -> Facts:
        """Open everything as the next process does, and return what is there.

        :raises AssertionError: something cannot be read, or had to be set aside.
        """
        with closing(Journal(self.path / "journal.db")) as journal:
            assert journal.set_aside is None, "the journal could not be read"
            events = [entry.seq for entry in journal.untold()]
        mark = RunningMark(self.path)
        left = mark.left_behind()
        mark.close()
        assert left is None or left.job is not None, "the mark is torn"
        hold = HoldFile(self.path).hold
        assert hold is None or hold.trouble == "cable-lost", "the hold is torn"
        fault = self.faults.read(has_run_before=self.record.exists())
        assert fault is None or fault.code is not FaultCode.FAULT_FILE, fault
        numbers = [one["n"] for one in self.record.entries()]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True
        return {
            "events": events,
            "mark": left.job if left else None,
            "hold": hold.reason if hold else None,
            "fault": fault.why if fault else None,
            "record": numbers[-1] if numbers else 0,
            "key": read_key(self.key).hex(),
            "port": (self.path / "port").read_text(),
        }

    def begin(self) -> None:
        """Write what every lab has from its first start on."""
        make_secret(self.key)
        self.faults.write(None)
        write_private(self.path / "port", "1883")

    @property
    def key(self) -> Path:
        """The key that requests are signed with."""
        return self.path / "mill.key"

    @property
    def faults(self) -> FaultFile:
        """The interlock's fault."""
        return FaultFile(self.path / "fault.json")

    @property
    def record(self) -> Record:
        """The interlock's record."""
        return Record(self.path / "record.jsonl", MOST_BYTES)


@dataclass
class FolderWriter:
    """Writes as the machine's process and the interlock's daemon do."""

    folder: Folder
    teller: Teller
    chance: random.Random
    facts: Facts = field(default_factory=dict)

    def write(self) -> None:
        """Write until it is killed."""
        folder, self.facts = self.folder.path, self.folder.on_disk()
        self.journal, self.mark, self.holds = (
            Journal(folder / "journal.db"),
            RunningMark(folder),
            HoldFile(folder),
        )
        self.faults, self.record = self.folder.faults, self.folder.record
        self.teller.say("ready")
        deeds = (self.tell, self.tell, self.acknowledge, self.job, self.break_or_mend,
                 self.fault, self.note, self.note, self.rotate, self.port)  # fmt: skip
        while True:
            self.chance.choice(deeds)()

    def tell(self) -> None:
        """Keep an event."""
        seq = self.chance.getrandbits(40)
        with self._deed("tell", seq=seq):
            self.journal.add(
                EventPayload(EventType.JOB_STARTED, Stamp(AT, True, "b", seq), job="j")
            )

    def acknowledge(self) -> None:
        """Forget the oldest events: they are on record."""
        with self._deed("acknowledge"):
            self.journal.acknowledge([("b", seq) for seq in self.facts["events"][:3]])

    def job(self) -> None:
        """Begin a job, or end the one that runs."""
        job = None if self.facts["mark"] else f"job-{self.chance.getrandbits(30)}"
        with self._deed("mark", now=job):
            self.mark.begin(job, "part.gcode", "lea") if job else self.mark.end()

    def break_or_mend(self) -> None:
        """Hold the machine, or release it."""
        why = None if self.facts["hold"] else f"because {self.chance.getrandbits(30)}"
        with self._deed("hold", now=why):
            self.holds.set(Hold("cable-lost", why)) if why else self.holds.clear()

    def fault(self) -> None:
        """Remember a fault, or that there is none any more."""
        why = None if self.facts["fault"] else f"because {self.chance.getrandbits(30)}"
        with self._deed("fault", now=why):
            self.faults.write(FaultRecord(FaultCode.LIDS_DIFFER, why) if why else None)

    def note(self) -> None:
        """Put something on the interlock's record."""
        with self._deed("record", now=self.facts["record"] + 1):
            self.record.append({"to": "locked", "why": "x" * self.chance.randrange(300)})

    def rotate(self) -> None:
        """Put a new key in the old one's place."""
        with self._deed("key") as found:
            replace_secret(self.folder.key)
            found["now"] = read_key(self.folder.key).hex()

    def port(self) -> None:
        """Note another port of the private broker."""
        now = str(self.chance.randrange(1024, 65536))
        with self._deed("port", now=now):
            write_private(self.folder.path / "port", now)

    @contextmanager
    def _deed(self, what: str, **more: Any) -> Iterator[Said]:
        """Tell a deed, and remember what it changes."""
        with self.teller.deed(what, **more) as found:
            yield found
        self.facts = after(self.facts, {"what": what, **more, **found})


def after(facts: Facts, deed: Said) -> Facts:
    """Return what is on the disk after a deed, whole."""
    facts = deepcopy(facts)
    match deed["what"]:
        case "tell":
            facts["events"].append(deed["seq"])
            del facts["events"][50:]  # more are not told at once
        case "acknowledge":
            del facts["events"][:3]
        case name:
            facts[name] = deed["now"]
    return facts


@dataclass
class FolderShadow:
    """What must be on the disk."""

    facts: Facts
    whole: int = 0
    nothing: int = 0

    def hold_against(self, cut: Cut, found: Facts) -> None:
        """Do nothing when the disk has what was answered, and at most one deed more.

        :raises AssertionError: something answered is lost, or something is there in part.
        """
        for deed in cut.did:
            self.facts = after(self.facts, deed)
        if cut.will is None or found == self.facts:
            assert found == self.facts, f"expected {self.facts}, found {found}"
            self.nothing += cut.will is not None
            return
        will = cut.will if cut.will["what"] != "key" else {**cut.will, "now": found["key"]}
        self.facts = after(self.facts, will)
        assert found == self.facts, f"{cut.will}: expected {self.facts}, found {found}"
        self.whole += 1
