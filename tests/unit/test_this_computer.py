"""Which host of lab.toml this computer is: the only one, as it was told, or by its name."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from fabctl.config import LabConfig
from fabctl.config_file import read
from fabctl.errors import InputError
from fabctl.this_computer import host_here, this_host

OWN_NAME = socket.gethostname().split(".")[0].lower()


def lab(folder: Path, *hosts: str) -> LabConfig:
    """Return a lab with these hosts; one is somewhere else."""
    named = "".join(f"[hosts.{one}]\n" for one in ("no-such-computer", *hosts))
    return read(f'[lab]\nid = "l"\nname = "L"\n{named}', folder / "lab.toml", ())


def test_the_only_host_needs_no_name(tmp_path: Path) -> None:
    assert host_here(lab(tmp_path)) == "no-such-computer"
    (tmp_path / "install.conf").write_text("role=lab\nhost=an-old-name\n")
    assert host_here(lab(tmp_path)) == "no-such-computer"


def test_as_it_was_told_comes_before_its_name(tmp_path: Path) -> None:
    config = lab(tmp_path, "the-desk", OWN_NAME)
    assert host_here(config) == OWN_NAME
    (tmp_path / "install.conf").write_text("role=lab\nkiosk=no\nhost=the-desk\n")
    assert host_here(config) == "the-desk"
    assert this_host(config, None) == "the-desk"
    assert this_host(config, "no-such-computer") == "no-such-computer", "the command line's word"
    (tmp_path / "install.conf").write_text("host=an-old-name\n")
    assert host_here(config) is None, "its name would be a guess against what it was told"


@pytest.mark.parametrize("notes", [None, b"role=lab\nkiosk=no\n", b"\xff"])
def test_nobody_guesses(tmp_path: Path, notes: bytes | None) -> None:
    if notes is not None:
        (tmp_path / "install.conf").write_bytes(notes)
    config = lab(tmp_path, "other")
    assert host_here(config) is None
    with pytest.raises(InputError, match=r"--host, or in .*install\.conf"):
        this_host(config, None)
    with pytest.raises(InputError, match="no host is called 'x'"):
        this_host(config, "x")
