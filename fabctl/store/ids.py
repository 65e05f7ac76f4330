"""Ids that say nothing: they may travel over MQTT and stand in addresses."""

from __future__ import annotations

import secrets

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
ID_LENGTH = 12


def new_id() -> str:
    """Return 12 random lower-case base32 characters (60 bits)."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(ID_LENGTH))
