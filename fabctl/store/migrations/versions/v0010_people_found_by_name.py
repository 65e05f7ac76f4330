"""People are found and listed by their name in the database."""

import unicodedata

import sqlalchemy as sa
from alembic import op

from fabctl.store.types import OrderedText

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

PERSON = sa.table(
    "person", sa.column("id"), sa.column("display_name"), sa.column("search_name", OrderedText())
)


def upgrade() -> None:
    """Keep each name without accents and capitals too, in an order that both databases have."""
    named: sa.Column[str] = sa.Column(
        "search_name", OrderedText(), nullable=False, server_default=""
    )
    op.add_column("person", named)
    connection = op.get_bind()
    change = PERSON.update().where(PERSON.c.id == sa.bindparam("of"))
    rows = connection.execute(sa.select(PERSON.c.id, PERSON.c.display_name)).all()
    if rows:
        names = [{"of": row.id, "search_name": _plain(row.display_name)} for row in rows]
        connection.execute(change, names)
    op.create_index("ix_person_search_name_id", "person", ["search_name", "id"])


def _plain(name: str) -> str:
    """Return what the rules about people said of it at the time of this migration."""
    apart = unicodedata.normalize("NFKD", name.casefold())
    return "".join(one for one in apart if not unicodedata.combining(one))
