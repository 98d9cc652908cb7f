"""A possible later revision: older programs name a column that is gone."""

from alembic import op

revision = "9002"
down_revision = "9001"

OLDEST_PROGRAM = "9002"


def upgrade() -> None:
    op.execute("alter table partner rename column details to remarks")
