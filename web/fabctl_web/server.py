"""gunicorn, told in code: one worker with many threads, the application built in the worker.

The arbiter (the parent) imports neither Flask nor SQLAlchemy: it stays small, and a start-up
that cannot work ends with one sentence instead of a restart loop.
"""

from __future__ import annotations

import logging
import os
import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]  # it has no types
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]  # the same
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]  # the same

from fabctl import journald
from fabctl.config import LabConfig
from fabctl.errors import FabError, LocalError
from fabctl.journald_handler import JournalHandler
from fabctl.sd_notify import Notifier
from fabctl.units import Seconds
from fabctl_web.live.hub import MOST_STREAMS

if TYPE_CHECKING:
    from flask import Flask

THREADS = MOST_STREAMS + 24
"""Open pages, and those that come beside them. One is made when all that are there have work."""
GRACE_S = 1
"""How long requests may go on after the stop signal; streams end at once."""
KEEPALIVE_S = 5
WORKER_LOST_S = 60
CANNOT_START = Arbiter.APP_LOAD_ERROR
"""The worker's exit code that makes the arbiter give up instead of trying again."""


class Parent(Arbiter):  # type: ignore[misc]  # gunicorn has no types
    """The arbiter: once a second it looks after its worker, and tells systemd that it did.

    It would tell systemd that it is ready when it listens (gunicorn/arbiter.py, ``start``); here it
    does so when its worker serves pages. A worker that hangs is ended by it after
    :data:`WORKER_LOST_S`.
    """

    def __init__(self, app: LabServer) -> None:
        super().__init__(app)
        self._loaded = app.loaded
        self._notifier = Notifier(os.environ)
        os.environ.pop("NOTIFY_SOCKET", None)  # gunicorn's own word would come too early

    def murder_workers(self) -> None:
        """Look after the worker; called in every turn of the arbiter's loop."""
        super().murder_workers()
        if self._loaded.is_told():
            self._notifier.ready("serving pages")
        self._notifier.turned(Seconds(time.monotonic()))


class Told:
    """A word from a worker to the parent that forks it; made before the fork."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def tell(self) -> None:
        """Say it, in the worker."""
        os.write(self._writer, b"1")

    def is_told(self) -> bool:
        """Say whether a worker said it since this was asked last."""
        try:
            return bool(os.read(self._reader, 16))
        except BlockingIOError:
            return False


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A threaded worker that ends at once when it is told to: streams and idle connections first.

    gunicorn's own way waits 2 s for each kept-alive connection, and its parent kills it before.
    """

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Begin to stop: signal handlers must not take locks, so the main loop does the rest."""
        if self.alive:
            self.cfg.set("keepalive", 0)
            self.method_queue.defer(self._let_go)
        super().handle_exit(sig, frame)

    def _let_go(self) -> None:
        self.app.end_streams()
        self.murder_keepalived(force=True)


class LabServer(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """One lab's pages, served until a signal ends it."""

    def __init__(self, config: LabConfig, announce: Callable[[str], None]) -> None:
        self.config = config
        self._announce = announce
        self._ends: list[Callable[[], None]] = []
        self.loaded = Told()
        super().__init__()

    def load_config(self) -> None:
        """Set gunicorn up; nothing is read from files or the environment."""
        web = self.config.web
        host = f"[{web.address}]" if ":" in web.address else web.address
        shared_memory = Path("/dev/shm")  # noqa: S108  # heartbeats, not worth a disk write each
        settings = {
            "bind": f"{host}:{web.port}",
            "worker_class": Worker,
            "workers": 1,
            "threads": THREADS,
            "timeout": WORKER_LOST_S,
            "graceful_timeout": GRACE_S,
            "keepalive": KEEPALIVE_S,
            "worker_tmp_dir": str(shared_memory) if shared_memory.is_dir() else None,
            "forwarded_allow_ips": "",  # the application itself knows whom to believe
            "control_socket_disable": True,
            "loglevel": "warning",
            "proc_name": "fabctl web",
            "post_worker_init": self._ready,
            "worker_exit": lambda _server, _worker: self._end(),
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def run(self) -> None:
        """Serve until a signal ends it."""
        Parent(self).run()

    def load(self) -> Flask:
        """Build the application, in the worker.

        :raises SystemExit: something is missing; it was said on stderr, and the arbiter ends.
        """
        try:
            return self._build()
        except FabError as error:
            sys.stderr.write(f"fabctl web: {error}\n")
            sys.stderr.flush()
            raise SystemExit(CANNOT_START) from error

    def end_streams(self) -> None:
        """Let every open page know that this is the end."""
        if self._ends:
            self._ends[0]()

    def _build(self) -> Flask:
        # Heavy, and never needed in the arbiter.
        from fabctl.believed_clock import BelievedClock  # noqa: PLC0415
        from fabctl.clock import SystemClock  # noqa: PLC0415
        from fabctl.messaging.connect import desk_link  # noqa: PLC0415
        from fabctl.messaging.keys import read_key  # noqa: PLC0415
        from fabctl.messaging.lab_view import LabView  # noqa: PLC0415
        from fabctl.messaging.requests import MachineRequests, keys_in  # noqa: PLC0415
        from fabctl.services.doctor_lab import newest_moment  # noqa: PLC0415
        from fabctl.store.engine import open_database  # noqa: PLC0415
        from fabctl.store.migrate import require_current  # noqa: PLC0415
        from fabctl_web.app import create_app  # noqa: PLC0415
        from fabctl_web.lab import Lab  # noqa: PLC0415

        config, log = self.config, logging.getLogger("fabctl.web")
        secret = read_key(config.paths.secret)
        db = open_database(config.database_url, zone=config.time_zone)
        require_current(db)
        clock = BelievedClock(SystemClock(), log.warning, not_before=newest_moment(db))
        view = LabView(config.id, {id_: m.host for id_, m in config.machines.items()}, clock)
        # no process id: on hosts that boot alike it is the same, and one would push out the other
        link = desk_link(config, f"web-{secrets.token_hex(8)}", log=log.warning)
        view.attach(link)
        requests = MachineRequests(link, config.id, keys_in(config.paths), clock)
        app = create_app(config, db, view, requests, clock, secret)
        lab = app.extensions["fabctl"]
        assert isinstance(lab, Lab)  # noqa: S101  # create_app put it there
        link.start()
        self._ends = [lab.hub.close, link.stop, db.close]
        return app

    def _ready(self, worker: Any) -> None:
        self.loaded.tell()
        host, port = worker.sockets[0].sock.getsockname()[:2]
        self._announce(f"http://{f'[{host}]' if ':' in host else host}:{port}")

    def _end(self) -> None:
        ends, self._ends = self._ends, []
        for end in ends:
            end()


def serve(config: LabConfig, announce: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; open streams end at once, everything within 2 s.

    :param announce: called with the address, when pages are served (again, after a crash).
    :raises LocalError: it cannot start; why was said on stderr.
    """
    parent = os.getpid()
    journal = journald.opened("web")
    if journal is not None:
        logging.getLogger("fabctl").addHandler(JournalHandler(journal))
    try:
        LabServer(config, announce).run()
    except SystemExit as end:  # of the worker too, which was forked below this line
        if end.code == CANNOT_START and os.getpid() == parent:
            raise LocalError("the web cannot start", next_step="do what is said above") from end
        raise
