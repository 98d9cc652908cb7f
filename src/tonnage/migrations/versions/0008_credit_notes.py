"""What takes back a statement, and what is charged for the running month.

A file per package, in the order of the list.
"""

from tonnage.migrations.sql import run_files

revision = "0008"
down_revision = "0007"

OLDEST_PROGRAM = "0002"
"""The newest revision of the oldest program that may still run on this schema."""

PACKAGES: tuple[str, ...] = ("month_end", "numbering", "partners", "billing")


def upgrade() -> None:
    run_files(revision, *PACKAGES)
