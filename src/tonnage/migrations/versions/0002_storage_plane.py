"""Accounts on a real cluster: how regions are reached, what accounts were told, their access keys, objects, traffic."""

from tonnage.migrations.sql import run_files

revision = "0002"
down_revision = "0001"

OLDEST_PROGRAM = "0001"
"""An older program goes on working as long as every region is metered: it knows nothing of clusters."""


def upgrade() -> None:
    run_files(revision, "regions", "accounts", "usage", "jobs")
