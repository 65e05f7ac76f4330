"""The table of the computers that drive machines elsewhere in the lab: who joined, who is out."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from fabctl.store.tables import Base
from fabctl.store.types import PlainText

_Sha256 = PlainText(64)


class JoinedHost(Base):
    """A host of lab.toml that was invited once. By whose code it joined, the audit trail says."""

    __tablename__ = "joined_host"
    __table_args__ = (CheckConstraint("(code_hash IS NULL) = (code_until IS NULL)", name="code"),)

    id: Mapped[str] = mapped_column(PlainText(128), primary_key=True)
    """As lab.toml names it."""
    code_hash: Mapped[str | None] = mapped_column(_Sha256, unique=True)
    code_until: Mapped[datetime | None]
    wrong: Mapped[int]
    """Wrong codes that somebody tried while this one was out."""
    token_hash: Mapped[str | None] = mapped_column(_Sha256, unique=True)
    """Of the token with which it fetches the files of its jobs."""
    joined_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    heard_at: Mapped[datetime | None]
    """When one of its machines said something last: noted when they fall silent, and each hour."""
