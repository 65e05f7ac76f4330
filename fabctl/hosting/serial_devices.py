"""The serial devices of this computer: their lasting names, and who has them open.

udev makes the names (systemd, ``rules.d/60-serial.rules``): ``/dev/serial/by-id`` tells the
adapter (its serial number, if it has one), ``/dev/serial/by-path`` the socket it is plugged into.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PORT = re.compile(r"-port\d+$")
"""What 60-serial.rules adds to ``ID_PATH`` for an adapter with several ports."""
_PLAIN = re.compile(r"[A-Za-z0-9_.:#=/-]+")
"""What means itself in a value of udev(7); a device says of itself whatever it likes."""


@dataclass(frozen=True, slots=True)
class SerialDevice:
    """One device."""

    device: Path
    """Its present name, such as ``/dev/ttyUSB0``; the next start may change it."""
    by_id: Path | None = None
    by_path: Path | None = None
    vendor: str = ""
    """USB's idVendor, 4 hex digits; empty where it is not USB."""
    product: str = ""
    serial: str = ""
    """The adapter's own serial number; many cheap ones have none."""
    has_twin: bool = False
    """Another adapter here says the same of itself: only the socket tells them apart."""

    @property
    def name(self) -> Path:
        """The name for ``lab.toml``: the one that lasts longest."""
        by_id = None if self.has_twin else self.by_id
        return by_id or self.by_path or self.device


def find_devices(dev: Path = Path("/dev"), sys: Path = Path("/sys")) -> list[SerialDevice]:
    """Return the serial devices that udev has named, by their present names."""
    by_id, by_path = _links(dev / "serial" / "by-id"), _links(dev / "serial" / "by-path")
    usb = {device: _usb_facts(device, sys) for device in sorted(by_id | by_path)}
    said = Counter(facts for facts in usb.values() if any(facts))
    return [
        SerialDevice(
            device, by_id.get(device), by_path.get(device), *facts, has_twin=said[facts] > 1
        )
        for device, facts in usb.items()
    ]


def holders(device: Path, proc: Path = Path("/proc")) -> list[str]:
    """Return the programs that have a device open, as far as this user may see them.

    The lock on a port does not stop root (TIOCEXCL, tty_ioctl(4)), so root has to look itself.
    """
    found = []
    for folder in sorted(proc.glob("[0-9]*")):
        try:
            if any(link.readlink() == device for link in (folder / "fd").iterdir()):
                found.append(f"{(folder / 'comm').read_text().strip()} ({folder.name})")
        except OSError:
            continue  # it ended, or it is another user's
    return found


def udev_rule(device: SerialDevice, machine: str) -> str:
    """Return the line that names a device ``/dev/fabctl/MACHINE`` and keeps others off it. Pure."""
    return ", ".join(
        (
            'SUBSYSTEM=="tty"',
            *_tells(device),
            f'SYMLINK+="fabctl/{machine}"',
            'ENV{ID_MM_DEVICE_IGNORE}="1"',  # ModemManager would talk to it
        )
    )


def _tells(device: SerialDevice) -> Iterable[str]:
    said = (device.vendor, device.product, device.serial)
    if all(_PLAIN.fullmatch(one) for one in said) and not device.has_twin:
        found = (
            ("idVendor", device.vendor),
            ("idProduct", device.product),
            ("serial", device.serial),
        )
        return [f'ATTRS{{{name}}}=="{value}"' for name, value in found]
    if device.by_path is not None:
        return [f'ENV{{ID_PATH}}=="{_PORT.sub("", device.by_path.name)}"']
    return [f'KERNEL=="{device.device.name}"']


def _links(folder: Path) -> dict[Path, Path]:
    """Return device → link. Where one device has several links (by-path has), the first by name."""
    if not folder.is_dir():
        return {}
    return {link.resolve(): link for link in sorted(folder.iterdir(), reverse=True)}


def _usb_facts(device: Path, sys: Path) -> tuple[str, str, str]:
    """Return idVendor, idProduct and serial of the USB device behind a port; empty without one."""
    folder = (sys / "class" / "tty" / device.name / "device").resolve()
    for place in (folder, *folder.parents):
        if (place / "idVendor").is_file():
            return _word(place, "idVendor"), _word(place, "idProduct"), _word(place, "serial")
    return "", "", ""


def _word(folder: Path, name: str) -> str:
    try:
        return (folder / name).read_text("ascii", "replace").strip()
    except OSError:
        return ""
