"""A file as blocks of whole lines, in bounded memory whatever the file holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

BLOCK_BYTES = 32 * 1024
"""Read at once. 32 KiB of the shortest lines become about 5 MB of words for a moment."""
LONGEST_KEPT = 8 * 1024
"""Of a longer line only the beginning is kept, in bytes."""


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines; ``data`` is empty or ends with a newline."""

    data: bytes
    size: int
    """Bytes read from the file for this block, those of cut lines included."""
    cut: bool = False
    """The last line is only the beginning of a line that was too long to be kept."""
    nul: bool = False
    """A NUL byte is among the bytes read: this is no text."""
    head: bytes = b""
    """The first bytes read for this block, at most 16."""


def blocks(stream: BinaryIO, size: int = BLOCK_BYTES) -> Iterator[Block]:
    """Yield a file in blocks of whole lines; a last line without a newline gets one.

    A line longer than :data:`LONGEST_KEPT` is cut there, its rest skipped: at no time more than
    ``size`` plus that many bytes are held.
    """
    kept = b""
    skipping = False
    while chunk := stream.read(size):
        read, nul, head = len(chunk), b"\0" in chunk, chunk[:16]
        if skipping:
            _, newline, chunk = chunk.partition(b"\n")
            skipping = not newline
        whole, newline, tail = chunk.rpartition(b"\n")
        data = kept + whole + newline if newline else b""
        kept = tail if newline else kept + tail
        cut = len(kept) > LONGEST_KEPT
        if cut:
            data, kept, skipping = data + kept[:LONGEST_KEPT] + b"\n", b"", True
        yield Block(data, read, cut, nul, head)
    if kept:
        yield Block(kept + b"\n", 0)
