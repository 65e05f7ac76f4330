"""The installer's files: sound shell, every package locked, and a dry run that changes nothing."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from fabctl.config_file import read
from tests.servers.test_proxies import need

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SCRIPTS = sorted(file for file in DEPLOY.glob("*.sh") if file.read_text().startswith("#!"))
EXTRAS = ("oidc", "postgresql", "bgcode", "pi")
ANSWERS = "lab_name=L'Atelier \"d'à côté\" & Cie \\ |\nlab_id=atelier\nhost=pi1\nkiosk=yes\n"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: file.name)
def test_shellcheck_has_nothing_against_it(script: Path) -> None:
    words = [need("shellcheck"), "--external-sources", "--severity=style", str(script)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.stdout == ""


def locked() -> dict[str, str]:
    """Return every locked package and its version."""
    found = {}
    for name in ("requirements.lock", "requirements-gpio.lock"):
        text = (DEPLOY / name).read_text()
        for package, version in re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", text, re.MULTILINE):
            found[str(canonicalize_name(package))] = version
        assert text.count("==") <= text.count("--hash=sha256:")
    return found


def test_everything_that_a_lab_needs_is_locked_at_the_tested_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"]]
    for extra in EXTRAS:
        wanted += project["optional-dependencies"][extra]
    packages = locked()
    for line in wanted:
        requirement = Requirement(line)
        name = canonicalize_name(requirement.name)
        assert requirement.specifier.contains(packages[name]), name
    tested = dict(
        line.split("==")
        for line in (ROOT / "constraints.txt").read_text().split()
        if re.fullmatch(r"[\w.-]+==\S+", line)
    )
    versions = {str(canonicalize_name(name)): version for name, version in tested.items()}
    for package, version in packages.items():
        assert versions.get(package, version) == version, package


def dry_run(folder: Path, *more: str) -> str:
    """Return what the installer would do."""
    (folder / "answers").write_text(ANSWERS)
    words = [str(DEPLOY / "install.sh"), "--dry-run", "--answers", str(folder / "answers"), *more]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_dry_run_tells_every_step_and_changes_nothing(tmp_path: Path) -> None:
    said = dry_run(tmp_path)
    steps = ["useradd", "venv", "--require-hashes", "check-config", "mv -T", "key create"]
    steps += ["broker-config", "fabctl-interlock@.service", "nothing has been changed"]
    places = [said.index(step) for step in steps]
    assert places == sorted(places), (
        "in this order: the new version is used once it can read lab.toml"
    )
    assert not Path("/opt/fabctl").exists()
    assert not Path("/etc/fabctl").exists()


def test_the_first_lab_toml_is_right_whatever_the_lab_is_called(tmp_path: Path) -> None:
    """The same lines of the installer, with another place for the file."""
    script = (DEPLOY / "install.sh").read_text()
    functions = script[script.index("write_lab() {") : script.index("\ncheck_computer\n")]
    (tmp_path / "data" / "broker").mkdir(parents=True)
    run = "\n".join(
        (
            f"here={DEPLOY}; . {DEPLOY}/install-steps.sh",
            f"answers={tmp_path}/answers language=fr",
            f"etc={tmp_path} data={tmp_path}/data role=lab kiosk=yes time_zone=Europe/Paris",
            'put() { case $1 in *lab.toml) cat > "$1" ;; *) cat > /dev/null ;; esac; }',
            functions,
            'for key in lab_name lab_id host; do ask "$key" "" ""; done; write_lab',
        )
    )
    (tmp_path / "answers").write_text(ANSWERS)
    subprocess.run(["bash", "-euo", "pipefail", "-c", run], check=True, capture_output=True)
    config = read((tmp_path / "lab.toml").read_text(), tmp_path / "lab.toml", ())
    assert config.name == "L'Atelier \"d'à côté\" & Cie \\ |"
    assert (config.id, list(config.hosts)) == ("atelier", ["pi1"])
    assert config.web.kiosk_addresses == ("127.0.0.1", "::1")
    assert config.broker.password_folder == tmp_path / "data" / "broker"


def owned(base: Path, kind: str, *names: str) -> int:
    """Have the script give files to who they belong to already; return its exit code."""
    me = f"{base.owner()}:{base.group()}"
    words = [sys.executable, "-I", str(DEPLOY / "own.py"), kind, "0640", me, str(base), *names]
    return subprocess.run(words, check=False, stderr=subprocess.DEVNULL).returncode


def test_what_root_gives_away_is_never_at_the_end_of_a_link(tmp_path: Path) -> None:
    """The data directory is the lab's: whoever took the lab over may have put links there."""
    data, elsewhere = tmp_path / "data", tmp_path / "etc"
    for folder in (data, elsewhere):
        folder.mkdir(mode=0o755)
    (elsewhere / "shadow").touch(0o600)
    (elsewhere / "host.key").touch(0o600)
    (data / "keys").symlink_to(elsewhere)
    assert owned(data, "folder", "keys") == 1
    assert owned(data, "file", "keys/host.key") == 1
    (data / "keys").unlink()
    assert owned(data, "folder", "keys") == 0
    (data / "keys").chmod(0o755)
    (data / "keys" / "mill.key").symlink_to(elsewhere / "shadow")
    (data / "keys" / "laser.key").hardlink_to(elsewhere / "shadow")
    for name in ("keys/mill.key", "keys/laser.key", "keys/missing.key", "../etc/shadow"):
        assert owned(data, "file", name) == 1, name
    assert [one.stat().st_mode & 0o777 for one in (elsewhere, elsewhere / "shadow")] == [
        0o755,
        0o600,
    ]
    (data / "keys" / "printer.key").touch(0o600)
    assert owned(data, "file", "keys/printer.key") == 0
    assert (data / "keys" / "printer.key").stat().st_mode & 0o777 == 0o640


def steps(folder: Path, words: str) -> subprocess.CompletedProcess[str]:
    """Run some words with the installer's steps, for a lab in a folder."""
    script = f". {DEPLOY}/install-steps.sh; etc={folder} data={folder}; {words}"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("hosts", "told", "expected"),
    [("[hosts.pi1]\n", "", "pi1"), ("", "", "here"), ("[hosts.a]\n[hosts.b]\n", "", "my-pi"),
     ("[hosts.a]\n[hosts.b]\n", "b", "b")],
)  # fmt: skip
def test_a_lab_that_was_put_back_knows_which_host_this_is(
    tmp_path: Path, hosts: str, told: str, expected: str
) -> None:
    """Another computer has another name: its password would be kept from the only host."""
    (tmp_path / "lab.toml").write_text(f'[lab]\nid = "x"\n{hosts}[data]\n')
    done = steps(tmp_path, f"hostname() {{ echo My-Pi; }}; host={told}; this_host")
    assert (done.stdout, done.stderr) == (expected, "")


def test_without_its_answers_nothing_is_applied(tmp_path: Path) -> None:
    """After `fabctl restore` they are not there, and a lab is no computer of machines alone."""
    done = steps(tmp_path, "apply=yes; remembered")
    assert done.returncode == 1
    assert "install.conf is missing: run deploy/install.sh" in done.stderr
    assert steps(tmp_path, "apply=''; remembered").returncode == 0
    (tmp_path / "install.conf").write_text("role=lab\nkiosk=no\n")
    assert steps(tmp_path, "apply=yes; remembered; echo $role").stdout == "lab\n"


def test_without_a_network_the_installer_says_what_helps(tmp_path: Path) -> None:
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\necho pip says why >&2; exit 1\n")
    python.chmod(0o755)
    done = steps(tmp_path, f"wheels=; pip_install {tmp_path} click; echo went on")
    assert (done.returncode, "went on" in done.stdout) == (1, False)
    assert "pip says why" in done.stderr
    assert "Run this again when there is a network" in done.stderr


INTERLOCK = '[interlocks.laser]\nkind = "relay"\n[interlocks.laser.inputs]\n'
SIMULATED = '[interlocks.mill]\nkind = "relay"\nfactory = "simulated"\n'


@pytest.mark.parametrize(
    ("lab", "is_there", "expected"),
    [(INTERLOCK, True, "lgpio.py _lgpio.cpython-313.so"), (INTERLOCK, False, ""), ("", True, ""),
     (SIMULATED, True, ""), (SIMULATED + INTERLOCK, True, "lgpio.py _lgpio.cpython-313.so")],
)  # fmt: skip
def test_beyond_python_311_the_gpio_chips_program_is_the_systems(
    tmp_path: Path, lab: str, is_there: bool, expected: str
) -> None:
    """Raspberry Pi OS 13 has it as a package; there is no wheel. Debian 13 has neither."""
    (tmp_path / "lab.toml").write_text(lab)
    packages = tmp_path / "new" / "lib" / "python3.13" / "site-packages"
    packages.mkdir(parents=True)
    system = tmp_path / "dist-packages"
    system.mkdir()
    for name in ("lgpio.py", "_lgpio.cpython-313.so") if is_there else ():
        (system / name).write_text("")
    words = f"new={tmp_path}/new system_python={system}"
    done = steps(
        tmp_path, f"{words}; python3() {{ false; }}; apt-cache() {{ false; }}; install_gpio"
    )
    linked = {one.name for one in packages.iterdir() if one.resolve().parent == system}
    assert linked == set(expected.split())
    refused = lab == INTERLOCK and not is_there
    assert (done.returncode, "take Raspberry Pi OS or Debian 12" in done.stderr) == (
        refused,
        refused,
    )


@pytest.mark.parametrize("line", ["--listen 0.0.0.0 --port 1", '"--listen 0.0.0.0 --port 1"'])
def test_a_persons_own_words_for_the_broker_may_stand_in_quotes(tmp_path: Path, line: str) -> None:
    (tmp_path / "broker.env").write_text(f"# mine\nBROKER_OPTIONS={line}\n")
    (tmp_path / "lab.toml").write_text('[broker]\nurl = "mqtt://127.0.0.1:1883"\n')
    done = steps(tmp_path, "dry=yes new=/new; configure_broker 2>/dev/null || true")
    assert "--owner mosquitto --listen 0.0.0.0 --port 1\n" in done.stdout


def test_a_database_that_is_put_back_does_not_get_the_log_of_another(tmp_path: Path) -> None:
    """SQLite would play it in."""
    script = (DEPLOY / "rollback.sh").read_text()
    function = script[script.index("move_database() {") : script.index("stay_here() {")]
    for name, content in (("lab.db", "copy"), ("lab.db-wal", "copy's"), ("aside", "lab's")):
        (tmp_path / name).write_text(content)
    words = f'as_fabctl() {{ "$@"; }}\n{function}\nmove_database {tmp_path}/aside {tmp_path}/lab.db'
    assert steps(tmp_path, words).returncode == 0
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {"lab.db": "lab's"}


@pytest.mark.parametrize(
    ("stopped", "start", "exit_code", "starts"),
    [
        ("yes", "yes", 3, True),
        ("yes", "yes", 0, False),
        ("yes", "", 3, False),
        ("", "yes", 3, False),
    ],
)
def test_what_was_stopped_is_started_again_where_a_run_fails(
    tmp_path: Path, stopped: str, start: str, exit_code: int, starts: bool
) -> None:
    words = f"dry=yes stopped={stopped} start={start}; trap begin_again EXIT; exit {exit_code}"
    done = steps(tmp_path, words)
    assert done.returncode == exit_code
    assert ("systemctl start fabctl-steward.service fabctl-web.service" in done.stdout) is starts


@pytest.mark.parametrize("script", ["install.sh", "rollback.sh"])
def test_what_is_done_as_another_user_begins_in_a_folder_for_everybody(script: str) -> None:
    """`find` as the machines' user could not come back to /root, and the installer ended."""
    text = (DEPLOY / script).read_text()
    answered = text.index("    shift\ndone\n")
    assert text.index("\ncd / #") > answered, "names of files are taken from where one stands"


@pytest.mark.parametrize("script", ["uninstall.sh", "rollback.sh"])
def test_what_it_does_not_know_is_refused(script: str) -> None:
    done = subprocess.run([DEPLOY / script, "--hlep"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "sudo" in done.stderr
