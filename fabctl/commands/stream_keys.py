"""Single keys at a terminal while a file is streamed; nothing at all where nobody sits at one."""

from __future__ import annotations

import os
import select
import sys
import termios
import threading
import tty
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum


class Key(Enum):
    """What a key asks for."""

    PAUSE = "p"
    GO_ON = "Enter"
    STOP = "s"


_KEYS = {
    b"p": Key.PAUSE, b"P": Key.PAUSE, b" ": Key.PAUSE,
    b"\n": Key.GO_ON, b"\r": Key.GO_ON, b"r": Key.GO_ON, b"R": Key.GO_ON,
    b"s": Key.STOP, b"S": Key.STOP,
}  # fmt: skip
SHOWN = "keys: p pauses, Enter goes on, s or Ctrl-C stops"


class Keys:
    """Keys that were pressed and not taken yet."""

    def __init__(self, *, at_terminal: bool) -> None:
        self.at_terminal = at_terminal
        """Whether there is a keyboard at all."""
        self.pressed: deque[Key] = deque()

    def take(self) -> list[Key]:
        """Return the keys since the last time, oldest first."""
        return [self.pressed.popleft() for _ in range(len(self.pressed))]


@contextmanager
def keyboard(wake: Callable[[], None]) -> Iterator[Keys]:
    """Give the keys pressed at this terminal; the terminal is left as it was found.

    A process in the background of its terminal, or without one, has no keys.

    :param wake: called for every key, from another thread.
    """
    descriptor = _terminal()
    if descriptor is None:
        yield Keys(at_terminal=False)
        return
    keys = Keys(at_terminal=True)
    before = termios.tcgetattr(descriptor)
    ended, end = os.pipe()
    reader = threading.Thread(target=_read, args=(descriptor, ended, keys, wake), daemon=True)
    tty.setcbreak(descriptor, termios.TCSADRAIN)
    reader.start()
    try:
        yield keys
    finally:
        os.close(end)
        reader.join()
        os.close(ended)
        if _in_front(descriptor):
            with suppress(termios.error):  # the terminal was closed meanwhile
                termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _terminal() -> int | None:
    try:
        descriptor = sys.stdin.fileno()
    except (OSError, ValueError):
        return None
    is_ours = os.isatty(descriptor) and sys.stderr.isatty() and _in_front(descriptor)
    return descriptor if is_ours else None


def _in_front(descriptor: int) -> bool:
    """Whether the terminal is ours now: one that is not stops a process that reads or sets it."""
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        return False


_BEHIND_S = 0.5


def _read(descriptor: int, ended: int, keys: Keys, wake: Callable[[], None]) -> None:
    while True:
        in_front = _in_front(descriptor)
        watched = [descriptor, ended] if in_front else [ended]
        ready, _, _ = select.select(watched, [], [], None if in_front else _BEHIND_S)
        if ended in ready:
            return
        if not ready or not _in_front(descriptor):
            continue
        try:
            data = os.read(descriptor, 64)
        except OSError:  # the terminal was closed: SIGHUP tells the rest
            return
        if not data:
            return
        key = _KEYS.get(data[:1])  # one of a line typed in the background of another program
        if key is not None:
            keys.pressed.append(key)
            wake()
