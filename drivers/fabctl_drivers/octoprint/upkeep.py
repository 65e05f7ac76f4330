"""What a free printer is owed: heaters off, and our files removed from the server. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from fabctl_drivers.octoprint.errands import Errand, HeatersOff, Sweep

SWEEP_AGAIN_S = 60.0
"""After a file could not be removed: it is in use, and will not be for ever."""
HEATERS_AGAIN_S = 3.0
FOREVER = float("inf")


class Upkeep:
    """Keeps what is owed until the server did it; times in s on the monotonic clock.

    :param prefix: how the names of this machine's files on the server begin.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._tools: tuple[str, ...] = ("tool0",)
        self._heaters_at = self._sweep_at = FOREVER
        self._is_switching = False
        self.unsafe: str | None = None
        """Why the heaters may still be on; None when nobody says so."""

    @property
    def owes_heaters(self) -> bool:
        """Whether the heaters are still to be switched off."""
        return self._heaters_at < FOREVER

    @property
    def deadline(self) -> float:
        """When something is due on a free printer; inf: nothing is."""
        return min(self._sweep_at, FOREVER if self._is_switching else self._heaters_at)

    def owe_heaters(self) -> None:
        """Switch the heaters off as soon as the printer is free."""
        self._heaters_at = 0.0

    def leave_heaters(self) -> None:
        """They are a job's now, ours or somebody else's."""
        self._heaters_at = FOREVER

    def owe_sweep(self) -> None:
        """Remove our files as soon as the printer is free."""
        self._sweep_at = 0.0

    def leave_files(self) -> None:
        """One of them is wanted."""
        self._sweep_at = FOREVER

    def opened(self) -> None:
        """Nothing is known of this server's heaters."""
        self._is_switching, self.unsafe = False, None
        self.owe_heaters()

    def heard_of(self, heaters: Iterable[str]) -> None:
        """Take in which heaters there are, by the server's names."""
        self._tools = tuple(sorted(h for h in heaters if h.startswith("tool"))) or ("tool0",)

    def take_due(self, now: float) -> list[Errand]:
        """Return what a free printer is owed now."""
        due: list[Errand] = []
        if not self._is_switching and now >= self._heaters_at:
            self._is_switching = True
            due.append(HeatersOff(self._tools))
        if now >= self._sweep_at:
            self.leave_files()
            due.append(Sweep(self._prefix))
        return due

    def made_safe(self, now: float, error: str | None) -> None:
        """The heaters were switched off, or not."""
        self._is_switching = False
        if error is None:
            self.unsafe = None
            self.leave_heaters()
        else:
            if self.owes_heaters:  # else they became a job's while we asked
                self._heaters_at = now + HEATERS_AGAIN_S
            self.unsafe = f"the heaters could not be switched off: {error}"

    def sweep_again(self, now: float) -> None:
        """Some files could not be removed yet."""
        self._sweep_at = now + SWEEP_AGAIN_S
