"""A file as the body of an upload, read block by block: 100 MB cost no memory."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self


class GaveUpError(ConnectionError):
    """Somebody pressed stop while the file was on its way."""


class MultipartFile:
    """``multipart/form-data`` (RFC 7578) with some fields and one file, for an HTTP client to read.

    :param give_up: asked before every block; True ends the upload with GaveUpError.
    :raises OSError: the file cannot be opened.
    """

    def __init__(
        self, path: Path, name: str, fields: Mapping[str, str], give_up: Callable[[], bool]
    ) -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        head = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
            for key, value in fields.items()
        )
        head += (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        self._head = head.encode()
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self._give_up = give_up
        self._file: BinaryIO = path.open("rb")
        self._left = os.fstat(self._file.fileno()).st_size
        self._length = len(self._head) + self._left + len(self._tail)

    def __len__(self) -> int:
        return self._length

    def read(self, size: int = -1) -> bytes:
        """Return the next block, at most ``size`` bytes; nothing at the end.

        :raises GaveUpError: the upload is not wanted any more.
        :raises OSError: the file cannot be read, or became shorter.
        """
        if self._give_up():
            raise GaveUpError("the upload was given up")
        size = size if size > 0 else 65536
        if self._head:
            block, self._head = self._head[:size], self._head[size:]
            return block
        if self._left:
            block = self._file.read(min(size, self._left))
            if not block:
                raise OSError("the file became shorter while it was sent")
            self._left -= len(block)
            return block
        block, self._tail = self._tail[:size], self._tail[size:]
        return block

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
