"""Other people's programs in virtual environments of their own, made once and kept.

They lie in the folder that ``$FABCTL_CACHE`` names, else in ``~/.cache/fabctl``. A benchmark
never touches the environment it runs in.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path


def environment(name: str, pins: tuple[str, ...]) -> Path:
    """Return the Python of an environment with these packages; make it when it is not whole.

    :param pins: ``name==version``, dependencies too: nothing else is installed.
    :raises RuntimeError: it cannot be made; the message holds pip's last words.
    """
    base = Path(os.environ.get("FABCTL_CACHE") or Path.home() / ".cache" / "fabctl")
    base.mkdir(parents=True, exist_ok=True)
    mark = hashlib.sha256("\n".join((*pins, sys.version)).encode()).hexdigest()[:12]
    folder = base / f"peers-{name}-{mark}"
    python = folder / "bin" / "python"
    with (base / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "whole").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _run(sys.executable, "-m", "venv", str(folder))
            pip = (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
            _run(*pip, "--no-deps", *pins)
            (folder / "whole").touch()
    return python


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:4])} failed: {done.stderr[-1500:]}")
