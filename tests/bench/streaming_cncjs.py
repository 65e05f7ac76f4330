"""cncjs as one of the senders, where node is present: its server, driven as its page does.

Its version is pinned; those of its 750 dependencies are what npm finds. No script of theirs runs
at the installation: the serial port's binary comes inside its package.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.bench.streaming_contest import Asked, Run, read_run

VERSION = "1.11.5"
SCRIPT = Path(__file__).parent / "streaming_cncjs.js"
INSTALL_S = 600.0


def cncjs(*options: str) -> Callable[[Asked], Run] | None:
    """Return what runs cncjs for Grbl; None, after saying why, where it cannot be had.

    :param options: ``check`` for check mode.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        print("  cncjs is left out: there is no node here")
        return None
    modules = _modules(npm)
    if modules is None:
        return None

    def run(asked: Asked) -> Run:
        words = (modules, asked.port, asked.baud, asked.file, "Grbl", *options)
        process = subprocess.Popen(
            [node, str(SCRIPT), *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        try:
            told, _ = process.communicate(timeout=asked.limit_s + 10.0)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return Run(0, asked.limit_s, 0.0, f"not finished in {asked.limit_s:.0f} s")
        return read_run(told) if told else Run(0, 0.0, 0.0, f"failed: {process.returncode}")

    return run


def _modules(npm: str) -> Path | None:
    base = Path(os.environ.get("FABCTL_CACHE") or Path.home() / ".cache" / "fabctl")
    base.mkdir(parents=True, exist_ok=True)
    mark = hashlib.sha256(f"cncjs {VERSION}".encode()).hexdigest()[:12]
    folder = base / f"peers-cncjs-{mark}"
    with (base / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "whole").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            words = ("--ignore-scripts", "--no-audit", "--no-fund", f"cncjs@{VERSION}")
            done = subprocess.run(
                [npm, "install", "--prefix", str(folder), *words],
                capture_output=True,
                text=True,
                check=False,
                timeout=INSTALL_S,
            )
            if done.returncode:
                print(f"  cncjs is left out: npm says {done.stderr.strip()[-200:]}")
                return None
            (folder / "whole").touch()
    return folder / "node_modules"
