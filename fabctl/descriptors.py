"""Waiting for what can be read or written, whatever its number: select(2) ends at 1024."""

from __future__ import annotations

import errno
import math
import os
import select
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

    One = TypeVar("One", bound=FileDescriptorLike)
else:
    One = TypeVar("One")


def ready(
    reading: Iterable[One], writing: Iterable[One] = (), timeout_s: float | None = None
) -> tuple[list[One], list[One]]:
    """Wait until something can be read or written, also its end or its error.

    :param timeout_s: how long at most, in s; None: for ever.
    :returns: what can be read, what can be written; nothing after the timeout.
    :raises OSError: one of them is closed.
    :raises ValueError: one of them is closed, and does not know its number any more.
    """
    to_read = {_number(one): one for one in reading}
    to_write = {_number(one): one for one in writing}
    poll = select.poll()
    for number in to_read.keys() | to_write.keys():
        wanted = select.POLLIN if number in to_read else 0
        poll.register(number, wanted | (select.POLLOUT if number in to_write else 0))
    found = dict(poll.poll(None if timeout_s is None else math.ceil(max(0.0, timeout_s) * 1000)))
    if any(event & select.POLLNVAL for event in found.values()):
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    can_read = select.POLLIN | select.POLLHUP | select.POLLERR
    can_write = select.POLLOUT | select.POLLHUP | select.POLLERR
    return (
        [one for number, one in to_read.items() if found.get(number, 0) & can_read],
        [one for number, one in to_write.items() if found.get(number, 0) & can_write],
    )


def _number(one: FileDescriptorLike) -> int:
    return one if isinstance(one, int) else one.fileno()
