"""A machine's events: kept on the disk, said in their order, forgotten once they are on record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from fabctl.complaint import Complaint
from fabctl.errors import DeviceError, LocalError
from fabctl.hosting.journal import MOST_TOLD_AT_ONCE, Entry, Journal
from fabctl.messaging.payloads import EventPayload, EventType, Stamp
from fabctl.messaging.speaker import Speaker

REPEAT_EXPIRY_S = 30
"""A repeated event does not pile up in the queue of a steward that is away."""
MOST_UNKEPT = 1_000
"""Events that wait in memory for room on the disk; what comes then is lost, and counted."""


class Link(Speaker, Protocol):
    """A speaker that says how often it lost what it had not delivered."""

    @property
    def losses(self) -> int:
        """How many connections have ended."""


class EventTeller:
    """Used by the machine's main thread only, but for :meth:`connected`.

    :param topic_of: returns where an event of this type is said.
    """

    def __init__(
        self,
        topic_of: Callable[[str], str],
        link: Link,
        journal: Journal,
        log: Callable[[str], None],
    ) -> None:
        self._topic_of = topic_of
        self._link = link
        self._journal = journal
        self._log = log
        self.fault: str | None = None
        """Why the disk does not keep events, or does not forget them, just now."""
        self._unkept: list[EventPayload] = []
        self._lost = 0
        self._being_told: set[tuple[str, int]] = set()
        self._more_wait = False
        self._connected_again = False
        self._behind = len(journal) > 0
        """Older events wait to be said: a new one waits for its turn."""
        self._losses = link.losses
        self._newest: tuple[str | None, int | None] = journal.newest() or (None, None)
        """Boot and number of the event before the next one."""

    def connected(self) -> None:
        """Note that the broker was (again) reached. From the link's thread."""
        self._connected_again = True

    @property
    def all_kept(self) -> bool:
        """Whether every event that was told is on the disk, or on record."""
        return not self._unkept

    def tell(self, type_: EventType, stamp: Stamp, **fields: Any) -> None:
        """Keep an event on the disk, then say it; it is said again until it is on record.

        Never before an older one: after a broken connection all go out in their order.
        """
        boot, seq = self._newest
        event = EventPayload(type_, stamp, after_boot=boot, after_seq=seq, **fields)
        self.keep_again()
        entry = None if self._unkept else self._kept(event)
        if entry is None and not self._wait_for_room(event):
            return
        self._newest = event.stamp.boot, event.stamp.seq
        if self._is_in_step:
            payload = event.encode() if entry is None else entry.payload
            self._behind = not self._link.publish(self._topic_of(str(type_)), payload)

    @property
    def _is_in_step(self) -> bool:
        """Whether everything older was said over the connection that there is now."""
        return not (self._behind or self._connected_again or self._link.losses != self._losses)

    def require_room(self) -> None:
        """Do nothing while a job's events can be kept.

        :raises LocalError: so many wait to be put on record that no job may begin.
        """
        if self._journal.crowded:
            raise LocalError(
                f"{len(self._journal)} events of this machine wait to be put on record",
                next_step="see that the steward runs, and that the broker is reached",
            )

    def recorded(self, events: list[tuple[str, int]]) -> None:
        """Forget events that are on record; say the next ones when those just said all are."""
        try:
            self._journal.acknowledge(events)
        except DeviceError as error:
            self._disk_failed(error)
            return
        if self.all_kept:
            self.fault = None
        self._being_told.difference_update(events)
        if self._more_wait and not self._being_told:
            self.say_all(None)

    def say_all(self, expiry_s: int | None) -> None:
        """Say the oldest events that are not on record, 50 at most; the others wait for that."""
        self._connected_again = False
        self._losses = self._link.losses
        try:
            entries = self._journal.untold()
        except DeviceError as error:
            self._disk_failed(error)
            return
        self._behind = self._more_wait = len(entries) == MOST_TOLD_AT_ONCE
        self._being_told = {(entry.boot, entry.seq) for entry in entries}
        for entry in entries:
            if not self._link.publish(self._topic_of(entry.type), entry.payload, expiry_s=expiry_s):
                self._behind = True
                return

    # -- keeping -----------------------------------------------------------------------------

    def keep_again(self) -> None:
        """Keep what waits for room, in its order."""
        while self._unkept and self._kept(self._unkept[0]) is not None:
            self._unkept.pop(0)

    def _kept(self, event: EventPayload) -> Entry | None:
        try:
            entry = self._journal.add(event)
        except DeviceError as error:
            self._disk_failed(error)
            return None
        self.fault = None
        return entry

    def _disk_failed(self, error: DeviceError) -> None:
        """Show it in the machine's state; a job that runs goes on."""
        fault = f"Events cannot be kept: {error}."
        if fault != self.fault:
            self._log(Complaint(fault))
        self.fault = fault

    def _wait_for_room(self, event: EventPayload) -> bool:
        """Say whether there is room for it in memory."""
        if len(self._unkept) < MOST_UNKEPT:
            self._unkept.append(event)
            return True
        self._lost += 1
        self._log(Complaint(f"{self._lost} event(s) lost: there is no room for {event.type}"))
        return False
