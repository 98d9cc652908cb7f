"""Fails after its first statement."""

from alembic import op

from tonnage.migrations import program_revision

revision = "9001"
down_revision = program_revision()

OLDEST_PROGRAM = down_revision


def upgrade() -> None:
    op.execute("create table half_way (id integer)")
    op.execute("select 1 / 0")
