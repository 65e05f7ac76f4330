"""The installer's steps where a lab is there already: which host, which versions, what is left."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from fabctl.hosting.lab_broker import dynamic_security_text
from fabctl.hosting.mosquitto import Rights
from tests.conventions.test_install_files import DEPLOY, dry_run, steps

TWO_HOSTS = "[hosts.server]\n[hosts.pi-b]\n"


def function(name: str, script: str = "install.sh") -> str:
    """Return one function of a script, as it stands there."""
    text = (DEPLOY / script).read_text()
    start = text.index(f"{name}() {{")
    return text[start : text.index("\n}\n", start) + 3]


@pytest.mark.parametrize(
    ("hosts", "remembered", "answer", "expected"),
    [
        (TWO_HOSTS, "", "host=pi-b", "pi-b"),
        (TWO_HOSTS, "server", "host=pi-b", "server"),
        (TWO_HOSTS, "old-pi", "host=server", "server"),
        ("[hosts.server]\n", "", "", ""),
        ("[hosts.server]\n", "new-pi", "", ""),
        ("", "here", "", "here"),
    ],
)
def test_which_host_this_is_is_asked_where_lab_toml_has_several(
    tmp_path: Path, hosts: str, remembered: str, answer: str, expected: str
) -> None:
    """Also after a restore: what the new computer was told before is not in that lab.toml."""
    (tmp_path / "lab.toml").write_text(f'[lab]\nid = "x"\n{hosts}[data]\n')
    (tmp_path / "answers").write_text(f"{answer}\n")
    words = f"answers={tmp_path}/answers host={remembered}; ask_which_host; echo is=$host"
    done = steps(tmp_path, f"hostname() {{ echo a-pi; }}; {words}")
    assert (done.stdout.splitlines()[-1], done.stderr) == (f"is={expected}", "")


def test_a_host_that_lab_toml_has_not_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lab.toml").write_text(TWO_HOSTS)
    (tmp_path / "answers").write_text("role=lab\n")
    words = f"hostname() {{ echo a-pi; }}; answers={tmp_path}/answers; ask_which_host"
    done = steps(tmp_path, words)
    assert (done.returncode, done.stderr) == (1, "fabctl: host is ''; allowed: server|pi-b\n")


def version(opt: Path, name: str) -> Path:
    """Put a version into its place: what all of them have, and a program that only waits."""
    folder = opt / name
    (folder / "bin").mkdir(parents=True)
    (folder / "pyvenv.cfg").touch()
    (folder / "bin" / "python3").symlink_to("/bin/sleep")
    return folder


@pytest.mark.parametrize(("dry", "left"), [("", "0.1-b 0.1-c 0.1-d"), ("yes", "0.1-a 0.1-b")])
def test_versions_that_nobody_uses_go(tmp_path: Path, dry: str, left: str) -> None:
    """An interlock is never started again by an update: it keeps the version that it runs from."""
    opt = tmp_path / "opt"
    for name in ("0.1-a", "0.1-b", "0.1-c", "0.1-d"):
        version(opt, name)
    (opt / "wheels").mkdir()
    (opt / "current").symlink_to(opt / "0.1-d")
    (opt / "previous").symlink_to(opt / "0.1-c")
    words = f"opt={opt} dry={dry}; new=$opt/0.1-d; remove_old_versions"
    with subprocess.Popen([opt / "0.1-b" / "bin" / "python3", "600"]) as working:
        try:
            done = steps(tmp_path, words)
        finally:
            working.kill()
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{opt}/0.1-b stays: a process" in done.stdout
    assert re.search(rf"{opt}/0\.1-a is used by nobody: \d+ MB\n", done.stdout)
    assert done.stdout.count("+ rm -r") == 1
    assert set(left.split()) <= {one.name for one in opt.iterdir()}
    assert (opt / "0.1-a").exists() is bool(dry)
    assert (opt / "wheels").exists(), "what is no version is somebody's own"


def test_a_dry_run_of_an_update_tells_of_the_version_before_the_one_before(tmp_path: Path) -> None:
    opt = tmp_path / "opt"
    for name in ("0.1-a", "0.1-b"):
        version(opt, name)
    (opt / "current").symlink_to(opt / "0.1-b")
    (opt / "previous").symlink_to(opt / "0.1-a")
    done = steps(tmp_path, f"opt={opt} dry=yes; new=$opt/0.1-c; remove_old_versions")
    assert f"+ rm -r {opt}/0.1-a" in done.stdout
    assert f"rm -r {opt}/0.1-b" not in done.stdout


def test_a_broker_with_the_plugin_starts_again_for_a_new_user_or_password(tmp_path: Path) -> None:
    """The plugin reads its file at the start only; what is in it differs each time by its salts."""
    (tmp_path / "broker").mkdir()
    (tmp_path / "broker" / "desk.password").write_text("one")
    (tmp_path / "fabctl.conf").write_text("listener 1883\n")
    seen = []

    def look(*users: str, salt: bytes = bytes(12)) -> bool:
        """Say whether anything counts as new since the last look."""
        text = dynamic_security_text(
            dict.fromkeys(users, Rights((), ())), dict.fromkeys(users, "word"),
            dict.fromkeys(users, salt),
        )  # fmt: skip
        (tmp_path / "dynamic-security.json").write_text(text)
        done = steps(tmp_path, f"broker={tmp_path}; read_at_the_start")
        assert (done.returncode, done.stderr) == (0, "")
        seen.append(done.stdout)
        return len(seen) < 2 or seen[-1] != seen[-2]

    look("desk")
    assert not look("desk", salt=b"123456789012")
    assert look("desk", "pi-b")
    (tmp_path / "broker" / "desk.password").write_text("another")
    assert look("desk", "pi-b")
    (tmp_path / "dynamic-security.json").write_text("{ torn")
    assert steps(tmp_path, f"broker={tmp_path}; read_at_the_start").returncode == 0


def test_files_of_users_do_not_make_the_broker_start_again(tmp_path: Path) -> None:
    """It reads them while it runs; only its own configuration needs a start."""
    (tmp_path / "fabctl.conf").write_text("listener 1883\n")
    before = steps(tmp_path, f"broker={tmp_path}; read_at_the_start").stdout
    (tmp_path / "passwords").write_text("desk:x\n")
    assert steps(tmp_path, f"broker={tmp_path}; read_at_the_start").stdout == before != ""


@pytest.mark.parametrize(
    ("is_update", "answer", "goes_on"), [(True, 1, False), (True, 0, True), (False, 1, True)]
)
def test_the_new_version_is_asked_before_anything_is_stopped(
    tmp_path: Path, is_update: bool, answer: int, goes_on: bool
) -> None:
    program = tmp_path / "new" / "bin" / "fabctl"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho asked: $*; exit {answer}\n")
    program.chmod(0o755)
    (tmp_path / "lab.toml").touch()
    if is_update:
        (tmp_path / "current").symlink_to("before")
    words = f'opt={tmp_path} new={tmp_path}/new role=lab; as_backup() {{ "$@"; }}'
    done = steps(tmp_path, f"{words}\n{function('check_upgrade')}\ncheck_upgrade; echo goes on")
    assert ("asked: upgrade --check --config" in done.stdout) is is_update
    assert ("goes on" in done.stdout, done.returncode == 0) == (goes_on, goes_on)
    script = (DEPLOY / "install.sh").read_text()
    assert script.index("    check_upgrade\n") < script.index("    upgrade_database\n")


@pytest.mark.parametrize(
    ("target", "has_desktop", "role", "refused"),
    [("graphical", True, "lab", "a desktop holds"), ("multi-user", True, "lab", ""),
     ("graphical", False, "lab", ""), ("graphical", False, "machines", "kiosk_url is ''")],
)  # fmt: skip
def test_a_screen_that_a_desktop_holds_shows_no_pages(
    tmp_path: Path, target: str, has_desktop: bool, role: str, refused: str
) -> None:
    """And a computer of machines has no pages of its own to show."""
    if has_desktop:
        (tmp_path / "display-manager.service").touch()
    (tmp_path / "answers").touch()
    words = f"units={tmp_path} answers={tmp_path}/answers role={role} kiosk=yes"
    words += f"; systemctl() {{ echo {target}.target; }}"
    done = steps(tmp_path, f"{words}\n{function('check_screen')}\ncheck_screen")
    assert done.returncode == bool(refused)
    assert refused in done.stderr


def test_the_documents_are_installed_too(tmp_path: Path) -> None:
    """lab.toml and the commands name them, and the checkout may be gone."""
    assert f"+ cp -r {DEPLOY.parent}/docs /opt/fabctl/" in dry_run(tmp_path)
    assert "/opt/fabctl/current/docs/lab-toml.md" in (DEPLOY / "lab.toml.in").read_text()


def an_installed_lab(base: Path) -> None:
    """Lay out what uninstall.sh may and may not take away."""
    units = base / "etc/systemd/system"
    for name in (
        "fabctl-web.service", "fabctl-machine@.service", "fabctl-backup.timer",
        "fabctl-machine@mill.service.d/network.conf", "fabctl-web.service.d/override.conf",
        "fabctl-machine@laser.service.d/network.conf", "mosquitto.service.d/fabctl.conf",
        "fabctl-machine@laser.service.d/override.conf", "mosquitto.service.d/own.conf",
    ):  # fmt: skip
        (units / name).parent.mkdir(parents=True, exist_ok=True)
        (units / name).write_text("[Service]\n")
    (units / "multi-user.target.wants").mkdir()
    (units / "multi-user.target.wants/fabctl-web.service").symlink_to("../fabctl-web.service")
    for name in (
        "etc/fabctl/lab.toml", "var/lib/fabctl/lab.db", "opt/fabctl/0.1/bin/fabctl",
        "usr/local/bin/fabctl", "etc/mosquitto/fabctl/fabctl.conf",
        "etc/udev/rules.d/70-fabctl.rules", "etc/udev/rules.d/71-fabctl-machines.rules",
    ):  # fmt: skip
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_text("x")
    (base / "etc/mosquitto/conf.d").mkdir()
    (base / "etc/mosquitto/conf.d/fabctl.conf").symlink_to("../fabctl/fabctl.conf")


def uninstall(base: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run uninstall.sh with all of its places below a folder, and no systemd."""
    text = (DEPLOY / "uninstall.sh").read_text()
    assert re.findall(r"/(?:opt|var|root|home|lib)/", text) == [], "its other places have names"
    for place in ("/etc/", "/usr/local/"):
        text = text.replace(place, f"{base}{place}")
    places = f"opt={base}/opt/fabctl etc={base}/etc/fabctl data={base}/var/lib/fabctl"
    places += f" units={base}/etc/systemd/system broker={base}/etc/mosquitto/fabctl"
    sourced = '. "$here/install-steps.sh"\n'
    assert sourced in text
    text = text.replace(
        sourced,
        f". {DEPLOY}/install-steps.sh\n{places}\nhas_systemd() {{ false; }}; id() {{ echo 0; }}\n",
    )
    script = base / "uninstall.sh"
    script.write_text(text)
    done = subprocess.run(
        ["bash", script, *words], capture_output=True, text=True, check=False, env=os.environ
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done


def files(base: Path) -> set[str]:
    """Return every file and link below."""
    found = (one for one in base.rglob("*") if one.is_symlink() or one.is_file())
    return {str(one.relative_to(base)) for one in found}


def test_what_is_taken_off_and_what_is_left(tmp_path: Path) -> None:
    an_installed_lab(tmp_path)
    before = files(tmp_path)
    said = uninstall(tmp_path, "--dry-run").stdout
    assert files(tmp_path) - {"uninstall.sh"} == before, "a dry run changes nothing"
    done = [line for line in said.splitlines() if line.startswith("+")]
    assert len(done) > 10
    kept = ("/var/lib/fabctl", "/etc/fabctl", "override.conf", "own.conf", "71-fabctl")
    assert [line for line in done if any(word in line for word in kept)] == []
    really = uninstall(tmp_path).stdout
    assert files(tmp_path) - {"uninstall.sh"} == {
        "etc/fabctl/lab.toml",
        "var/lib/fabctl/lab.db",
        "etc/udev/rules.d/71-fabctl-machines.rules",
        "etc/systemd/system/fabctl-web.service.d/override.conf",
        "etc/systemd/system/fabctl-machine@laser.service.d/override.conf",
        "etc/systemd/system/mosquitto.service.d/own.conf",
    }
    for text in (said, really):
        assert "/fabctl-web.service.d: your own changes" in text
        assert "/fabctl-machine@laser.service.d: your own changes" in text
        assert "/fabctl-machine@mill.service.d: your" not in text
