"""A bad cable between a host and any core: seeded, both ways, in simulated time.

Bytes are flipped, lost and doubled; what was written in one piece is cut in two, comes late, or
waits while nothing gets through. The order of the bytes is kept.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from fabctl_sim.core import Core


@dataclass(frozen=True, slots=True)
class Faults:
    """How bad one direction is; every rate is one in so many, 0 for never.

    :ivar flip: bytes with one bit turned. :ivar lose: bytes that vanish. :ivar double: bytes that
        come twice. :ivar split: pieces cut in two, the rest ``delay_s`` later.
    :ivar delay: pieces that come up to ``delay_s`` late. :ivar stall: pieces with ``stall_s`` of
        silence before them.
    """

    flip: int = 0
    lose: int = 0
    double: int = 0
    split: int = 0
    delay: int = 0
    stall: int = 0
    delay_s: float = 0.05
    stall_s: float = 2.0

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) < 0:
                raise ValueError(f"{field.name} is a number >= 0")

    @property
    def any(self) -> bool:
        """Whether anything ever happens."""
        return any((self.flip, self.lose, self.double, self.split, self.delay, self.stall))

    @classmethod
    def from_mapping(cls, values: Mapping[str, object]) -> Faults:
        """Read rates and times by name.

        :raises ValueError: a name is unknown or a value is no number.
        """
        known = {field.name for field in fields(cls)}
        if not values.keys() <= known:
            raise ValueError(f"a cable knows {', '.join(sorted(known))}")
        given = {name: float(str(value)) for name, value in values.items()}
        delay_s, stall_s = given.pop("delay_s", cls().delay_s), given.pop("stall_s", cls().stall_s)
        rates = {name: int(value) for name, value in given.items()}
        return cls(**rates, delay_s=delay_s, stall_s=stall_s)

    @classmethod
    def from_text(cls, text: str) -> Faults:
        """Read ``flip=600,lose=2000,delay=50,delay_s=0.1``.

        :raises ValueError: as :meth:`from_mapping`.
        """
        pairs = (item.partition("=") for item in text.split(",") if item)
        return cls.from_mapping({name.strip(): value for name, _, value in pairs})


class Direction:
    """One way through the cable."""

    def __init__(self, seed: int) -> None:
        self.faults = Faults()
        self.flipped = self.lost = self.doubled = 0
        self.damaged: list[int] = []
        """Which bytes were: the first that went in is 0."""
        self._put = 0
        self._chance = random.Random(seed)
        self._late: deque[tuple[float, bytes]] = deque()

    @property
    def next_due(self) -> float:
        """When the next piece comes out; infinity when none is inside."""
        return self._late[0][0] if self._late else math.inf

    @property
    def inside(self) -> int:
        """Bytes that went in and have not come out."""
        return sum(len(data) for _, data in self._late)

    def put(self, data: bytes, now: float) -> None:
        """A piece goes in."""
        if data:
            for at, piece in self._pieces(data, now):
                if piece:
                    self._late.append((max(at, self._last_at(now)), piece))
            self._put += len(data)

    def take(self, now: float) -> Iterator[tuple[float, bytes]]:
        """Return the pieces that have come out by ``now``, with the time."""
        while self._late and self._late[0][0] <= now:
            yield self._late.popleft()

    def clear(self) -> None:
        """Forget what is inside."""
        self._late.clear()

    def _last_at(self, now: float) -> float:
        return self._late[-1][0] if self._late else now

    def _pieces(self, data: bytes, now: float) -> Iterator[tuple[float, bytes]]:
        faults = self.faults
        data = self._damaged(data)
        at = now
        if self._hits(faults.stall):
            at += faults.stall_s
        if self._hits(faults.delay):
            at += faults.delay_s * self._chance.random()
        if len(data) > 1 and self._hits(faults.split):
            cut = self._chance.randrange(1, len(data))
            yield at, data[:cut]
            yield at + faults.delay_s, data[cut:]
        else:
            yield at, data

    def _damaged(self, data: bytes) -> bytes:
        faults = self.faults
        if not (faults.flip or faults.lose or faults.double):
            return data
        out = bytearray()
        for place, byte in enumerate(data, self._put):
            if self._hits(faults.lose):
                self.lost += 1
                self.damaged.append(place)
                continue
            turned = self._hits(faults.flip)
            out.append(byte ^ (1 << self._chance.randrange(8)) if turned else byte)
            self.flipped += turned
            doubled = self._hits(faults.double)
            if doubled:
                self.doubled += 1
                out.append(out[-1])
            self.damaged += [place] * (turned + doubled)
        return bytes(out)

    def _hits(self, one_in: int) -> bool:
        return one_in > 0 and self._chance.randrange(one_in) == 0


class Cable:
    """A core behind a cable; itself a core. Two runs with one seed are equal.

    :ivar down: from the host to the board. :ivar up: from the board to the host.
    """

    def __init__(self, core: Core, seed: int = 1) -> None:
        self.core = core
        self.down = Direction(seed)
        self.up = Direction(seed + 1_000_003)

    @property
    def host_rate(self) -> float:
        """Simulated seconds per second of the host."""
        return self.core.host_rate

    @host_rate.setter
    def host_rate(self, rate: float) -> None:
        self.core.host_rate = rate

    @property
    def at_work(self) -> bool:
        """Whether something goes on that needs nothing but time."""
        return self.core.at_work or bool(self.down.inside or self.up.inside)

    def spoil(self, faults: Faults, direction: str = "both") -> None:
        """Be as bad as that from now on.

        :param direction: ``down``, ``up`` or ``both``.
        """
        if direction not in ("down", "up", "both"):
            raise ValueError("direction is down, up or both")
        if direction != "up":
            self.down.faults = faults
        if direction != "down":
            self.up.faults = faults

    def receive(self, data: bytes, now: float) -> None:
        """The host writes ``data`` at ``now``."""
        if self.down.faults.any or self.down.inside:
            self.down.put(data, now)
            self.advance(now)
        else:
            self.core.receive(data, now)

    def advance(self, now: float) -> None:
        """Let everything happen that is due up to ``now``."""
        for at, piece in self.down.take(now):
            self.core.advance(at)
            self.core.receive(piece, at)
        self.core.advance(now)

    def next_due(self) -> float:
        """Return when something happens next by itself; infinity when nothing will."""
        return min(self.core.next_due(), self.down.next_due, self.up.next_due)

    def take_output(self, now: float) -> bytes:
        """Return what has come through by ``now``."""
        data = self.core.take_output(now)
        if not (self.up.faults.any or self.up.inside):
            return data
        self.up.put(data, now)
        return b"".join(piece for _, piece in self.up.take(now))

    def backlog(self, now: float) -> int:
        """Bytes that the host wrote and that have not arrived."""
        return self.core.backlog(now) + self.down.inside

    def reset(self, now: float) -> None:
        """Pull the reset line."""
        self.down.clear()
        self.up.clear()
        self.core.reset(now)
