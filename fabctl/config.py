"""What ``lab.toml`` says, as typed values. Reading and checking it: :mod:`fabctl.config_file`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from fabctl.ports import MachineProfile


@dataclass(frozen=True, slots=True)
class Host:
    """A computer with machines wired to it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class WebConfig:
    """Where pages are served."""

    address: str = "127.0.0.1"
    port: int = 8080
    """1 to 65535; 0 lets the system choose (tests)."""
    upload_max_mb: int = 200
    kiosk_addresses: tuple[str, ...] = ("127.0.0.1", "::1")
    """IP addresses whose browser is a shared screen: only there a PIN opens a session."""


@dataclass(frozen=True, slots=True)
class BrokerConfig:
    """Where MQTT meets. ``url`` None: ``fabctl run`` starts a private mosquitto."""

    url: str | None = None
    """``mqtt://user@host:port`` (loopback only) or ``mqtts://user@host:port``."""
    password_file: Path | None = None
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class LabConfig:
    """One lab, whole."""

    file: Path
    id: str
    name: str
    time_zone: ZoneInfo
    languages: tuple[str, ...]
    """``fr`` and ``en``, in order of preference."""
    simulated: bool
    data_directory: Path
    database_url: str
    """SQLAlchemy's form: ``sqlite:////…/lab.db`` or ``postgresql+psycopg://…``."""
    web: WebConfig
    broker: BrokerConfig
    hosts: Mapping[str, Host]
    machines: Mapping[str, MachineProfile]

    @property
    def language(self) -> str:
        """The lab's first language."""
        return self.languages[0]
