"""A "no" with its reason and the next step. Rules return every refusal, never the first only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fabctl.errors import FabError
from fabctl.model.texts import Text


@dataclass(frozen=True)
class Refusal:
    """One reason why something is not possible now.

    ``code`` is part of the API and never changes its meaning.
    """

    code: str
    message: Text
    next_step: Text


class RefusedError(FabError):
    """A rule said no. Nothing was changed; ``refusals`` holds every reason, at least one."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__(
            " ".join(str(refusal.message) for refusal in refusals),
            next_step=" ".join(dict.fromkeys(str(refusal.next_step) for refusal in refusals)),
        )
        self.refusals = tuple(refusals)

    @property
    def codes(self) -> frozenset[str]:
        """The codes of all refusals."""
        return frozenset(refusal.code for refusal in self.refusals)
