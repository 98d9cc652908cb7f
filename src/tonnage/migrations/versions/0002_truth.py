"""What the release after 0.1.0 adds: a file per package, in the order of the list."""

from tonnage.migrations.sql import run_files

revision = "0002"
down_revision = "0001"

OLDEST_PROGRAM = "0002"
"""The newest revision of the oldest program that may still run on this schema."""

PACKAGES = ("partners", "members", "api_keys", "access_keys", "accounts", "usage", "metering", "epoch")


def upgrade() -> None:
    run_files(revision, *PACKAGES)
