"""Waiting for descriptors, also for those above select's 1024."""

from __future__ import annotations

import fcntl
import os
import resource
import socket
from collections.abc import Iterator

import pytest

from fabctl.descriptors import ready

HIGH = 1100


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let this process have descriptors above 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard == resource.RLIM_INFINITY or hard > HIGH, "this computer allows too few files"
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, HIGH + 1), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_what_can_be_read_and_what_can_be_written() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert ready([ours], [], 0) == ([], [])
        assert ready([ours], [ours], 60) == ([], [ours])
        theirs.send(b"x")
        assert ready([ours, theirs], [], 60) == ([ours], [])
        ours.recv(1)
        theirs.close()
        assert ready([ours], timeout_s=60) == ([ours], []), "an end can be read"


def test_numbers_above_1024(many_files: None) -> None:
    read, write = os.pipe()
    high = fcntl.fcntl(read, fcntl.F_DUPFD_CLOEXEC, HIGH)
    try:
        os.write(write, b"x")
        assert ready([high], [write], 60) == ([high], [write])
    finally:
        for one in (read, write, high):
            os.close(one)


def test_what_is_closed_is_an_error_as_select_has_it() -> None:
    read, write = os.pipe()
    os.close(read)
    os.close(write)
    with pytest.raises(OSError, match="Bad file descriptor"):
        ready([read], timeout_s=60)
    ours, theirs = socket.socketpair()
    ours.close()
    theirs.close()
    with pytest.raises(ValueError, match="negative"):
        ready([ours], timeout_s=60)
