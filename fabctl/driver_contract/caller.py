"""Calls a driver from one thread of its own, so that a call that never returns is seen."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any


class HungError(Exception):
    """A call did not return in time. Its thread is left behind: nothing can end it."""


@dataclass
class _Order:
    """One call, and what came of it."""

    function: Callable[[], Any]
    result: Any = None
    error: BaseException | None = None
    is_done: bool = False


class Caller:
    """Every call to a driver, one after the other, from the same thread.

    :param meanwhile: called again and again while a call is under way, with a descriptor that can
        be read once the call is done, and the longest wait in s.
    """

    def __init__(self, meanwhile: Callable[[int, float], None]) -> None:
        self._meanwhile = meanwhile
        self._orders: queue.SimpleQueue[_Order | None] = queue.SimpleQueue()
        self._done_read, self._done_write = os.pipe()
        self._thread = threading.Thread(target=self._work, name="driver-check", daemon=True)
        self._thread.start()
        self.is_hung = False

    def call(self, function: Callable[[], Any], within_s: float) -> tuple[Any, float]:
        """Return what a call returned, and how many s it took; its error is raised here.

        :raises HungError: it has not returned in time.
        """
        order = _Order(function)
        begun = time.monotonic()
        self._orders.put(order)
        while not order.is_done:
            left = begun + within_s - time.monotonic()
            if left <= 0:
                self.is_hung = True
                raise HungError
            self._meanwhile(self._done_read, left)
        os.read(self._done_read, 64)
        if order.error is not None:
            raise order.error
        return order.result, time.monotonic() - begun

    def end(self) -> None:
        """End the thread, unless it hangs."""
        self._orders.put(None)
        if self.is_hung:
            return
        self._thread.join(5.0)
        for descriptor in (self._done_read, self._done_write):
            os.close(descriptor)

    def _work(self) -> None:
        while (order := self._orders.get()) is not None:
            try:
                order.result = order.function()
            except BaseException as error:  # noqa: BLE001  # raised again in call(), to be judged
                order.error = error
            order.is_done = True
            with suppress(OSError):  # nobody waits any more
                os.write(self._done_write, b"!")
            del order
