"""Runs errands at the server, one after the other, in a thread of its own.

The machine's thread must never wait for a server that may be slow or gone: an upload takes a
minute, a dead server ten seconds. Results are picked up by the machine's thread.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

from fabctl.errors import DeviceError, FabError
from fabctl_drivers.octoprint import status
from fabctl_drivers.octoprint.client import OctoPrintClient
from fabctl_drivers.octoprint.errands import (
    AskHistory,
    Command,
    Errand,
    HeatersOff,
    JobCommand,
    Listen,
    Poll,
    Sweep,
    Upload,
)
from fabctl_drivers.octoprint.exchange import Fault, ServerError
from fabctl_drivers.octoprint.push import PushLine


@dataclass(frozen=True, slots=True)
class Done:
    """An errand that was run: its result, or the error that it met."""

    errand: Errand
    result: object = None
    error: FabError | None = None


class Worker:
    """Used by the machine's thread; :attr:`results` are read there.

    :param wake: called in the worker's thread after every errand.
    """

    def __init__(
        self, client: OctoPrintClient, monotonic: Callable[[], float], wake: Callable[[], None]
    ) -> None:
        self._client = client
        self._monotonic = monotonic
        self._wake = wake
        self._errands: queue.SimpleQueue[Errand | None] = queue.SimpleQueue()
        self.results: queue.SimpleQueue[Done] = queue.SimpleQueue()
        self._give_up = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="octoprint", daemon=True)
        self._thread.start()

    def send(self, errand: Errand) -> None:
        """Have an errand run after those before it."""
        if isinstance(errand, Upload):
            self._give_up.clear()
        if isinstance(errand, Command) and errand.command is JobCommand.CANCEL:
            self._give_up.set()
        self._errands.put(errand)

    def end(self) -> None:
        """Run no more errands; one that runs now comes to its own end."""
        self._ended.set()
        self._give_up.set()
        self._errands.put(None)

    def _run(self) -> None:
        while (errand := self._errands.get()) is not None:
            if self._ended.is_set() and not isinstance(errand, Command | HeatersOff):
                continue  # nobody waits for it; what makes the printer safe is still done
            self.results.put(self._try(errand))
            self._wake()
        while not self.results.empty():  # after the end only this thread reads them
            left = self.results.get().result
            if isinstance(left, PushLine):
                left.close()
        self._client.close()

    def _try(self, errand: Errand) -> Done:
        try:
            return Done(errand, self._do(errand))
        except FabError as error:
            return Done(errand, error=error)
        except OSError as error:  # the file to send
            return Done(errand, error=DeviceError(f"the file cannot be read: {error}"))
        except Exception as error:  # noqa: BLE001  # top of a thread; the job fails with it
            what = f"fabctl made a mistake: {type(error).__name__}: {error}"
            return Done(errand, error=DeviceError(what))

    def _do(self, errand: Errand) -> object:
        client = self._client
        match errand:
            case Poll():
                return self._poll()
            case Listen():
                return PushLine.open(client, self._monotonic())
            case Upload():
                return self._upload(errand)
            case Command():
                self._command(errand)
            case HeatersOff():
                self._heaters_off(errand)
            case AskHistory():
                return status.read_history(client.file(errand.name))
            case Sweep():
                return self._sweep(errand)
        return None

    def _poll(self) -> tuple[status.Message, ...]:
        # The printer first: a job that ends in between is then looked at once more.
        printer = self._client.printer()
        job = self._client.job()
        asks = status.contradicts(job, printer)
        return status.read_poll(job, printer, self._client.connection() if asks else None)

    def _upload(self, errand: Upload) -> bool:
        """Start nothing on a printer that was shown as ready, and is not."""
        connection = self._client.connection()
        if connection != status.OPERATIONAL:
            raise DeviceError(
                f"was asked about the connection to its printer; it is “{connection}”",
                device=self._client.server.url,
                next_step="look at OctoPrint's own screen: is the printer connected?",
            )
        return self._client.upload_and_print(errand.path, errand.name, self._give_up.is_set)

    def _command(self, errand: Command) -> None:
        """Command the job, but never another one than was meant."""
        if errand.name is not None and not self._is_under_way(errand.name):
            return
        try:
            match errand.command:
                case JobCommand.CANCEL:
                    self._client.command("cancel")
                case JobCommand.PAUSE | JobCommand.RESUME:
                    self._client.command("pause", action=errand.command.value)
        except ServerError as error:
            if error.fault is not Fault.CONFLICT:  # nothing is under way (any more)
                raise

    def _is_under_way(self, name: str) -> bool:
        messages = status.read_poll(self._client.job(), self._client.printer())
        return any(isinstance(one, status.Status) and one.path == name for one in messages)

    def _heaters_off(self, errand: HeatersOff) -> None:
        self._client.tool_targets(dict.fromkeys(errand.tools, 0))
        try:
            self._client.bed_target(0)
        except ServerError as error:
            if error.fault is not Fault.CONFLICT:  # a printer without a heated bed
                raise

    def _sweep(self, errand: Sweep) -> int:
        left = 0
        for name in self._client.files():
            if name.startswith(errand.prefix):
                try:
                    self._client.delete(name)
                except ServerError as error:
                    if error.fault is not Fault.CONFLICT:  # in use; there is a next time
                        raise
                    left += 1
        return left
