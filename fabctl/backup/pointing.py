"""lab.toml, pointed at the place where a lab was put back. Pure: text in, text out."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from fabctl.errors import LocalError

_USUAL = "data"


def pointed_at(text: str, data: Path | None, database: str | None) -> str:
    """Return a lab.toml whose data directory and database are these; the rest stays as written.

    :param data: None: the folder ``data`` beside it.
    :param database: PostgreSQL's address; None: the one that is there, unless it is an SQLite
        file outside the data directory, which becomes ``lab.db`` in it.
    :raises LocalError: it is written in a way that cannot be changed by a line.
    """
    values = tomllib.loads(text)
    directory = str(data) if data else _USUAL
    if values.get("data", {}).get("directory", _USUAL) != directory:
        text = _changed(text, "data", "directory", directory)
        values.setdefault("data", {})["directory"] = directory
    url = values.get("database", {}).get("url", "sqlite:///lab.db")
    wanted = database or ("sqlite:///lab.db" if url.startswith("sqlite:////") else url)
    if wanted != url:
        text = _changed(text, "database", "url", wanted)
        values.setdefault("database", {})["url"] = wanted
    _must_say(text, values)
    return text


def database_url(text: str) -> str:
    """Return the address of the database that a lab.toml names."""
    return str(tomllib.loads(text).get("database", {}).get("url", "sqlite:///lab.db"))


def _changed(text: str, table: str, key: str, value: str) -> str:
    quoted = json.dumps(value, ensure_ascii=False)  # a TOML string too
    line = f"{key} = {quoted}  # changed by fabctl restore"
    lines = text.splitlines()
    heads = [n for n, one in enumerate(lines) if re.match(rf"\s*\[{table}\]\s*(#.*)?$", one)]
    if not heads:
        return f"{text.rstrip()}\n\n[{table}]\n{line}\n"
    for number in range(heads[0] + 1, len(lines)):
        if re.match(r"\s*\[", lines[number]):
            break
        if re.match(rf"\s*{key}\s*=", lines[number]):
            lines[number] = line
            return "\n".join(lines) + "\n"
    lines.insert(heads[0] + 1, line)
    return "\n".join(lines) + "\n"


def _must_say(text: str, values: dict[str, Any]) -> None:
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        said = {}
    if said != values:
        raise LocalError(
            "the archive's lab.toml cannot be pointed at the new place",
            next_step="restore to where it points: --data, --database as in its lab.toml",
        )
