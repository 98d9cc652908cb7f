"""Organisations, contracts, partners, regions, storage accounts, usage, secrets."""

from tonnage.migrations.sql import run_files

revision = "0001"
down_revision = None

OLDEST_PROGRAM = "0001"
"""The revision that the oldest program that may still run on this schema was made for."""


def upgrade() -> None:
    run_files(revision, "access", "contracts", "partners", "accounts", "usage", "secrets")
