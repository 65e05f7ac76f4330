"""A PostgreSQL server whose every process can be killed at once, as a power cut does."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from tests.databases import (
    SERVER_USER,
    START_TIMEOUT_S,
    PostgreSQL,
    _as_server_user,
    server_programs,
)
from tests.ports import free_port

AS_IT_COMES = "-c synchronous_commit=on -c full_page_writes=on"
NOT_THE_DISK = "-c fsync=off"
"""What a kill takes is in the server's own memory; what it gave to the kernel stays."""


@dataclass
class Server:
    """A server of our own; it answers yes to a commit when the commit was written."""

    folder: Path
    port: int

    def start(self) -> None:
        """Start it; what was cut off is repaired first."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder}"
        options += f" {AS_IT_COMES} {NOT_THE_DISK}"
        self._control("-l", self.folder / "log", "-o", options, "start")

    def cut(self) -> None:
        """Kill every process of it with -9, and wait until all are gone.

        The first of them is stopped before: it must not start another one meanwhile.
        """
        first = psutil.Process(
            int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        )
        first.suspend()
        processes = [*first.children(recursive=True), first]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        # buried, too: the next server asks whether the first process of this one is still there
        _wait(lambda: not any(one.is_running() for one in processes), "the server is gone")

    def stop(self) -> None:
        """End it without waiting for anybody."""
        self._control("-m", "immediate", "stop")

    def quiet(self, database: str) -> None:
        """Wait until the server has done with the clients that were killed."""
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND pid <> %s"
        url = f"postgresql://{SERVER_USER}@127.0.0.1:{self.port}/postgres"
        with psycopg.connect(url, autocommit=True) as link:
            words = (database, link.info.backend_pid)
            _wait(lambda: link.execute(query, words).fetchone() == (0,), "its clients are gone")

    def _control(self, *words: str | Path) -> None:
        programs = server_programs()
        always = ("-D", self.folder / "data", "-w", "-t", str(START_TIMEOUT_S))
        _as_server_user(programs / "pg_ctl", *always, *words)


def _wait(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 2 * START_TIMEOUT_S
    while not holds():
        assert time.monotonic() < end, f"not in time: {what}"
        time.sleep(0.002)


@contextmanager
def own_server() -> Iterator[tuple[Server, str]]:
    """Yield a server, and the address of a migrated database in it."""
    folder = Path(tempfile.mkdtemp(prefix="fabctl-cuts-postgresql-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, SERVER_USER)
        _as_server_user(
            server_programs() / "initdb", "-D", folder / "data", "-U", SERVER_USER, "-A", "trust",
            "--no-sync", "-E", "UTF8", "--locale=C.UTF-8",
        )  # fmt: skip
        server = Server(folder, free_port())
        server.start()
        try:
            named = PostgreSQL(server.port, folder / "data")
            yield server, named.url(named.migrated)
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)
