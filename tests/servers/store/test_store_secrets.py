"""A database's password is no word of any command: the list of processes is everybody's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from fabctl.__main__ import cli
from fabctl.store.snapshot import dump_postgresql, restore_postgresql

WORD = "four words in a row"
TELLER = """#!/bin/sh
printf '%s\\n' "$@" >"{folder}/words"
printf '%s' "$PGPASSWORD" >"{folder}/password"
"""


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://fab:four%20words%20in%20a%20row@db.example:5433/lab?sslmode=require",
        "postgresql+psycopg://fab@db.example:5433/lab?password=four+words+in+a+row&sslmode=require",
    ],
)
def test_postgresqls_programs_are_given_it_apart(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The programs in their place tell what they were given."""
    for name in ("pg_dump", "pg_restore"):
        (tmp_path / name).write_text(TELLER.format(folder=tmp_path))
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for run in (dump_postgresql, restore_postgresql):
        run(url, tmp_path / "dump")
        words = (tmp_path / "words").read_text()
        assert "four" not in words
        assert "postgresql://fab@db.example:5433/lab?sslmode=require" in words
        assert (tmp_path / "password").read_text() == WORD


def test_an_address_may_stand_in_a_file(tmp_path: Path, migrated_sqlite: Path) -> None:
    shutil.copy(migrated_sqlite, tmp_path / "source.db")
    (tmp_path / "to").write_text(f"sqlite:///{tmp_path}/target.db\n")
    words = ["db", "copy", "--from", f"sqlite:///{tmp_path}/source.db", "--to", f"@{tmp_path}/to"]
    done = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert "both are the same" in done.stdout
    assert "password" not in done.stderr


@pytest.mark.parametrize(
    "url", ["postgresql+psycopg://fab:word@h/lab", "postgresql+psycopg://fab@h/lab?password=word"]
)
def test_a_password_among_the_words_is_told(url: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["db", "copy", "--from", f"sqlite:///{tmp_path}/x", "--to", url])
    assert "list of processes" in done.stderr
    assert "word@" not in done.stderr
