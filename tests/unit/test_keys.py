"""Keys on disk: made once, replaced whole, taken anew by whoever uses them."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from fabctl.__main__ import cli
from fabctl.config import DataPaths, LabConfig
from fabctl.errors import LocalError
from fabctl.keyfile import KeyFile, _give_to_the_same, make_secret, read_key, replace_secret
from fabctl.messaging.requests import keys_in
from tests.brokers import lab_config
from tests.machine_bench import KEY, MachineBench

LASER = """
[machines.laser]
kind = "laser"
driver = "opaque"
[interlocks.laser]
kind = "relay"
factory = "simulated"
inputs = { reset = { pin = 17 } }
outputs = { k1 = 22, k2 = 23 }
"""


@pytest.fixture
def lab(tmp_path: Path) -> LabConfig:
    return lab_config(tmp_path, LASER)


def run(lab: LabConfig, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["key", *words, "--config", str(lab.file)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        return 2, str(done.exception)
    return done.exit_code, done.output


def test_a_replaced_key_is_taken_at_the_next_question(tmp_path: Path) -> None:
    file = tmp_path / "a.key"
    make_secret(file)
    key = KeyFile(file)
    before = key.key()
    replace_secret(file)
    assert key.key() != before
    assert key.key() == read_key(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["a.key"]


def test_a_key_that_is_gone_is_not_used_any_more(tmp_path: Path) -> None:
    file = tmp_path / "a.key"
    make_secret(file)
    key = KeyFile(file)
    first = key.key()
    file.unlink()
    with pytest.raises(LocalError, match=r"a\.key"):
        key.key()
    file.write_text("zz")
    with pytest.raises(LocalError):
        key.key()
    file.write_text(first.hex())
    assert key.key() == first


def test_a_key_that_cannot_be_replaced_leaves_nothing_behind(tmp_path: Path) -> None:
    in_the_way = tmp_path / "a.key"
    in_the_way.mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_secret(in_the_way)
    assert [one.name for one in tmp_path.iterdir()] == ["a.key"]


def test_nobody_elses_file_is_given_away_through_a_link(tmp_path: Path) -> None:
    key, secret, link = (tmp_path / name for name in ("a.key", "secret", "link"))
    make_secret(key)
    key.chmod(0o644)
    secret.touch(0o600)
    link.symlink_to(secret)
    twin = tmp_path / "twin"
    twin.hardlink_to(secret)
    for new in (link, twin):
        with pytest.raises(OSError, match=new.name):
            _give_to_the_same(key, new)
    with pytest.raises(OSError, match="it is a link"):
        replace_secret(link)
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert secret.read_bytes() == b""


def test_the_desk_signs_with_a_rotated_key(tmp_path: Path) -> None:
    paths = DataPaths(tmp_path)
    make_secret(paths.machine_key("mill"))
    key_of = keys_in(paths)
    before = key_of("mill")
    replace_secret(paths.machine_key("mill"))
    assert key_of("mill") != before


def test_the_machine_takes_a_rotated_key_and_refuses_the_old_one(tmp_path: Path) -> None:
    bench = MachineBench(tmp_path)
    bench.become_idle()
    new = bytes(reversed(KEY))
    bench.desk._key_of = lambda: new
    assert bench.ask_signed("clear")["code"] == "not-authentic"
    assert bench.ask_signed("clear", key=new)["code"] == "not-broken"


def test_without_a_key_a_machine_refuses_what_must_be_signed(tmp_path: Path) -> None:
    bench = MachineBench(tmp_path)
    bench.become_idle()
    bench.desk._key_of = KeyFile(tmp_path / "none.key").key
    assert bench.ask_signed("clear")["code"] == "not-authentic"
    assert bench.ask_openly("stop")["accepted"] is True
    assert bench.reports.refused == 1


# -- the command ---------------------------------------------------------------------------------


def test_create_makes_what_is_missing(lab: LabConfig) -> None:
    before = read_key(lab.paths.machine_key("laser"))
    code, said = run(lab, "create", "laser")
    assert (code, said.count("made"), said.count("is there already")) == (0, 1, 1)
    assert read_key(lab.paths.machine_key("laser")) == before
    assert read_key(lab.paths.permit_key("laser")) != before
    assert stat.S_IMODE(lab.paths.permit_key("laser").stat().st_mode) == 0o600
    assert stat.S_IMODE(lab.paths.keys.stat().st_mode) == 0o700


def test_create_without_a_machine_makes_all_and_the_webs_secret(lab: LabConfig) -> None:
    lab.paths.secret.unlink()
    code, said = run(lab, "create")
    assert (code, said.count("made")) == (0, 2)
    assert lab.paths.secret.exists()
    assert lab.paths.permit_key("laser").exists()


def test_a_new_key_is_for_those_who_had_the_old_one(lab: LabConfig) -> None:
    key = lab.paths.machine_key("laser")
    key.chmod(0o640)
    run(lab, "rotate", "laser", "--yes")
    assert stat.S_IMODE(key.stat().st_mode) == 0o640


def test_rotate_asks_and_replaces_both(lab: LabConfig) -> None:
    run(lab, "create", "laser")
    files = (lab.paths.machine_key("laser"), lab.paths.permit_key("laser"))
    before = [read_key(file) for file in files]
    assert run(lab, "rotate", "laser")[0] == 1  # nobody answers the question
    assert [read_key(file) for file in files] == before
    code, said = run(lab, "rotate", "laser", "--yes")
    assert (code, said.count("is new")) == (0, 2)
    assert not {read_key(file) for file in files} & set(before)


def test_list_shows_no_key_but_who_may_read_it(lab: LabConfig) -> None:
    code, said = run(lab, "list")
    assert (code, said.count("missing")) == (0, 1)
    run(lab, "create", "laser")
    lab.paths.permit_key("laser").chmod(0o640)
    lab.paths.machine_key("laser").chmod(0o604)
    _, said = run(lab, "list", "laser")
    assert said.count("OTHERS MAY READ IT") == 1
    assert said.count("also for the group") == 1
    for file in (lab.paths.machine_key("laser"), lab.paths.permit_key("laser")):
        assert file.read_text().strip()[:8] not in said


def test_a_machine_that_is_not_there_is_explained(lab: LabConfig) -> None:
    code, said = run(lab, "rotate", "lasre", "--yes")
    assert code == 2
    assert "lasre" in said
    assert "laser" in said
