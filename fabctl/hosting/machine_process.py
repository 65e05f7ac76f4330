"""``fabctl machine ID``: puts the parts of a machine's process together and runs them."""

from __future__ import annotations

import os
import secrets
import signal
import traceback

from fabctl.believed_clock import BelievedClock
from fabctl.clock import Clock, SystemClock
from fabctl.complaint import Complaint
from fabctl.config import LabConfig
from fabctl.config_reader import suggestion
from fabctl.errors import FabError, InputError
from fabctl.file_fetching import Source, joined_server
from fabctl.hosting.drivers import make_driver
from fabctl.hosting.host_presence import HostPresence
from fabctl.hosting.interlock_gate import InterlockGate
from fabctl.hosting.interlock_line import InterlockLine
from fabctl.hosting.job_keeper import MachineFolders
from fabctl.hosting.journal import Journal
from fabctl.hosting.locks import FolderLock
from fabctl.hosting.logs import identify, log
from fabctl.hosting.machine import MachineHost
from fabctl.hosting.machine_reports import MachineReports, Stamps
from fabctl.hosting.request_desk import RequestDesk
from fabctl.hosting.waker import Waker
from fabctl.keyfile import KeyFile
from fabctl.messaging.challenges import ChallengeBook
from fabctl.messaging.connect import machine_link
from fabctl.messaging.link import Message, MqttLink
from fabctl.messaging.payloads import MachineState, StatePayload
from fabctl.messaging.topics import LabTopics, client_id
from fabctl.ports import Driver, MachineProfile
from fabctl.sd_notify import Notifier

PREDECESSOR_ENDS_WITHIN_S = 15.0
CUT_OFF = "The machine's process ended or was cut off."
FAILED = "The machine's process failed and starts again."


def run_machine(config: LabConfig, machine: str) -> int:
    """Drive one machine until SIGTERM or SIGINT; return the exit code.

    :raises InputError: no such machine, or its driver cannot be made.
    :raises LocalError: another process drives it, or its key or the broker's address is missing.
    """
    profile = config.machines.get(machine)
    if profile is None:
        raise InputError(
            f"no machine is called {machine!r}", limit=suggestion(machine, config.machines)
        )
    identify("machine", machine)
    lock = FolderLock(config.paths.machine(machine) / "lock")
    lock.take(f"the machine {machine}", PREDECESSOR_ENDS_WITHIN_S)
    process = MachineProcess(config, profile, make_driver(profile, SystemClock()))
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: process.host.end())
    return process.run()


class MachineProcess:
    """One machine's link, journal, desk and host, wired."""

    def __init__(
        self,
        config: LabConfig,
        profile: MachineProfile,
        driver: Driver,
        clock: Clock | None = None,
    ) -> None:
        clock = clock or BelievedClock(SystemClock(), log)
        topics = LabTopics(config.id)
        folder = config.paths.machine(profile.id)
        self._driver = driver
        self._stamps = Stamps(clock, secrets.token_hex(8))
        self._link = self._make_link(config, profile, topics)
        self._journal = Journal(folder / "journal.db")
        if self._journal.set_aside:
            log(Complaint(f"the journal could not be read; it is now {self._journal.set_aside}"))
        self._reports = MachineReports(
            profile, topics, self._link, self._journal, self._stamps, clock, log
        )
        wake = Waker(driver)
        key = KeyFile(config.paths.machine_key(profile.id))
        key.key()  # a process that can verify nothing says so at once, and ends
        desk = RequestDesk(
            profile.id,
            topics,
            key.key,
            self._stamps.boot,
            ChallengeBook(clock, lambda: secrets.token_hex(16)),
            self._link,
            self._reports,
            wake,
        )
        self._wake = wake
        folders = MachineFolders(folder, config.paths.job_file, _elsewhere(config))
        self._interlock = self._make_line(config, profile, clock, wake)
        gate = (
            InterlockGate(self._interlock, self._reports, clock, log) if self._interlock else None
        )
        self._notifier = Notifier(os.environ)
        self.host = MachineHost(
            profile,
            driver,
            desk,
            self._reports,
            folders,
            clock,
            log,
            wake,
            gate,
            self._notifier.turned,
        )
        self._link.on_connected(self._connected)
        self._presence = HostPresence(config, profile.host, self._stamps, log)

    def run(self) -> int:
        """Run until the end; return the exit code. What nobody foresaw is shown and told."""
        self._link.start()
        self._presence.begin()
        if self._interlock is not None:
            self._interlock.begin()
        self._notifier.ready("driving the machine")
        try:
            self.host.run()
        except FabError as error:
            log(Complaint(f"stopped: {error}"))
            return self._failed(str(error))
        except Exception as error:  # noqa: BLE001  # top of the process: the state says so
            log(Complaint(traceback.format_exc().rstrip()))
            return self._failed(f"{type(error).__name__}: {error}")
        else:
            return 0
        finally:
            self._notifier.stopping()
            if self._interlock is not None:
                self._interlock.end()
            self._presence.end()
            self._link.stop()
            self._journal.close()
            self._notifier.close()

    def _failed(self, why: str) -> int:
        try:
            self._driver.close()
        except Exception as error:  # noqa: BLE001  # nothing more can be done; it is shown
            log(Complaint(f"the machine could not be made safe: {error}"))
        self._reports.goodbye(f"{FAILED} ({why})"[:400])
        return 1

    def _connected(self) -> None:
        self._reports.connected()
        self._wake()

    @staticmethod
    def _make_line(
        config: LabConfig, profile: MachineProfile, clock: Clock, wake: Waker
    ) -> InterlockLine | None:
        interlock = config.interlocks.get(profile.id)
        return InterlockLine(interlock.socket, clock, wake, log) if interlock else None

    def _make_link(self, config: LabConfig, profile: MachineProfile, topics: LabTopics) -> MqttLink:
        will = StatePayload(MachineState.OFFLINE, reason=CUT_OFF).encode(self._stamps.next())
        return machine_link(
            config,
            profile.host,
            client_id("machine", config.id, profile.id),
            will=Message(topics.state(profile.id), will),
            log=log,
        )


def _elsewhere(config: LabConfig) -> Source | None:
    """Return where the file of a job is fetched that came in on another computer."""
    if config.server is None:
        return None
    return joined_server(config.server.url, config.server.token_file, config.server.ca_file)
