"""A computer joins the lab by a code, drives its machine over TLS, and is put out again."""

from __future__ import annotations

import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from fabctl.__main__ import cli
from fabctl.clock import SystemClock
from fabctl.commands.lab_database import who_types
from fabctl.joining.calling import (
    NotTrustedError,
    Server,
    own_fingerprint,
    seen_fingerprint,
)
from fabctl.messaging.lab_view import LabView
from tests.brokers import WITHIN_S, wait_until
from tests.joined_lab import PI, JoinedLab, joined_lab
from tests.machine_lab import SCRIPTED
from tests.servers.test_broker_config import MAKE_CERTIFICATES


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
    assert desk.wait_connected(WITHIN_S)
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

    again = lab.fabctl("host", "invite", PI).output
    assert f"{PI} has joined before." in again, "two would drive the same machines"
    before = lab.config.paths.machine_key("printer-a").read_text()
    done = lab.fabctl("host", "revoke", PI, "--yes")
    assert done.exit_code == 0, (done.output, done.exception)
    assert "has ended pi-b's connections and refuses new ones" in done.output
    assert lab.config.paths.machine_key("printer-a").read_text() != before
    wait_until(lambda: view.machine("printer-a").state == "offline", "the machine is gone")
    assert "REVOKED" in lab.fabctl("host", "list").output


def test_a_new_pi_comes_in_the_place_of_the_one_that_was_put_out(lab: JoinedLab) -> None:
    assert lab.fabctl("host", "revoke", PI, "--yes").exit_code == 0
    old = lab.joined().paths.machine_key("printer-a").read_text()
    done = lab.join(lab.invite(), "--again")
    assert done.exit_code == 0, (done.output, done.exception)
    assert lab.joined().paths.machine_key("printer-a").read_text() != old
    link = lab.link(lab.joined(), PI, "the-new-one")
    link.start()
    assert link.wait_connected(WITHIN_S), lab.said


def test_what_is_there_is_replaced_only_with_again(lab: JoinedLab) -> None:
    (lab.pi / "lab.toml").parent.mkdir(exist_ok=True)
    (lab.pi / "lab.toml").touch()
    done = lab.join(lab.invite())
    assert (done.exit_code, "--again" in str(done.exception)) == (1, True)


def test_a_labs_own_server_does_not_lose_its_lab_toml(tmp_path: Path) -> None:
    own = tmp_path / "lab.toml"
    own.write_text('[lab]\nid = "lab"\nname = "Lab"\n')
    words = ["--code", "00000000", "--again", "--config", str(own), "--data", str(tmp_path / "d")]
    done = CliRunner().invoke(cli, ["host", "join", "https://localhost", *words])
    assert (done.exit_code, "would replace it" in str(done.exception)) == (1, True)
    assert "[lab]" in own.read_text()


def test_by_its_fingerprint_the_right_server_is_known_and_no_other(lab: JoinedLab) -> None:
    shown = lab.fabctl("host", "invite", PI).output
    said = shown.split("--fingerprint ")[1].split()[0]
    code = shown.partition(": ")[2][:9]
    other = "00" + said[2:] if not said.startswith("00") else "11" + said[2:]
    done = lab.join(code, "--again", trust=("--fingerprint", other))
    assert (done.exit_code, "not the one that was given" in str(done.exception)) == (1, True)
    done = lab.join(code, "--again", trust=("--fingerprint", said))
    assert done.exit_code == 0, (done.output, done.exception)
    assert (lab.pi / "data/joined/server-ca.pem").read_text().strip() == lab.ca.read_text().strip()


def test_nobody_is_trusted_because_they_answered_first(lab: JoinedLab) -> None:
    done = lab.join(lab.invite(), "--again", trust=())
    assert (done.exit_code, "nobody is here to compare" in str(done.exception)) == (1, True)
    strange = lab.folder / "strange"
    strange.mkdir(exist_ok=True)
    subprocess.run([MAKE_CERTIFICATES, strange, "localhost"], check=True, timeout=30)
    done = lab.join(lab.invite(), "--again", trust=("--ca", str(strange / "lab-ca.pem")))
    assert (done.exit_code, "not trusted" in str(done.exception)) == (1, True)


def test_a_wrong_code_changes_nothing(lab: JoinedLab) -> None:
    code = lab.invite()
    before = {path: path.read_bytes() for path in lab.pi.rglob("*") if path.is_file()}
    done = lab.join(f"{(int(code.replace(' ', '')) + 1) % 10**8:08}", "--again")
    assert (done.exit_code, "wrong, too old or used" in str(done.exception)) == (1, True)
    assert {path: path.read_bytes() for path in lab.pi.rglob("*") if path.is_file()} == before


def test_a_broker_with_dynamic_security_has_to_start_again(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(str(SCRIPTED))
        with joined_lab(tmp_path, web=False, dynamic_security=True) as lab:
            lab.hand_over()
            thief = lab.link(lab.joined(), PI, "thief")
            done = lab.fabctl("host", "revoke", PI, "--yes")
            assert done.exit_code == 1
            assert "systemctl restart mosquitto" in str(done.exception)
            lab.kill_broker()
            lab.start_broker()
            thief.start()
            wait_until(lambda: any("refused" in one for one in lab.said), f"refused: {lab.said}")
            invited = lab.fabctl("host", "invite", PI)
            assert invited.exit_code == 0, invited.output
            assert "read its users again: sudo systemctl restart mosquitto" in invited.output


def test_a_fingerprint_is_shown_only_of_our_own_server(lab: JoinedLab, tmp_path: Path) -> None:
    """Another computer may answer to its name: people would compare with what that one shows."""
    server = Server("localhost", lab.front.secure, tls=True)
    seen = seen_fingerprint(server)
    assert own_fingerprint(server, lab.ca.read_text()) == seen
    assert own_fingerprint(server, None) == seen, "both ends are on this computer"
    subprocess.run([MAKE_CERTIFICATES, tmp_path, "localhost"], check=True, timeout=30)
    with pytest.raises(NotTrustedError):
        own_fingerprint(server, (tmp_path / "lab-ca.pem").read_text())
