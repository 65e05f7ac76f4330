"""One child process of the supervisor: started so that it can never be left behind."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

PR_SET_PDEATHSIG = 1
"""prctl(2), linux/prctl.h: the signal a process gets when its parent dies."""
FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
HEALTHY_AFTER_S = 60.0
CHUNK = 65_536
MOST_LINE = 8192

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """What to run, and when."""

    name: str
    """Stands before each line of its output."""
    command: tuple[str, ...]
    start_rank: int = 1
    """Lower ranks first; a rank starts when all of the ranks before it are ready."""
    stop_rank: int = 1
    """Lower ranks first; a rank is stopped when all of the ranks before it have ended."""
    before: Callable[[], str | None] | None = None
    """Done before each start; what it returns stands before the child's own output."""
    ready: Callable[[], bool] | None = None
    """Says whether it does its work; None: as soon as it has started."""
    once: bool = False
    """It is to end by itself, with exit code 0: then it is ready. It is never restarted."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to ours."""
    lives_at_least_s: float = 0.0
    """When the start of the whole fails: it is not asked to end before it has lived so long."""
    stop_within_s: float = 12.0
    """After SIGTERM; then it is killed."""


class Child:
    """A child that may be running."""

    def __init__(self, spec: ChildSpec) -> None:
        self.spec = spec
        self.process: subprocess.Popen[bytes] | None = None
        self.due: float | None = None
        """When to start it (again), on the monotonic clock; None: not by itself."""
        self.ready = False
        self.done = False
        """A child that was to run once has ended well."""
        self._delay = FIRST_DELAY_S
        self._began = 0.0
        self._rest = b""
        self._silent = False

    @property
    def age_s(self) -> float:
        """How long ago it was started, in s."""
        return time.monotonic() - self._began

    @property
    def output(self) -> int | None:
        """The descriptor of its output, None while it does not run or has closed it."""
        if self.process is None or self.process.stdout is None or self._silent:
            return None
        return self.process.stdout.fileno()

    def start(self) -> None:
        """Start it: a process group of its own, told to end when we die.

        :raises OSError: the program cannot be started.
        """
        self.due = None
        self.ready = False
        self._began = time.monotonic()
        if self.spec.before is not None and (note := self.spec.before()) is not None:
            self._rest += f"{note}\n".encode()
        parent = os.getpid()
        self.process = subprocess.Popen(
            self.spec.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | dict(self.spec.environment),
            process_group=0,
            preexec_fn=lambda: _die_with(parent),  # noqa: PLW1509  # we have no threads
        )
        self._silent = False
        assert self.process.stdout is not None  # noqa: S101  # it was opened with a pipe
        os.set_blocking(self.process.stdout.fileno(), False)

    def lines(self, *, all_of_it: bool = False) -> list[str]:
        """Return the whole lines it has written; with ``all_of_it`` the unfinished last one too."""
        self._read(all_of_it=all_of_it)
        *whole, self._rest = self._rest.split(b"\n")
        if self._rest and (all_of_it or len(self._rest) > MOST_LINE):
            whole.append(self._rest)
            self._rest = b""
        return [line.decode(errors="replace").rstrip() for line in whole]

    def _read(self, *, all_of_it: bool) -> None:
        while (output := self.output) is not None:
            try:
                chunk = os.read(output, CHUNK)
            except BlockingIOError:
                return
            self._silent = not chunk
            self._rest += chunk
            if not all_of_it:
                return

    def has_ended(self) -> bool:
        """Say whether it has ended; its process id is still ours then."""
        if self.process is None:
            return False
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.process.pid, flags) is not None

    def bury(self) -> int:
        """Kill what an ended child left of its group, let go of it, return its exit code."""
        assert self.process is not None  # noqa: S101  # has_ended() was true
        assert self.process.stdout is not None  # noqa: S101  # it was opened with a pipe
        self._signal_group(signal.SIGKILL)
        code = self.process.wait()
        self.process.stdout.close()
        self.process = None
        return code

    def ask_to_end(self) -> None:
        """Send SIGTERM to the child itself; it ends its own helpers."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill its whole group."""
        self._signal_group(signal.SIGKILL)

    def next_delay(self) -> float:
        """Return how long to wait before the next start, in s: longer each time, up to 30 s."""
        if time.monotonic() - self._began >= HEALTHY_AFTER_S:
            self._delay = FIRST_DELAY_S
        delay = self._delay
        self._delay = min(self._delay * 2, LONGEST_DELAY_S)
        self.due = time.monotonic() + delay
        return delay

    def _signal_group(self, signum: signal.Signals) -> None:
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signum)
        except ProcessLookupError:
            return  # nobody is left


def _die_with(parent: int) -> None:
    """In the child, before its program: have the kernel end it when the supervisor dies."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before we could ask
        os._exit(1)
