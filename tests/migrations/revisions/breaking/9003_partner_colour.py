"""Compatible itself, but applied together with a breaking one."""

from alembic import op

from tonnage.migrations import program_revision

revision = "9003"
down_revision = "9002"

OLDEST_PROGRAM = program_revision()


def upgrade() -> None:
    op.execute("alter table partner add column colour text")
