"""Which drivers are installed: the entry points of a group, found without a big import.

``importlib.metadata`` costs 2.6 MB of memory in every process that asks it (it brings the email
package). The files it reads are plain (Python Packaging User Guide, "Entry points specification"):
so they are read here, and ``importlib.metadata`` is asked only for what was not found this way.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

DRIVERS = "fabctl.drivers"
INTERLOCKS = "fabctl.interlocks"


def entry_points(group: str) -> dict[str, str]:
    """Return name → ``module:attribute`` for a group, from the folders on Python's path."""
    found: dict[str, str] = {}
    for file in _files():
        for name, value in _of_group(file, group):
            found.setdefault(name, value)
    return found


def all_entry_points(group: str) -> dict[str, str]:
    """Return the same from everywhere Python can import from (archives, finders of others)."""
    from importlib import metadata  # noqa: PLC0415  # 2.6 MB, see above

    return {entry.name: entry.value for entry in metadata.entry_points(group=group)}


def load(value: str) -> object:
    """Return what ``module:attribute`` names.

    :raises ImportError: there is no such module, or it fails to import.
    :raises AttributeError: the module has no such attribute.
    """
    module, _, attribute = (part.strip() for part in value.partition(":"))
    found: object = import_module(module)
    for name in filter(None, attribute.split(".")):
        found = getattr(found, name)
    return found


def _files() -> Iterator[Path]:
    for folder in dict.fromkeys(sys.path):
        try:
            infos = [one for one in Path(folder or ".").iterdir() if one.suffix in _INFO]
        except OSError:
            continue  # an archive, or a folder that is not there
        for info in sorted(infos):
            yield info / "entry_points.txt"


_INFO = {".dist-info", ".egg-info"}


def _of_group(file: Path, group: str) -> Iterator[tuple[str, str]]:
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return  # a package without entry points
    section = ""
    for line in map(str.strip, lines):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].strip()
        elif section == group and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield name.strip(), value.split("[")[0].strip()
