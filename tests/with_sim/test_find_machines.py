"""``fabctl find-machines`` with stand-ins behind names such as udev makes."""

from __future__ import annotations

import subprocess
import tomllib
from contextlib import closing
from pathlib import Path
from socket import gethostname

import pytest

from fabctl.commands import options
from fabctl.commands.find_machines import host_line
from fabctl.hosting.serial_devices import SerialDevice, find_devices, holders, udev_rule
from fabctl_sim.process import SimProcess
from tests.lab import fabctl

BOARD = "usb-1a86_USB_Serial-if00-port0"
HERE = gethostname().split(".")[0].lower()
SOCKET = "platform-3f980000.usb-usb-0:1.2:1.0-port0"


def named(dev: Path, port: Path, by_id: str = BOARD, by_path: str = SOCKET) -> None:
    """Name a port as udev would."""
    for folder, name in (("by-id", by_id), ("by-path", by_path)):
        (dev / "serial" / folder).mkdir(parents=True, exist_ok=True)
        (dev / "serial" / folder / name).symlink_to(port.resolve())


def find(dev: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        fabctl("find-machines", "--dev", str(dev), *more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def tables(said: str) -> dict[str, dict[str, object]]:
    """Read what is to be pasted into lab.toml."""
    lines = said.partition("# For lab.toml")[2].partition("# For /etc/udev")[0]
    found: dict[str, dict[str, object]] = tomllib.loads(f"# {lines}").get("machines", {})
    return found


def test_a_mill_and_a_printer_are_known_by_their_firmware(folder: Path) -> None:
    quick = ("--boot", "0.2", "--factor", "instant")
    dev = folder / "dev"
    with (
        SimProcess(folder, *quick, name="mill", controller="grbl") as mill,
        SimProcess(folder, *quick, name="printer") as printer,
    ):
        named(dev, mill.port)
        named(dev, printer.port, "usb-Prusa-1", "usb-0:1.3:1.0")
        done = find(dev, "--yes")
    assert done.returncode == 0, done.stderr
    found = tables(done.stdout)
    assert found["mill-1"] == {
        "kind": "mill",
        "driver": "grbl",
        "port": str(dev / "serial/by-id" / BOARD),
        "baud": 115_200,
    }
    assert found["printer-1"]["driver"] == "marlin"
    assert "Grbl" in done.stdout
    assert "Marlin" in done.stdout


def test_a_port_in_use_is_left_alone(folder: Path) -> None:
    dev = folder / "dev"
    with (
        SimProcess(folder, "--boot", "0.2", name="mill", controller="grbl") as mill,
        mill.port.open("rb", buffering=0),
        closing(mill.control()) as control,
    ):
        named(dev, mill.port)
        heard = control.texts()
        done = find(dev, "--yes")
        assert control.texts() == heard
    assert "in use by" in done.stdout
    assert not tables(done.stdout)


@pytest.mark.parametrize("words", [("--no-ask",), ()], ids=["as asked for", "nobody to answer"])
def test_without_a_persons_word_no_port_is_opened(folder: Path, words: tuple[str, ...]) -> None:
    dev = folder / "dev"
    named(dev, folder / "there-is-no-such-port")
    done = find(dev, *words)
    assert done.returncode == 0
    assert "not asked" in done.stdout
    assert BOARD in done.stdout
    assert ("no port is opened" in done.stderr) == (not words)


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        ("", ""),
        ("[hosts.server]", ""),
        ("[hosts.server]\n[hosts.pi-b]", 'host = "?"    # which of: server, pi-b'),
        (f"[hosts.server]\n[hosts.{HERE}]", f'host = "{HERE}"'),
    ],
)
def test_where_the_lab_has_several_hosts_each_machine_says_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hosts: str, expected: str
) -> None:
    """Without it what is pasted into lab.toml is refused."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FABCTL_CONFIG", raising=False)
    monkeypatch.setattr(options, "SYSTEM_CONFIG", tmp_path / "none")
    assert host_line() == [], "there is no lab.toml yet"
    (tmp_path / "lab.toml").write_text(f'[lab]\nid = "x"\nname = "X"\n{hosts}\n')
    assert host_line() == ([expected] if expected else [])
    monkeypatch.chdir(tmp_path.parent)
    monkeypatch.setenv("FABCTL_CONFIG", str(tmp_path / "lab.toml"))
    assert host_line() == ([expected] if expected else []), "as every command finds it"


def test_no_device_is_told_and_is_a_failure(folder: Path) -> None:
    done = find(folder)
    assert done.returncode == 1
    assert "No serial device" in done.stderr


@pytest.fixture
def two_adapters(tmp_path: Path) -> Path:
    """Make a /dev and a /sys with two adapters without serial numbers: udev has one by-id link."""
    for number, socket in enumerate(("1.2", "1.3")):
        device = tmp_path / "dev" / f"ttyUSB{number}"
        device.parent.mkdir(exist_ok=True)
        device.touch()
        named_as = f"usb-0:{socket}:1.0-port0"
        by_path = tmp_path / "dev/serial/by-path" / named_as
        by_path.parent.mkdir(parents=True, exist_ok=True)
        by_path.symlink_to(device)
        usb = tmp_path / "sys/devices" / socket
        (usb / "port").mkdir(parents=True)
        (usb / "idVendor").write_text("1a86\n")
        (usb / "idProduct").write_text("7523\n")
        tty = tmp_path / "sys/class/tty" / device.name
        tty.mkdir(parents=True)
        (tty / "device").symlink_to(usb / "port")
    by_id = tmp_path / "dev/serial/by-id" / BOARD
    by_id.parent.mkdir()
    by_id.symlink_to(tmp_path / "dev/ttyUSB1")
    return tmp_path


def test_twins_are_told_apart_by_their_sockets(two_adapters: Path) -> None:
    found = find_devices(two_adapters / "dev", two_adapters / "sys")
    assert [one.has_twin for one in found] == [True, True]
    assert [one.name.name for one in found] == ["usb-0:1.2:1.0-port0", "usb-0:1.3:1.0-port0"]
    assert 'ENV{ID_PATH}=="usb-0:1.2:1.0"' in udev_rule(found[0], "printer-1")


def test_an_adapter_with_a_number_is_known_by_it() -> None:
    one = SerialDevice(
        Path("/dev/ttyACM0"), Path("/dev/serial/by-id/x"), None, "2c99", "0002", "CZPX1"
    )
    assert one.name == Path("/dev/serial/by-id/x")
    rule = udev_rule(one, "printer-a")
    assert 'ATTRS{serial}=="CZPX1"' in rule
    assert rule.endswith('SYMLINK+="fabctl/printer-a", ENV{ID_MM_DEVICE_IGNORE}="1"')


@pytest.mark.parametrize(
    "serial", ['1", RUN+="/bin/sh -c evil', "1*", "a[b]", "x\n", "a$env{b}", "%k", "é"]
)
def test_a_number_that_udev_would_read_as_more_than_a_number_is_not_used(serial: str) -> None:
    """The line is pasted by root, and the number is what a USB device says of itself."""
    by_path = Path("/dev/serial/by-path/pci-0:1.2-port0")
    one = SerialDevice(Path("/dev/ttyUSB0"), None, by_path, "1a86", "7523", serial)
    assert serial not in udev_rule(one, "mill")
    assert 'ENV{ID_PATH}=="pci-0:1.2"' in udev_rule(one, "mill")


def test_who_has_a_device_open_is_known_by_name(tmp_path: Path) -> None:
    device = tmp_path / "ttyUSB0"
    with device.open("w"):
        assert len(holders(device)) == 1
    assert holders(device) == []
