"""The console: sessions, second factors, forgotten passwords; the daily use of partners, lists that are searched."""

from tonnage.migrations.sql import run_files

revision = "0003"
down_revision = "0002"

OLDEST_PROGRAM = "0001"
"""An older program knows nothing of sessions; what it writes of usage is summed up by the database itself."""


def upgrade() -> None:
    run_files(revision, "access", "partners", "accounts", "usage")
