"""What the controller has run and moved, for tests and for ``--record``."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

from fabctl_sim.base_log import BaseLog
from fabctl_sim.grbl.planner import Block


class Log(BaseLog):
    """The last lines with their answers, and the last moves that were run to their end.

    :param keep: how many of each; older ones are dropped.
    :param path: also append every one to this file: ``line``, tab, text, tab, answer; or
        ``move``, tab, mode, tab, x y z, tab, mm/min as programmed (``inf``: rapid), tab, power.
    """

    FIELDS = ("n", "text", "answer")

    def __init__(self, keep: int = 30_000, path: Path | None = None) -> None:
        super().__init__(keep, path)
        self._moves: deque[dict[str, Any]] = deque(maxlen=keep)
        self.move_count = 0

    def ran(self, text: str, answer: str) -> None:
        """Take one line: what was left of it after stripping, and what was answered."""
        self._keep(self.count + 1, text, answer)
        self._write("line", text, answer)

    def moved(self, block: Block, now: float) -> None:
        """Take one block that was run to its end."""
        self.move_count += 1
        end = [round(mm, 4) + 0.0 for mm in block.end]
        feed = block.programmed * 60.0
        shown: float | None = None if feed == float("inf") else round(feed, 3)
        self._moves.append(
            {
                "t": now,
                "line": block.line,
                "mode": block.mode,
                "end": end,
                "feed": shown,
                "power": block.power,
            }
        )
        place = " ".join(f"{mm:.4f}" for mm in end)
        self._write("move", block.mode, place, f"{feed:.3f}", f"{block.power:g}")

    def moves(self, start: int = 0) -> list[dict[str, Any]]:
        """Return the moves from the ``start``-th on, as far as they are kept."""
        dropped = self.move_count - len(self._moves)
        return list(self._moves)[max(0, start - dropped) :]

    def clear(self) -> None:
        """Forget everything; the file stays as it is."""
        super().clear()
        self._moves.clear()
        self.move_count = 0
