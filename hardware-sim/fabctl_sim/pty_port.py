"""A pseudo-terminal behind a stable link: the cable, which can be pulled and put back."""

from __future__ import annotations

import os
import select
import tty
from pathlib import Path

_CHUNK = 4096


class PtyPort:
    """The board's end of a pseudo-terminal; the host opens ``link``.

    A pseudo-terminal has no modem lines, so nobody sees DTR fall; that the host opened the
    port is seen from the hang-up flag that is there as long as nobody holds the other end.

    :param link: where the symbolic link to the host's end appears while plugged.
    :raises FileExistsError: something that is not a link is already there.
    """

    def __init__(self, link: Path) -> None:
        self.link = link
        self._master = -1
        self._poll = select.poll()
        self._held = False
        self._unsent = bytearray()
        if link.exists() and not link.is_symlink():
            raise FileExistsError(f"{link} exists and is not a link: it is left alone")

    @property
    def plugged(self) -> bool:
        """Whether there is a port at all."""
        return self._master >= 0

    @property
    def held(self) -> bool:
        """Whether a host had the port open when :meth:`look` last looked."""
        return self._held

    @property
    def unsent(self) -> bool:
        """Whether bytes wait because the host does not read."""
        return bool(self._unsent)

    def fileno(self) -> int:
        """Return the descriptor to select on."""
        return self._master

    def plug(self) -> None:
        """Make a new pseudo-terminal and point the link at it. No-op when plugged."""
        if self.plugged:
            return
        self._master, host_end = os.openpty()
        tty.setraw(host_end)
        os.set_blocking(self._master, False)
        target = os.ttyname(host_end)
        os.close(host_end)
        self._poll.register(self._master, select.POLLIN)
        self._point_link_at(target)

    def unplug(self) -> None:
        """Pull the cable: the host reads end of file or EIO, the link is gone. No-op when out."""
        if not self.plugged:
            return
        self.link.unlink(missing_ok=True)
        self._poll.unregister(self._master)
        os.close(self._master)
        self._master = -1
        self._held = False
        self._unsent.clear()

    def look(self) -> bool | None:
        """Return True when a host has opened the port since the last look, False when it has
        closed it, None when nothing changed."""
        held = self.plugged and not self._hung_up()
        if held == self._held:
            return None
        self._held = held
        self._unsent.clear()
        return held

    def read(self) -> bytes:
        """Return what the host wrote; nothing when it wrote nothing or has closed."""
        try:
            return os.read(self._master, _CHUNK)
        except BlockingIOError:
            return b""
        except OSError:
            # EIO: the host closed between the look and the read; the next look will say so.
            return b""

    def write(self, data: bytes) -> None:
        """Send to the host; without one the bytes go nowhere, as on a real line."""
        if not self.held:
            return
        self._unsent += data
        del self._unsent[: -16 * _CHUNK]
        try:
            sent = os.write(self._master, self._unsent)
        except BlockingIOError:
            return
        except OSError:
            self._unsent.clear()  # closed meanwhile: the next look will say so
            return
        del self._unsent[:sent]

    def _hung_up(self) -> bool:
        return any(event & select.POLLHUP for _, event in self._poll.poll(0))

    def _point_link_at(self, target: str) -> None:
        beside = self.link.with_name(f".{self.link.name}.{os.getpid()}")
        beside.unlink(missing_ok=True)
        beside.symlink_to(target)
        beside.replace(self.link)
