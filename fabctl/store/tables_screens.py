"""Tables of the lab's shared screens: the badges held before them, and the screens themselves."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from fabctl.store.ids import ID_LENGTH
from fabctl.store.tables import Base
from fabctl.store.types import PlainText

_Id = PlainText(ID_LENGTH)
_Sha256 = PlainText(64)


class Badge(Base):
    """A badge that signs somebody in on a shared screen; its number is kept as a keyed hash."""

    __tablename__ = "badge"

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    badge_hash: Mapped[str] = mapped_column(_Sha256, unique=True)
    added_at: Mapped[datetime]


class SharedScreen(Base):
    """A screen on a wall of the lab, with its own settings; paired with one browser at most."""

    __tablename__ = "shared_screen"
    __table_args__ = (
        CheckConstraint("(code_hash IS NULL) = (code_until IS NULL)", name="code"),
        CheckConstraint("(token_hash IS NULL) = (paired_at IS NULL)", name="paired"),
        CheckConstraint("(night_from IS NULL) = (night_until IS NULL)", name="night"),
    )

    id: Mapped[str] = mapped_column(PlainText(30), primary_key=True)
    """As the staff chose it for the address ``/kiosk/<id>``."""
    name: Mapped[str]
    idle_s: Mapped[int]
    brightness: Mapped[int]
    """Percent."""
    night_from: Mapped[int | None]
    """Minutes since midnight on the lab's clocks; NULL: it has no night."""
    night_until: Mapped[int | None]
    home: Mapped[str]
    """The path of the page it goes back to."""
    code_hash: Mapped[str | None] = mapped_column(_Sha256)
    code_until: Mapped[datetime | None]
    token_hash: Mapped[str | None] = mapped_column(_Sha256, unique=True)
    paired_at: Mapped[datetime | None]
