"""Lists of the staff's pages: lines under a heading, each with what can be done about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from fabctl.model.people import search_name


@dataclass(frozen=True)
class Act:
    """A button of a line: a form that is sent, or a link."""

    word: str
    icon: str
    address: str
    ask: str = ""
    """The label of words that go with it; empty: none are asked for."""
    needed: bool = True
    """Whether something must be written there."""
    fields: tuple[tuple[str, str], ...] = ()
    """What is sent beside, names and values."""
    link: bool = False
    """Whether it only leads somewhere."""


@dataclass(frozen=True)
class Line:
    """One line, ready to be shown."""

    id: str
    title: str
    first: str = ""
    second: str = ""
    state: str = ""
    """A word beside the icon; with ``css``, the pattern of the edge."""
    css: str = ""
    icon: str = ""
    address: str = ""
    """Where the title leads; empty: nowhere."""
    acts: tuple[Act, ...] = ()

    def has(self, words: Iterable[str]) -> bool:
        """Say whether every word stands somewhere in the line."""
        said = search_name(" ".join((self.title, self.first, self.second, self.state)))
        return all(word in said for word in words)


@dataclass(frozen=True)
class Section:
    """Lines under a heading. ``none``: what stands there where there is none."""

    id: str
    title: str
    icon: str
    none: str
    lines: tuple[Line, ...] = ()
    always: bool = False
    """Whether it is shown without a line, too."""
    more: int = 0
    """Lines after these that are not shown."""
    most: int | None = None
    """How many are shown at most; None: as many as the page shows of any list."""

    @property
    def count(self) -> int:
        """How many lines there are, shown or not."""
        return len(self.lines) + self.more

    def shortened(self, most: int) -> Section:
        """Return the first lines, so many at most; the rest is counted."""
        most = most if self.most is None else min(most, self.most)
        return replace(self, lines=self.lines[:most], more=max(0, self.count - most))

    def narrowed(self, words: str, nothing: str) -> Section:
        """Return the lines in which every word stands.

        :param nothing: what stands there if none does: other lines may be there all the same.
        """
        wanted = search_name(words).split()
        if not wanted:
            return self
        found = tuple(one for one in self.lines if one.has(wanted))
        return replace(self, lines=found, none=nothing)
