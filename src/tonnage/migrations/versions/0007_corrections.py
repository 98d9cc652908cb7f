"""What follows a freeze: corrections of months that are frozen.

A file per package, in the order of the list.
"""

from tonnage.migrations.sql import run_files

revision = "0007"
down_revision = "0006"

OLDEST_PROGRAM = "0002"
"""The newest revision of the oldest program that may still run on this schema."""

PACKAGES: tuple[str, ...] = ("month_end", "statements")


def upgrade() -> None:
    run_files(revision, *PACKAGES)
