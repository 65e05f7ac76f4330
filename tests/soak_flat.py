"""Whether processes stay as they are: memory and descriptors, and how their last third grows."""

from __future__ import annotations

import gc
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

PAGE = os.sysconf("SC_PAGE_SIZE")
MOST_MB_A_DAY = 2.0
"""What memory may grow by in a simulated day, from the last third of the samples. A process that
is restarted once a year would be 730 MB larger then; what leaks one event's 2 kB at each of the
thousands of a day is far above it."""
MOST_DESCRIPTORS = 1


@dataclass
class Samples:
    """What was seen, and when."""

    days: list[float] = field(default_factory=list)
    rss_mb: list[float] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)

    def take(self, lived_s: float) -> None:
        """Look now; rubbish is put out before."""
        gc.collect()
        rss_mb = int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 1e6
        self.add(lived_s, rss_mb, open_descriptors())

    def add(self, lived_s: float, rss_mb: float, descriptors: int) -> None:
        """Note what was seen."""
        self.days.append(lived_s / 86_400)
        self.rss_mb.append(rss_mb)
        self.descriptors.append(descriptors)

    def last_third(self) -> tuple[float, int]:
        """Return by how many MB a day memory grows in it, and by how many descriptors in all."""
        begin = len(self.days) * 2 // 3
        held = self.descriptors[begin:]
        return slope(self.days[begin:], self.rss_mb[begin:]), max(held) - min(held)

    def must_be_flat(self) -> None:
        """:raises AssertionError: the last third grows."""
        mb, descriptors = self.last_third()
        assert mb < MOST_MB_A_DAY, (mb, self.rss_mb)
        assert descriptors <= MOST_DESCRIPTORS, self.descriptors

    def told(self) -> str:
        """Return a line for a person."""
        mb, descriptors = self.last_third()
        first, third, last = (self.rss_mb[n] for n in (0, len(self.days) // 3, -1))
        return (
            f"{self.days[-1]:.2f} days; memory {first:.1f} MB at first, {third:.1f} after a third, "
            f"{last:.1f} at the end; in the last third {mb:+.2f} MB a day and "
            f"{descriptors} descriptors apart, {self.descriptors[-1]} at the end"
        )


@dataclass
class Households:
    """The same of other processes, each with its children, as they really run."""

    samples: dict[str, Samples] = field(default_factory=dict)

    def take(self, lived_s: float, pids: Mapping[str, int]) -> None:
        """Look at all of them now; a process that was started anew is another one."""
        for name, pid in pids.items():
            process = psutil.Process(pid)
            rss_mb, held = process.memory_info().rss / 1e6, process.num_fds()
            for child in process.children(recursive=True):
                with suppress(psutil.NoSuchProcess):  # it ended since it was listed
                    rss_mb += child.memory_info().rss / 1e6
                    held += child.num_fds()
            self.samples.setdefault(name, Samples()).add(lived_s, rss_mb, held)

    def told(self) -> str:
        """Return a line for each."""
        return "\n".join(f"{name}: {one.told()}" for name, one in self.samples.items())


def open_descriptors() -> int:
    """Return how many descriptors this process holds."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def slope(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Return the slope of the straight line that is nearest to these points (least squares)."""
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum(
        (a - x) ** 2 for a in xs
    )
