"""``fabctl restore``: a lab out of an archive, into an empty place."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fabctl.backup import manifest as form
from fabctl.backup.checking import check_database, write_out
from fabctl.backup.pointing import database_url, pointed_at
from fabctl.backup.reading import read_archive
from fabctl.backup.rights import give
from fabctl.errors import InputError, LocalError
from fabctl.interlock_causes import FaultCode
from fabctl.store.engine import is_sqlite, open_database, parse_url
from fabctl.store.snapshot import restore_postgresql
from fabctl.whole_files import explaining_full_disk, is_full, sync_file, sync_folder, write_half

_UNPACKED = ".restore"
_FAILED = "let your user write there, and try again"
_MEMORY = re.compile(r"data/interlocks/([^/]+)/fault\.json")
_SINCE = "the lab was put back from a backup: what happened since is not known"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a lab goes."""

    folder: Path
    """Of lab.toml."""
    data: Path | None = None
    """The data directory; None: the folder ``data`` beside lab.toml."""
    database: str | None = None
    """PostgreSQL's address; None: the one in lab.toml."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put where."""

    manifest: form.Manifest
    lab_toml: Path
    data: Path
    elsewhere: tuple[str, ...]
    """Files that lab.toml names by their whole path: they lie in the folder ``elsewhere``."""
    in_fault: tuple[str, ...]
    """Interlocks that remembered no fault then: they begin in FAULT, a later one is not known."""


def restore(archive: Path, place: Place, identity: Path | None = None) -> Restored:
    """Put an archive's lab into an empty place. lab.toml comes last: before it, nothing starts.

    Every hash and the database are looked at before anything is in its place. Files get their
    rights back, and as root their owners and groups by name.

    :raises InputError: something is there already, or the archive is not sound.
    :raises LocalError: it cannot be written, or PostgreSQL refuses.
    """
    data = place.data or place.folder / "data"
    for folder in (place.folder, data):
        _must_be_empty(folder)
    with explaining_full_disk(data), _all_or_nothing(place.folder, data):
        return _restore(archive, place, data, identity)


def _restore(archive: Path, place: Place, data: Path, identity: Path | None) -> Restored:
    unpacked = data / _UNPACKED
    try:
        unpacked.mkdir(mode=0o700, parents=True)
        manifest = read_archive(archive, identity, _into(unpacked))
        file = unpacked / manifest.database
        check_database(archive.name, manifest, file)
        toml = pointed_at((unpacked / form.LAB_TOML).read_text(), place.data, place.database)
        in_fault = _doubt_interlocks(unpacked, manifest)
        elsewhere = _put(unpacked, manifest, place.folder, data)
        in_fault += _doubt_forgetful(toml, manifest, data)
        rights = manifest.entries[form.LAB_TOML].rights
        part = _write_lab_toml(place.folder / form.LAB_TOML, toml, rights)
        if manifest.database == form.POSTGRESQL:  # last: it cannot be emptied again
            _fill_postgresql(place.database or database_url(toml), file)
        part.replace(place.folder / form.LAB_TOML)
        sync_folder(place.folder)
    except OSError as error:
        if is_full(error):
            raise
        raise LocalError(f"{data} cannot be filled ({error})", next_step=_FAILED) from error
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)  # an error of its own must not hide the first
    return Restored(manifest, place.folder / form.LAB_TOML, data, elsewhere, in_fault)


@contextmanager
def _all_or_nothing(*folders: Path) -> Iterator[None]:
    """Empty folders again that were empty, when filling them fails: one only has to try again."""
    were_there = [folder for folder in folders if folder.exists()]
    try:
        yield
    except BaseException:
        for folder in folders:
            inside = list(folder.iterdir()) if folder in were_there else [folder]
            for one in inside:
                if one.is_dir() and not one.is_symlink():
                    shutil.rmtree(one, ignore_errors=True)  # the first error is the one to tell
                else:
                    one.unlink(missing_ok=True)
        raise


def _must_be_empty(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(
            f"{folder} is a file", next_step="name a folder that is empty, or none yet"
        )
    there = sorted(one.name for one in folder.iterdir())
    if there:
        more = f" and {len(there) - 3} more" if len(there) > 3 else ""
        raise InputError(
            f"{folder} is not empty: {', '.join(there[:3])}{more}; nothing was touched",
            next_step="name an empty folder, or move away what is there",
        )


def _into(unpacked: Path) -> Callable[[str, IO[bytes]], None]:
    def take(name: str, stream: IO[bytes]) -> None:
        target = unpacked / name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_out(stream, target)

    return take


def _fill_postgresql(url: str, dump: Path) -> None:
    if is_sqlite(parse_url(url)):
        raise InputError(
            "this archive holds a PostgreSQL database, and lab.toml names none",
            next_step="name an empty one: --database postgresql+psycopg://…",
        )
    from sqlalchemy import inspect  # noqa: PLC0415  # only for PostgreSQL

    database = open_database(url)
    try:
        there = inspect(database.engine).get_table_names()
    finally:
        database.close()
    if there:
        raise InputError(
            f"the database is not empty: {', '.join(sorted(there)[:3])} …; nothing was touched",
            next_step="make an empty one with createdb, and name it: --database postgresql+psycopg://…",
        )
    restore_postgresql(url, dump)


def _doubt_interlocks(unpacked: Path, manifest: form.Manifest) -> tuple[str, ...]:
    """Have interlocks begin in FAULT whose memory says that there was none; return their machines.

    A fault may have come after the backup. Only a person at the machine can say that none did.
    """
    doubted = []
    for name in manifest.entries:
        found = _MEMORY.fullmatch(name)
        if found is not None and _says_no_fault(unpacked / name):
            write_half(unpacked / name, _doubt())
            doubted.append(found[1])
    return tuple(doubted)


def _doubt_forgetful(toml: str, manifest: form.Manifest, data: Path) -> tuple[str, ...]:
    """Have interlocks begin in FAULT whose memory could not be read for the backup.

    Without it they would begin as new ones. Those of other computers keep theirs there.
    """
    some_unread = any("/interlocks" in one for one in manifest.unread)
    doubted = []
    for machine in tomllib.loads(toml).get("interlocks", {}):
        folder = f"{form.DATA}interlocks/{machine}"
        was_here = folder in manifest.folders or some_unread
        memory = data / "interlocks" / machine / "fault.json"
        if was_here and not memory.exists() and form.is_inside(folder):
            memory.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            write_half(memory, _doubt(), mode=0o640)
            for one in (memory, memory.parent):  # systemd gives them to the interlock's user
                give(one, form.Rights(0o640 if one == memory else 0o750), data)
            doubted.append(machine)
    return tuple(doubted)


def _doubt() -> str:
    fault = {"code": FaultCode.FAULT_FILE, "why": _SINCE, "first_cause": None}
    return json.dumps({"v": 1, "fault": fault})


def _says_no_fault(memory: Path) -> bool:
    try:
        return json.loads(memory.read_bytes())["fault"] is None
    except (ValueError, KeyError, TypeError):
        return False  # what cannot be read is a FAULT by itself


def _put(unpacked: Path, manifest: form.Manifest, folder: Path, data: Path) -> tuple[str, ...]:
    """Move every file to its place, with its rights; return those that belong elsewhere."""
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    elsewhere = []
    for name, entry in manifest.entries.items():
        target = _target(name, manifest, folder, data)
        if target is None:
            continue
        base = data if target.is_relative_to(data) else folder
        # beside lab.toml the lab's other users pass, as through it; each file has its own rights
        mode = 0o711 if name.startswith(form.BESIDE) else 0o700
        target.parent.mkdir(mode=mode, parents=True, exist_ok=True)
        shutil.move(unpacked / name, target)
        give(target, entry.rights, base)
        sync_file(target)
        if name.startswith(form.ELSEWHERE):
            elsewhere.append(f"/{name.removeprefix(form.ELSEWHERE)}")
    for name, rights in manifest.folders.items():
        if name != form.DATA:  # that one is as whoever made it wished
            one = data / name.removeprefix(form.DATA)
            one.mkdir(mode=0o700, parents=True, exist_ok=True)
            give(one, rights, data)
    return tuple(elsewhere)


def _target(name: str, manifest: form.Manifest, folder: Path, data: Path) -> Path | None:
    if name == form.SQLITE:
        return data / manifest.head.database_file
    if name.startswith(form.DATA):
        return data / name.removeprefix(form.DATA)
    if name.startswith(form.BESIDE):
        return folder / name.removeprefix(form.BESIDE)
    return folder / name if name.startswith(form.ELSEWHERE) else None


def _write_lab_toml(target: Path, text: str, rights: form.Rights) -> Path:
    """Write it beside its place, and return where."""
    part = target.with_name(f".{target.name}.part")
    write_half(part, text)
    give(part, rights, target.parent)
    sync_file(part)
    return part
