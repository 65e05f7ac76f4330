"""``host/<host>/status``: one of a host's machine processes speaks for the host.

Whoever holds a lock file does; when it dies, the kernel gives the lock to the next. The will is
delayed by 3 s, and the next one connects under the same name before that: so the host is not
offline for a moment because one of its processes ended.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from fabctl.complaint import Complaint
from fabctl.config import LabConfig
from fabctl.errors import FabError
from fabctl.hosting.locks import FolderLock
from fabctl.hosting.machine_reports import Stamps
from fabctl.messaging.connect import machine_link
from fabctl.messaging.link import Message, MqttLink
from fabctl.messaging.payloads import PresencePayload
from fabctl.messaging.topics import LabTopics, client_id

WILL_DELAY_S = 3
SESSION_S = 60
"""Longer than the will's delay: a session's end would say the will at once."""


class HostPresence:
    """Says that this host is there, once it is this process's turn."""

    def __init__(
        self, config: LabConfig, host: str, stamps: Stamps, log: Callable[[str], None]
    ) -> None:
        self._config = config
        self._host = host
        self._stamps = stamps
        self._log = log
        self._topic = LabTopics(config.id).host_status(host)
        self._lock = FolderLock(config.paths.root / "machines" / f".host-{host}.lock")
        self._link: MqttLink | None = None
        self._guard = threading.Lock()
        self._ended = False

    def begin(self) -> None:
        """Wait for our turn in a thread of its own; returns at once."""
        threading.Thread(target=self._run, name="presence", daemon=True).start()

    def end(self) -> None:
        """Leave: the broker says offline 3 s later, unless another process takes over."""
        with self._guard:
            self._ended = True
            link = self._link
        if link is not None:
            link.stop(with_will=True)

    def _run(self) -> None:
        self._lock.wait()
        try:
            link = machine_link(
                self._config,
                self._host,
                client_id("host", self._config.id, self._host),
                will=Message(self._topic, self._said(online=False), delay_s=WILL_DELAY_S),
                session_expiry_s=SESSION_S,
                log=self._log,
            )
        except FabError as error:
            self._log(Complaint(f"the host's presence cannot be told: {error}"))
            return
        link.on_connected(lambda: self._say_online(link))
        with self._guard:
            if self._ended:
                return
            self._link = link
            link.start()

    def _say_online(self, link: MqttLink) -> None:
        link.publish(self._topic, self._said(online=True), retain=True)

    def _said(self, *, online: bool) -> bytes:
        return PresencePayload(online).encode(self._stamps.next())
