"""`make bench`: every benchmark, or the ones named in ARGS."""

from __future__ import annotations

import importlib
import os
import platform
import sys

BENCHES = (
    "idle_lab", "event_to_screen", "gcode_reading", "gcode_peers",
    "streaming_host", "streaming_marlin", "streaming_grbl", "streaming_many", "interlock", "house",
    "backup", "screens", "screens_many", "screens_peers", "disk_writes", "scale",
)  # fmt: skip


def main(names: list[str]) -> None:
    """Run the benchmarks named, all of them without a name."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for name in names or BENCHES:
        importlib.import_module(f"tests.bench.{name}").main()


main(sys.argv[1:])
