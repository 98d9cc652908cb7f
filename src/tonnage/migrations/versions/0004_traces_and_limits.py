"""Traces of what was not a change, limits, and functions for a role of the program.

A file per package, in the order of the list.
"""

from tonnage.migrations.sql import run_files

revision = "0004"
down_revision = "0003"

OLDEST_PROGRAM = "0002"
"""The newest revision of the oldest program that may still run on this schema."""

PACKAGES: tuple[str, ...] = (
    "access",
    "security_events",
    "api_keys",
    "authentication",
    "usage",
    "contracts",
    "partners",
)


def upgrade() -> None:
    run_files(revision, *PACKAGES)
