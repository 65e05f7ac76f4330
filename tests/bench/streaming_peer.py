"""Streams one file to one port with one sender, and prints what it took, as JSON.

Run as a script by any Python that has the sender:
``streaming_peer.py SENDER PORT BAUD FILE [key=value …]`` (``at``: begin at this monotonic time).
It imports nothing of this project but for the sender ``fabctl``. CPU is the whole process's; that
of reading the file is told apart.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import sys
import threading
import time
import tty
from collections.abc import Callable
from functools import reduce
from operator import xor
from pathlib import Path
from typing import Any

WINDOW_BYTES = 120
Streamer = Callable[[], tuple[int, float, str]]
"""Streams once; returns lines confirmed, seconds, and "finished" or what went wrong."""


def _timed(work: Callable[[], tuple[int, str]]) -> tuple[int, float, str]:
    begin = time.perf_counter()
    lines, outcome = work()
    return lines, time.perf_counter() - begin, outcome


def _fabctl(port: str, baud: int, file: Path, options: dict[str, str]) -> Streamer:
    """The driver object, as ``fabctl stream --json`` uses it: progress, events and all."""
    before = importlib.import_module("fabctl.commands.stream_job")
    stream = importlib.import_module("fabctl.commands.stream_run")
    ports = importlib.import_module("fabctl.ports")
    clock = importlib.import_module("fabctl.clock").SystemClock()
    driver = options.pop("driver")
    kind = ports.MachineKind.PRINTER if driver == "marlin" else ports.MachineKind.MILL
    profile = ports.MachineProfile(
        id=port,
        name=driver,
        kind=kind,
        driver=driver,
        host="here",
        port=port,
        baud=baud,
        options={key: json.loads(value) for key, value in options.items()},
    )
    job = before.check(file, kind, force=True)

    def run() -> tuple[int, float, str]:
        sender = before.find_driver(profile, clock)
        result = stream.Streaming(sender, job, clock, stream.Signals()).run()
        return result.lines, result.seconds, result.reason or result.outcome

    return run


def _printcore(port: str, baud: int, file: Path, _options: dict[str, str]) -> Streamer:
    printcore = importlib.import_module("printrun.printcore")
    gcoder = importlib.import_module("printrun.gcoder")
    lines = file.read_text().splitlines()
    code = gcoder.LightGCode(lines)
    online, done = threading.Event(), threading.Event()
    core = printcore.printcore()
    core.onlinecb, core.endcb = online.set, done.set
    core.errorcb = lambda _: None
    core.connect(port, baud)
    if not online.wait(30):
        raise RuntimeError("printcore did not come online")
    time.sleep(1.0)  # what the firmware says after its start is over

    def work() -> tuple[int, str]:
        core.startprint(code)
        done.wait()
        return len(lines), "finished"

    return lambda: _timed(work)


def _marlin_host(port: str, baud: int, file: Path, _options: dict[str, str]) -> Streamer:
    host_module = importlib.import_module("marlin_host")
    transport = host_module.SerialTransport(port, baud, reset_on_open=False)
    host = host_module.MarlinHost(transport, reliable=True)
    host.connect()
    lines = file.read_text().splitlines()

    def work() -> tuple[int, str]:
        sent = 0
        try:
            for progress in host.stream(lines):
                sent = progress.commands_sent
        except host_module.HostError as error:
            return sent, str(error)
        return sent, "finished"

    return lambda: _timed(work)


def _grbl_streamer(port: str, baud: int, file: Path, options: dict[str, str]) -> Streamer:
    module = importlib.import_module("grbl_streamer")
    booted, done, failed = threading.Event(), threading.Event(), threading.Event()
    signals = {"on_boot": booted, "on_job_completed": done, "on_error": failed}

    def hear(what: str, *_facts: Any) -> None:
        if what in signals:
            signals[what].set()
        if what == "on_error":
            done.set()

    streamer = module.GrblStreamer(hear)
    streamer.setup_logging()
    streamer.cnect(port, baud)
    if not booted.wait(30):
        raise RuntimeError("grbl-streamer heard no banner")
    time.sleep(1.0)
    if "check_run" in options:
        streamer.send_immediately("$C")
        time.sleep(0.5)
    # Without poll_start(): it asks $# and $G beside the counted lines, and loses count of oks.
    streamer.load_file(str(file))
    lines = streamer.buffer_size
    done.clear()

    def work() -> tuple[int, str]:
        streamer.job_run()
        done.wait()
        return lines, "an error" if failed.is_set() else "finished"

    return lambda: _timed(work)


def _frames(file: Path, *, numbered: bool) -> list[bytes]:
    lines = file.read_bytes().splitlines()
    if not numbered:
        return [line + b"\n" for line in lines]
    texts = [b"N%d %b" % (n, line) for n, line in enumerate(lines, start=1)]
    return [b"%b*%d\n" % (text, reduce(xor, text)) for text in texts]


def _plain(port: str, _baud: int, file: Path, options: dict[str, str]) -> Streamer:
    """The least that a sender can do: no driver, no events, lines framed beforehand."""
    frames = _frames(file, numbered="grbl" not in options)
    window = int(options.get("window", "0"))
    descriptor = os.open(port, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(descriptor)

    def work() -> tuple[int, str]:
        confirmed = sent = flying = 0
        while confirmed < len(frames):
            out = []
            while sent < len(frames) and (
                confirmed == sent or flying + len(frames[sent]) <= window
            ):
                flying += len(frames[sent])
                out.append(frames[sent])
                sent += 1
            if out:
                os.write(descriptor, b"".join(out))
            select.select([descriptor], [], [])
            oks = os.read(descriptor, 65536).count(b"\n")
            flying -= sum(map(len, frames[confirmed : confirmed + oks]))
            confirmed += oks
        return confirmed, "finished"

    return lambda: _timed(work)


SENDERS: dict[str, Callable[[str, int, Path, dict[str, str]], Streamer]] = {
    "fabctl": _fabctl,
    "printcore": _printcore,
    "marlin-host": _marlin_host,
    "grbl-streamer": _grbl_streamer,
    "plain": _plain,
}


def main(sender: str, port: str, baud: int, file: Path, options: dict[str, str]) -> None:
    """Stream the file once."""
    begin = time.process_time()
    begin_at = float(options.pop("at", "0"))
    stream = SENDERS[sender](port, baud, file, options)
    time.sleep(max(0.0, begin_at - time.monotonic()))
    loaded = time.process_time()
    lines, seconds, outcome = stream()
    result = {
        "lines": lines,
        "seconds": seconds,
        "cpu_seconds": time.process_time() - loaded,
        "load_cpu_seconds": loaded - begin,
        "outcome": outcome,
    }
    print(json.dumps(result), flush=True)
    os._exit(0)  # some senders keep threads that never end


if __name__ == "__main__":
    main(
        sys.argv[1],
        sys.argv[2],
        int(sys.argv[3]),
        Path(sys.argv[4]),
        dict(word.split("=", 1) for word in sys.argv[5:]),
    )
