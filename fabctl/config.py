"""What ``lab.toml`` says, as typed values. Reading and checking it: :mod:`fabctl.config_file`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from fabctl.backup.rotation import Keep
from fabctl.interlock import InterlockProfile
from fabctl.ports import MachineProfile


@dataclass(frozen=True, slots=True)
class Host:
    """A computer with machines wired to it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class OidcConfig:
    """Where people sign in elsewhere: an OpenID Connect provider."""

    issuer: str
    """``https://…``, or ``http://…`` on this computer."""
    client_id: str
    link: str
    """How its people are found here: by ``login`` or by ``mail``. Nobody is added."""
    label: str = "OpenID Connect"
    """What its button says."""
    client_secret_file: Path | None = None
    """None: a public client, with PKCE alone."""


@dataclass(frozen=True, slots=True)
class WebConfig:
    """Where pages are served."""

    address: str = "127.0.0.1"
    port: int = 8080
    """1 to 65535; 0 lets the system choose (tests)."""
    public_url: str | None = None
    """How people reach the pages, ``https://name`` or ``http://name:port``; QR codes say it."""
    names: tuple[str, ...] = ()
    """Further host names under which pages are served, lower case; others are refused."""
    proxy_addresses: tuple[str, ...] = ()
    """IP addresses of proxies in front; only their X-Forwarded headers are believed."""
    peers: tuple[str, ...] = ()
    """Other computers of the lab that serve pages, ``https://name``: a job's file that came in
    there is fetched from them."""
    upload_max_mb: int = 200
    kiosk_addresses: tuple[str, ...] = ()
    """IP addresses whose browser is a shared screen: only there a PIN opens a session. Named by
    the lab, never assumed: behind a proxy or a tunnel every browser has this computer's own."""
    stick_folders: Mapping[str, Path] = field(default_factory=dict)
    """By the address of a shared screen: where this computer mounts the USB stick beside it."""
    oidc: OidcConfig | None = None
    """None: people sign in here only."""
    ca_file: Path | None = None
    """Who vouches for the certificate of ``public_url``; computers that join are given a copy."""

    @property
    def address_here(self) -> str:
        """Where this computer itself reaches it: one that means all addresses cannot be called."""
        unspecified = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # read, not bound
        return unspecified.get(self.address, self.address)


@dataclass(frozen=True, slots=True)
class BrokerConfig:
    """Where MQTT meets. ``url`` None: ``fabctl run`` starts a private mosquitto."""

    url: str | None = None
    """``mqtt://user@host:port`` (loopback only) or ``mqtts://user@host:port``."""
    password_file: Path | None = None
    password_folder: Path | None = None
    """One file ``USER.password`` for each of our own users; with a ``url`` that names none."""
    ca_file: Path | None = None
    hosts_url: str | None = None
    """How other computers reach it, ``mqtts://host:port``; they are told when they join."""
    hosts_ca_file: Path | None = None
    """Who vouches for its certificate there; they are given a copy."""


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """The lab's own server, as a computer that joined it reaches it."""

    url: str
    """``https://…``, or ``http://…`` on this computer."""
    token_file: Path
    ca_file: Path | None = None
    """Who vouches for its certificate; None: those whom this computer trusts anyway."""


@dataclass(frozen=True, slots=True)
class MailConfig:
    """The server that takes the lab's mail."""

    host: str
    port: int
    security: str
    """``starttls`` (asked for, or nothing is sent), ``tls`` from the first byte, or ``none``."""
    sender: str
    """The address in ``From``."""
    user: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None


@dataclass(frozen=True)
class BackupConfig:
    """Where copies of the lab go, and how long they stay."""

    directory: Path
    recipients: tuple[str, ...] = ()
    """age's recipients, who can read an archive; none: it is not encrypted."""
    keep: Keep = field(default_factory=Keep)
    max_age_h: int = 26
    """From when on the newest archive is too old, in h: a day, and time to make one."""


@dataclass(frozen=True, slots=True)
class DataPaths:
    """Where a lab's data lies, below one directory. Nothing here touches the disk."""

    root: Path

    @property
    def files(self) -> Path:
        """Uploaded job files, each named by its sha256."""
        return self.root / "files"

    @property
    def previews(self) -> Path:
        """What job files look like; each begins with its file's sha256, and goes with it."""
        return self.root / "previews"

    @property
    def tmp(self) -> Path:
        """Files on their way in; on the same file system as :attr:`files`."""
        return self.root / "tmp"

    @property
    def keys(self) -> Path:
        """One signing key per machine."""
        return self.root / "keys"

    @property
    def secret(self) -> Path:
        """The web's secret."""
        return self.root / "secret.key"

    @property
    def broker(self) -> Path:
        """Everything of the private broker."""
        return self.root / "broker"

    @property
    def broker_port(self) -> Path:
        """A file that holds the private broker's TCP port."""
        return self.broker / "port"

    @property
    def backups(self) -> Path:
        """Copies of the database made before it is migrated."""
        return self.root / "backups"

    @property
    def run_lock(self) -> Path:
        """Held by the one ``fabctl run`` that uses this directory."""
        return self.root / "run.lock"

    def job_file(self, sha256: str) -> Path:
        """Return where the job file with this sha256 (64 hex digits) lies."""
        return self.files / f"{sha256}.gcode"

    def machine_key(self, machine: str) -> Path:
        """Return the file that holds this machine's signing key."""
        return self.keys / f"{machine}.key"

    def permit_key(self, machine: str) -> Path:
        """Return the file that holds the key of this machine's permits.

        Only what issues permits and the interlock's daemon read it, not the machine's process.
        """
        return self.keys / f"{machine}.permit.key"

    def interlock(self, machine: str) -> Path:
        """Return the folder that this machine's interlock daemon alone writes."""
        return self.root / "interlocks" / machine

    def machine(self, machine: str) -> Path:
        """Return the folder that this machine's process alone writes."""
        return self.root / "machines" / machine

    @property
    def broker_files(self) -> Path:
        """A file that holds where ``fabctl broker-config`` put the broker's files."""
        return self.broker / "files-in"

    def broker_revoked(self, host: str) -> Path:
        """Return the file whose presence says that a host has no account on the broker."""
        return self.broker / f"{host}.revoked"

    def broker_password(self, user: str) -> Path:
        """Return the file that holds one of our own users' password of the broker, unless lab.toml
        names a folder: see :meth:`LabConfig.broker_password_file`.
        """
        return self.broker / f"{user}.password"


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
    interlocks: Mapping[str, InterlockProfile] = field(default_factory=dict)
    """By machine; a machine without one is not in it."""
    mail: MailConfig | None = None
    """None: no mail is sent; everything stands in the app."""
    backup_table: BackupConfig | None = None
    """None: there is no such table; :attr:`backup` says what counts then."""
    server: ServerConfig | None = None
    """None: this is the lab's own server. Else ``fabctl host join`` wrote it."""

    @property
    def backup(self) -> BackupConfig:
        """Where copies of the lab go, and how long they stay."""
        return self.backup_table or BackupConfig(self.paths.backups)

    @property
    def paths(self) -> DataPaths:
        """Where each part of the lab's data lies."""
        return DataPaths(self.data_directory)

    @property
    def broker_passwords(self) -> Path:
        """The folder with the broker's passwords of our own users."""
        return self.broker.password_folder or self.paths.broker

    def broker_password_file(self, user: str) -> Path:
        """Return the file that holds the broker's password of one of our own users."""
        return self.broker_passwords / self.paths.broker_password(user).name

    @property
    def language(self) -> str:
        """The lab's first language."""
        return self.languages[0]
