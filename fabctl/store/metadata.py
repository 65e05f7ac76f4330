"""Every table of the program: whoever needs all of them at once imports this."""

from __future__ import annotations

from fabctl.store import (
    tables_accounts,
    tables_booking,
    tables_hosts,
    tables_notices,
    tables_screens,
    tables_training,
    tables_upkeep,
    tables_workshops,
)
from fabctl.store.tables import Base

METADATA = Base.metadata
MODULES = (
    tables_accounts,
    tables_booking,
    tables_hosts,
    tables_notices,
    tables_screens,
    tables_training,
    tables_upkeep,
    tables_workshops,
)
"""The modules whose import adds tables to :data:`METADATA`."""
