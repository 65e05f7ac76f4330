"""Notices when a piece of a line ran as a command of its own. Pure.

A Resend throws away what the receive buffer holds. With several lines on the wire it may cut one
in two; what arrives afterwards has no line number, so nothing checks it (Marlin
``gcode/queue.cpp``). Mostly such a piece is no command, and the firmware says so. Cut right
before its ``G`` it is one, and it runs. Its ok gives it away: it has the fields of an ADVANCED_OK
and no number. Nothing can take such a move back, so the job must not be called finished.
"""

from __future__ import annotations

import re

from fabctl_drivers.marlin.answers import Answer, Heard

_FIELD = re.compile(rb"[PB]\d")
_LONGEST = len(b"ok P15 B16")


class Pieces:
    """Listens for the ok of a command that nobody said."""

    def __init__(self) -> None:
        self.after_resend = False
        """Whether the last line was a Resend."""
        self._closes_bare = False

    def hear(self, answer: Answer, *, is_refused: bool) -> bool:
        """Take in one line of the firmware; return whether a piece ran, as far as one can tell.

        :param is_refused: whether the firmware just said of something that it knows no such
            command, and it was no line of ours.
        """
        after_resend, self.after_resend = self.after_resend, answer.heard is Heard.RESEND
        if answer.heard not in {Heard.OK, Heard.NOTE}:
            return False
        if not _is_unnumbered(answer):
            self._closes_bare = self._closes_bare or (after_resend and answer.text == b"ok")
            return False
        closes = after_resend and not self._closes_bare  # 1.x does that with the fields
        return not is_refused and not closes


def _is_unnumbered(answer: Answer) -> bool:
    """Return whether this is ``ok P15 B3``, even with one byte of it damaged.

    One damaged byte does not make it of ``ok N12 P15 B3``, which has a word more.
    """
    text = answer.text
    return (
        answer.number is None
        and b"N" not in text
        and len(text) <= _LONGEST + 1
        and text[:1] in b"okOK P"
        and 2 <= len(text.split()) <= 3
        and _FIELD.search(text) is not None
    )
