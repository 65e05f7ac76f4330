"""Who may say what to the daemon, and what it tells them.

On the first socket: a signed permit, that a permission is taken away, or hello. On the second,
for the daemon's own user and root only: that a fault was seen to. Nothing on either of them
presses reset, bypasses an input or switches anything on.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable

from fabctl.interlock import InterlockProfile
from fabctl.units import Seconds
from fabctl_drivers.interlock.chain import Chain
from fabctl_drivers.interlock.clerk import Clerk
from fabctl_drivers.interlock.pace import Pace
from fabctl_drivers.interlock.socket_server import Message, SocketServer
from fabctl_drivers.interlock.telling import gist, words

LOOK_EVERY_S = Seconds(0.05)
"""How often it is looked whether there is something new to tell."""
TELL_EVERY_S = Seconds(0.5)
LONGEST_DROP = 100
HELD_BACK_S = Seconds(1.0)
"""A FAULT is told once it is on the disk, so that nobody acts on one that a restart forgets; a
disk that takes longer is told instead (``fault_kept`` is false)."""
Clear = Callable[[str], str | None]


class Talk:
    """Both sockets of one daemon.

    :param pace: tells how many scans were missed.
    :param clear: begins to clear the fault with this code; returns why not, or None.
    :raises LocalError: a socket cannot be made.
    """

    def __init__(
        self, profile: InterlockProfile, chain: Chain, clerk: Clerk, pace: Pace, clear: Clear
    ) -> None:
        self._chain = chain
        self._clerk = clerk
        self._clear = clear
        self._public = SocketServer(profile.socket, 0o660, self._heard)
        try:
            own = frozenset({0, os.geteuid()})
            self._local = SocketServer(profile.supervisor_socket, 0o600, self._supervisor, own)
        except BaseException:
            self._public.close()
            raise
        self._look_at = self._tell_at = Seconds(float("-inf"))
        self._gist: tuple[object, ...] = ()
        self._seq = 0
        self._pace = pace
        self._unkept_since: Seconds | None = None

    def turn(self, now: Seconds) -> None:
        """Take in, answer, and tell the state when it is new or half a second old.

        :param now: monotonic clock, s.
        """
        self._public.turn(now)
        self._local.turn(now)
        if now < self._look_at or not (len(self._public) or len(self._local)):
            return
        if self._waits_for_the_disk(now):
            return
        self._look_at = Seconds(now + LOOK_EVERY_S)
        new = gist(self._chain.view)
        if new != self._gist or now >= self._tell_at:
            self._gist, self._tell_at = new, Seconds(now + TELL_EVERY_S)
            line = self._words()
            self._public.tell(line)
            self._local.tell(line)

    def close(self) -> None:
        """Hang up on everybody; the sockets are gone."""
        self._public.close()
        self._local.close()

    def _waits_for_the_disk(self, now: Seconds) -> bool:
        if self._clerk.kept:
            self._unkept_since = None
            return False
        if self._unkept_since is None:
            self._unkept_since = now
        return now - self._unkept_since < HELD_BACK_S

    def _words(self) -> bytes:
        self._seq += 1
        refused: Counter[str] = self._public.refused + self._local.refused
        view = self._chain.view
        more = {
            "fault_kept": None if view.fault is None else self._clerk.kept,
            "overruns": self._pace.missed,
            "longest_gap_s": round(self._pace.longest_s, 3),
            "trouble": self._clerk.trouble,
            "refused": refused,
        }
        return words(view, self._seq, more)

    def _heard(self, message: Message, now: Seconds) -> Message | None:
        match message:
            case {"permit": str(text)}:
                answer = self._chain.take_permit(text.encode(errors="surrogatepass"), now)
                return {"permit_answer": {"accepted": answer.accepted, "code": answer.code}}
            case {"drop": str(why)}:
                self._chain.drop_permit(now, _plain(why[:LONGEST_DROP]))
                return {"drop_answer": {"accepted": True}}
            case {"hello": 1}:
                self._tell_at = now
                return {"hello": 1}
        return None

    def _supervisor(self, message: Message, now: Seconds) -> Message | None:
        match message:
            case {"clear_fault": str(code)}:
                refusal = self._clear(code)
                return {"clear_answer": {"accepted": refusal is None, "code": refusal}}
            case {"hello": 1}:
                self._tell_at = now
                return {"hello": 1}
        return None


def _plain(text: str) -> str:
    """Return a stranger's text without what is no letter: control characters, half surrogates."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
