"""Archives for somebody's key only: the ``age`` program, with bytes flowing through it."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from fabctl.errors import LocalError

_MISSING = "install it: apt install age"


@contextmanager
def encrypting(recipients: Sequence[str], sink: IO[bytes]) -> Iterator[IO[bytes]]:
    """Yield what to write to; it reaches ``sink`` readable by the recipients only.

    :raises LocalError: age is missing, refuses a recipient, or cannot write.
    """
    words = ["age", "--encrypt"]
    for one in recipients:
        words += ["--recipient", one]
    process = _start(words, stdin=subprocess.PIPE, stdout=sink)
    assert process.stdin is not None  # noqa: S101  # it is a pipe
    broken = False
    try:
        yield process.stdin
        process.stdin.close()
    except BrokenPipeError:
        broken = True  # age has ended; what it said is told below
    except BaseException:
        process.kill()
        process.communicate()
        raise
    _end(process, "the archive cannot be encrypted")
    if broken:
        raise LocalError("the archive cannot be encrypted: age ended too early")


@contextmanager
def decrypting(archive: Path, identity: Path) -> Iterator[IO[bytes]]:
    """Yield what an archive holds.

    :raises LocalError: age is missing, the identity does not fit, or the archive was changed.
    """
    words = ["age", "--decrypt", "--identity", str(identity), str(archive)]
    process = _start(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert process.stdout is not None  # noqa: S101  # it is a pipe
    try:
        yield process.stdout
        process.stdout.read()  # what was not asked for must not keep age waiting
    except BaseException:
        process.kill()
        _, said = process.communicate()
        if said:  # why there was too little to read
            raise LocalError(f"the archive cannot be decrypted: {_words(said)}") from None
        raise
    _end(process, "the archive cannot be decrypted")


def _start(words: Sequence[str], stdin: int, stdout: int | IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(words, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE)
    except FileNotFoundError as error:
        raise LocalError("the program age is missing", next_step=_MISSING) from error


def _end(process: subprocess.Popen[bytes], what: str) -> None:
    assert process.stderr is not None  # noqa: S101  # it is a pipe
    said = process.stderr.read()
    for pipe in (process.stdin, process.stderr, process.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):  # what is left for a program that has ended
                pipe.close()
    if process.wait() == 0:
        return
    if b"no space left" in said.lower():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    raise LocalError(f"{what}: {_words(said)}")


def _words(said: bytes) -> str:
    lines = [line for line in said.decode(errors="replace").splitlines() if "report" not in line]
    return "; ".join(line.removeprefix("age: error: ") for line in lines) or "age said nothing"
