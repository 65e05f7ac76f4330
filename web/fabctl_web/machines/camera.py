"""One machine's camera: a snapshot asked for only while somebody looks, at most one per second.

Nothing is ever taken from a camera by itself. A picture has an age; whoever shows it says so, and
above 10 s it is not given out at all.
"""

from __future__ import annotations

import http.client
import logging
import threading
import time
import urllib.request
from dataclasses import dataclass
from typing import IO, Any

from fabctl.clock import Clock

LEAST_S = 1.0
"""Between two questions to the camera."""
TOO_OLD_S = 10.0
LONGEST_S = 3.0
"""For each wait on the network, and for reading a whole picture."""
LARGEST = 2 * 1024 * 1024
"""Bytes."""
TYPES = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}
"""What may come, and how its first bytes look: the header alone is not believed."""
_CHUNK = 64 * 1024
_LOG = logging.getLogger("fabctl.web")


@dataclass(frozen=True)
class Snapshot:
    """One picture."""

    type: str
    data: bytes
    taken_at: float
    """On the clock's own time, s."""


class NoPictureError(Exception):
    """The camera gave nothing that can be shown; the message says why, for the log."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The address in lab.toml is asked, and no other."""

    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        """Follow nowhere."""


class Camera:
    """Safe from any thread: many look, one asks.

    :param address: http or https, as ``lab.toml`` has it.
    """

    def __init__(self, address: str, clock: Clock) -> None:
        self._address = address
        self._clock = clock
        self._asking = threading.Lock()
        self._last: Snapshot | None = None
        self._asked_at: float | None = None
        self.trouble = ""
        """Why the last question brought no picture; empty: it did."""
        no_proxy = urllib.request.ProxyHandler({})  # a camera stands in the lab
        self._opener = urllib.request.build_opener(_NoRedirect, no_proxy)

    def snapshot(self) -> tuple[Snapshot, float] | None:
        """Return the newest picture and its age, s; None when there is none that is fresh.

        Asks the camera unless that was done less than a second ago, or somebody else is asking.
        """
        if self._is_time() and self._asking.acquire(blocking=False):
            try:
                self._asked_at = self._clock.monotonic()
                self._last = self._ask()
                self._say("")
            except NoPictureError as error:
                self._say(str(error))  # what was there grows older, and is soon not given out
            finally:
                self._asking.release()
        found = self._last
        if found is None:
            return None
        age = self._clock.monotonic() - found.taken_at
        return (found, age) if age <= TOO_OLD_S else None

    def _say(self, trouble: str) -> None:
        """Put a trouble into the log when it begins, not every second."""
        if trouble and trouble != self.trouble:
            _LOG.warning("camera %s: %s", self._address, trouble)
        self.trouble = trouble

    def _is_time(self) -> bool:
        return self._asked_at is None or self._clock.monotonic() - self._asked_at >= LEAST_S

    def _ask(self) -> Snapshot:
        asked_at = self._clock.monotonic()
        try:
            with self._opener.open(self._address, timeout=LONGEST_S) as answer:
                kind = answer.headers.get_content_type()
                if kind not in TYPES:
                    raise NoPictureError(f"the camera sends {kind}")
                data = _read(answer)
        except (OSError, http.client.HTTPException) as error:
            raise NoPictureError(str(error)) from error
        if not data.startswith(TYPES[kind]):
            raise NoPictureError(f"this is no {kind}")
        return Snapshot(kind, data, asked_at)


def _read(answer: IO[bytes]) -> bytes:
    """Read a picture in bounded size and time: a slow camera gets no more than that."""
    until = time.monotonic() + LONGEST_S
    data = bytearray()
    while chunk := answer.read1(_CHUNK):  # type: ignore[attr-defined]  # an HTTPResponse has it
        data += chunk
        if len(data) > LARGEST:
            raise NoPictureError("the picture is too large")
        if time.monotonic() > until:
            raise NoPictureError("the camera is too slow")
    return bytes(data)
