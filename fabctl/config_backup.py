"""``[backup]`` of ``lab.toml``: where copies of the lab go, for whose key, and how many stay."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from fabctl.backup.rotation import Keep
from fabctl.config import BackupConfig
from fabctl.config_reader import NotAllowedError, Table, text, whole

_RECIPIENT = re.compile(r"age1[02-9ac-hj-np-z]{58}|ssh-(?:ed25519|rsa) [A-Za-z0-9+/=]+(?: .*)?")
_ALLOWED = "a list of age recipients: age1…, or a public key of ssh-ed25519 or ssh-rsa"


def backup(table: Table, folder: Path, data: Path) -> BackupConfig:
    """Return what the table says; without one: the data directory's folder, not encrypted."""
    usual = Keep()
    where = table.take("directory", text, None)
    found = BackupConfig(
        directory=Path(os.path.normpath(folder / where)) if where else data / "backups",
        recipients=table.take("recipients", _recipients, ()),
        keep=Keep(
            table.take("daily", whole(0, 1000), usual.daily),
            table.take("weekly", whole(0, 1000), usual.weekly),
            table.take("monthly", whole(0, 1000), usual.monthly),
        ),
        max_age_h=table.take("max_age_h", whole(1, 10_000), BackupConfig.max_age_h),
    )
    table.finish()
    return found


def _recipients(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise NotAllowedError(_ALLOWED)
    if not all(isinstance(one, str) and _RECIPIENT.fullmatch(one) for one in value):
        raise NotAllowedError(_ALLOWED)
    return tuple(value)
