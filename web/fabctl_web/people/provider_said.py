"""What the provider says of itself and its keys: asked now and then, not for every click."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fabctl.clock import Clock
from fabctl.errors import LocalError
from fabctl.units import Seconds

KEPT_S = 600
"""For so long an answer counts."""
NOT_AGAIN_S = 15
"""For so long after an answer, good or none, the provider is not asked the same again."""
TIMEOUT_S = 3
"""For one request: so long a thread of the web waits for the provider's next bytes."""
PATIENCE_S = 5
"""For so long one browser waits while the question of another is on its way."""

Document = Mapping[str, Any]


class ProviderError(LocalError):
    """The provider did not answer, or not as it must."""


@dataclass
class _Answer:
    at: Seconds
    found: Document | ProviderError


@dataclass
class ProviderSaid:
    """The documents of one provider by their addresses, kept for ten minutes. For all threads."""

    clock: Clock
    _answers: dict[str, _Answer] = field(default_factory=dict)
    _asking: threading.Lock = field(default_factory=threading.Lock)

    def document(
        self, address: str, ask: Callable[[str], Document], *, anew: bool = False
    ) -> Document:
        """Return what stands at an address: from memory, or asked by one thread at a time.

        :param ask: gets it. Its :class:`ProviderError` is remembered too, for 15 s.
        :param anew: what is known does not do (a key is missing): ask unless it was just asked.
        :raises ProviderError: there was no answer, just now or a moment ago.
        """
        if not self._asking.acquire(timeout=PATIENCE_S):
            raise ProviderError("the provider has been asked already, and has not answered yet")
        try:
            known = self._answers.get(address)
            if known is None or self._is_over(known, anew=anew):
                known = self._answers[address] = _Answer(
                    self.clock.monotonic(), _asked(ask, address)
                )
        finally:
            self._asking.release()
        if isinstance(known.found, ProviderError):
            raise ProviderError(str(known.found))
        return known.found

    def _is_over(self, known: _Answer, *, anew: bool) -> bool:
        short = anew or isinstance(known.found, ProviderError)
        return self.clock.monotonic() - known.at >= (NOT_AGAIN_S if short else KEPT_S)


def _asked(ask: Callable[[str], Document], address: str) -> Document | ProviderError:
    try:
        return ask(address)
    except ProviderError as error:
        return error
