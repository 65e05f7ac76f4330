"""The line to a server while it is open: when to ask, what was pushed, what came of the errands."""

from __future__ import annotations

import select
from collections.abc import Sequence

from fabctl.errors import DeviceError, FabError
from fabctl_drivers.octoprint.errands import (
    AskHistory,
    Command,
    Errand,
    HeatersOff,
    Listen,
    Poll,
    Sweep,
    Upload,
)
from fabctl_drivers.octoprint.exchange import Fault, ServerError
from fabctl_drivers.octoprint.push import PushLine
from fabctl_drivers.octoprint.status import (
    AT_WORK,
    Message,
    Printer,
    SignInAgain,
    Status,
    read_push,
)
from fabctl_drivers.octoprint.watch import Watch
from fabctl_drivers.octoprint.worker import Done, Worker

POLL_ALONE_S = 1.0
POLL_BESIDE_PUSH_S = 5.0
"""Push does not tell that a key was revoked, nor that the line is cut: we ask all the same."""
LISTEN_FIRST_S = 1.0
LISTEN_MOST_S = 30.0
FOREVER = float("inf")


class ServerLine:
    """Tells a watch what the server says; never waits. Times in s on the monotonic clock.

    :param wants_push: listen as well; else ask only.
    """

    def __init__(self, worker: Worker, watch: Watch, now: float, *, wants_push: bool) -> None:
        self._worker = worker
        self._watch = watch
        self._push: PushLine | None = None
        self._poll_at = now
        self._listen_at = now if wants_push else FOREVER
        self._listen_wait = LISTEN_FIRST_S
        self._polling = self._listening = False
        self._polled_at = self._pushed_at = 0.0
        self._in_doubt = False  # something was pushed that only an answer can confirm
        self.printer = Printer.UNKNOWN
        """What the last answer to a question said."""
        self.awaits_answer = False
        """Whether :meth:`ask_now` has no answer yet."""

    # ---- waiting

    @property
    def deadline(self) -> float:
        """When there is something to ask."""
        poll_at = FOREVER if self._polling else self._poll_at
        return min(poll_at, self._listen_at if self._may_listen else FOREVER)

    @property
    def descriptors(self) -> list[int]:
        """What is readable when there is something to take in."""
        return [self._push.fileno()] if self._push else []

    @property
    def has_more(self) -> bool:
        """Whether there is something to take in that the descriptor does not show."""
        return self._push is not None and self._push.has_more

    @property
    def _may_listen(self) -> bool:
        return self._push is None and not self._listening

    # ---- asking

    def send(self, errand: Errand) -> None:
        """Have an errand run after those before it."""
        self._worker.send(errand)

    def ask_now(self, now: float) -> None:
        """Ask for the status as soon as can be."""
        self._poll_at = now
        self.awaits_answer = True

    def ask_for_status(self, now: float) -> None:
        """Ask, and begin to listen, where it is time to."""
        if not self._polling and now >= self._poll_at:
            self._polling, self._polled_at, self._in_doubt = True, now, False
            self.send(Poll())
        if self._may_listen and now >= self._listen_at:
            self._listening = True
            self.send(Listen())

    def close(self) -> None:
        """Take in nothing more. Errands that make the printer safe are still run."""
        if self._push is not None:
            self._push.close()
        self._worker.end()

    # ---- push

    def take_in(self, now: float) -> None:
        """Tell the watch what was pushed, and how errands went."""
        if self._push is not None:
            try:
                self._read(self._push, now)
            except DeviceError:
                self._hang_up(now)  # polling goes on, at once and faster
        while not self._worker.results.empty():
            self._take(self._worker.results.get(), now)

    def _read(self, push: PushLine, now: float) -> None:
        push.tick(now)
        while push.has_more or select.select([push.fileno()], [], [], 0)[0]:
            raw = push.read(now)
            if raw is None:
                return
            messages = read_push(raw)
            if SignInAgain() in messages:
                self._hang_up(now)
                return
            if self._is_doubtful(messages):
                self._in_doubt = True
                self._poll_at = min(self._poll_at, self._polled_at + POLL_ALONE_S)
                continue
            for message in messages:
                self._watch.hear(message, now)
                self._pushed_at = now

    def _is_doubtful(self, messages: Sequence[Message]) -> bool:
        """Whether they show a printer at work that the last answer did not know to be connected.

        What is pushed is what the server shows, and that may be old: an answer comes first.
        """
        shows = {one.printer for one in messages if isinstance(one, Status)}
        return not shows.isdisjoint(AT_WORK) and self.printer not in AT_WORK

    def _hang_up(self, now: float) -> None:
        if self._push is not None:
            self._push.close()
            self._push = None
        self._poll_at = now
        self._listen_at = now + self._listen_wait
        self._listen_wait = min(self._listen_wait * 2, LISTEN_MOST_S)

    # ---- how errands went

    def _take(self, done: Done, now: float) -> None:
        watch, result = self._watch, done.result
        why = f"OctoPrint {done.error.what}" if done.error else None
        match done.errand:
            case Poll():
                self._polled(done, now)
            case Listen():
                self._listened(result, now)
            case Upload():
                self._uploaded(done, now)
                self._poll_at = now
            case Command(command=command):
                watch.commanded(command, error=why)
                self._poll_at = now
            case HeatersOff():
                watch.made_safe(now, error=why)
            case AskHistory():
                watch.recorded(result if isinstance(result, bool) else None, now)
            case Sweep():
                watch.swept(result if isinstance(result, int) else 1, now)

    def _uploaded(self, done: Done, now: float) -> None:
        if done.error is None:
            self._watch.uploaded(prints=done.result is True, now=now)
            return
        reason = f"the file could not be sent: OctoPrint {done.error.what}"
        self._watch.upload_failed(reason, now, certain=not _is_gone(done.error))

    def _polled(self, done: Done, now: float) -> None:
        self._polling = False
        is_calm = self._push is not None and not self._in_doubt
        self._poll_at = now + (POLL_BESIDE_PUSH_S if is_calm else POLL_ALONE_S)
        if done.error is not None:
            self._poll_at = now + POLL_ALONE_S
            refused = not _is_gone(done.error)
            self._watch.silent(f"OctoPrint {done.error.what}", now, refused=refused)
            return
        self.awaits_answer = False
        self._watch.answered()
        for message in done.result if isinstance(done.result, tuple) else ():
            if isinstance(message, Status):
                self.printer = message.printer
            # What was pushed since we asked is newer than this answer may be; but that a printer
            # is not there is told by answers alone.
            if self._pushed_at < self._polled_at or self.printer not in AT_WORK:
                self._watch.hear(message, now)

    def _listened(self, opened: object, now: float) -> None:
        self._listening = False
        if isinstance(opened, PushLine):
            self._push, self._listen_wait = opened, LISTEN_FIRST_S
        else:
            self._hang_up(now)


def _is_gone(error: FabError) -> bool:
    """Whether nobody knows if the errand was done: no answer came."""
    return isinstance(error, ServerError) and error.fault is Fault.GONE
