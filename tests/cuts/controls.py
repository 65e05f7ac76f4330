"""Writers that do it wrong: what looks after a power cut must find them, or it proves nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from fabctl.model.booking_facts import ClaimKind
from fabctl.services.booking_record import reserve
from fabctl.store.ids import new_id
from fabctl.store.tables import Claim
from tests.cuts.folders import FolderWriter
from tests.cuts.record import MILL, Writer


class InTwoSteps(Writer):
    """Keeps a claim first, and makes a reservation of it in another transaction."""

    def book(self) -> None:
        """Book an hour, in two steps."""
        at = self._some_hour()
        with self.teller.deed("book", at=at) as found:
            start, end = self._from(at), self._from(at + 1)
            claim = Claim(
                id=new_id(), resource_id=MILL, kind=ClaimKind.RESERVATION.value,
                start_at=start, end_at=end, free_at=end,
            )  # fmt: skip
            with self.scene.db.transaction() as session:
                session.add(claim)
            with self.scene.db.transaction() as session:
                kept = session.get_one(Claim, claim.id)
                made = reserve(
                    session, self.scene.clock, kept, person_id=self.scene.lea, by=self.scene.awa
                )
                found["id"] = made.id


class TooEarly(Writer):
    """Says yes before it is kept."""

    def book(self) -> None:
        """Book an hour, and answer before the end of the transaction."""
        at = self.chance.randrange(24, 24 * 5000)
        with self._slowly() as session, self.teller.deed("book", at=at) as found:
            start, end = self._from(at), self._from(at + 1)
            claim = Claim(
                id=new_id(), resource_id=MILL, kind=ClaimKind.RESERVATION.value,
                start_at=start, end_at=end, free_at=end,
            )  # fmt: skip
            session.add(claim)
            session.flush()
            made = reserve(
                session, self.scene.clock, claim, person_id=self.scene.lea, by=self.scene.awa
            )
            found["id"] = made.id

    @contextmanager
    def _slowly(self) -> Iterator[Session]:
        """A transaction on a slow disk."""
        with self.scene.db.transaction() as session:
            yield session
            time.sleep(0.003)


class InPlace(FolderWriter):
    """Writes over a file that is there."""

    def port(self) -> None:
        """Note another port, in the place of the old one."""
        now = str(self.chance.randrange(10_000, 65_536))
        with self._deed("port", now=now), (self.folder.path / "port").open("w") as file:
            for figure in now:
                file.write(figure)
                file.flush()
                os.fsync(file.fileno())


class Unforced(FolderWriter):
    """Says yes when the kernel has it, and the disk has not."""

    def write(self) -> None:
        """Write, and wait for nothing."""
        os.fsync = lambda fd: None  # noqa: ARG005  # this process writes until it is killed
        super().write()


class OnlyFull(FolderWriter):
    """Keeps events with SQLite's FULL, which forces no deletion of a rollback journal."""

    def tell(self) -> None:
        """Keep an event."""
        self.journal._db.execute("PRAGMA synchronous = FULL")
        super().tell()

    # nothing else: what forces another name in the same folder to the disk forces the deletion too
    break_or_mend = note = port = tell
    job = fault = rotate = FolderWriter.acknowledge
