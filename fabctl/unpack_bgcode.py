"""Turns binary G-code (.bgcode) into plain G-code, in a process of its own.

Run as ``python -m fabctl.unpack_bgcode SOURCE TARGET LARGEST``. The format is read by Prusa's own
library (libbgcode through the optional package ``pybgcode-jneilliii``): compiled code that reads a
stranger's bytes, so it gets little memory, little time, and no place in a server's process.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import resource
import sys
import tempfile
from typing import Any

LIBRARY = "pybgcode"
MAGIC = b"GCDE"
DAMAGED = 4
"""Exit code: the file cannot be unpacked; the reason stands on stderr."""
NO_ROOM = 5
"""Exit code: the disk of the target is full."""
KEPT_BACK = 64 * 1024
"""Bytes; the C library keeps 4096 at most."""
_MEMORY = 512 * 2**20
CPU_S = 60


def installed() -> bool:
    """Whether the library is there."""
    return importlib.util.find_spec(LIBRARY) is not None


def main(source: str, target: str, largest: int) -> int:
    """Unpack; return the exit code. The target gets at most ``largest`` bytes."""
    library = importlib.import_module(LIBRARY)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    read: Any = library.open(source, "rb")
    written: Any = library.open(target, "wb")
    result = library.from_binary_to_ascii(read, written, True)  # check every sum
    library.close(written)
    if result == library.EResult.Success:
        return 0 if _was_room(target) else NO_ROOM
    if result == library.EResult.WriteError and os.path.getsize(target) < largest:  # noqa: PTH202
        return NO_ROOM
    print(library.translate_result(result), file=sys.stderr)  # noqa: T201 # a program of its own
    return DAMAGED


def _was_room(target: str) -> bool:
    """Say whether there is still more room than the library keeps back until it closes a file.

    It does not tell when these last bytes find none: the file would lack its end, where a printer's
    heaters are switched off.
    """
    try:
        with tempfile.TemporaryFile(dir=os.path.dirname(target), buffering=0) as probe:  # noqa: PTH120
            probe.write(bytes(KEPT_BACK))
            os.fsync(probe.fileno())
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
