"""The demo lab left alone: seconds to the first board, memory of every process."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

import psutil
import requests

from tests.bench.figures import quantile, show
from tests.lab import RunningLab, fabctl, running_lab, wait_for

STARTS = 5
SETTLE_S = 20.0


def main() -> None:
    """Print the start-up time (median of five) and the memory, process by process."""
    print("demo lab: from `fabctl demo` to the first board served")
    seconds = [_seconds_to_first_board() for _ in range(STARTS)]
    show(f"median of {STARTS} starts", quantile(seconds, 0.5), "s", aim=8)
    show("slowest", max(seconds), "s")
    print(f"demo lab: memory (PSS), {SETTLE_S:.0f} s after it was ready, one print running")
    with tempfile.TemporaryDirectory() as folder, running_lab(Path(folder)) as lab:
        time.sleep(SETTLE_S)
        _show_memory(lab)


def _seconds_to_first_board() -> float:
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        began = time.monotonic()
        process = subprocess.Popen(
            fabctl("demo", "--data", f"{folder}/lab", "--port", str(port)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for("the board", lambda: _board_is_served(port), timeout=60, every=0.02)
            return time.monotonic() - began
        finally:
            process.terminate()
            process.wait(40)


def _free_port() -> int:
    import socket  # noqa: PLC0415  # used here only

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _board_is_served(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/", timeout=5).ok
    except requests.RequestException:
        return False


def _show_memory(lab: RunningLab) -> None:
    processes = [psutil.Process(lab.process.pid), *lab.children()]
    total = 0.0
    for process in processes:
        pss_mb = process.memory_full_info().pss / 1e6
        total += pss_mb
        show(_label(process), pss_mb, "MB")
    show("all together", total, "MB", aim=300)


def _label(process: psutil.Process) -> str:
    words = [Path(word).name for word in process.cmdline() if not word.startswith("-")]
    return " ".join(word for word in words if not word.startswith("python"))[:44]
