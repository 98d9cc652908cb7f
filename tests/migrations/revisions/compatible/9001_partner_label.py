"""A possible later revision: older programs may continue to run."""

from alembic import op

from tonnage.migrations import program_revision

revision = "9001"
down_revision = program_revision()

OLDEST_PROGRAM = down_revision


def upgrade() -> None:
    op.execute("alter table partner add column label text not null default ''")
    op.execute("create index partner_by_label on partner (label)")
