"""A "no" with its reason and the next step. Rules return every refusal, never the first only."""

from __future__ import annotations

from dataclasses import dataclass

from fabctl.model.texts import Text


@dataclass(frozen=True)
class Refusal:
    """One reason why something is not possible now.

    ``code`` is part of the API and never changes its meaning.
    """

    code: str
    message: Text
    next_step: Text
