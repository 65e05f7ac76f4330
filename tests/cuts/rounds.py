"""One power cut after the other: fork a writer, let it write, kill it with -9, look.

The writer tells through a pipe what it is about to do, and that it was done (the caller has got
a yes). A pipe outlives its writer: what was told before the kill is read after it.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

Said = dict[str, Any]
DEEDS_BEFORE = (0, 0, 1, 1, 2, 3)
"""How many a writer does before the one in which it may be killed."""


@dataclass
class Teller:
    """The writer's end of the pipe; each line fits in one atomic write."""

    end: int

    def say(self, word: str, **more: Any) -> None:
        """Say one thing."""
        os.write(self.end, json.dumps({"word": word, **more}).encode() + b"\n")

    @contextmanager
    def deed(self, what: str, **more: Any) -> Iterator[Said]:
        """Tell what is about to be done, and at the end that it was, with what the block adds."""
        self.say("will", what=what, **more)
        found: Said = {}
        yield found
        self.say("did", what=what, **more, **found)


class Deaf(Teller):
    """Nobody listens."""

    def __init__(self) -> None:
        super().__init__(-1)

    def say(self, word: str, **more: Any) -> None:
        """Say nothing."""


Write = Callable[[Teller, random.Random], None]
"""Writes until it is killed."""


@dataclass
class Cut:
    """What a writer said until it was killed."""

    did: list[Said] = field(default_factory=list)
    """What it was told yes for, in this order."""
    will: Said | None = None
    """What it was doing when it was killed."""


@dataclass
class Moments:
    """When to kill: some deeds after the start, and then anywhere in the next one.

    How long a deed takes depends on the computer and on what else it does: it is measured.
    """

    seed: str
    deed_s: float = 0.01
    """How long a deed takes, on the whole."""

    def seed_of(self, number: int) -> str:
        """Return what decides round ``number``."""
        return f"{self.seed}-{number}"

    @contextmanager
    def named(self, number: int) -> Iterator[None]:
        """Let a failure say what led to it."""
        try:
            yield
        except AssertionError as error:
            raise AssertionError(f"seed {self.seed_of(number)}: {error}") from error

    def wait(self, chance: random.Random, pipe: BinaryIO) -> list[bytes]:
        """Wait until the moment; return what the writer said meanwhile."""
        lines = [pipe.readline()]  # it is ready
        for _ in range(chance.choice(DEEDS_BEFORE)):
            began = time.monotonic()
            lines += [pipe.readline(), pipe.readline()]  # what it will do, and that it did
            self.deed_s += 0.2 * (time.monotonic() - began - self.deed_s)
        time.sleep(chance.uniform(0.0, 1.5 * self.deed_s))
        return lines


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def cut(write: Write, moments: Moments, number: int, kill: Callable[[int], None] = _kill) -> Cut:
    """Fork a writer, kill it at a random moment, and return what it said.

    :raises AssertionError: it ended before it was killed.
    """
    seed = moments.seed_of(number)
    reading, writing = os.pipe()
    chance = random.Random(seed)  # noqa: S311  # a test's
    pid = os.fork()
    if pid == 0:
        _be_the_writer(write, Teller(writing), random.Random(f"{seed}-writer"))  # noqa: S311  # the same
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        lines = moments.wait(chance, pipe)
        kill(pid)
        _, status = os.waitpid(pid, 0)
        lines += pipe.readlines()
    assert os.WIFSIGNALED(status), f"the writer failed (seed {seed}); its last words are on stderr"
    return _heard(lines)


def _be_the_writer(write: Write, teller: Teller, chance: random.Random) -> None:
    try:
        write(teller, chance)
    except BaseException:  # noqa: BLE001  # top of a process: its end is seen, this says why
        traceback.print_exc()
    finally:
        os._exit(3)


def _heard(lines: list[bytes]) -> Cut:
    found = Cut()
    for line in lines:
        said = json.loads(line)
        match said.pop("word"):
            case "will":
                found.will = said
            case "did":
                found.did.append(said)
                found.will = None
    return found
