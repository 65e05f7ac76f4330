"""The reset button at the machine: acted on at its release, or not at all. Pure."""

from __future__ import annotations

from fabctl.interlock import Timings

Whose = tuple[str, str]
"""The use and the person that an arming would be for."""


class ResetButton:
    """One push button.

    A press counts when the button was held without a break for ``reset_min_s`` and let go within
    ``reset_max_s``, and when everything else had permitted arming, for one and the same use, from
    its first scan to its last. A contact that chatters is never held.
    """

    def __init__(self, timings: Timings, now: float) -> None:
        self._timings = timings
        self._pressed_since: float | None = None
        self._held_since: float | None = None
        self._let_go_since: float | None = None
        self._long_enough = False
        self._whose: Whose | None = None
        self.released = False
        """It is known to be released: no press is under way."""
        self.since = now
        """When it was pressed or released."""

    def renew(self, now: float) -> None:
        """Forget a press that is under way; a button that stays pressed begins a new one."""
        self._pressed_since = self._held_since = self._let_go_since = None
        self._long_enough = self.released = False
        self._whose = None
        self.since = now

    def is_stuck(self, now: float) -> bool:
        """Return whether it is still pressed after longer than a person presses."""
        if self._pressed_since is None or self._let_go_since is not None:
            return False
        return now - self._pressed_since > self._timings.reset_max_s

    def take(self, pressed: bool | None, whose: Whose | None, now: float) -> Whose | None:
        """Take one scan's reading; None: it could not be read, and no press survives that.

        :param whose: for whom a press would arm now; None: it would not.
        :returns: for whom a press that has just ended arms.
        """
        if whose != self._whose or pressed is None:
            self._whose = None
        if pressed:
            self._press(whose, now)
            return None
        self._held_since = None
        if self._let_go_since is None:
            self._let_go_since = now
        if self.released or now - self._let_go_since < self._timings.safe_after_s:
            return None
        return self._end(now)

    def _press(self, whose: Whose | None, now: float) -> None:
        self._let_go_since = None
        if self._pressed_since is None:
            self._pressed_since = self.since = now
            self._whose = whose
            self.released = False
        if self._held_since is None:
            self._held_since = now
        if now - self._held_since >= self._timings.reset_min_s:
            self._long_enough = True

    def _end(self, now: float) -> Whose | None:
        whose = self._whose if self._long_enough else None
        self._pressed_since = self._whose = None
        self._long_enough = False
        self.released = True
        self.since = now
        return whose
