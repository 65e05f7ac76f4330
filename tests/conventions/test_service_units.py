"""The systemd units: right for systemd, hardened up to a score, and none that ends an interlock."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from fabctl.__main__ import COMMANDS

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
README = UNITS.parent / "README.md"
MOST_EXPOSED = {
    # unit: the score of `systemd-analyze security` that it may have; 0 is the best, 10 the worst
    "fabctl-web.service": 1.8,
    "fabctl-steward.service": 1.8,
    "fabctl-machine@.service": 1.9,
    "fabctl-interlock@.service": 0.9,
    "fabctl-backup.service": 1.8,
    "fabctl-kiosk.service": 4.2,  # a browser
}
PROGRAMS = ("opt/fabctl/current/bin/fabctl", "usr/bin/cage", "usr/bin/chromium")
ENDS_WITH = ("Requires", "Requisite", "BindsTo", "PartOf", "Conflicts", "PropagatesStopTo")


@pytest.fixture(scope="module", autouse=True)
def _systemd_analyze() -> None:
    if shutil.which("systemd-analyze") is None:
        if os.environ.get("CI"):
            pytest.fail("systemd-analyze is missing (Debian: systemd)")
        pytest.skip("systemd-analyze is missing (Debian: systemd)")


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    """Ask systemd-analyze, about files alone."""
    environment = {**os.environ, "SYSTEMD_COLORS": "0", "SYSTEMD_EMOJI": "0", "LC_ALL": "C"}
    return subprocess.run(
        ("systemd-analyze", "--no-pager", *words),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment,
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file system with our units, Debian's own, and the programs that ours start."""
    root = tmp_path_factory.mktemp("root")
    shutil.copytree("/usr/lib/systemd/system", root / "usr/lib/systemd/system", symlinks=True)
    shutil.copytree(UNITS, root / "etc/systemd/system")
    for name in PROGRAMS:
        program = root / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    return root


def verified(root: Path, units: list[str]) -> str:
    """Return what systemd has against units; nothing when it is content."""
    done = analyze("verify", "--man=no", "--generators=no", f"--root={root}", *units)
    return done.stderr + ("" if done.returncode == 0 else f"exit code {done.returncode}")


def test_systemd_understands_every_unit(root: Path) -> None:
    names = sorted(file.name for file in UNITS.iterdir())
    assert verified(root, [name.replace("@.", "@mill-2.") for name in names]) == ""


def test_a_mistake_would_be_found(root: Path) -> None:
    text = (UNITS / "fabctl-web.service").read_text()
    broken = text.replace("ProtectHome=", "ProtectHoem=").replace("bin/fabctl ", "bin/fabtcl ")
    (root / "etc/systemd/system/broken.service").write_text(broken)
    said = verified(root, ["broken.service"])
    assert "ProtectHoem" in said
    assert "fabtcl" in said


@pytest.mark.parametrize("unit", MOST_EXPOSED)
def test_a_unit_is_not_more_exposed_than_it_was(unit: str) -> None:
    said = analyze("security", "--offline=true", str(UNITS / unit)).stdout
    found = re.search(r"exposure level for \S+: ([\d.]+)", said)
    assert found is not None, said
    score = float(found[1])
    assert score <= MOST_EXPOSED[unit], f"{unit} has {score}\n{said}"


def test_every_service_is_scored() -> None:
    assert {file.name for file in UNITS.glob("*.service")} == set(MOST_EXPOSED)


def test_the_installers_table_has_the_scores() -> None:
    rows = re.findall(
        r"^\| `(fabctl-[a-z]+(?:@)?)\S* .*\| (\d\.\d)[^|]*\|$", README.read_text(), re.MULTILINE
    )
    assert {f"{unit}.service": float(score) for unit, score in rows} == MOST_EXPOSED
    assert len(rows) == len(MOST_EXPOSED)


def test_every_command_that_is_started_exists() -> None:
    started = {
        word
        for file in UNITS.glob("*.service")
        for word in re.findall(
            r"^Exec\w+=/opt/fabctl/current/bin/fabctl (\S+)", file.read_text(), re.MULTILINE
        )
    }
    assert started >= {"web", "steward", "machine", "interlock", "backup", "migrate"}
    assert started <= set(COMMANDS)


def test_nothing_ends_an_interlock_and_it_always_comes_back() -> None:
    for file in UNITS.iterdir():
        lines = parsed(file)
        for key in ENDS_WITH:
            words = " ".join(lines.get(key, []))
            assert "interlock" not in words, file.name
            assert not words or "interlock" not in file.name, file.name
    interlock = parsed(UNITS / "fabctl-interlock@.service")
    assert interlock["StartLimitIntervalSec"] == ["0"]
    assert interlock["Restart"] == ["always"]


def test_an_interlock_reaches_its_chip_and_unix_sockets_only() -> None:
    lines = parsed(UNITS / "fabctl-interlock@.service")
    assert lines["PrivateNetwork"] == ["yes"]
    assert lines["RestrictAddressFamilies"] == ["AF_UNIX"]
    assert lines["DevicePolicy"] == ["closed"]
    assert lines["DeviceAllow"] == ["char-gpiochip rw"]


def test_permits_keys_are_no_business_of_a_machine() -> None:
    machine = parsed(UNITS / "fabctl-machine@.service")
    assert "fabctl-interlock" not in " ".join(machine["SupplementaryGroups"])
    assert machine["User"] != parsed(UNITS / "fabctl-interlock@.service")["User"]


def test_nobody_has_rights_beyond_those_of_users_and_groups() -> None:
    for file in UNITS.glob("*.service"):
        lines = parsed(file)
        assert lines["CapabilityBoundingSet"] == [""], file.name
        assert "AmbientCapabilities" not in lines, file.name


@pytest.mark.parametrize("unit", ["web", "steward", "backup"])
def test_the_lab_cannot_put_another_memory_in_an_interlocks_place(unit: str) -> None:
    """They write the folder above, and a mount in it cannot be renamed (rename(2), EBUSY)."""
    lines = parsed(UNITS / f"fabctl-{unit}.service")
    assert lines["ReadOnlyPaths"] == ["-/var/lib/fabctl/machines -/var/lib/fabctl/interlocks"]


def parsed(file: Path) -> dict[str, list[str]]:
    """Return every line of a unit, by its key: one may stand there several times, and all count."""
    found: dict[str, list[str]] = {}
    for line in file.read_text().replace("\\\n", " ").splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith(("#", ";")):
            found.setdefault(key.strip(), []).append(value.strip())
    return found
