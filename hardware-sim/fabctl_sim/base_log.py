"""What a controller has run, for tests and for ``--record``."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import IO, Any, ClassVar


class BaseLog:
    """The last lines that were run, in order; the oldest are dropped beyond ``keep``.

    :param keep: how many.
    :param path: also append rows to this file, columns parted by tabs.
    """

    FIELDS: ClassVar[tuple[str, ...]]
    """What is kept of each, by name."""

    def __init__(self, keep: int = 30_000, path: Path | None = None) -> None:
        self._lines: deque[tuple[int | str | None, ...]] = deque(maxlen=keep)
        self._file: IO[str] | None = path.open("a", encoding="latin-1") if path else None
        self.count = 0

    def since(self, start: int) -> list[dict[str, Any]]:
        """Return the lines from the ``start``-th on, as far as they are kept."""
        lines = list(self._lines)[max(0, start - self.dropped) :]
        return [dict(zip(self.FIELDS, line, strict=True)) for line in lines]

    @property
    def dropped(self) -> int:
        """How many lines are no longer kept."""
        return self.count - len(self._lines)

    def clear(self) -> None:
        """Forget everything; the file stays as it is."""
        self._lines.clear()
        self.count = 0

    def _keep(self, *line: int | str | None) -> None:
        self.count += 1
        self._lines.append(line)

    def _write(self, *columns: str) -> None:
        if self._file:
            self._file.write("\t".join(columns) + "\n")
            self._file.flush()
