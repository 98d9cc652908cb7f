"""How far a freeze has come, mails with statements, and lists of adjustments.

A file per package, in the order of the list.
"""

from tonnage.migrations.sql import run_files

revision = "0009"
down_revision = "0008"

OLDEST_PROGRAM = "0002"
"""The newest revision of the oldest program that may still run on this schema."""

PACKAGES: tuple[str, ...] = ("month_end", "billing_profiles", "statement_mails", "statements")


def upgrade() -> None:
    run_files(revision, *PACKAGES)
