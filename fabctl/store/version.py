"""Which state of the database this software needs."""

HEAD = "0017"
"""The newest migration. Kept here too, so that a check does not load alembic (a test compares)."""
