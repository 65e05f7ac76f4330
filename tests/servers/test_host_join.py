"""A computer joins the lab by a code, drives its machine over TLS, and is put out again."""

from __future__ import annotations

import stat
from collections.abc import Iterator

import pytest

from fabctl.clock import SystemClock
from fabctl.commands.lab_database import who_types
from fabctl.messaging.lab_view import LabView
from tests.brokers import wait_until
from tests.joined_lab import PI, JoinedLab, joined_lab
from tests.machine_lab import SCRIPTED


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JoinedLab]:
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(str(SCRIPTED))
        with joined_lab(tmp_path_factory.mktemp("join")) as found:
            yield found


def follow(lab: JoinedLab) -> LabView:
    """Return what a page of the lab would show."""
    view = LabView("lab", {"printer-a": PI}, SystemClock())
    desk = lab.link(lab.config, "desk", f"tester-{len(lab.links)}")
    view.attach(desk)
    desk.start()
    assert desk.wait_connected(10.0)
    return view


def test_a_computer_joins_drives_its_machine_and_is_put_out(lab: JoinedLab) -> None:
    done = lab.join(lab.invite())
    assert done.exit_code == 0, (done.output, done.exception)
    config = lab.joined()
    assert list(config.machines) == ["printer-a"]
    assert config.machines["printer-a"].limits == lab.config.machines["printer-a"].limits
    held = {path.name for path in (lab.pi / "data").rglob("*") if path.is_file()}
    assert held == {
        "printer-a.key", f"{PI}.password", "token", "broker-ca.pem", "server-ca.pem",
    }  # fmt: skip
    for file in (lab.pi / "data").rglob("*"):
        if file.is_file() and file.suffix != ".pem":
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    (lab.pi / "cable-a").touch()
    view = follow(lab)
    lab.start(lab.pi / "lab.toml", "machine", "printer-a")
    wait_until(lambda: view.machine("printer-a").state == "idle", "the joined machine is idle")
    assert f"by a code of {who_types()}; there now" in lab.fabctl("host", "list").output

    before = lab.config.paths.machine_key("printer-a").read_text()
    done = lab.fabctl("host", "revoke", PI, "--yes")
    assert done.exit_code == 0, (done.output, done.exception)
    assert "has ended pi-b's connections and refuses new ones" in done.output
    assert lab.config.paths.machine_key("printer-a").read_text() != before
    wait_until(lambda: view.machine("printer-a").state == "offline", "the machine is gone")
    assert "REVOKED" in lab.fabctl("host", "list").output
