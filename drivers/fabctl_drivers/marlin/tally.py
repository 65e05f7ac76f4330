"""What is on its way and not answered yet. Pure.

Marlin answers every line that reaches it: with an ok, or with an error, a Resend and an ok that
closes it (``gcode/queue.cpp``, ``flush_and_request_resend``, ``ok_to_send``; early 2.0.9 closes
with nothing). Before the Resend it throws away what it has received. So a line that is said while
an earlier one may still be refused may be cut in two; one that is said after the last answer
cannot.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable

from fabctl_drivers.marlin.answers import Answer, Topic

_RESEND_WORD = re.compile(rb"resend|rs", re.IGNORECASE)
_REFUSAL = re.compile(rb"esend|Rese|ast [Ll]ine|hecksum|ine Number|cho:Un|nknow|wn com|mmand:")
"""What is left of a refusal, or of an echo of something that is no command, after damage."""


class Tally:
    """Holds answers against lines said."""

    UNCLOSED = 2
    """Resends without an ok in a row, before none is expected any more."""

    def __init__(self) -> None:
        self._said: deque[tuple[int, bool]] = deque()  # line number, whether a question for M105
        self._complaint: int | None = None  # an error was told, its Resend is due
        self._closing = False
        self._unclosed = 0
        self._refused = False

    @property
    def is_clear(self) -> bool:
        """Whether every line was answered, and to the end."""
        closing = self._closing and self._unclosed < self.UNCLOSED
        return not self._said and self._complaint is None and not closing

    @property
    def is_refused(self) -> bool:
        """Whether the next ok is for something that the firmware did not understand."""
        return self._refused

    def said(self, number: int, *, is_query: bool) -> None:
        """A line went out."""
        self._said.append((number, is_query))

    def give_up(self) -> None:
        """What was not answered so far is not waited for any longer."""
        self._said.clear()
        self._unclosed += self._closing
        self._complaint, self._closing = None, False

    def hear_note(self, answer: Answer, oldest: bytes) -> None:
        """Take in what may be a damaged refusal, or an echo of what is no command of ours."""
        if _REFUSAL.search(answer.text) and b'"%b"' % oldest not in answer.text:
            self._refused = True
        elif answer.topic is Topic.GARBLED and self._closing:
            self._close()

    def _close(self) -> None:
        self._closing, self._complaint, self._unclosed = False, None, 0

    def hear_resend(self, answer: Answer) -> None:
        """Take in a refusal: an error, a Resend, or the one that belongs to the other."""
        is_error = _RESEND_WORD.match(answer.text) is None
        if self._said and (is_error or self._complaint != answer.number):
            self._said.popleft()
        self._complaint = answer.number if is_error else None
        self._closing, self._refused = True, False

    def hear_ok(self, answer: Answer) -> bool:
        """Take in an ok; return whether it closes a Resend."""
        said = self._said
        if said and said[0][0] == answer.number:
            said.popleft()
            return False
        if answer.number is not None and any(number == answer.number for number, _ in said):
            self._answered_until(lambda number, _: number == answer.number)
            return False
        if answer.topic is Topic.TEMPERATURES:
            self._answered_until(lambda _, is_query: is_query)
            return False
        if self._closing:  # 1.x closes with the number of the last good line
            self._close()
            return True
        if said:
            said.popleft()
        return False

    def _answered_until(self, is_it: Callable[[int, bool], bool]) -> None:
        """All lines up to the first of this kind have their answers."""
        answered = next((n for n, said in enumerate(self._said, 1) if is_it(*said)), 0)
        for _ in range(answered):
            self._said.popleft()

    def take_refused(self) -> bool:
        """Return whether the ok just heard is for something refused, and forget it."""
        refused, self._refused = self._refused, False
        return refused
