"""Options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from fabctl.__main__ import COMMANDS, cli, not_permitted
from fabctl.commands import options
from fabctl.commands.options import SYSTEM_CONFIG, find_config
from fabctl.errors import InputError

NOBODY = 65534


@contextmanager
def nobody() -> Iterator[None]:
    """Be a user without rights, where the tests are root's."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_that_may_not_be_looked_into_is_no_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`sudo fabctl` acts as the lab's user, and where one types it is one's own folder."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    (home / "lab.toml").write_text("")
    assert find_config(None) == home / "lab.toml"
    home.chmod(0)
    try:
        with nobody():
            assert found_or_refused() in (str(SYSTEM_CONFIG), "refused")
    finally:
        home.chmod(0o700)


def test_a_file_that_may_not_be_written_is_one_sentence(tmp_path: Path) -> None:
    """`sudo fabctl stats --pdf year.pdf` at home: the lab's user cannot write there."""
    file = str(tmp_path / "year.pdf")
    said = not_permitted(PermissionError(13, "Permission denied", file))
    assert f"may not read or write {file} → name a file where that user may" in said


def test_help_needs_no_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor that of a command within a command, whose outer one runs first."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FABCTL_CONFIG", raising=False)
    monkeypatch.setattr(options, "SYSTEM_CONFIG", tmp_path / "none")
    asked = 0
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        for inner in command.commands if isinstance(command, click.Group) else ():
            done = CliRunner().invoke(cli, [name, inner, "--help"])
            assert done.exit_code == 0, (name, inner, done.output)
            asked += 1
    assert asked > 20


def found_or_refused() -> str:
    """Return the file that was found; a lab may be installed where the tests run."""
    try:
        return str(find_config(None))
    except InputError:
        return "refused"
