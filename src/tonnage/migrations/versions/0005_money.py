"""Prices, statements, and the sandbox.

A file per package, in the order of the list.
"""

from tonnage.migrations.sql import run_files

revision = "0005"
down_revision = "0004"

OLDEST_PROGRAM = "0002"
"""The newest revision of the oldest program that may still run on this schema."""

PACKAGES: tuple[str, ...] = ("contracts", "price_books", "billing_profiles", "sandbox", "storage", "regions")


def upgrade() -> None:
    run_files(revision, *PACKAGES)
