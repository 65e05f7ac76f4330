"""Claims are found by their end, however many years of them there are."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let what has ended long ago cost nothing any more."""
    # by this one SQLite reads all that ever began on a resource
    op.drop_index("ix_claim_resource_id_start_at", "claim")
    for column in ("end_at", "free_at"):
        op.create_index(f"ix_claim_{column}", "claim", [column])
    if op.get_bind().dialect.name == "sqlite":
        for verb, event in (
            ("insert", "INSERT"),
            ("update", "UPDATE OF resource_id, start_at, end_at, free_at, released_at"),
        ):
            op.execute(f"DROP TRIGGER claim_no_overlap_{verb}")
            op.execute(_APART.format(verb=verb, event=event))


# As in 0004, but CROSS JOIN keeps SQLite to this order: the few resources first, then of each the
# claims that have not ended. Left to itself it reads the whole table for every claim.
_APART = """
CREATE TRIGGER claim_no_overlap_{verb} BEFORE {event} ON claim
WHEN NEW.released_at IS NULL AND EXISTS (
    SELECT 1 FROM resource AS mine
    CROSS JOIN resource AS theirs ON theirs.id = mine.id
      OR (theirs.place_from < mine.place_to AND mine.place_from < theirs.place_to)
    CROSS JOIN claim AS other ON other.resource_id = theirs.id
    WHERE mine.id = NEW.resource_id AND other.id <> NEW.id AND other.released_at IS NULL
      AND other.start_at < COALESCE(NEW.free_at, NEW.end_at)
      AND (other.end_at > NEW.start_at OR other.free_at > NEW.start_at)
)
BEGIN
    SELECT RAISE(ABORT, 'claim_no_overlap');
END
"""
