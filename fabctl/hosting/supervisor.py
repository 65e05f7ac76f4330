"""The supervisor behind ``fabctl run``: starts children in order, restarts what dies, ends all.

One thread and one loop, no third-party import: it is the process that must not fail. It holds
nothing that cannot be had again, and if it is killed, the kernel ends its children.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from types import FrameType

from fabctl.descriptors import ready
from fabctl.errors import LocalError
from fabctl.hosting.child import Child, ChildSpec

__all__ = ["ChildSpec", "Supervisor"]

LOOK_EVERY_S = 0.1
"""How often readiness is asked for while something starts."""
IDLE_LOOK_S = 5.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)


class Supervisor:
    """Runs children until it is told to end.

    :param say: takes one line for a person.
    :param on_ready: called once, when every rank is ready; it must return at once.
    """

    def __init__(
        self,
        children: Sequence[ChildSpec],
        say: Callable[[str], None],
        on_ready: Callable[[], None] | None = None,
    ) -> None:
        self._children = [Child(spec) for spec in children]
        self._say = say
        self._on_ready = on_ready
        self._width = max((len(spec.name) for spec in children), default=0)
        self._ends_asked = 0
        self._failed = False
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def end(self) -> None:
        """Have :meth:`run` end all children in order. A second time: at once."""
        self._ends_asked += 1

    def run(self) -> int:
        """Run until SIGINT, SIGTERM or SIGHUP; return 0, or 1 when the start failed."""
        before = {signum: signal.signal(signum, self._signalled) for signum in SIGNALS}
        wakeup = signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        try:
            self._start_all()
            while not self._over:
                self._turn(IDLE_LOOK_S)
            self._stop_all()
        finally:
            for child in self._children:  # only after a mistake of ours is anything left here
                child.kill()
            signal.set_wakeup_fd(wakeup)
            for signum, handler in before.items():
                signal.signal(signum, handler)
            os.close(self._wake_read)
            os.close(self._wake_write)
        return 1 if self._failed else 0

    def _signalled(self, signum: int, _frame: FrameType | None) -> None:
        if signum != signal.SIGCHLD:
            self.end()

    @property
    def _over(self) -> bool:
        return self._ends_asked > 0 or self._failed

    # -- starting ------------------------------------------------------------------------------

    def _start_all(self) -> None:
        for rank in sorted({child.spec.start_rank for child in self._children}):
            of_rank = [child for child in self._children if child.spec.start_rank == rank]
            for child in of_rank:
                self._start(child)
            while not self._over and not all(self._is_ready(child) for child in of_rank):
                self._turn(LOOK_EVERY_S)
            if self._over:
                return
        if self._on_ready is not None:
            self._on_ready()

    def _start(self, child: Child) -> None:
        try:
            child.start()
        except OSError as error:
            raise LocalError(f"{child.spec.command[0]} cannot be started: {error}") from error

    def _start_again(self, child: Child) -> None:
        """Start a child that had ended; that this fails (no memory, say) ends nobody else."""
        try:
            child.start()
        except OSError as error:
            delay = child.next_delay()
            self._say(f"{child.spec.name} cannot be started: {error}; again in {delay:g} s")

    @staticmethod
    def _is_ready(child: Child) -> bool:
        if child.spec.once:
            return child.done
        if not child.ready:
            child.ready = child.process is not None and (
                child.spec.ready is None or child.spec.ready()
            )
        return child.ready

    # -- the loop ------------------------------------------------------------------------------

    def _turn(self, patience_s: float) -> None:
        """Wait until something happens, at most so long, and deal with it."""
        self._wait(self._until_next_start(patience_s))
        for child in self._children:
            if child.process is not None:
                self._pass_on(child)
                if child.has_ended():
                    self._ended(child)
            if child.due is not None and child.due <= time.monotonic() and not self._over:
                self._start_again(child)

    def _wait(self, timeout_s: float) -> None:
        outputs = [child.output for child in self._children if child.output is not None]
        readable, _ = ready([self._wake_read, *outputs], timeout_s=timeout_s)
        if self._wake_read in readable:
            os.read(self._wake_read, 512)

    def _until_next_start(self, patience_s: float) -> float:
        now = time.monotonic()
        dues = [child.due - now for child in self._children if child.due is not None]
        return max(0.0, min([patience_s, *dues]))

    def _pass_on(self, child: Child, *, all_of_it: bool = False) -> None:
        for line in child.lines(all_of_it=all_of_it):
            self._say(f"{child.spec.name:<{self._width}} | {line}")

    def _ended(self, child: Child) -> None:
        """A child ended by itself."""
        self._pass_on(child, all_of_it=True)
        code = child.bury()
        how = _how(code)
        if child.spec.once and code == 0:
            child.done = True
        elif child.spec.once:
            self._say(f"{child.spec.name} failed: {how}")
            self._failed = True
        elif not self._over:
            delay = child.next_delay()
            self._say(f"{child.spec.name} ended ({how}); it starts again in {delay:g} s")

    # -- stopping ------------------------------------------------------------------------------

    def _stop_all(self) -> None:
        for rank in sorted({child.spec.stop_rank for child in self._children}):
            of_rank = [child for child in self._children if child.spec.stop_rank == rank]
            while self._ends_asked == 0 and any(self._too_young(child) for child in of_rank):
                self._turn(LOOK_EVERY_S)
            for child in of_rank:
                child.due = None
                child.ask_to_end()
            self._wait_for_end(of_rank)

    @staticmethod
    def _too_young(child: Child) -> bool:
        return child.process is not None and child.age_s < child.spec.lives_at_least_s

    def _wait_for_end(self, children: list[Child]) -> None:
        began = time.monotonic()
        while any(child.process is not None for child in children):
            late = time.monotonic() - began
            for child in children:
                if child.process is not None and (
                    late > child.spec.stop_within_s or self._ends_asked > 1
                ):
                    self._say(f"{child.spec.name} did not end within {late:.0f} s; killed")
                    child.kill()
            self._turn(LOOK_EVERY_S)


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
