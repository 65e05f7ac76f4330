"""The options of a machine with the driver ``octoprint``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from fabctl.errors import InputError
from fabctl.ports import MachineProfile
from fabctl.units import Seconds
from fabctl_drivers.octoprint.exchange import Server, checked_url

OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "api_key": "a key of OctoPrint's; better in a file: lab.toml is read by many",
        "api_key_file": "a file that holds the key and nothing else; read again at every opening",
        "ca_file": "certificate authority for https with a certificate of one's own",
        "patience_s": "so long a server may be silent while a job runs; default 300",
        "push": "false: ask for the status every second instead of listening",
    }
)
DEFAULT_PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True)
class OctoPrintSettings:
    """What the driver needs to know."""

    machine: str
    url: str
    key: str | None = field(repr=False)
    key_file: Path | None
    ca_file: Path | None
    patience: Seconds
    push: bool

    def server(self) -> Server:
        """Return where the server is, with the key as it is now.

        :raises InputError: the key's file cannot be read, or what it holds is no key.
        """
        key = self.key or self._read_key()
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise self._no_key("holds no key")
        return Server(self.url, key, self.ca_file)

    def _read_key(self) -> str:
        try:
            return self.key_file.read_text(encoding="utf-8").strip() if self.key_file else ""
        except (OSError, ValueError) as error:
            raise self._no_key(f"cannot be read: {type(error).__name__}") from error

    def _no_key(self, why: str) -> InputError:
        where = f"options.api_key_file ({self.key_file})" if self.key_file else "options.api_key"
        return InputError(
            f"{where} {why}",
            device=self.machine,
            next_step="make a key in OctoPrint's settings and put it there",
        )


def settings_of(profile: MachineProfile) -> OctoPrintSettings:
    """Return the settings of a machine.

    :raises InputError: the address or the key is missing, or an option is wrong.
    """
    options = profile.options
    unknown = sorted(set(options) - set(OPTIONS))
    if unknown:
        raise InputError(
            f"the driver octoprint has no option {', '.join(unknown)}",
            device=profile.id,
            next_step=f"it knows {', '.join(OPTIONS)}",
        )
    key, key_file = _text(profile, "api_key"), _text(profile, "api_key_file")
    if (key is None) == (key_file is None):
        raise InputError(
            "the driver octoprint needs one of options.api_key_file and options.api_key",
            device=profile.id,
            next_step="make a key: fabctl octoprint-key",
        )
    ca_file = _text(profile, "ca_file")
    return OctoPrintSettings(
        machine=profile.id,
        url=checked_url(profile.port or "", profile.id),
        key=key,
        key_file=Path(key_file) if key_file else None,
        ca_file=Path(ca_file) if ca_file else None,
        patience=_patience(profile),
        push=options.get("push", True) is not False,
    )


def _text(profile: MachineProfile, option: str) -> str | None:
    value = profile.options.get(option)
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"options.{option} is no text", device=profile.id)
    return value.strip()


def _patience(profile: MachineProfile) -> Seconds:
    value = profile.options.get("patience_s", DEFAULT_PATIENCE_S)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= 86400:
        raise InputError(
            f"options.patience_s is {value!r}", device=profile.id, limit="1 to 86400 s"
        )
    return Seconds(value)
