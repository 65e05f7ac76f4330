"""Sends the mail of the queue, in a thread of its own: a slow server keeps nothing waiting.

No transaction is open while a server is talked to. What is logged names mails by their id and
servers by their codes, never people.
"""

from __future__ import annotations

import smtplib
import threading
import traceback
from collections.abc import Callable

from fabctl.clock import Clock
from fabctl.complaint import Complaint
from fabctl.config import MailConfig
from fabctl.errors import FabError
from fabctl.hosting.mail_server import (
    TIMEOUT_S,
    MailLaterError,
    MailNeverError,
    MailServerError,
    connected,
    hand_over,
)
from fabctl.model.mail import server_pause
from fabctl.services import mail_queue
from fabctl.services.mail_letters import Sender, letter
from fabctl.services.mail_queue import Errand
from fabctl.store.engine import Database
from fabctl.units import Seconds

LOOK_EVERY_S = 15.0


class MailOffice:
    """Looks for mail every 15 s, and leaves a server that fails alone for longer and longer."""

    def __init__(
        self,
        config: MailConfig,
        sender: Sender,
        database: Database,
        clock: Clock,
        log: Callable[[str], None],
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._config = config
        self._sender = sender
        self._database = database
        self._clock = clock
        self._log = log
        self._timeout_s = timeout_s
        self._ending = threading.Event()
        self._failures = 0
        self._not_before: Seconds | None = None
        self.trouble: str | None = None
        """What is wrong with the server; None: nothing that we know of."""
        self._thread = threading.Thread(target=self._run, name="mail office", daemon=True)

    def begin(self) -> None:
        """Start; returns at once."""
        self._thread.start()

    def end(self, within_s: float) -> None:
        """Send no further mail; wait at most so long for the one under way."""
        self._ending.set()
        self._thread.join(within_s)

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self.work()
            except FabError as error:
                self._failed(str(error))
            except Exception as error:  # noqa: BLE001  # top of a thread: it goes on, and says so
                self._failed(type(error).__name__)
                # without its message: it may hold a name or an address
                self._log(Complaint("".join(traceback.format_tb(error.__traceback__)).rstrip()))
            self._ending.wait(LOOK_EVERY_S)

    def work(self) -> int:
        """Queue what is new and send what is due; return how many mails a server took."""
        with self._database.reading() as session:
            new = mail_queue.is_any_new(session, self._clock)
        if new:
            with self._database.transaction() as session:
                mail_queue.queue_up(session, self._clock)
        if self._not_before is not None and self._clock.monotonic() < self._not_before:
            return 0
        with self._database.reading() as session:
            if not mail_queue.is_any_due(session, self._clock):
                return 0
        try:
            with connected(self._config, self._timeout_s) as server:
                return self._send_all(server)
        except MailServerError as error:
            self._server_failed(str(error))
            return 0

    def _send_all(self, server: smtplib.SMTP) -> int:
        sent = 0
        while not self._ending.is_set():
            with self._database.transaction() as session:
                errand = mail_queue.take(session, self._clock)
            if errand is None:
                break
            sent += self._send(server, errand)
        self._server_works()
        return sent

    def _send(self, server: smtplib.SMTP, errand: Errand) -> bool:
        """Hand one mail over and note how it went; say whether it was taken."""
        try:
            made = letter(errand, self._sender, self._clock)
            hand_over(server, made, self._sender.address, errand.address)
        except MailNeverError as error:
            self._log(Complaint(f"mail {errand.id} is refused for good: {error}"))
            with self._database.transaction() as session:
                mail_queue.note_refused(session, self._clock, mail_id=errand.id, trouble=str(error))
            return False
        except (MailLaterError, MailServerError) as error:
            with self._database.transaction() as session:
                mail_queue.note_failed(session, self._clock, mail_id=errand.id, trouble=str(error))
            if isinstance(error, MailServerError):
                raise
            return False
        with self._database.transaction() as session:
            mail_queue.note_sent(session, self._clock, mail_id=errand.id)
        return True

    def _server_failed(self, why: str) -> None:
        self._failed(f"the mail server cannot be used: {why}")
        with self._database.transaction() as session:
            lost = mail_queue.note_no_server(session, self._clock, trouble=why)
        if lost:
            self._log(Complaint(f"{lost} mails were given up; the staff find them in the list"))

    def _failed(self, why: str) -> None:
        self._failures += 1
        pause = server_pause(self._failures).total_seconds()
        self._not_before = Seconds(self._clock.monotonic() + pause)
        if why != self.trouble:
            self._log(Complaint(f"mail: {why}"))
        self.trouble = why

    def _server_works(self) -> None:
        if self.trouble is not None:
            self._log("mail: the server takes mail again")
        self._failures, self._not_before, self.trouble = 0, None, None
